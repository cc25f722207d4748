"""Results as tables and figures: aligned text, CSV, pictures, and the suffixes of their files."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplift_engine.errors import OutputError
from deeplift_engine.util.optional import optional

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = (".png", ".pdf", ".svg")


def aligned(lines: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Lines of cells as columns of text; columns numbered in ``right`` are right-aligned."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """One or more rows of the same keys as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def to_picture(figure: Figure, kind: str) -> bytes:
    """The content of a file of one of `PICTURES`."""
    picture = io.BytesIO()
    figure.savefig(picture, format=kind[1:], dpi=130)
    return picture.getvalue()


def checked_suffix(path: str | os.PathLike[str], what: str, tables: Sequence[str]) -> str:
    """The suffix of a file for a table or a figure.

    Raises
    ------
    OutputError
        For any other.
    DeepliftEngineError
        For a figure where matplotlib is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (*tables, *PICTURES):
        known = [f"tables ({', '.join(tables)})"] * bool(tables)
        known.append(f"figures ({', '.join(PICTURES)})")
        raise OutputError(
            f"{path}: {what} are written as {' or '.join(known)}, not as "
            f"{suffix or 'a file without a suffix'}."
        )
    if suffix in PICTURES:
        optional("matplotlib", "matplotlib", "plot")
    return suffix


__all__ = ["PICTURES", "aligned", "checked_suffix", "to_csv", "to_picture"]
