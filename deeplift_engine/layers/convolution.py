"""Convolutions of one to three dimensions, channels last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from deeplift_engine.layers.channel_scaling import along, cast, grouped, of_channels, scaled_outputs
from deeplift_engine.layers.correlation import Margins, correlate, correlate_transposed
from deeplift_engine.layers.families import Linear
from deeplift_engine.layers.layer import Shape, kernel_work
from deeplift_engine.layers.phases import Phases, blocks_of
from deeplift_engine.layers.spans import Window
from deeplift_engine.tensors.constants import constant
from deeplift_engine.tensors.tensor_ops import features, unchanged
from deeplift_engine.util.typing import Array, Tensor


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
    has_kernel: ClassVar[bool] = True
    learns_pattern: ClassVar[bool] = True
    fuses_activation: ClassVar[bool] = True
    kernel_family: ClassVar[str | None] = "convolution"

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, spatial..., in) → (n, spatial..., out)."""
        return self._convolve(inputs[0], self.kernel, self._margins())

    def forward(self, *inputs: Tensor) -> Tensor:
        """The convolution and its bias, which TensorFlow fuses."""
        return self._convolve(inputs[0], self.kernel, self._margins(), self.bias)

    def forward_then(self, function: Callable[[Tensor], Tensor], *inputs: Tensor) -> Tensor:
        """``function`` of the output, put where TensorFlow can fuse it too."""
        return self._convolve(inputs[0], self.kernel, self._margins(), self.bias, function)

    def framed(self, x: Tensor, margins: Margins) -> Tensor:
        """The map without its constant, with zeros of ``margins`` around instead of its own."""
        return self._convolve(x, self.kernel, margins)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The transposed convolution.

        With stride 1 it is a convolution with the kernel flipped and its channels swapped,
        which TensorFlow dilates in every dtype.
        """
        sizes = list(shapes[0][:-1])
        before = self._before(sizes)
        kernel, strides, *_ = self._as_image(self.kernel, None)
        blocks = blocks_of(kernel, strides)
        if blocks and before and self.groups == 1 and max(self.dilation) == 1:
            image = multiplier
            if self._is_sequence:
                image, sizes, before = tf.expand_dims(image, 1), [1, *sizes], [0, *before]
            lengths = features(image, 1)[:-1]
            phases = Phases.of(kernel, sizes, lengths, strides, blocks, before)
            steps = phases.strides, [1] * len(sizes)
            output = phases.side_by_side(correlate(image, phases.kernel, *steps, phases.margins))
            return [tf.squeeze(output, 1) if self._is_sequence else output]
        if any(stride != 1 for stride in self.strides):
            return [self._transpose_strided(multiplier, sizes)]
        margins = [
            (reach - start, reach - end)
            for reach, (start, end) in zip(self._reach(), self._margins() or [], strict=True)
        ]
        return [self._convolve(multiplier, self._flipped(), margins)]

    def _transpose_strided(self, multiplier: Tensor, sizes: list[Any]) -> Tensor:
        if self._is_sequence:
            multiplier, sizes = tf.expand_dims(multiplier, 1), [1, *sizes]
        groups_out = []
        for own, kernel in zip(
            tf.split(multiplier, self.groups, axis=-1) if self.groups > 1 else [multiplier],
            np.split(self.kernel, self.groups, axis=-1),
            strict=True,
        ):
            kernel, strides, dilation, margins = self._as_image(kernel, self._margins())
            groups_out.append(correlate_transposed(own, kernel, sizes, strides, dilation, margins))
        output = tf.concat(groups_out, axis=-1) if self.groups > 1 else groups_out[0]
        return tf.squeeze(output, 1) if self._is_sequence else output

    @property
    def _is_sequence(self) -> bool:
        return self.kernel.ndim == 3

    def _reach(self) -> list[int]:
        """Length of a window less one, per dimension."""
        sizes = self.kernel.shape[:-2]
        return [(size - 1) * step for size, step in zip(sizes, self.dilation, strict=True)]

    def _margins(self) -> Margins | None:
        """Zeros before and after, per dimension; None where they depend on the length."""
        if self.padding == "valid":
            return [(0, 0) for _ in self._reach()]
        if self.padding == "causal":
            return [(reach, 0) for reach in self._reach()]
        if all(stride == 1 for stride in self.strides):
            return [(reach // 2, reach - reach // 2) for reach in self._reach()]
        return None

    def _before(self, sizes: Sequence[Any]) -> list[int] | None:
        """Zeros before, per dimension; None where they depend on a length that is not known."""
        margins = self._margins()
        if margins is not None:
            return [before for before, _ in margins]
        if not all(isinstance(size, int) for size in sizes):
            return None
        spans = zip(sizes, self.strides, self._reach(), strict=True)
        return [max((-(-n // step) - 1) * step + reach + 1 - n, 0) // 2 for n, step, reach in spans]

    def _flipped(self) -> Array:
        spatial = tuple(range(self.kernel.ndim - 2))
        flipped = np.flip(self.kernel, spatial)
        groups_out = [np.swapaxes(own, -1, -2) for own in np.split(flipped, self.groups, axis=-1)]
        return np.concatenate(groups_out, axis=-1)

    def _convolve(
        self,
        x: Tensor,
        kernel: Array,
        margins: Margins | None,
        bias: Array | None = None,
        function: Callable[[Tensor], Tensor] = unchanged,
    ) -> Tensor:
        x = tf.expand_dims(x, 1) if self._is_sequence else x
        inputs = tf.split(x, self.groups, axis=-1) if self.groups > 1 else [x]
        kernels = np.split(kernel, self.groups, axis=-1) if self.groups > 1 else [kernel]
        outputs = []
        for own, weights in zip(inputs, kernels, strict=True):
            outputs.append(correlate(own, *self._as_image(weights, margins)))
        output = tf.concat(outputs, axis=-1) if self.groups > 1 else outputs[0]
        if bias is not None:
            output = tf.nn.bias_add(output, constant(bias))
        output = function(output)
        return tf.squeeze(output, 1) if self._is_sequence else output

    def _as_image(
        self, kernel: Array, margins: Margins | None
    ) -> tuple[Array, list[int], list[int], Margins | None]:
        """Kernel, strides, dilation and margins, those of a sequence as of an image."""
        strides, dilation = list(self.strides), list(self.dilation)
        if not self._is_sequence:
            return kernel, strides, dilation, margins
        margins = margins and [(0, 0), *margins]
        return kernel[np.newaxis], [1, *strides], [1, *dilation], margins

    def sliding_window(self, axis: int, length: int) -> Window | None:
        """Along spatial axes."""
        if axis >= self.kernel.ndim - 2:
            return None
        return Window.padded(
            self.padding, length, self.kernel.shape[axis], self.dilation[axis], self.strides[axis]
        )

    def work(self, inputs: Sequence[Shape], output: Shape) -> float:
        """Each output is a product with one column of the kernel."""
        return kernel_work(self.kernel, output)

    def with_kernel(self, x: Tensor, kernel: Tensor) -> Tensor:
        """TensorFlow's own convolution, group by group."""
        padding = self.padding.upper()
        if self.padding == "causal":
            x, padding = tf.pad(x, [(0, 0), (self._reach()[0], 0), (0, 0)]), "VALID"
        pairs = zip(
            tf.split(x, self.groups, axis=-1), tf.split(kernel, self.groups, axis=-1), strict=True
        )
        outputs = [
            tf.nn.convolution(own, taps, list(self.strides), padding, dilations=list(self.dilation))
            for own, taps in pairs
        ]
        return tf.concat(outputs, axis=-1)

    def scaled_before(self, factor: Array, offset: Array | None) -> Linear | None:
        """The kernel times the factor along its inputs, the bias with what the offset adds.

        None where padding would add the offset at the borders too.
        """
        channels = self.kernel.shape[-2] * self.groups
        factors, offsets = (of_channels(array, channels) for array in (factor, offset))
        if factors is None or offsets is None or (self.padding != "valid" and offsets.any()):
            return None
        change = grouped(self.groups) if self.groups > 1 else along(-2)
        added = change(np.asarray(self.kernel, np.float64), offsets)
        added = added.sum(axis=tuple(range(self.kernel.ndim - 1)))
        bias = added if self.bias is None else self.bias + added
        return replace(
            self,
            kernel=cast(change, self.kernel, factors),
            bias=bias.astype(self.kernel.dtype),
        )

    def scaled_after(self, factor: Array, offset: Array | None) -> Linear | None:
        """The kernel and the bias times the factor."""
        merged = scaled_outputs(
            self.kernel, self.bias, (factor, offset), self.kernel.shape[-1], along(-1)
        )
        return merged and replace(self, kernel=merged[0], bias=merged[1])
