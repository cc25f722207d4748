"""Gaussian blur along any axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplift_engine.util.typing import Array

REACH = 4.0
"""Standard deviations at which the Gaussian ends."""


def gaussian_blur(array: Array, sigma: float, axes: Sequence[int]) -> Array:
    """Blur by a Gaussian of width ``sigma`` along ``axes``; beyond its ends it is mirrored."""
    reach = int(REACH * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2)
    weights /= weights[0] + 2 * weights[1:].sum()
    blurred = array
    for axis in axes:
        blurred = _along(np.moveaxis(blurred, axis, 0), weights, axis)
    return blurred


def _along(array: Array, weights: Array, axis: int) -> Array:
    reach, length = len(weights) - 1, len(array)
    widened = np.pad(array, [(reach, reach), *[(0, 0)] * (array.ndim - 1)], mode="symmetric")
    total = weights[0] * array.astype(float)
    for distance in range(1, reach + 1):
        before = widened[reach - distance : reach - distance + length]
        total += weights[distance] * (before + widened[reach + distance :][:length])
    return np.asarray(np.moveaxis(total, 0, axis), array.dtype)
