"""What an export takes from a store: some arrays of some samples, read block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.jobs.array_plan import SAMPLE
from deeplift_engine.jobs.reader import StoredArray, StoredRun
from deeplift_engine.util.typing import Array

TARGET = "target"


@dataclass(frozen=True)
class Column:
    """An array of an export.

    Attributes
    ----------
    name
        Its name in the store.
    shape
        Of one sample; of all of it where it does not run along the samples.
    dtype
        What reading gives: `object` for text.
    dimensions
        The names of the axes of ``shape``.
    along_samples
        Whether it has an entry for each sample.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    dimensions: tuple[str, ...]
    along_samples: bool

    @property
    def targets_first(self) -> bool:
        """Whether results of several targets are to be a file's first axis, as in `Attribution`."""
        return self.along_samples and self.dimensions[:1] == (TARGET,)

    def stored_shape(self, samples: int) -> tuple[int, ...]:
        """The shape in a file that holds ``samples`` of them."""
        if not self.along_samples:
            return self.shape
        if self.targets_first:
            return (self.shape[0], samples, *self.shape[1:])
        return (samples, *self.shape)


@dataclass(frozen=True)
class Selection:
    """Arrays and samples of a run.

    Attributes
    ----------
    run
        The run.
    columns
        The arrays.
    samples
        The numbers of the samples, in the order of the export.
    """

    run: StoredRun
    columns: tuple[Column, ...]
    samples: Array

    def blocks(self) -> Iterator[slice]:
        """Slices of ``samples``, a shard long."""
        size = self.run.store.shard
        for start in range(0, len(self.samples), size):
            yield slice(start, min(start + size, len(self.samples)))

    def read(self, column: Column, block: slice) -> Array:
        """The values of a block of ``samples``, ``(samples, *shape)``."""
        return np.asarray(self.run[column.name][self.samples[block]])

    def read_all(self, column: Column) -> Array:
        """The values of an array that does not run along the samples."""
        return np.asarray(self.run[column.name])


def select(
    run: StoredRun, arrays: Sequence[str] | None, rows: slice | Sequence[int] | None
) -> Selection:
    """What an export takes.

    Parameters
    ----------
    run
        The run.
    arrays
        Names; all by default.
    rows
        A slice or numbers of samples; all by default.

    Raises
    ------
    InputError
        For an unknown name, a sample that there is not, and no samples.
    OutputError
        For samples that are not computed yet.
    """
    if isinstance(arrays, str):
        raise InputError(f"arrays={arrays!r}: expected a list of names")
    columns = tuple(_column(run, name) for name in (run.names if arrays is None else arrays))
    some = run[run.store.plans[0].name]
    samples = some.rows(slice(None) if rows is None else rows)
    if not len(samples):
        raise InputError(f"rows={rows!r} has no samples: nothing is there to export")
    planned = any(isinstance(run[column.name], StoredArray) for column in columns)
    if planned:
        run.require(np.unique(samples // run.store.shard).tolist())
    return Selection(run, columns, samples)


def _column(run: StoredRun, name: str) -> Column:
    array = run[name]
    if isinstance(array, StoredArray):
        return Column(name, array.plan.shape, array.dtype, array.plan.dimensions, True)
    constant = run.store.layout.constants[name]
    along = constant.dimensions[:1] == (SAMPLE,)
    return Column(
        name, array.shape[along:], array.dtype, constant.dimensions[along:], along_samples=along
    )


__all__ = ["TARGET", "Column", "Selection", "select"]
