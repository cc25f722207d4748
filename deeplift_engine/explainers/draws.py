"""Random numbers of each sample's own, and means over draws with their standard errors.

A draw depends on the sample's content, the seed and the draw's number, and on nothing else: not on
the batch, the order of samples, their neighbours, nor the number of draws asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.explainers.blocks import Block
from deeplift_engine.request import Request
from deeplift_engine.streams import Words, lane_streams, random_words

Array = NDArray[Any]


def streams(request: Request, block: Block, seed: int) -> Words:
    """``(n, d)``: where the random stream of each draw of a block starts."""
    drawn = lane_streams(request.keys[block.rows], block.columns.stop, seed)
    return drawn[:, block.columns]


def uniform(starts: Words, size: int) -> Array:
    """``(n, d, size)`` numbers between 0 and 1, both left out."""
    words = random_words(starts[..., np.newaxis], np.arange(size, dtype=np.uint64))
    return np.asarray(((words >> np.uint64(12)) + 0.5) * 2.0**-52)


def normal(starts: Words, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """``(n, d, *shape)`` standard normal numbers for each of the shapes (Box and Muller 1958)."""
    sizes = [math.prod(shape) for shape in shapes]
    half = -(-sum(sizes) // 2)
    words = random_words(starts[..., np.newaxis], np.arange(half, dtype=np.uint64))
    first = ((words >> np.uint64(32)).astype(np.float32) + np.float32(0.5)) * np.float32(2**-32)
    angle = words.astype(np.uint32).astype(np.float32) * np.float32(2 * np.pi * 2**-32)
    radius = np.sqrt(-2 * np.log(first))
    drawn = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    parts = np.split(drawn[..., : sum(sizes)], np.cumsum(sizes)[:-1], axis=-1)
    return [part.reshape(*starts.shape, *shape) for part, shape in zip(parts, shapes, strict=True)]


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
