"""Arrays that are too large to look at, as sums and means of cells of neighbours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deeplift_engine.util.typing import Array


def cell_sums(values: Array, sizes: Mapping[int, int]) -> Array:
    """Sums over cells of so many neighbours along each axis; the last cell may have fewer."""
    for axis, size in sizes.items():
        values = np.add.reduceat(values, np.arange(0, values.shape[axis], size), axis=axis)
    return values


def cell_means(values: Array, sizes: Mapping[int, int]) -> Array:
    """Means over such cells."""
    floats = values.astype(np.float64)
    return np.asarray(cell_sums(floats, sizes) / cell_sums(np.ones_like(floats), sizes))


def cell_size(length: int, most: int) -> int:
    """The neighbours of a cell, so that there are at most so many cells."""
    return -(-length // most)


__all__ = ["cell_means", "cell_size", "cell_sums"]
