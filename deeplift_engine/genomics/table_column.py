"""Sequences in a column of a table: text with commas or tabs, the names of the columns on top."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.packed_files import opened
from deeplift_engine.util.csv_rows import numbered_rows
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array
from deeplift_engine.util.utf8_text import decoded

DELIMITERS = {".csv": ",", ".tsv": "\t"}
"""What stands between cells, by the suffix; ``.gz`` may follow."""


def is_table(path: Path) -> bool:
    """Whether a file is such a table, by its name."""
    return _delimiter(path) is not None


def read_column(path: Path, column: str) -> Array:
    """The texts (N,) of the column with a name, as objects; surrounding spaces are no part of them.

    Raises
    ------
    InputError
        If the file cannot be read, is no table or has no such column; for a line that is shorter,
        and without any lines.
    """
    delimiter = _delimiter(path)
    if delimiter is None:
        raise InputError(f"{path}: --column is of a table, {' or '.join(DELIMITERS)}")
    texts = list(_cells(path, delimiter, column))
    if not texts:
        raise InputError(f"{path} has no lines below the names of its columns.")
    return np.array(texts, object)


def _cells(path: Path, delimiter: str, column: str) -> Iterator[str]:
    with opened(path) as file:
        text = decoded(file.read(), path).removeprefix("\ufeff")
    rows = numbered_rows(io.StringIO(text, newline=""), delimiter, path, strict=False)
    names = [name.strip() for name in next(rows, (1, list[str]()))[1]]
    if column not in names:
        listed = f"It has {', '.join(names) or 'none'}."
        raise InputError(f"{path} has no column {column!r}. {suggest(column, names, listed)}")
    where = names.index(column)
    for line, row in rows:
        if len(row) <= where:
            raise InputError(
                f"{path}, line {line}: {len(row)} cells, and column {column!r} is "
                f"number {where + 1}"
            )
        yield row[where].strip()


def _delimiter(path: Path) -> str | None:
    return DELIMITERS.get(Path(path.name.lower().removesuffix(".gz")).suffix)


__all__ = ["is_table", "read_column"]
