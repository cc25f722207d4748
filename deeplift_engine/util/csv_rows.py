"""Rows of CSV, and the lines on which they begin: cells in quotation marks may have several."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from deeplift_engine.errors import InputError


def numbered_rows(
    lines: Iterable[str], separator: str, path: Path, *, strict: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, behind the number of their first line, from 1.

    Raises
    ------
    InputError
        For a row that is none, naming its first line: a quotation mark that no other closes; and,
        if strict, text behind a closing one.
    """
    reader, first = csv.reader(lines, delimiter=separator, strict=strict), 1
    try:
        for cells in reader:
            if cells:
                yield first, cells
            first = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{path}, line {first} begins no row of a table ({error}).") from error


__all__ = ["numbered_rows"]
