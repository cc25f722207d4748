"""Means over draws that come block by block, with their standard errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deeplift_engine.util.typing import Array


@dataclass
class RunningMean:
    """Mean and spread over draws that come block by block, in order.

    Blocks are merged as of Chan, Golub and LeVeque 1979 (equation 2.1), so that nothing cancels.

    Attributes
    ----------
    leading
        Sizes of the axes in front of the features, such as T targets and N samples.
    counts
        How many draws each of them has had (T, N).
    value
        The mean (T, N, ...) so far.
    squares
        Sum of the squared distances from it.
    """

    leading: tuple[int, ...]
    counts: Array = field(init=False)
    value: Array | None = None
    squares: Array | None = None

    def __post_init__(self) -> None:
        self.counts = np.zeros(self.leading, int)

    def add(self, where: Any, values: Array) -> None:
        """Add draws (t, n, d, ...); ``where`` indexes ``counts``, each entry once, to (t, n)."""
        axis = self.counts[where].ndim
        mean, squares = values.mean(axis=axis), None
        if values.shape[axis] > 1:
            squares = np.square(values - np.expand_dims(mean, axis)).sum(axis=axis)
        self.merge(where, values.shape[axis], mean, squares)

    def merge(self, where: Any, count: int, mean: Array, squares: Array | None) -> None:
        """Add ``count`` draws by their mean (t, n, ...) and squared distances; None is zeros."""
        before = self.counts[where].copy()
        if self.value is None or self.squares is None:
            shape = (*self.leading, *mean.shape[before.ndim :])
            self.value, self.squares = np.zeros((2, *shape), mean.dtype)
        self.counts[where] = after = before + count
        step = mean - self.value[where]
        self.value[where] += step * _along(count / after, step)
        if squares is not None:
            self.squares[where] += squares
        if before.any():
            self.squares[where] += np.square(step) * _along(before * count / after, step)

    @property
    def mean(self) -> Array:
        """The mean (T, N, ...)."""
        return np.asarray(self.value)

    @property
    def variance(self) -> Array:
        """The variance (T, N, ...), without bias; NaN where there was one draw."""
        squares = np.asarray(self.squares)
        degrees = np.where(self.counts > 1, self.counts - 1.0, np.nan)
        return squares / _along(degrees, squares)

    @property
    def standard_error(self) -> Array:
        """That of the mean."""
        variance = self.variance
        return np.sqrt(variance / _along(self.counts, variance))


def _along(values: Array, like: Array) -> Array:
    """Numbers (t, n) beside arrays (t, n, ...)."""
    return values.reshape(*values.shape, *[1] * (like.ndim - values.ndim)).astype(like.dtype)
