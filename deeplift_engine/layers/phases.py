"""Transposed convolutions to very few channels, with neighbouring outputs computed as channels.

oneDNN computes output channels by the sixteen, so a convolution to the four letters of DNA (the
transpose of a first layer) wastes three quarters of its work. Output position ``b·q + r`` of a
transposed convolution of stride ``s`` takes the inputs ``(b/s)·q + t`` with the taps
``r + before - s·t``; with ``b`` a multiple of ``s`` neither ``t`` nor the tap depends on ``q``. So
the ``b`` phases ``r`` together are one convolution of stride ``b/s`` to ``b`` times the channels,
and a reshape puts them side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.layers.correlation import correlate
from deeplift_engine.tensors.tensor_ops import features
from deeplift_engine.util.typing import Array, Tensor

LANES = 16
FEW = 8


def blocks_of(kernel: Array, strides: Sequence[int]) -> list[int] | None:
    """Number of neighbours to compute together along each axis; None if that does not pay.

    A kernel is (spatial..., in, out). Phases of a stride cost nothing; more of them make windows
    longer, which pays along one axis that is long enough.
    """
    channels, *inner, size = kernel.shape[-2], *kernel.shape[:-2]
    if channels > FEW:
        return None
    blocks = list(strides)
    if all(length == 1 for length in inner):
        while size > 1 and np.prod(blocks) * channels < LANES and blocks[-1] < size:
            blocks[-1] += strides[-1]
    return blocks if np.prod(blocks) > 1 else None


def transpose_by_phases(
    y: Tensor,
    kernel: Array,
    sizes: Sequence[Any],
    strides: Sequence[int],
    blocks: Sequence[int],
    before: Sequence[int],
) -> Tensor:
    """(n, spatial..., out) → (n, *sizes, in), the transpose of a correlation with ``kernel``.

    ``before`` are the zeros that the correlation has before each axis, fewer than the kernel is
    long. ``sizes`` may be tensors.
    """
    rank = len(sizes)
    taps_of_axes = [
        _taps(size, *of_axis)
        for size, *of_axis in zip(kernel.shape[:rank], strides, blocks, before, strict=True)
    ]
    counts = [-(-size // block) for size, block in zip(sizes, blocks, strict=True)]
    steps = [block // stride for block, stride in zip(blocks, strides, strict=True)]
    margins = [
        (-first, step * (count - 1) + first + len(taps) - length)
        for (first, taps), step, count, length in zip(
            taps_of_axes, steps, counts, features(y, 1)[:rank], strict=True
        )
    ]
    if not all(isinstance(after, int) for _, after in margins):
        y, margins = tf.pad(y, [[0, 0], *margins, [0, 0]]), [(0, 0)] * rank
    output = correlate(y, _of_phases(kernel, taps_of_axes), steps, [1] * rank, margins)
    channels = kernel.shape[-2]
    if np.prod(blocks[:-1]) > 1:
        apart = tf.reshape(output, [-1, *counts, *blocks, channels])
        order = [axis + half * rank for axis in range(1, rank + 1) for half in (0, 1)]
        output = tf.transpose(apart, [0, *order, 2 * rank + 1])
    lengths = [count * block for count, block in zip(counts, blocks, strict=True)]
    output = tf.reshape(output, [-1, *lengths, channels])
    return output[(slice(None), *(slice(size) for size in sizes))]


def _taps(size: int, stride: int, block: int, before: int) -> tuple[int, Array]:
    """The first input of a block, and which tap (inputs, phases, size) each phase has for which."""
    first, last = -((size - 1 - before) // stride), (block - 1 + before) // stride
    inputs = np.arange(first, last + 1)
    tap = np.arange(block) + before - stride * inputs[:, np.newaxis]
    return first, tap[..., np.newaxis] == np.arange(size)


def _of_phases(kernel: Array, taps: Sequence[tuple[int, Array]]) -> Array:
    """The kernel (inputs..., out, phases... x in) between inputs and blocks of outputs."""
    rank = len(taps)
    inputs, phases, sizes = "abc"[:rank], "pqr"[:rank], "xyz"[:rank]
    each = [own + phase + size for own, phase, size in zip(inputs, phases, sizes, strict=True)]
    spelled = f"{','.join(each)},{sizes}io->{inputs}o{phases}i"
    chosen = [taps_of_axis.astype(kernel.dtype) for _, taps_of_axis in taps]
    spread = np.einsum(spelled, *chosen, kernel, optimize=True)
    return np.ascontiguousarray(spread.reshape(*spread.shape[: rank + 1], -1))
