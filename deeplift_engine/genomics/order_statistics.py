"""Exact quantiles of any number of float32 values in bounded memory, from two passes over them.

The bits of a float32, read as an integer, are in the order of the values once those of negative
ones are turned. The first pass counts the upper halves of the bits; the second, among values whose
upper half holds a quantile, the lower halves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplift_engine.util.typing import Array

_HALF = 1 << 16
_SIGN = np.uint32(1 << 31)


class OrderStatistics:
    """Quantiles as numpy's default, linear between neighbours.

    Call `count` with all values, then `refine` with all again, then `quantiles`.

    Parameters
    ----------
    probabilities
        Of the quantiles, 0 to 1.
    """

    def __init__(self, probabilities: Sequence[float]) -> None:
        self.probabilities = np.asarray(probabilities, float)
        self.values = 0
        self._upper = np.zeros(_HALF, np.int64)
        self._halves = np.empty(0, np.int64)
        self._lower = np.empty((0, _HALF), np.int64)

    def count(self, values: Array) -> None:
        """Take values of the first pass; the work is that of their number, however few."""
        np.add.at(self._upper, _ordered(values) >> 16, 1)
        self.values += len(values)

    def refine(self, values: Array) -> None:
        """Take values of the second pass."""
        if not len(self._halves):
            self._halves = self._halves_of_quantiles()
            self._lower = np.zeros((len(self._halves), _HALF), np.int64)
        bits = _ordered(values)
        row = np.searchsorted(self._halves[:-1], bits >> 16)
        counts = self._halves[row] == bits >> 16
        np.add.at(self._lower, (row[counts], bits[counts] & (_HALF - 1)), 1)

    def quantiles(self) -> Array:
        """The quantiles, in the order of the probabilities."""
        low, share = self._places()
        high = np.minimum(low + 1, self.values - 1)
        below, above = (np.array([self._value(int(n)) for n in places]) for places in (low, high))
        return np.asarray(below + (above - below) * share)

    def _places(self) -> tuple[Array, Array]:
        place = self.probabilities * (self.values - 1)
        low = np.floor(place).astype(np.int64)
        return low, place - low

    def _halves_of_quantiles(self) -> Array:
        low, _ = self._places()
        places = np.concatenate([low, np.minimum(low + 1, self.values - 1)])
        ends = np.cumsum(self._upper)
        return np.unique(np.searchsorted(ends, places, side="right"))

    def _value(self, place: int) -> float:
        ends = np.cumsum(self._upper)
        half = int(np.searchsorted(ends, place, side="right"))
        before = int(ends[half] - self._upper[half])
        counts = self._lower[np.searchsorted(self._halves, half)]
        low = int(np.searchsorted(np.cumsum(counts), place - before, side="right"))
        bits = np.uint32(half << 16 | low)
        bits = bits ^ _SIGN if bits & _SIGN else ~bits
        return float(np.array([bits], np.uint32).view(np.float32)[0])


def _ordered(values: Array) -> Array:
    """Integers in the order of the values."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN).astype(np.uint32)


__all__ = ["OrderStatistics"]
