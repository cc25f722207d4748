"""Pages of docs/ that are written from tables of the code: what they share."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def write(page: str, command: str, arguments: Sequence[str]) -> int:
    """Write a page to the one file that is named, and return the exit code.

    ``command`` says how to call it, where the arguments are others.
    """
    if len(arguments) != 1:
        sys.stderr.write(f"usage: {command}\n")
        return 2
    Path(arguments[0]).write_text(page, encoding="utf-8")
    return 0
