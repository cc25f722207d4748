"""Rows of numbers in a temporary file, written and read in any order: memory holds a block."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
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
        for row, value in zip(
            rows.tolist(), np.ascontiguousarray(values, self._dtype), strict=True
        ):
            os.pwrite(self._file.fileno(), value.tobytes(), row * self._bytes)

    def read(self, rows: Array) -> Array:
        """The values of rows of these numbers, which were written."""
        values = np.empty((len(rows), *self._shape), self._dtype)
        for row, value in zip(rows.tolist(), values, strict=True):
            data = os.pread(self._file.fileno(), self._bytes, row * self._bytes)
            value[...] = np.frombuffer(data, self._dtype).reshape(self._shape)
        return values


__all__ = ["Scratch"]
