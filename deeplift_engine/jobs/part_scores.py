"""The arrays of some samples of a run, without those that cannot be scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError, OutputError, ReferencesError
from deeplift_engine.explainers.streaming import Stream
from deeplift_engine.jobs.array_plan import ArrayPlan
from deeplift_engine.jobs.casting import unfit_samples
from deeplift_engine.jobs.contents import named_arrays, stored_arrays
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.util.typing import Array

FAILURES = (InputError, ReferencesError)
"""What a sample can be refused with."""


class PartScores:
    """The contents of a store, of parts of a stream.

    Parameters
    ----------
    stream
        Of the run.
    contents
        Names of what is kept; see `deeplift_engine.jobs.contents`.
    strict
        Whether a sample that cannot be scored is an error, instead of NaN.
    """

    def __init__(self, stream: Stream, contents: Sequence[str], *, strict: bool) -> None:
        self.stream, self.contents, self.strict = stream, tuple(contents), strict

    def stored(self, result: Attribution, raw: Any) -> dict[str, Array]:
        """The arrays of a result, and of the inputs as they came."""
        return stored_arrays(result, raw, self.contents)

    def score(
        self, plans: Sequence[ArrayPlan], numbers: Array, raw: Any
    ) -> tuple[dict[str, Array], dict[int, str]]:
        """The arrays of a part; samples that are refused are NaN, with the reasons by number."""
        try:
            return self.stored(self.stream.score(raw, numbers), raw), {}
        except FAILURES as error:
            if self.strict:
                raise
            refused = self._refused(numbers, raw, error)
        good = np.flatnonzero(~np.isin(numbers, list(refused)))
        arrays = {plan.name: no_values(plan, len(numbers)) for plan in plans}
        if len(good):
            some = _rows_of(raw, good)
            for name, array in self.stored(self.stream.score(some, numbers[good]), some).items():
                arrays[name][good] = array
        if "inputs" in self.contents:
            kept = named_arrays("inputs", raw)
            arrays |= {name: array.astype(arrays[name].dtype) for name, array in kept.items()}
        return arrays, refused

    def _refused(self, numbers: Array, raw: Any, error: Exception) -> dict[int, str]:
        """Of samples that failed together with ``error``, those that fail, and why, by halves."""
        if len(numbers) == 1:
            return {int(numbers[0]): str(error)}
        refused: dict[int, str] = {}
        for some in np.array_split(np.arange(len(numbers)), 2):
            rows = _rows_of(raw, some)
            try:
                self.stream.score(rows, numbers[some])
            except FAILURES as reason:
                refused |= self._refused(numbers[some], rows, reason)
        return refused


def without_unfit(
    plans: Sequence[ArrayPlan], arrays: dict[str, Array], first: int, *, strict: bool
) -> dict[int, str]:
    """Put NaN where values do not fit the store's dtype; these samples by number, and why.

    Raises
    ------
    OutputError
        If strict, for the first of them.
    """
    unfit: dict[int, str] = {}
    for plan in plans:
        for row, reason in unfit_samples(plan, arrays[plan.name]).items():
            if strict:
                raise OutputError(f"Sample {first + row}: {reason}.")
            unfit[first + row] = reason
            arrays[plan.name][row] = np.nan
    return unfit


def _rows_of(raw: Any, rows: Array) -> Any:
    """Some rows of what a source gives."""
    if isinstance(raw, Mapping):
        return {name: np.asarray(array)[rows] for name, array in raw.items()}
    return np.asarray(raw)[rows]


def no_values(plan: ArrayPlan, samples: int) -> Array:
    """An array of samples without values: NaN, or zeros of whole numbers."""
    dtype = np.dtype(plan.dtype)
    dtype = np.dtype("float32") if dtype == np.float16 else dtype
    return np.full((samples, *plan.shape), np.nan if dtype.kind == "f" else 0, dtype)


__all__ = ["PartScores", "no_values", "without_unfit"]
