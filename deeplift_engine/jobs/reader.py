"""Results of a run by name and samples, while it goes on or when it is complete."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.jobs import shard_files
from deeplift_engine.jobs.array_plan import ArrayPlan
from deeplift_engine.jobs.marks import Mark, failed_samples, few
from deeplift_engine.jobs.store import Store
from deeplift_engine.jobs.stored_constants import content_of
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array

Missing = Literal["raise", "nan"]


def open_store(path: str | os.PathLike[str], *, missing: Missing = "raise") -> StoredRun:
    """Open the store of a run for reading; others may write to it meanwhile.

    Parameters
    ----------
    path
        Its folder.
    missing
        What reading samples that are not computed yet does: ``"raise"`` an error that names their
        shards, or give ``"nan"``, which arrays of floats can.

    Raises
    ------
    OutputError
        If there is no store; the message says what there is.
    InputError
        For another value of ``missing``.
    """
    if missing not in ("raise", "nan"):
        raise InputError(f"missing={missing!r}: expected 'raise' or 'nan'")
    return StoredRun(Store.open(path), missing)


class StoredRun:
    """A run's arrays, read by name and then by samples.

    ``run["scores"][10:20]`` reads ten samples, as numpy's float32 where the store has float16. An
    array that was known before the run, as names of samples, comes whole as numpy's.

    ``path/arrays.zarr`` is a group of zarr, which xarray opens too:
    ``xarray.open_zarr("path/arrays.zarr", consolidated=False)``. Two differences: samples that are
    not computed yet read as NaN there, and as 0 or "" where the dtype has no NaN; and float16
    stays float16, of which xarray's ``mean``, ``std``, ``groupby`` and ``weighted`` add in float16
    and lose most digits: write ``data.scores.astype("float32").mean("sample")``.

    Attributes
    ----------
    store
        The store.
    """

    def __init__(self, store: Store, missing: Missing = "raise") -> None:
        self.store = store
        self._missing = missing
        self._marks: dict[int, Mark] = {}
        self._arrays: dict[str, Any] = {}

    def __repr__(self) -> str:
        """The run in words."""
        return (
            f"<StoredRun {str(self.store.path)!r}: {self.samples} samples of "
            f"{', '.join(self.names)}>"
        )

    def require(self, shards: Iterable[int] | None = None) -> None:
        """Refuse to go on where shards of these numbers, by default all, are not complete.

        Raises
        ------
        OutputError
            Naming those that are not.
        """
        wanted = range(self.store.shards) if shards is None else shards
        pending = sorted({*wanted} & {*self.store.pending()})
        if pending:
            raise OutputError(
                f"{self.store.path} is not complete: shards {few(pending)} of "
                f"{self.store.shards} are not computed yet. Run the job to its end, or choose "
                "samples that are computed where the format lets you"
            )

    def failed(self) -> dict[int, str]:
        """Samples of a complete run without scores, by their numbers, and the reasons.

        Raises
        ------
        OutputError
            If shards are not computed yet.
        """
        self.require()
        marks = map(self.store.mark, range(self.store.shards))
        return failed_samples(mark.receipt for mark in marks if mark is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arrays: those that the run fills, then those known before it."""
        layout = self.store.layout
        return (*layout.plan_of, *layout.constants)

    @property
    def samples(self) -> int:
        """Number of samples, computed or not."""
        return self.store.samples

    def __len__(self) -> int:
        """Number of samples, computed or not."""
        return self.samples

    @property
    def settings(self) -> dict[str, Any]:
        """The description of the job."""
        return dict(self.store.settings)

    @property
    def is_complete(self) -> bool:
        """Whether all samples are computed."""
        return not self.store.pending()

    def __getitem__(self, name: str) -> Any:
        """An array by its name: a `StoredArray`, or numpy's for one that was known before the run.

        Raises
        ------
        InputError
            If there is no such array.
        OutputError
            If an array that was known before the run is damaged.
        """
        layout = self.store.layout
        if name in layout.plan_of:
            return StoredArray(self, layout.plan_of[name])
        if name in layout.constants:
            return self._constant(name)
        raise InputError(
            f"{self.store.path} has no array {name!r}. "
            + suggest(name, self.names, f"It has {', '.join(self.names)}.")
        )

    def blocks(
        self,
        names: Sequence[str] | None = None,
        *,
        size: int | None = None,
        done_only: bool = False,
    ) -> Iterator[tuple[slice, dict[str, Array]]]:
        """Go through the samples in order, in blocks that do not cross shards.

        Parameters
        ----------
        names
            The arrays; all that the run fills by default.
        size
            Samples of a block at most; those of a shard by default.
        done_only
            Whether to leave out shards that are not computed yet.

        Yields
        ------
        slice, dict
            The samples of a block, and the arrays of these by name.

        Raises
        ------
        InputError
            For an unknown name.
        OutputError
            For samples that are not computed yet, unless they are left out or read as NaN.
        """
        chosen = list(self.store.layout.plan_of) if names is None else list(names)
        arrays = {name: self[name] for name in chosen}
        for number in self.store.done() if done_only else range(self.store.shards):
            rows = self.store.rows(number)
            for start in range(rows.start, rows.stop, size or self.store.shard):
                block = slice(start, min(start + (size or self.store.shard), rows.stop))
                yield block, {name: array[block] for name, array in arrays.items()}

    def _mark(self, number: int) -> Mark | None:
        """The mark of a shard whose files have the lengths they had."""
        if number not in self._marks:
            mark = self.store.mark(number)
            if mark is None:
                return None
            mark.check_lengths(self.store.path)
            self._marks[number] = mark
        return self._marks[number]

    def _constant(self, name: str) -> Array:
        if name not in self._arrays:
            constant = self.store.layout.constants[name]
            try:
                stored = np.asarray(shard_files.open_array(self.store.arrays, name)[...])
            except (OSError, ValueError, RuntimeError, KeyError) as error:
                raise self._damaged_constant(name, str(error)) from error
            stored = stored.astype(object) if constant.dtype == "str" else stored
            if stored.shape != constant.shape or content_of(stored) != constant.sha256:
                raise self._damaged_constant(name, "it holds other values than were written")
            self._arrays[name] = stored
        values: Array = self._arrays[name].view()
        values.flags.writeable = False
        return values

    def _damaged_constant(self, name: str, reason: str) -> OutputError:
        return OutputError(
            f"array {name!r} of {self.store.path} is damaged: {reason}. Take its folder from a "
            "copy of the store"
        )

    def _of_zarr(self, name: str) -> Any:
        if name not in self._arrays:
            self._arrays[name] = shard_files.open_array(self.store.arrays, name)
        return self._arrays[name]


