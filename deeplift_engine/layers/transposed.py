"""Transposed convolutions of one to three dimensions, channels last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import tensorflow as tf

from deeplift_engine.layers.channel_scaling import along, scaled_outputs
from deeplift_engine.layers.convolution import Convolution
from deeplift_engine.layers.families import Linear
from deeplift_engine.layers.layer import Shape, kernel_work
from deeplift_engine.tensors.constants import constant
from deeplift_engine.tensors.tensor_ops import features
from deeplift_engine.util.typing import Array, Tensor


@dataclass(frozen=True, eq=False)
class TransposedConvolution(Linear):
    """The transpose of ``adjoint``, a convolution without bias, so its own transpose is that.

    ``adjoint.kernel`` is (spatial..., out, in) as Keras keeps it. ``output_padding`` sets the
    output's size where several sizes have the same input; None is Keras's choice.
    """

    adjoint: Convolution
    bias: Array | None = None
    output_padding: tuple[int, ...] | None = None
    has_kernel: ClassVar[bool] = True
    kernel_family: ClassVar[str | None] = "convolution"

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, spatial..., in) → (n, spatial..., out)."""
        x = inputs[0]
        sizes = [self.length(axis, size) for axis, size in enumerate(features(x, 1)[:-1])]
        return self.adjoint.transpose(x, [(*sizes, self.adjoint.kernel.shape[-2])])[0]

    def forward(self, *inputs: Tensor) -> Tensor:
        """The map with its bias."""
        output = self.linear(*inputs)
        return output if self.bias is None else tf.nn.bias_add(output, constant(self.bias))

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The convolution."""
        return [self.adjoint.linear(multiplier)]

    def length(self, axis: int, length: Any) -> Any:
        """Size of the output along a spatial axis (from 0) for that of the input."""
        stride, dilation = self.adjoint.strides[axis], self.adjoint.dilation[axis]
        window = (self.adjoint.kernel.shape[axis] - 1) * dilation + 1
        same = self.adjoint.padding == "same"
        if self.output_padding is None:
            return length * stride if same else (length - 1) * stride + max(window, stride)
        end = window % 2 if same else window
        return (length - 1) * stride + end + self.output_padding[axis]

    def work(self, inputs: Sequence[Shape], output: Shape) -> float:
        """Each input is multiplied with one column of the kernel."""
        return kernel_work(self.adjoint.kernel, inputs[0])

    def scaled_after(self, factor: Array, offset: Array | None) -> Linear | None:
        """The kernel and the bias times the factor."""
        kernel = self.adjoint.kernel
        merged = scaled_outputs(kernel, self.bias, (factor, offset), kernel.shape[-2], along(-2))
        if merged is None:
            return None
        return replace(self, adjoint=replace(self.adjoint, kernel=merged[0]), bias=merged[1])
