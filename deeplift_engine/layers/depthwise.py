"""Convolutions of each channel by itself, channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from deeplift_engine.layers.channel_scaling import (
    along,
    by_copies,
    cast,
    of_channels,
    scaled_outputs,
)
from deeplift_engine.layers.correlation import spread_out
from deeplift_engine.layers.families import Linear
from deeplift_engine.layers.layer import Shape
from deeplift_engine.layers.spans import Window
from deeplift_engine.tensors.constants import constant
from deeplift_engine.tensors.tensor_ops import features
from deeplift_engine.util.typing import Array, Tensor


@dataclass(frozen=True, eq=False)
class DepthwiseConvolution(Linear):
    """One kernel per channel: ``kernel`` (height, width, in, multiplier), bias or None.

    ``padding`` is ``"valid"``, ``"same"`` or, along the width, ``"causal"``. Where TensorFlow
    has no operation for the strides (unequal ones, or dilation besides), the convolution is
    taken at every position and those between the strides are dropped.
    """

    kernel: Array
    bias: Array | None = None
    strides: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: str = "valid"
    has_kernel: ClassVar[bool] = True
    kernel_family: ClassVar[str | None] = "convolution"

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, height, width, in) → (n, height, width, in · multiplier)."""
        x = inputs[0]
        if self._native:
            strides = [1, *self.strides, 1]
            return tf.nn.depthwise_conv2d(x, constant(self.kernel), strides, self.padding.upper())
        everywhere = self._at_every_position(x, self.kernel, self._margins(features(x, 1)[:2]))
        return everywhere[:, :: self.strides[0], :: self.strides[1]]

    def framed(self, x: Tensor, margins: Sequence[tuple[int, int]]) -> Tensor:
        """The map without its constant, with zeros of ``margins`` around instead of its own."""
        return replace(self, padding="valid").linear(_framed(x, margins))

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """(n, height, width, in · multiplier) → (n, height, width, in).

        Where TensorFlow has no operation for it, it is a convolution with the kernels flipped,
        and a sum over those of one channel.
        """
        if self._native:
            return [self._transpose_native(multiplier, shapes[0])]
        sizes = list(shapes[0][:2])
        margins, reach = self._margins(sizes), self._reach()
        lengths = [
            size + before + after - over
            for size, (before, after), over in zip(sizes, margins, reach, strict=True)
        ]
        for axis, (stride, length) in enumerate(zip(self.strides, lengths, strict=True), start=1):
            multiplier = spread_out(multiplier, axis, stride, length)
        height, width, channels, copies = self.kernel.shape
        flipped = self.kernel[::-1, ::-1].reshape(height, width, channels * copies, 1)
        opposite = [
            (over - before, over - after)
            for over, (before, after) in zip(reach, margins, strict=True)
        ]
        output = self._at_every_position(multiplier, flipped, opposite)
        if copies > 1:
            output = tf.reshape(output, [-1, *sizes, channels, copies])
            output = tf.reduce_sum(output, axis=-1)
        return [output]

    def forward(self, *inputs: Tensor) -> Tensor:
        """The convolution and its bias."""
        output = self.linear(*inputs)
        return output if self.bias is None else tf.nn.bias_add(output, constant(self.bias))

    @property
    def _native(self) -> bool:
        """Whether TensorFlow has one operation for it."""
        equal = self.strides[0] == self.strides[1]
        return equal and self.dilation == (1, 1) and self.padding != "causal"

    def _transpose_native(self, multiplier: Tensor, shape: Sequence[Any]) -> Tensor:
        sizes = tf.stack([tf.shape(multiplier)[0], *shape])
        output = tf.nn.depthwise_conv2d_backprop_input(
            sizes, constant(self.kernel), multiplier, [1, *self.strides, 1], self.padding.upper()
        )
        output.set_shape([None, *(size if isinstance(size, int) else None for size in shape)])
        return output

    def _reach(self) -> list[int]:
        """Length of a window less one, along height and width."""
        sizes = self.kernel.shape[:2]
        return [(size - 1) * step for size, step in zip(sizes, self.dilation, strict=True)]

    def _margins(self, sizes: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Zeros before and after, along height and width."""
        reach = self._reach()
        if self.padding == "valid":
            return [(0, 0), (0, 0)]
        if self.padding == "causal":
            return [(0, 0), (reach[1], 0)]
        margins = []
        for size, over, stride in zip(sizes, reach, self.strides, strict=True):
            rest = (size + stride - 1) // stride * stride - stride + over + 1 - size
            total = max(rest, 0) if isinstance(rest, int) else tf.maximum(rest, 0)
            margins.append((total // 2, total - total // 2))
        return margins

    def _at_every_position(self, x: Tensor, kernel: Array, margins: Any) -> Tensor:
        """The convolution with stride 1 and zeros around; margins below 0 drop elements."""
        padded = _framed(x, margins)
        dilation = list(self.dilation)
        return tf.nn.depthwise_conv2d(
            padded, constant(kernel), [1, 1, 1, 1], "VALID", dilations=dilation
        )

    def sliding_window(self, axis: int, length: int) -> Window | None:
        """Along spatial axes."""
        if axis >= self.kernel.ndim - 2:
            return None
        return Window.padded(
            self.padding, length, self.kernel.shape[axis], self.dilation[axis], self.strides[axis]
        )

    def work(self, inputs: Sequence[Shape], output: Shape) -> float:
        """Each output is a product with one window of one channel."""
        return float(math.prod(output) * math.prod(self.kernel.shape[:2]))

    def scaled_before(self, factor: Array, offset: Array | None) -> Linear | None:
        """The kernels times the factors, the bias with what the offset adds.

        None where padding would add the offset at the borders too.
        """
        factors, offsets = (of_channels(array, self.kernel.shape[-2]) for array in (factor, offset))
        if factors is None or offsets is None or (self.padding != "valid" and offsets.any()):
            return None
        added = along(-2)(np.asarray(self.kernel, np.float64), offsets).sum(axis=(0, 1)).ravel()
        bias = added if self.bias is None else self.bias + added
        return replace(
            self,
            kernel=cast(along(-2), self.kernel, factors),
            bias=bias.astype(self.kernel.dtype),
        )

    def scaled_after(self, factor: Array, offset: Array | None) -> Linear | None:
        """The kernel and the bias times the factor."""
        merged = scaled_outputs(
            self.kernel, self.bias, (factor, offset), math.prod(self.kernel.shape[-2:]), by_copies
        )
        return merged and replace(self, kernel=merged[0], bias=merged[1])


def _framed(x: Tensor, margins: Any) -> Tensor:
    if all(isinstance(size, int) and size == 0 for margin in margins for size in margin):
        return x
    return tf.pad(x, [(0, 0), *margins, (0, 0)])
