"""References added to each sample until the standard errors of its scores are small enough.

What a sample is given depends on its own scores alone, so that batch size, order and neighbours
change nothing here either.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.attribution import Arrays, Attribution
from deeplift_engine.errors import ConvergenceWarning, InputError, ReferencesError
from deeplift_engine.reference_checks import References
from deeplift_engine.request import Request
from deeplift_engine.weights import of_samples

Array = NDArray[Any]
FIRST = 10
"""References that each sample is given first; then their number is doubled."""


def tolerance_of(request: Request) -> float | None:
    """The smallest that the references say, None where their number is fixed."""
    said = [each.tolerance for each in request.references if each.tolerance is not None]
    return min(said, default=None)


def refined(
    request: Request, tolerance: float, score: Callable[[Request], Attribution]
) -> Attribution:
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
    rows, start = np.arange(request.samples), 0
    whole: _Whole | None = None
    while len(rows) and start < request.count:
        stop = min(request.count, max(FIRST, 2 * start))
        part = score(_some(request, rows, start, stop))
        if whole is None:
            whole = _Whole(part, np.zeros(request.samples, int))
        whole.add(part, rows, stop - start)
        start = stop
        rows = rows[whole.relative_errors()[rows] > tolerance]
    assert whole is not None
    if len(rows):
        warnings.warn(
            f"After {request.count} references standard errors of {len(rows)} of "
            f"{request.samples} samples are above {tolerance:g} of their largest score, first of "
            f"sample {rows[0]}; give more with most=, or a larger tolerance.",
            ConvergenceWarning,
            stacklevel=4,
        )
    return whole.result(request)


def _some(request: Request, rows: Array, start: int, stop: int) -> Request:
    """The same of these samples and these references alone."""
    chosen = of_samples(request.seeds.values, rows)
    return request.replace(
        data=[array[rows] for array in request.data],
        references=[_some_of(each, rows, start, stop) for each in request.references],
        seeds=replace(request.seeds, values=chosen),
    )


def _some_of(references: References, rows: Array, start: int, stop: int) -> References:
    if references.count == 1:
        part = references
    elif references.part is not None and references.tolerance is not None:
        part = references.part(start, stop)
    else:
        raise ReferencesError(
            f"{references.name}: another input has references of 'auto'; give this one 'auto', or "
            "a single reference"
        )
    make = part.make
    return replace(part, make=lambda inputs, indices: make(inputs, rows[indices]))


@dataclass
class _Whole:
    """What was found so far: ``first`` says how, ``counts`` (N,) from how many references."""

    first: Attribution
    counts: Array

    def __post_init__(self) -> None:
        self.axis = len(self.first.axes) - 1  # of the samples, behind targets
        names = ("scores", "multipliers", "convergence_delta", "target_delta")
        self.means = {name: _zeros(getattr(self.first, name)) for name in names}
        self.worst = _zeros(self.first.relative_error)
        self.squares = _zeros(self.first.scores)

    def add(self, part: Attribution, rows: Array, count: int) -> None:
        """Merge the means over ``count`` more references of samples ``rows``.

        As of Chan, Golub and LeVeque 1979, equation 2.1.
        """
        before, after = self.counts[rows], self.counts[rows] + count
        at = (slice(None),) * self.axis + (rows,)
        for name, mean in _arrays(self.squares):
            step = _named(part.scores, name) - _named(self.means["scores"], name)[at]
            spread = _named(part.standard_errors, name) ** 2 * count * (count - 1)
            mean[at] += spread + step**2 * self._along(before * count / after, step)
        for kind, found in self.means.items():
            for name, mean in _arrays(found):
                step = _named(getattr(part, kind), name) - mean[at]
                mean[at] += step * self._along(count / after, step)
        for _, worst in _arrays(self.worst):
            worst[at] = np.maximum(worst[at], np.asarray(part.relative_error))
        self.counts[rows] = after

    def relative_errors(self) -> Array:
        """Largest standard error over the largest score (N,), that of the worst target."""
        largest, errors = [], []
        for name, values in _arrays(self.means["scores"]):
            largest.append(self._largest(values))
            errors.append(self._largest(_named(self.standard_errors, name)))
        scale, error = np.max(largest, axis=0), np.max(errors, axis=0)
        relative = np.divide(error, scale, out=np.zeros_like(scale), where=scale > 0)
        return np.asarray(relative.max(axis=0))

    @property
    def standard_errors(self) -> Arrays:
        """Of the mean scores."""
        degrees = self.counts * (self.counts - 1)
        found = {
            name: np.sqrt(squares / self._along(degrees, squares)).astype(squares.dtype)
            for name, squares in _arrays(self.squares)
        }
        return found if isinstance(self.squares, Mapping) else found[None]

    def result(self, request: Request) -> Attribution:
        """The whole, as one run."""
        settings = {
            **self.first.settings,
            "references": request.said,
            "references_per_sample": self.counts.tolist(),
        }
        return replace(
            self.first,
            **self.means,
            relative_error=self.worst,
            standard_errors=self.standard_errors,
            settings=settings,
        )

    def _along(self, values: Array, like: Array) -> Array:
        """Numbers of samples beside arrays ([T,] N, ...)."""
        return np.reshape(values, (-1, *[1] * (like.ndim - self.axis - 1))).astype(like.dtype)

    def _largest(self, values: Array) -> Array:
        """Largest magnitude (T, N) over the features."""
        flat = np.abs(values).reshape(*values.shape[: self.axis + 1], -1).max(axis=-1)
        return np.atleast_2d(flat)


def _zeros(values: Arrays | None) -> Any:
    if isinstance(values, Mapping):
        return {name: np.zeros_like(array) for name, array in values.items()}
    return None if values is None else np.zeros_like(values)


def _arrays(values: Any) -> list[tuple[Any, Array]]:
    """The arrays of a field by name, None for the only one."""
    if isinstance(values, Mapping):
        return list(values.items())
    return [] if values is None else [(None, values)]


def _named(values: Any, name: Any) -> Array:
    return np.asarray(values if name is None else values[name])
