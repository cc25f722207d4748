"""References added to each sample until the standard errors of its scores are small enough.

What a sample is given depends on its own scores alone, so that batch size, order and neighbours
change nothing here either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import Found
from deeplift_engine.engine.convergence import Sums
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.running_mean import Mean
from deeplift_engine.engine.target_weights import of_samples
from deeplift_engine.errors import ConvergenceWarning, InputError, ReferencesError
from deeplift_engine.references.reference_set import References
from deeplift_engine.util.typing import Array
from deeplift_engine.util.warn import warn

FIRST = 10
"""References that each sample is given first; then their number is doubled."""


def tolerance_of(request: Request) -> float | None:
    """The smallest that the references say, None where their number is fixed."""
    said = [each.tolerance for each in request.references if each.tolerance is not None]
    return min(said, default=None)


def refined(request: Request, tolerance: float, score: Callable[[Request], Found]) -> Found:
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
        If references are to be kept apart.
    ReferencesError
        If one input has an open number of references and another a fixed one.
    """
    if not request.average:
        raise InputError("References of 'auto' are averaged: leave average=True, or give a number.")
    whole = _Whole(request)
    rows, start = np.arange(request.samples), 0
    while len(rows) and start < request.count:
        stop = min(request.count, max(FIRST, 2 * start))
        whole.add(score(_some(request, rows, start, stop)), rows, slice(start, stop))
        start = stop
        rows = rows[whole.relative_errors()[rows] > tolerance]
    if len(rows):
        warn(
            f"After {request.count} references standard errors of {len(rows)} of "
            f"{request.samples} samples are above {tolerance:g} of their largest score, first of "
            f"sample {rows[0]}; give more with most=, or a larger tolerance.",
            ConvergenceWarning,
        )
    return whole.found()


def _some(request: Request, rows: Array, start: int, stop: int) -> Request:
    """The same of these samples and these references alone."""
    chosen = of_samples(request.seeds.values, rows)
    return request.replace(
        data=[array[rows] for array in request.data],
        references=[_some_of(each, rows, start, stop) for each in request.references],
        seeds=replace(request.seeds, values=chosen),
        numbers=rows,
        standard_errors=True,
        strict=False,
    )


def _some_of(references: References, rows: Array, start: int, stop: int) -> References:
    if references.count == 1:
        part = references
    elif references.subset is not None and references.tolerance is not None:
        part = references.subset(start, stop)
    else:
        raise ReferencesError(
            f"{references.name}: another input has references of 'auto'; give this one 'auto', or "
            "a single reference"
        )
    make = part.make
    return replace(part, make=lambda inputs, indices: make(inputs, rows[indices]))


class _Whole:
    """What was found so far, of all samples."""

    def __init__(self, request: Request) -> None:
        self.leading = (len(request.seeds.values), request.samples)
        self.first: Found | None = None
        self.scores: list[Mean] = []
        self.multipliers: list[Mean] = []
        self.sums: list[tuple[Array, slice, Sums]] = []
        self.settings: dict[str, Any] = {}

    def add(self, part: Found, rows: Array, columns: slice) -> None:
        """Merge the means of samples ``rows`` over more references."""
        if self.first is None:
            self.first = part
            self.scores = [Mean(self.leading) for _ in part.scores]
            self.multipliers = [Mean(self.leading) for _ in part.multipliers or ()]
        count, where = columns.stop - columns.start, (slice(None), rows)
        squares: list[Array | None] = [None] * len(part.scores)
        if part.standard_errors is not None:
            squares = [error**2 * (count * (count - 1)) for error in part.standard_errors]
        for mean, values, square in zip(self.scores, part.scores, squares, strict=True):
            mean.merge(where, count, values, square)
        for mean, values in zip(self.multipliers, part.multipliers or (), strict=True):
            mean.merge(where, count, values, None)
        if part.sums is not None:
            self.sums.append((rows, columns, part.sums))
        for name, value in part.settings.items():  # what a round took; the whole, its most
            self.settings[name] = max(value, self.settings.get(name, value))

    def relative_errors(self) -> Array:
        """Largest standard error over the largest score (N,), that of the worst target."""
        scale = np.max([_largest(mean.mean) for mean in self.scores], axis=0)
        error = np.max([_largest(mean.standard_error) for mean in self.scores], axis=0)
        relative = np.divide(error, scale, out=np.zeros_like(scale), where=scale > 0)
        return np.asarray(relative.max(axis=0))

    def found(self) -> Found:
        """The whole, as of one run."""
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

        def whole(of: Callable[[Sums], Array]) -> Array:
            values = np.zeros((*self.leading, width))
            for rows, columns, sums in self.sums:
                values[:, rows, columns] = of(sums)
            return values

        change, level = whole(lambda sums: sums.change), whole(lambda sums: sums.level)
        if self.sums[0][2].found is None:
            return Sums(change, level)
        found = whole(lambda sums: np.asarray(sums.found))
        return Sums(change, level, found, whole(lambda sums: np.asarray(sums.size)))


def _largest(values: Array) -> Array:
    """Largest magnitude (T, N) over the features."""
    return np.asarray(np.abs(values).reshape(*values.shape[:2], -1).max(axis=-1))
