"""Weights over a target's units, (T, N or 1, *shape): selected, repeated and applied.

The second axis is 1 where all samples have the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplift_engine.util.typing import Array


def of_samples(weights: Array, samples: Any) -> Array:
    """Those of some samples: a slice, or numbers."""
    return weights if weights.shape[1] == 1 else weights[:, samples]


def repeated(weights: Array, times: int) -> Array:
    """Those of samples that are each repeated ``times`` in a row."""
    return weights if weights.shape[1] == 1 else np.repeat(weights, times, axis=1)


def filled(weights: Array, start: int, size: int) -> Array:
    """Those of ``size`` samples from ``start``; the last one repeated past the end."""
    rows = np.minimum(np.arange(start, start + size), weights.shape[1] - 1)
    return of_samples(weights, rows)


def weighted(level: Array, weights: Array) -> Array:
    """Units (N, *shape) weighted and added, (T, N)."""
    flat = level.reshape(len(level), -1)
    over = weights.reshape(*weights.shape[:2], -1)
    if over.shape[1] == 1:  # not ``@``: see `deeplift_engine.tensors.products`
        return np.asarray(np.einsum("tu,mu->tm", over[:, 0], flat))
    return np.asarray(np.einsum("tmu,mu->tm", over, flat))
