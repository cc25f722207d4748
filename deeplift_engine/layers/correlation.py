"""TensorFlow's convolutions of images and volumes, and their transposes, for every dtype on a CPU.

A sequence comes as an image of height 1: only so does oneDNN dilate it without copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from deeplift_engine.tensors.constants import constant
from deeplift_engine.tensors.tensor_ops import features
from deeplift_engine.util.typing import Array, Tensor

Margins = Sequence[tuple[int, Any]]


def correlate(
    x: Tensor,
    kernel: Array,
    strides: Sequence[int],
    dilation: Sequence[int],
    margins: Margins | None,
) -> Tensor:
    """Cross-correlation of (n, spatial..., in) with ``kernel`` (spatial..., in, out).

    ``margins`` are the zeros before and after each spatial axis, which may be tensors; None for
    TensorFlow's ``SAME``.
    """
    known = all(isinstance(after, int) for _, after in margins or ())
    if not known or (kernel.ndim > 4 and _any(margins)):  # TensorFlow takes no such margins
        x, margins = tf.pad(x, _with_ends(margins)), [(0, 0)] * len(strides)
    padding = _padding(margins)
    if kernel.ndim == 4:
        return tf.nn.conv2d(x, constant(kernel), list(strides), padding, dilations=list(dilation))
    if max(dilation) == 1:
        return tf.nn.conv3d(x, constant(kernel), [1, *strides, 1], padding)
    # dilates by moving positions into the batch, where its own operation has float32 alone
    return tf.nn.convolution(x, constant(kernel), list(strides), padding, dilations=list(dilation))


def correlate_transposed(
    y: Tensor,
    kernel: Array,
    sizes: Sequence[Any],
    strides: Sequence[int],
    dilation: Sequence[int],
    margins: Margins | None,
) -> Tensor:
    """The transpose of `correlate`: (n, spatial..., out) → (n, *sizes, in)."""
    shape = tf.stack([tf.shape(y)[0], *sizes, kernel.shape[-2]])
    padding = _padding(margins)
    if kernel.ndim == 4:
        output = tf.nn.conv2d_transpose(
            y, constant(kernel), shape, list(strides), padding, dilations=list(dilation)
        )
    else:
        output = tf.nn.conv3d_transpose(y, constant(kernel), shape, [1, *strides, 1], padding)
    known = [size if isinstance(size, int) else None for size in sizes]
    output.set_shape([None, *known, kernel.shape[-2]])
    return output


def _any(margins: Margins | None) -> bool:
    return margins is not None and any(max(margin) > 0 for margin in margins)


def _with_ends(margins: Margins | None) -> list[list[int]]:
    return [[0, 0], *([before, after] for before, after in margins or ()), [0, 0]]


def _padding(margins: Margins | None) -> Any:
    if margins is None:
        return "SAME"
    return _with_ends(margins) if _any(margins) else "VALID"


def spread_out(y: Tensor, axis: int, stride: int, length: Any) -> Tensor:
    """Elements of an axis put ``stride`` apart, zeros between, and cut to ``length``."""
    if stride == 1:
        return y
    sizes = features(y, 0)
    margins = [(0, 0)] * (axis + 1) + [(0, stride - 1)] + [(0, 0)] * (len(sizes) - axis - 1)
    apart = tf.pad(tf.expand_dims(y, axis + 1), margins)
    joined = tf.reshape(apart, [*sizes[:axis], sizes[axis] * stride, *sizes[axis + 1 :]])
    return joined[(slice(None),) * axis + (slice(None, length),)]
