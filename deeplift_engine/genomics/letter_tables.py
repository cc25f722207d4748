"""Tables of one row a sample and position: CSV, parquet, and lines of JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from deeplift_engine.errors import OutputError
from deeplift_engine.genomics.exported import Choices, Exported, Exporter
from deeplift_engine.genomics.nucleotides import LETTERS
from deeplift_engine.genomics.scored_windows import ScoredWindows
from deeplift_engine.genomics.shap_format import letters_of
from deeplift_engine.util.optional import optional
from deeplift_engine.util.output_file import OutputFile, output_file
from deeplift_engine.util.typing import Array

COLUMNS = (
    *("sample", "chrom", "position", "letter", "contribution"),
    *(f"hypothetical_{letter}" for letter in LETTERS),
)
"""Chromosome and position are the window's own name and 0, 1 … where it has no place."""
ABOUT = "a row a sample and position, on the forward strand: letter, contribution, hypothetical"


@dataclass(frozen=True)
class Window:
    """The rows of a window, L of them.

    Attributes
    ----------
    sample, chrom
        The same in all rows.
    position
        (L,), 0-based.
    letter
        (L,) text.
    values
        (L, 5) float32, the contribution and the hypothetical ones.
    """

    sample: str
    chrom: str
    position: Array
    letter: Array
    values: Array


def windows_of(windows: ScoredWindows, head: str) -> Iterator[Window]:
    """The windows of a store, their rows on the forward strand."""
    places = windows.places
    for rows, arrays in windows.blocks(head, ["one_hot", "projected", "hypothetical"]):
        strand = places.strand[rows]
        one_hot, projected, hypothetical = (_forward(array, strand) for array in arrays)
        letters = letters_of(one_hot)
        values = np.concatenate([projected.sum(axis=1, keepdims=True), hypothetical], axis=1)
        for number, row in enumerate(range(rows.start, rows.stop)):
            yield Window(
                str(places.name[row]),
                str(places.chrom[row]),
                np.arange(places.start[row], places.end[row]),
                letters[number],
                values[number].T,
            )


def _forward(array: Array, strand: Array) -> Array:
    """``(n, 4, L)`` on the forward strand; the letters of ACGT turned are TGCA."""
    turned = (strand == "-")[:, np.newaxis, np.newaxis]
    return np.where(turned, array[:, ::-1, ::-1], array)


def write_csv(disk: OutputFile, rows: Iterable[Window]) -> None:
    """Lines with commas between, under their columns."""
    disk.write((",".join(COLUMNS) + "\n").encode())
    for window in rows:
        disk.write(_lines(window, ",".join(map(_quoted, (window.sample, window.chrom))) + ","
                          "%d,%s" + ",%.9g" * 5))  # fmt: skip


def write_json(disk: OutputFile, rows: Iterable[Window]) -> None:
    """An object on each line."""
    form = ", ".join(f'"{name}": %s' for name in COLUMNS)
    for window in rows:
        texts = [json.dumps(text).replace("%", "%%") for text in (window.sample, window.chrom)]
        disk.write(_lines(window, "{" + form % (*texts, "%d", '"%s"', *["%.9g"] * 5) + "}"))


def _lines(window: Window, form: str) -> bytes:
    columns = window.position.tolist(), window.letter.tolist(), *window.values.T.tolist()
    return "".join([f"{form}\n" % row for row in zip(*columns, strict=True)]).encode()


def _quoted(text: str) -> str:
    quoted = f'"{text.replace(chr(34), chr(34) * 2)}"' if set(text) & set(',"\r\n') else text
    return quoted.replace("%", "%%")


def read_csv(file: BinaryIO, lengths: Iterable[int]) -> Iterator[Window]:
    """What `write_csv` wrote."""
    rows = csv.reader(line.decode() for line in file)
    next(rows)
    return _read(rows, lengths)


def read_json(file: BinaryIO, lengths: Iterable[int]) -> Iterator[Window]:
    """What `write_json` wrote."""
    rows = ([*json.loads(line).values()] for line in file)
    return _read(rows, lengths)


