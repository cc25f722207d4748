"""Means over draws that come block by block, with their standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass
class Mean:
    """Mean and spread over draws that come block by block, in order.

    Blocks are merged as of Chan, Golub and LeVeque 1979 (equation 2.1), so that nothing cancels.

    Attributes
    ----------
    leading
        T targets and N samples.
    value
        The mean (T, N, ...) of what was added.
    squares
        Sum of the squared distances from it.
    count
        How many draws were added, of the samples that were added last.
    """

    leading: tuple[int, int]
    value: Array | None = None
    squares: Array | None = None
    count: int = 0

    def add(self, where: tuple[slice, slice], before: int, values: Array) -> None:
        """Add draws (t, n, d, ...) of targets and samples ``where``, behind ``before`` others."""
        if self.value is None or self.squares is None:
            shape = (*self.leading, *values.shape[3:])
            self.value, self.squares = np.zeros((2, *shape), values.dtype)
        drawn = values.shape[2]
        self.count = before + drawn
        mean = values.mean(axis=2)
        step = mean - self.value[where]
        self.value[where] += step * (drawn / self.count)
        if drawn > 1:
            self.squares[where] += np.square(values - mean[:, :, np.newaxis]).sum(axis=2)
        if before:
            self.squares[where] += np.square(step) * (before * drawn / self.count)

    @property
    def mean(self) -> Array:
        """The mean (T, N, ...)."""
        return np.asarray(self.value)

    @property
    def variance(self) -> Array:
        """The variance (T, N, ...), without bias; NaN where there was one draw."""
        if self.count < 2:
            return np.full_like(self.value, np.nan)
        return np.asarray(self.squares) / (self.count - 1)

    @property
    def standard_error(self) -> Array:
        """That of the mean."""
        return np.sqrt(self.variance / self.count)
