"""Convolutions of one and two dimensions, channels last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from deeplift_engine.constants import Array, constant
from deeplift_engine.layers.base import Linear
from deeplift_engine.layers.folding import convolve_folded, folds_well
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
        which TensorFlow dilates in every dtype.
        """
        if any(stride != 1 for stride in self.strides):
            return [self._transpose_strided(multiplier, shapes[0])]
        margins = [
            (reach - before, reach - after)
            for reach, (before, after) in zip(self._reach(), self._margins() or [], strict=True)
        ]
        flipped = self._flipped()
        if self.groups == 1 and max(self.dilation) == 1 and folds_well(flipped):
            return [convolve_folded(multiplier, flipped, margins[0])]
        return [self._convolve(multiplier, flipped, margins)]

    def _transpose_strided(self, multiplier: Tensor, shape: Sequence[Any]) -> Tensor:
        sizes = [tf.shape(multiplier)[0], *shape[:-1], shape[-1] // self.groups]
        sequence = self.kernel.ndim == 3
        if sequence:
            multiplier = tf.expand_dims(multiplier, 1)
            sizes.insert(1, 1)
        parts = []
        for part, kernel in zip(
            tf.split(multiplier, self.groups, axis=-1),
            np.split(self.kernel, self.groups, axis=-1),
            strict=True,
        ):
            kernel, strides, dilation, padding = self._as_image(kernel, self._margins())
            parts.append(
                tf.nn.conv2d_transpose(
                    part, constant(kernel), tf.stack(sizes), strides, padding, dilations=dilation
                )
            )
        output = tf.concat(parts, axis=-1)
        output.set_shape(
            [None, *(s if isinstance(s, int) else None for s in sizes[1:-1]), shape[-1]]
        )
        return tf.squeeze(output, 1) if sequence else output

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
        x = tf.expand_dims(x, 1) if kernel.ndim == 3 else x
        kernel, strides, dilation, padding = self._as_image(kernel, margins)
        return tf.nn.conv2d(x, constant(kernel), strides, padding, dilations=dilation)

    def _as_image(
        self, kernel: Array, margins: Sequence[tuple[int, int]] | None
    ) -> tuple[Array, list[int], list[int], Any]:
        """Kernel, strides, dilation and padding as TensorFlow's two-dimensional ones."""
        strides, dilation = list(self.strides), list(self.dilation)
        if kernel.ndim == 3:
            kernel, strides, dilation = kernel[np.newaxis], [1, *strides], [1, *dilation]
            margins = margins and [(0, 0), *margins]
        padding: Any = "SAME" if margins is None else "VALID"
        if margins is not None and any(max(margin) > 0 for margin in margins):
            padding = [[0, 0], *([before, after] for before, after in margins), [0, 0]]
        return kernel, strides, dilation, padding


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

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """(n, height, width, in · multiplier) → (n, height, width, in)."""
        if self.padding == "causal" or any(step != 1 for step in self.dilation):
            return super().transpose(multiplier, shapes)
        sizes = tf.stack([tf.shape(multiplier)[0], *shapes[0]])
        output = tf.nn.depthwise_conv2d_backprop_input(
            sizes, constant(self.kernel), multiplier, [1, *self.strides, 1], self.padding.upper()
        )
        known = [size if isinstance(size, int) else None for size in shapes[0]]
        output.set_shape([None, *known])
        return [output]

    def forward(self, *inputs: Tensor) -> Tensor:
        """The convolution and its bias."""
        output = self.linear(*inputs)
        return output if self.bias is None else tf.nn.bias_add(output, constant(self.bias))

    def absolute(self) -> Linear:
        """With the kernel's magnitudes."""
        return replace(self, kernel=np.abs(self.kernel), bias=None)
