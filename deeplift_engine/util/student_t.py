"""Quantiles of Student's t distribution, for intervals of means over few values."""

from __future__ import annotations

import functools
import math
from statistics import NormalDist

_MANY = 1000
"""Degrees of freedom from which the normal quantile and two corrections are exact to 1e-7."""
_HALVINGS = 60


@functools.lru_cache
def two_sided(level: float, degrees: int) -> float:
    """t such that ``level`` of the distribution with ``degrees`` of freedom is within ±t.

    Zelen and Severo in Abramowitz and Stegun 1964, equations 26.7.3, 26.7.4 and 26.7.5.
    """
    if degrees > _MANY:
        normal = NormalDist().inv_cdf((1 + level) / 2)
        first = (normal**3 + normal) / 4
        second = (5 * normal**5 + 16 * normal**3 + 3 * normal) / 96
        return normal + first / degrees + second / degrees**2
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < level else (low, middle)
    return math.sqrt(degrees) * math.tan(low)


def _within(angle: float, degrees: int) -> float:
    """The probability of values within ± √degrees · tan(angle)."""
    odd, cosine = degrees % 2, math.cos(angle)
    term, total = cosine**odd, 0.0
    for number in range(2 + odd, degrees + 1, 2):
        total += term
        term *= (number - 1) / number * cosine**2
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total
