"""Random numbers of each sample's own.

A draw depends on the sample's content, the seed and the draw's number, and on nothing else: not on
the batch, the order of samples, their neighbours, nor the number of draws asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from deeplift_engine.engine.blocks import Block
from deeplift_engine.engine.request import Request
from deeplift_engine.references.random_streams import Words, lane_streams, random_words
from deeplift_engine.util.typing import Array


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
    arrays = np.split(drawn[..., : sum(sizes)], np.cumsum(sizes)[:-1], axis=-1)
    return [
        array.reshape(*starts.shape, *shape) for array, shape in zip(arrays, shapes, strict=True)
    ]
