"""Convolutions of sequences to very few channels, with neighbours folded into channels.

oneDNN computes output channels by the sixteen, so a convolution to the four letters of DNA (the
transpose of a first layer) wastes three quarters of its work. Reading ``factor`` neighbouring
positions as the channels of one position, by a reshape that moves nothing, uses all of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.constants import Array, constant
from deeplift_engine.tensors import Tensor

LANES = 16
FEW = 8


def folds_well(kernel: Array) -> bool:
    """Whether a kernel (length, in, out) leaves lanes empty and is long enough to matter."""
    return kernel.ndim == 3 and kernel.shape[2] <= FEW and kernel.shape[0] > 1


def convolve_folded(x: Tensor, kernel: Array, margins: tuple[int, int]) -> Tensor:
    """Cross-correlation with stride 1 of (n, length, in) with zeros of ``margins`` around it.

    ``kernel`` is (size, in, out); gives (n, length + before + after - size + 1, out). Neither
    margin may be larger than ``size - 1``.
    """
    size, channels, outputs = kernel.shape
    before, after = margins
    factor = LANES // outputs
    folded, left, right = _folded_kernel(kernel, before, factor)
    length: Any = x.shape[1] if x.shape[1] is not None else tf.shape(x)[1]
    wanted = length + before + after - (size - 1)
    blocks = -(-wanted // factor)
    padded = tf.pad(x, [[0, 0], [left * factor, (blocks + right) * factor - length], [0, 0]])
    rows = tf.reshape(padded, [-1, 1, blocks + left + right, factor * channels])
    output = tf.nn.conv2d(rows, constant(folded[np.newaxis]), 1, "VALID")
    return tf.reshape(output, [-1, blocks * factor, outputs])[:, :wanted]


def _folded_kernel(kernel: Array, before: int, factor: int) -> tuple[Array, int, int]:
    """The kernel between blocks of positions, and how many blocks it reaches to either side."""
    size, channels, outputs = kernel.shape
    first, last = -before // factor, (factor - 1 + size - 1 - before) // factor
    folded = np.zeros((last - first + 1, factor, channels, factor, outputs), kernel.dtype)
    for position in range(factor):
        for tap in range(size):
            block, place = divmod(position + tap - before, factor)
            folded[block - first, place, :, position, :] = kernel[tap]
    shape = (last - first + 1, factor * channels, factor * outputs)
    return folded.reshape(shape), -first, last
