"""Texts with their names: of a file with one on each line, of a column of a table, or in memory."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deeplift_engine.errors import InputError
from deeplift_engine.text.tokenizer_files import read_text
from deeplift_engine.util.csv_rows import numbered_rows
from deeplift_engine.util.suggestions import suggest

LINES, TABLES, JSON_LINES = (".txt", ".text"), {".csv": ",", ".tsv": "\t"}, (".jsonl", ".ndjson")
SUFFIXES = (*LINES, *TABLES, *JSON_LINES)


@dataclass(frozen=True)
class NamedTexts:
    """N texts, their names, and the file that they are from, empty of those in memory."""

    names: Sequence[str]
    texts: Sequence[str]
    path: str = ""


def named_texts(source: Any, column: str | None = None, names: str | None = None) -> NamedTexts:
    """Texts of a file or in memory.

    Parameters
    ----------
    source
        A file: ``.txt``, a text a line; ``.csv`` or ``.tsv`` with a header; ``.jsonl``, an object a
        line. Or a data frame; or texts by name, or a list, an array or a column of them.
    column
        The column that holds the texts, where there are several.
    names
        The column that holds their names; by default they are numbered from 0.

    Raises
    ------
    InputError
        If the file cannot be read, has no such column, or holds something else.
    """
    if hasattr(source, "columns"):
        return _of_frame(source, column, names)
    if not isinstance(source, str | os.PathLike):
        if column is not None or names is not None:
            raise InputError(
                f"column={column!r}, names={names!r}: for files and data frames; of texts in "
                "memory give the column itself, or a mapping of names to texts."
            )
        return _in_memory(source)
    path = Path(source)
    suffix = path.suffix.lower()
    if suffix in TABLES:
        columns, rows = _table(read_text(path).removeprefix("\ufeff"), TABLES[suffix], path)
    elif suffix in JSON_LINES:
        columns, rows = _objects(read_text(path), path)
    elif column is not None:
        raise InputError(f"column={column!r} is for tables ({', '.join(SUFFIXES[2:])}), not {path}")
    else:
        content = read_text(path).removeprefix("\ufeff").removesuffix("\n")
        lines = [line.removesuffix("\r") for line in content.split("\n")]
        return NamedTexts([str(number) for number in range(len(lines))], lines, str(path))
    if not rows:
        raise InputError(f"{path} has no rows; expected a text in each.")
    texts = _cells(rows, _column(columns, column, path))
    labels = [str(number) for number in range(len(rows))]
    if names is not None:
        labels = _cells(rows, _column(columns, names, path))
    return NamedTexts(labels, texts, str(path))


def _of_frame(frame: Any, column: str | None, names: str | None) -> NamedTexts:
    """A column of a data frame, and another of names, else the frame's index."""
    known = {str(name): name for name in frame.columns}

    def cells(name: str | None) -> Any:
        return frame[known[_column(list(known), name, "the table")]]

    texts = _in_memory(cells(column))
    index = getattr(frame, "index", texts.names)
    return NamedTexts(list(map(str, index if names is None else cells(names))), texts.texts)


def _in_memory(source: Any) -> NamedTexts:
    if isinstance(source, Mapping):
        names, texts = [str(name) for name in source], list(source.values())
    elif isinstance(source, Iterable):
        texts = list(source)
        names = [str(number) for number in range(len(texts))]
    else:
        raise InputError(f"texts are of type {type(source).__name__}; give a list, or a file.")
    decoded = [text.decode() if isinstance(text, bytes) else text for text in texts]
    for number, text in enumerate(decoded):
        if not isinstance(text, str):
            raise InputError(
                f"text {number} is of type {type(text).__name__}, {text!r}; expected a string. Of "
                "a table give one column: texts(table['review'])."
            )
    return NamedTexts(names, [str(text) for text in decoded])


Row = tuple[str, Mapping[str, Any]]
"""Where it stands, for messages, and its cells by column."""


def _table(text: str, separator: str, path: Path) -> tuple[Sequence[str], list[Row]]:
    """The names of the columns, and the rows."""
    numbered = numbered_rows(io.StringIO(text, newline=""), separator, path)
    _, columns = next(numbered, (1, []))
    rows: list[Row] = []
    for line, cells in numbered:
        where = f"{path}, line {line} (record {len(rows)})"
        if len(cells) != len(columns):
            raise InputError(
                f"{where} has {len(cells)} columns, and the header has {len(columns)}: a text "
                f"with {separator!r} in it stands between quotation marks."
            )
        rows.append((where, dict(zip(columns, cells, strict=True))))
    return columns, rows


def _objects(text: str, path: Path) -> tuple[Sequence[str], list[Row]]:
    """The names of the first object, and all objects."""
    rows: list[Row] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number} (record {len(rows)})"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{where}: damaged JSON ({error}).") from error
        if not isinstance(row, dict):
            raise InputError(f"{where}: expected an object with the text in it.")
        rows.append((where, row))
    return list(rows[0][1]) if rows else [], rows


def _cells(rows: Sequence[Row], name: str) -> list[str]:
    """A column as strings; empty where a row says that it has none."""
    for where, row in rows:
        if name not in row:
            raise InputError(f"{where} has no {name!r}, which the first has.")
        if isinstance(row[name], list | dict):
            raise InputError(f"{where}: {name!r} is a {type(row[name]).__name__}, not a string.")
    return ["" if row[name] is None else str(row[name]) for _, row in rows]


def _column(known: Sequence[str], name: str | None, path: Path | str) -> str:
    """The name of the one column that is meant."""
    if name is None and len(known) == 1:
        return known[0]
    if name not in known:
        what = "say which column holds the texts" if name is None else f"no column {name!r}"
        raise InputError(
            f"{path}: {what}, column= (--column). "
            + suggest(name, known, f"It has {', '.join(known)}.")
        )
    if known.count(name) > 1:
        raise InputError(
            f"{path} has {known.count(name)} columns {name!r}: give each its own name."
        )
    return str(name)


__all__ = ["SUFFIXES", "NamedTexts", "named_texts"]
