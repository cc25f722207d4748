"""Convolutions of one and two dimensions, channels last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from deeplift_engine.constants import Array, constant
from deeplift_engine.layers.base import Linear
from deeplift_engine.tensors import Tensor


@dataclass(frozen=True, eq=False)
class Convolution(Linear):
    """Cross-correlation with ``kernel`` (spatial..., in / groups, out) and a bias (out,).

    ``padding`` is ``"valid"``, ``"same"`` or ``"causal"``.
    """

    kernel: Array
    bias: Array | None = None
    strides: tuple[int, ...] = (1,)
    dilation: tuple[int, ...] = (1,)
    padding: str = "valid"
    groups: int = 1
    folds: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, spatial..., in) → (n, spatial..., out)."""
        return self._convolve(inputs[0], self.kernel, self._margins())

    def forward(self, *inputs: Tensor) -> Tensor:
        """The convolution and its bias, which TensorFlow fuses."""
        return self.forward_then(tf.identity, inputs[0])

    def forward_then(self, function: Callable[[Tensor], Tensor], *inputs: Tensor) -> Tensor:
        """``function`` of the output, put where TensorFlow can fuse it too."""
        return self._convolve(inputs[0], self.kernel, self._margins(), self.bias, function)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The transposed convolution.

        With stride 1 it is a convolution with the kernel flipped and its channels swapped,
        which oneDNN does twice as fast as the gradient operation.
        """
        if any(stride != 1 for stride in self.strides):
            return super().transpose(multiplier, shapes)
        margins = [
            (reach - before, reach - after)
            for reach, (before, after) in zip(self._reach(), self._margins() or [], strict=True)
        ]
        return [self._convolve(multiplier, self._flipped(), margins)]

    def absolute(self) -> Linear:
        """With the kernel's magnitudes."""
        return replace(self, kernel=np.abs(self.kernel), bias=None)

    def _reach(self) -> list[int]:
        """How many elements before the last one a window covers, per dimension."""
        sizes = self.kernel.shape[:-2]
        return [(size - 1) * step for size, step in zip(sizes, self.dilation, strict=True)]

    def _margins(self) -> list[tuple[int, int]] | None:
        """Zeros before and after, per dimension; None where they depend on the length."""
        if self.padding == "valid":
            return [(0, 0) for _ in self._reach()]
        if self.padding == "causal":
            return [(reach, 0) for reach in self._reach()]
        if all(stride == 1 for stride in self.strides):
            return [(reach // 2, reach - reach // 2) for reach in self._reach()]
        return None

    def _flipped(self) -> Array:
        spatial = tuple(range(self.kernel.ndim - 2))
        flipped = np.flip(self.kernel, spatial)
        parts = [np.swapaxes(part, -1, -2) for part in np.split(flipped, self.groups, axis=-1)]
        return np.concatenate(parts, axis=-1)

    def _convolve(
        self,
        x: Tensor,
        kernel: Array,
        margins: Sequence[tuple[int, int]] | None,
        bias: Array | None = None,
        function: Callable[[Tensor], Tensor] = tf.identity,
    ) -> Tensor:
        inputs = tf.split(x, self.groups, axis=-1) if self.groups > 1 else [x]
        kernels = np.split(kernel, self.groups, axis=-1) if self.groups > 1 else [kernel]
        outputs = [
            self._convolve_group(part, weights, margins)
            for part, weights in zip(inputs, kernels, strict=True)
        ]
        output = tf.concat(outputs, axis=-1) if self.groups > 1 else outputs[0]
        if bias is not None:
            output = tf.nn.bias_add(output, constant(bias))
        output = function(output)
        return output if self.kernel.ndim > 3 else tf.squeeze(output, 1)

    def _convolve_group(
        self, x: Tensor, kernel: Array, margins: Sequence[tuple[int, int]] | None
    ) -> Tensor:
        """A sequence is an image of height 1: only so does oneDNN dilate it without copies."""
        strides, dilation = list(self.strides), list(self.dilation)
        if kernel.ndim == 3:
            x, kernel = tf.expand_dims(x, 1), kernel[np.newaxis]
            strides, dilation = [1, *strides], [1, *dilation]
            margins = margins and [(0, 0), *margins]
        padding: Any = "SAME" if margins is None else "VALID"
        if margins is not None and any(max(margin) > 0 for margin in margins):
            padding = [[0, 0], *([before, after] for before, after in margins), [0, 0]]
        return tf.nn.conv2d(x, constant(kernel), strides, padding, dilations=dilation)


@dataclass(frozen=True, eq=False)
class DepthwiseConvolution(Linear):
    """One kernel per channel: ``kernel`` (height, width, in, multiplier), bias or None."""

    kernel: Array
    bias: Array | None = None
    strides: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: str = "valid"
    folds: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, height, width, in) → (n, height, width, in · multiplier)."""
        x, padding = inputs[0], self.padding.upper()
        if self.padding == "causal":
            reach = (self.kernel.shape[1] - 1) * self.dilation[1]
            x, padding = tf.pad(x, [[0, 0], [0, 0], [reach, 0], [0, 0]]), "VALID"
        return tf.nn.depthwise_conv2d(
            x,
            constant(self.kernel),
            strides=[1, *self.strides, 1],
            padding=padding,
            dilations=list(self.dilation),
        )

    def forward(self, *inputs: Tensor) -> Tensor:
        """The convolution and its bias."""
        output = self.linear(*inputs)
        return output if self.bias is None else tf.nn.bias_add(output, constant(self.bias))

    def absolute(self) -> Linear:
        """With the kernel's magnitudes."""
        return replace(self, kernel=np.abs(self.kernel), bias=None)
