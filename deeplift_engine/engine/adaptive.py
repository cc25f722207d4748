"""References added to each sample until the standard errors of its scores are small enough.

How many a sample gets depends on its own scores alone, so that batch size, order and neighbours
change nothing here either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.convergence import SUMS, Sums
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.running_mean import RunningMean
from deeplift_engine.engine.target_weights import of_samples
from deeplift_engine.errors import ConvergenceWarning, InputError, ReferencesError
from deeplift_engine.references.reference_set import References
from deeplift_engine.util.typing import Array
from deeplift_engine.util.warn import warn

FIRST = 10
"""References that each sample gets first; then their number is doubled."""


def tolerance_of(request: Request) -> float | None:
    """The smallest of the references' tolerances, None where their number is fixed."""
    tolerances = (each.tolerance for each in request.references)
    return min((value for value in tolerances if value is not None), default=None)


def refined(
    request: Request, tolerance: float, score: Callable[[Request], MethodResult]
) -> MethodResult:
    """Score a request whose number of references is open.

    Parameters
    ----------
    request
        With as many references as there may be.
    tolerance
        Largest standard error of a sample's scores, as a share of its largest score, of each
        target.
    score
        Gives mean scores of a request with a fixed number, and their standard errors.

    Raises
    ------
    InputError
        If scores are wanted for each reference.
    ReferencesError
        If one input has an open number of references and another a fixed one.
    """
    if not request.average:
        raise InputError("References of 'auto' are averaged: leave average=True, or give a number.")
    rounds = _Rounds(request)
    rows, start = np.arange(request.samples), 0
    while len(rows) and start < request.count:
        stop = min(request.count, max(FIRST, 2 * start))
        rounds.add(score(_some(request, rows, start, stop)), rows, slice(start, stop))
        start = stop
        rows = rows[~(rounds.relative_errors()[rows] <= tolerance)]  # NaN settles nothing
    if len(rows):
        warn(
            f"After {request.count} references standard errors of {len(rows)} of "
            f"{request.samples} samples are above {tolerance:g} of their largest score, or "
            f"unknown, first of sample {request.number(rows[0])}; give more with most=, or a "
            "larger tolerance.",
            ConvergenceWarning,
        )
    return rounds.result()


def _some(request: Request, rows: Array, start: int, stop: int) -> Request:
    """The same of these samples and these references alone."""
    return request.replace(
        data=[array[rows] for array in request.data],
        references=[_some_of(each, rows, start, stop) for each in request.references],
        weights=of_samples(request.weights, rows),
        numbers=request.numbers_of(rows),
        whole=None,
        standard_errors=True,
        strict=False,
    )


def _some_of(references: References, rows: Array, start: int, stop: int) -> References:
    if references.count == 1:
        some = references
    elif references.subset is not None and references.tolerance is not None:
        some = references.subset(start, stop)
    else:
        raise ReferencesError(
            f"{references.name}: another input has references of 'auto'; give this one 'auto', or "
            "a single reference"
        )
    return some.of_samples(rows)


class _Rounds:
    """Results of all samples so far, round by round."""

    def __init__(self, request: Request) -> None:
        self.leading = (len(request.weights), request.samples)
        self.first: MethodResult | None = None
        self.scores: list[RunningMean] = []
        self.multipliers: list[RunningMean] = []
        self.sums: list[tuple[Array, slice, Sums]] = []
        self.settings: dict[str, Any] = {}

    def add(self, result: MethodResult, rows: Array, columns: slice) -> None:
        """Merge the means of samples ``rows`` over more references."""
        if self.first is None:
            self.first = result
            self.scores = [RunningMean(self.leading) for _ in result.scores]
            self.multipliers = [RunningMean(self.leading) for _ in result.multipliers or ()]
        count, where = columns.stop - columns.start, (slice(None), rows)
        squares: list[Array | None] = [None] * len(result.scores)
        if result.standard_errors is not None:
            squares = [error**2 * (count * (count - 1)) for error in result.standard_errors]
        for mean, values, square in zip(self.scores, result.scores, squares, strict=True):
            mean.merge(where, count, values, square)
        for mean, values in zip(self.multipliers, result.multipliers or (), strict=True):
            mean.merge(where, count, values, None)
        if result.sums is not None:
            self.sums.append((rows, columns, result.sums))
        for name, value in result.settings.items():  # the largest of all rounds
            self.settings[name] = max(value, self.settings.get(name, value))

    def relative_errors(self) -> Array:
        """Largest standard error over the largest score (N,), that of the worst target.

        NaN where it is unknown, as that of one reference is.
        """
        scale = np.max([_largest(mean.mean) for mean in self.scores], axis=0)
        error = np.max([_largest(mean.standard_error) for mean in self.scores], axis=0)
        beyond = np.where(error > 0, np.inf, error)  # of scores that are all zero
        relative = np.divide(error, scale, out=beyond, where=scale != 0)
        return np.asarray(relative.max(axis=0))

    def result(self) -> MethodResult:
        """The result, as of one run."""
        assert self.first is not None
        return replace(
            self.first,
            scores=[mean.mean for mean in self.scores],
            multipliers=[mean.mean for mean in self.multipliers] or None,
            standard_errors=[mean.standard_error for mean in self.scores],
            sums=self._sums(),
            counts=self.scores[0].counts[0],
            settings=self.settings,
        )

    def _sums(self) -> Sums | None:
        """Of all rounds, with zeros where a sample had no more references."""
        if not self.sums:
            return None
        width = max(columns.stop for _, columns, _ in self.sums)

        def joined(name: str) -> Array:
            values = np.zeros((*self.leading, width))
            for rows, columns, sums in self.sums:
                values[:, rows, columns] = getattr(sums, name)
            return values

        known = SUMS[: 2 if self.sums[0][2].total is None else 4]
        return Sums.from_arrays({name: joined(name) for name in known})


def _largest(values: Array) -> Array:
    """Largest magnitude (T, N) over the features."""
    return np.asarray(np.abs(values).reshape(*values.shape[:2], -1).max(axis=-1))