def _read(rows: Iterator[Sequence[Any]], lengths: Iterable[int]) -> Iterator[Window]:
    for length in lengths:
        own = list(islice(rows, length))
        sample, chrom, position, letter, *values = zip(*own, strict=True)
        yield Window(
            sample[0],
            chrom[0],
            np.array(position).astype(np.int64),
            np.array(letter),
            np.array(values).astype(np.float32).T,
        )


def write_parquet(disk: OutputFile, rows: Iterable[Window]) -> None:
    """A row group for each window."""
    arrow = optional("pyarrow", "pyarrow", "parquet")
    parquet = optional("pyarrow.parquet", "pyarrow", "parquet")
    text, number, value = arrow.string(), arrow.int64(), arrow.float32()
    kinds = [text, text, number, text, *[value] * 5]
    schema = arrow.schema(list(zip(COLUMNS, kinds, strict=True)))
    with parquet.ParquetWriter(disk, schema) as writer:
        for window in rows:
            length = len(window.position)
            columns = [
                *(arrow.repeat(each, length) for each in (window.sample, window.chrom)),
                arrow.array(window.position, number),
                arrow.array(window.letter.tolist(), text),
                *(arrow.array(np.ascontiguousarray(each)) for each in window.values.T),
            ]
            writer.write_table(arrow.table(columns, schema=schema))


def read_parquet(file: BinaryIO, lengths: Iterable[int]) -> Iterator[Window]:
    """What `write_parquet` wrote."""
    content = optional("pyarrow.parquet", "pyarrow", "parquet").ParquetFile(file)
    for number, _ in enumerate(lengths):
        table = content.read_row_group(number)
        sample, chrom, position, letter, *values = (table[name].to_numpy() for name in COLUMNS)
        yield Window(sample[0], chrom[0], position, letter.astype(str), np.stack(values, axis=1))


Write = Callable[[OutputFile, Iterable[Window]], None]
Read = Callable[[BinaryIO, Iterable[int]], Iterator[Window]]
FORMATS: Mapping[str, tuple[Write, Read]] = {
    "csv": (write_csv, read_csv),
    "parquet": (write_parquet, read_parquet),
    "json": (write_json, read_json),
}
SUFFIXES = {"json": "jsonl"}
"""Of formats that are not called so."""


def _write(name: str, windows: ScoredWindows, choices: Choices) -> Exported:
    """Write a table for each head, read back before it takes its name."""
    exported = Exported(name)
    write, read = FORMATS[name]
    for file, head in zip(_files(name, windows), windows.heads, strict=True):
        path = choices.file(file)
        with output_file(path, overwrite=choices.overwrite) as disk:
            write(disk, windows_of(windows, head))
            if disk.failure is not None:
                raise disk.failure
            disk.flush()
            _compare(Path(str(disk.name)), read, windows, head, path)
        exported.files[path] = ABOUT
    return exported


def _compare(written: Path, read: Read, windows: ScoredWindows, head: str, path: Path) -> None:
    lengths = [windows.length] * len(windows.samples)
    with written.open("rb") as file:
        expected = windows_of(windows, head)
        for row, (one, other) in enumerate(zip(read(file, lengths), expected, strict=True)):
            same = all(
                np.array_equal(getattr(one, each), getattr(other, each)) for each in vars(one)
            )
            if not same:
                raise OutputError(
                    f"{path} was not written: read back, row {row} differs from the store. Check "
                    "the disk"
                )


def _files(name: str, windows: ScoredWindows) -> list[str]:
    return [f"{label}{SUFFIXES.get(name, name)}" for label in windows.labels.values()]


TABLES: Mapping[str, Exporter] = {
    name: Exporter(
        f"a table of one row a sample and position, {name}",
        ("hypothetical", "inputs"),
        False,
        partial(_files, name),
        partial(_write, name),
    )
    for name in FORMATS
}

__all__ = ["COLUMNS", "FORMATS", "TABLES", "Window", "windows_of"]
