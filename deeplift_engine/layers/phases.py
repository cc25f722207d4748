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
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.layers.correlation import Margins
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


@dataclass(frozen=True)
class Phases:
    """The transpose of a correlation as a correlation of its own, which `side_by_side` follows.

    Attributes
    ----------
    kernel
        (spatial..., out, phases x in).
    strides, margins
        Of the correlation, along each axis.
    blocks, counts, sizes
        Outputs of a block, blocks, and outputs in all; tensors where a length is not known.
    """

    kernel: Array
    strides: list[int]
    margins: Margins
    blocks: Sequence[int]
    counts: list[Any]
    sizes: Sequence[Any]

    @classmethod
    def of(
        cls,
        kernel: Array,
        sizes: Sequence[Any],
        lengths: Sequence[Any],
        strides: Sequence[int],
        blocks: Sequence[int],
        before: Sequence[int],
    ) -> Phases:
        """The phases that give outputs of ``sizes`` from inputs of ``lengths``.

        ``before`` are the zeros that the correlation with ``kernel`` has before each axis, fewer
        than the kernel is long.
        """
        axes = zip(kernel.shape[: len(sizes)], strides, blocks, before, strict=True)
        taps_of_axes = [_taps(*axis) for axis in axes]
        counts = [-(-size // block) for size, block in zip(sizes, blocks, strict=True)]
        steps = [block // stride for block, stride in zip(blocks, strides, strict=True)]
        margins = [
            (-first, step * (count - 1) + first + len(taps) - length)
            for (first, taps), step, count, length in zip(
                taps_of_axes, steps, counts, lengths, strict=True
            )
        ]
        return cls(_of_phases(kernel, taps_of_axes), steps, margins, blocks, counts, sizes)

    def side_by_side(self, output: Tensor) -> Tensor:
        """(n, counts..., phases x in) → (n, *sizes, in)."""
        rank, channels = len(self.sizes), self.kernel.shape[-1] // int(np.prod(self.blocks))
        if np.prod(self.blocks[:-1]) > 1:
            apart = tf.reshape(output, [-1, *self.counts, *self.blocks, channels])
            order = [axis + half * rank for axis in range(1, rank + 1) for half in (0, 1)]
            output = tf.transpose(apart, [0, *order, 2 * rank + 1])
        if set(self.blocks) == {1}:
            return output
        lengths = [count * block for count, block in zip(self.counts, self.blocks, strict=True)]
        output = tf.reshape(output, [-1, *lengths, channels])
        return output[(slice(None), *(slice(size) for size in self.sizes))]


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
