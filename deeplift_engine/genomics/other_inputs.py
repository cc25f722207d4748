"""Inputs beside the sequence: arrays with a row for each record, and tracks of bigWig files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.record_table import RecordTable
from deeplift_engine.genomics.sequence_input import SequenceInput
from deeplift_engine.genomics.windows import GenomeWindows, Window
from deeplift_engine.util.optional import optional
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from collections.abc import Iterator

BIGWIG = (".bw", ".bigwig")


@dataclass(frozen=True, eq=False)
class RowsOfRecords:
    """Of an array with a row for each record, those of the records that are scored.

    Attributes
    ----------
    array
        (R, ...): anything that has a length and gives arrays for slices.
    numbers
        Of the records (N,), rising.
    """

    array: Any
    numbers: Array

    def __len__(self) -> int:
        """N."""
        return len(self.numbers)

    def __getitem__(self, rows: slice) -> Array:
        """The rows of some samples."""
        numbers = self.numbers[rows]
        if not len(numbers):
            return np.asarray(self.array[:0])
        first, last = int(numbers.min()), int(numbers.max())
        block = np.asarray(self.array[first : last + 1])
        return np.asarray(block[numbers - first])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("the array is made when it is asked for: copy=False is not possible")
        return np.asarray(self[:], dtype)


@dataclass(frozen=True, eq=False)
class TracksOfWindows:
    """Values of bigWig files along the windows, read when they are asked for.

    Positions without a value are 0. On the strand ``-`` positions run backward, and of two files,
    those of the two strands, each stands where the other stood.

    Attributes
    ----------
    paths
        K files.
    windows
        N of one length L.
    """

    paths: tuple[str, ...]
    windows: GenomeWindows

    def __len__(self) -> int:
        """N."""
        return len(self.windows)

    def __getitem__(self, rows: slice) -> Array:
        """The values of some samples (n, L, K) float32."""
        chosen = self.windows.windows[rows]
        values = np.zeros((len(chosen), self.windows.length, len(self.paths)), np.float32)
        for track, path in enumerate(self.paths):
            for number, line in enumerate(_values(path, chosen)):
                values[number, :, track] = line
        for number, window in enumerate(chosen):
            if window.reverse:
                values[number] = values[number, ::-1, :: -1 if len(self.paths) == 2 else 1]
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("the array is made when it is asked for: copy=False is not possible")
        return np.asarray(self[:], dtype)


class Recorded(Protocol):
    """An input whose samples are records of a file: sequences, texts."""

    @property
    def records(self) -> RecordTable:
        """Which of them, and why the others are left out."""


def rows_of_records(array: Any, sequences: Recorded) -> RowsOfRecords:
    """An input beside sequences, or texts, from an array with a row for each record of their file.

    Raises
    ------
    InputError
        If it has another number of rows.
    """
    if len(array) != len(sequences.records):
        raise InputError(
            f"an array beside the samples has {len(array)} rows, and their file has "
            f"{len(sequences.records)} records: give a row for each, those that are left out too."
        )
    return RowsOfRecords(array, sequences.records.numbers)


def tracks(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], sequences: SequenceInput
) -> TracksOfWindows:
    """An input beside windows of a genome, (N, L, K), from K bigWig files: control tracks.

    Raises
    ------
    InputError
        If the sequences are not of a genome; if a file cannot be read, or lacks a chromosome.
    DeepliftEngineError
        If pyBigWig is not installed.
    """
    several = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not isinstance(sequences.letters, GenomeWindows):
        raise InputError("tracks are of windows of a genome, and these are sequences without one.")
    windows = sequences.letters
    for path in several:
        with _opened(str(path)) as file:
            sizes = file.chroms()
        beyond = next((w for w in windows.windows if w.end > sizes.get(w.chrom, 0)), None)
        if beyond is not None:
            raise InputError(
                f"{path} has {sizes.get(beyond.chrom, 0)} positions of {beyond.chrom}, and a "
                f"window is {beyond}: is it a track of this genome?"
            )
    return TracksOfWindows(tuple(map(str, several)), windows)


def _opened(path: str) -> Any:
    library = optional("pyBigWig", "pyBigWig", "genomics")
    try:
        file = library.open(path)
    except RuntimeError as error:
        raise InputError(f"{path} cannot be read as bigWig: {error}") from error
    if not file.isBigWig():
        raise InputError(f"{path} cannot be read as bigWig: it is another file of its kind.")
    return file


def _values(path: str, windows: Sequence[Window]) -> Iterator[Array]:
    """The values along each window (L,)."""
    with _opened(path) as file:
        for window in windows:
            values = file.values(window.chrom, window.start, window.end)
            yield np.nan_to_num(np.asarray(values, np.float32), nan=0.0)


__all__ = ["BIGWIG", "RowsOfRecords", "TracksOfWindows", "rows_of_records", "tracks"]