class StoredArray:
    """An array that a run fills, read by samples: an index, a slice, a list or a mask.

    Attributes
    ----------
    plan
        What the store says of it.
    """

    def __init__(self, run: StoredRun, plan: ArrayPlan) -> None:
        self.plan = plan
        self._run = run

    def __repr__(self) -> str:
        """The array in words."""
        return f"<StoredArray {self.plan.name!r}: {self.shape} of {self.dtype}>"

    def __len__(self) -> int:
        """Number of samples, computed or not."""
        return self._run.samples

    @property
    def shape(self) -> tuple[int, ...]:
        """``(samples, ...)``."""
        return (self._run.samples, *self.plan.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """What reading gives: float32 for float16, objects for text."""
        return np.dtype(
            {"float16": "float32", "str": "object"}.get(self.plan.dtype, self.plan.dtype)
        )

    def __getitem__(self, key: Any) -> Any:
        """The values of samples.

        Parameters
        ----------
        key
            A number, a slice with any step, a sequence of numbers in any order, or a mask of all
            samples. Negative numbers count from the end.

        Returns
        -------
        array
            ``(number of samples, *plan.shape)``, without the first axis for a single number.

        Raises
        ------
        InputError
            For another key, or a number that is no sample's.
        OutputError
            For samples that are not computed yet (unless they are read as NaN), and damaged files.
        """
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            return self._read(self.rows([key]))[0]
        return self._read(self.rows(key))

    def rows(self, key: Any) -> Array:
        """The numbers of the samples that a key means, as reading takes it.

        Raises
        ------
        InputError
            For another key, or a number that is no sample's.
        """
        samples = self._run.samples
        if isinstance(key, slice):
            return np.arange(*key.indices(samples))
        rows = np.asarray(key) if np.size(key) else np.zeros(0, int)
        if rows.dtype == bool and rows.shape == (samples,):
            return np.flatnonzero(rows)
        if isinstance(key, tuple) or rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise InputError(
                f"array {self.plan.name!r} is read by samples: expected a number, a slice, a list "
                f"of numbers or a mask of {samples} samples, not {key!r}. Choose along other axes "
                "in what comes: [10:20][:, 5]"
            )
        outside = rows[(rows < -samples) | (rows >= samples)]
        if len(outside):
            raise InputError(f"there is no sample {outside[0]}: the run has {samples} samples")
        return np.where(rows < 0, rows + samples, rows)

    def _read(self, rows: Array) -> Array:
        shard = self._run.store.shard
        numbers = rows // shard
        needed = [int(number) for number in np.unique(numbers)]
        missing = {number for number in needed if self._run._mark(number) is None}
        if missing and (self._run._missing == "raise" or self.dtype.kind != "f"):
            raise self._not_computed(sorted(missing))
        values = np.empty((len(rows), *self.plan.shape), self.dtype)
        for number in needed:
            where = numbers == number
            values[where] = np.nan if number in missing else self._of_shard(number, rows[where])
        return values

    def _of_shard(self, number: int, rows: Array) -> Array:
        array = self._run._of_zarr(self.plan.name)
        first, last = int(rows[0]), int(rows[-1])
        try:
            if np.array_equal(rows, np.arange(first, last + 1)):
                return np.asarray(array[first : last + 1])
            ordered, inverse = np.unique(rows, return_inverse=True)
            return np.asarray(array.oindex[ordered])[inverse]
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            file = self._run.store.arrays / shard_files.file_of(self.plan, number)
            raise OutputError(
                f"shard {number} is damaged: {file}: {error}. Verify the store with drop, which "
                "takes the mark away, and run the job again: it computes the shard anew"
            ) from error

    def _not_computed(self, missing: list[int]) -> OutputError:
        return OutputError(
            f"array {self.plan.name!r}: these samples are not all computed. Still to do: shard "
            f"{few(missing)} of {self._run.store.shards}. Run the job to its end, read other "
            'samples (blocks(done_only=True)), or open the store with missing="nan" for arrays of '
            "floats"
        )


__all__ = ["StoredArray", "StoredRun", "open_store"]
