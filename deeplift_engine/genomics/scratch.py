"""Rows of numbers in a temporary file, written and read in any order: memory holds a block."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.util.typing import Array


class Scratch:
    """``(rows, *shape)`` numbers in a file without a name, which vanishes with the process.

    Parameters
    ----------
    folder
        On whose disk it lies.
    shape
        Of a row.
    dtype
        Of the numbers.
    """

    def __init__(self, folder: Path, shape: Sequence[int], dtype: Any) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._shape, self._dtype = tuple(shape), np.dtype(dtype)
        self._bytes = int(np.prod(self._shape)) * self._dtype.itemsize

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, rows: Array, values: Array) -> None:
        """Put ``(n, *shape)`` values into rows of these numbers."""
        content = np.ascontiguousarray(values, self._dtype).reshape(len(rows), -1)
        for first, some in self._neighbours(rows):
            data, at = content[some].data.cast("B"), first
            while data:
                written = os.pwrite(self._file.fileno(), data, at)
                data, at = data[written:], at + written

    def read(self, rows: Array) -> Array:
        """The values of rows of these numbers, which were written."""
        values = np.empty((len(rows), *self._shape), self._dtype)
        for first, some in self._neighbours(rows):
            data = os.pread(self._file.fileno(), (some.stop - some.start) * self._bytes, first)
            values[some] = np.frombuffer(data, self._dtype).reshape(-1, *self._shape)
        return values

    def _neighbours(self, rows: Array) -> Iterator[tuple[int, slice]]:
        """Where in the file rows lie that follow each other, and which of the rows they are."""
        edges = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)]
        for start, stop in pairwise(edges):
            if start < stop:
                yield int(rows[start]) * self._bytes, slice(start, stop)


__all__ = ["Scratch"]
