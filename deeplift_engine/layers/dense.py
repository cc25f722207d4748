"""Dense layers and elementwise linear ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from deeplift_engine.layers.channel_scaling import along, cast, of_channels, scaled_outputs
from deeplift_engine.layers.families import Linear
from deeplift_engine.layers.layer import Shape, constant_along, kernel_work
from deeplift_engine.tensors.constants import LARGEST_IN_GRAPH, captured, constant
from deeplift_engine.tensors.tensor_ops import leading_sizes, scaled
from deeplift_engine.util.typing import Array, Tensor


@dataclass(frozen=True, eq=False)
class Dense(Linear):
    """``x @ kernel + bias`` over the last axis of an input of any rank.

    ``kernel`` is (in, out), ``bias`` (out,) or None.
    """

    kernel: Array
    bias: Array | None = None
    has_kernel: ClassVar[bool] = True
    any_rank: ClassVar[bool] = True
    learns_pattern: ClassVar[bool] = True
    kernel_family: ClassVar[str | None] = "dense"

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, ..., in) → (n, ..., out)."""
        return _matmul(inputs[0], self._weights, transposed=False)

    def forward(self, *inputs: Tensor) -> Tensor:
        """The map with its bias."""
        output = self.linear(*inputs)
        return output if self.bias is None else output + constant(self.bias)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """(n, ..., out) → (n, ..., in)."""
        return [_matmul(multiplier, self._weights, transposed=True)]

    @cached_property
    def _captured(self) -> Tensor:
        """One tensor of a large kernel for every function that is traced, forward and back."""
        return captured(self.kernel)

    @property
    def _weights(self) -> Tensor:
        large = self.kernel.nbytes > LARGEST_IN_GRAPH
        return self._captured if large else constant(self.kernel)

    @property
    def rows(self) -> Array:
        """The kernel."""
        return self.kernel

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along all axes but the last."""
        return axis < rank - 1

    def work(self, inputs: Sequence[Shape], output: Shape) -> float:
        """Each output is a product with one column of the kernel."""
        return kernel_work(self.kernel, output)

    def with_kernel(self, x: Tensor, kernel: Tensor) -> Tensor:
        """The product."""
        return tf.tensordot(x, kernel, 1)

    def scaled_before(self, factor: Array, offset: Array | None) -> Linear | None:
        """The kernel times the factor along its inputs, the bias with what the offset adds."""
        factors, offsets = (of_channels(array, len(self.kernel)) for array in (factor, offset))
        if factors is None or offsets is None:
            return None
        kernel = np.asarray(self.kernel, np.float64)
        added = along(-2)(kernel, offsets).sum(axis=0)
        bias = added if self.bias is None else self.bias + added
        return replace(
            self,
            kernel=cast(along(-2), self.kernel, factors),
            bias=bias.astype(self.kernel.dtype),
        )

    def scaled_after(self, factor: Array, offset: Array | None) -> Linear | None:
        """The kernel and the bias times the factor."""
        merged = scaled_outputs(
            self.kernel, self.bias, (factor, offset), self.kernel.shape[-1], along(-1)
        )
        return merged and replace(self, kernel=merged[0], bias=merged[1])


def _matmul(x: Tensor, kernel: Tensor, *, transposed: bool) -> Tensor:
    if x.shape.rank == 2:
        return tf.linalg.matmul(x, kernel, transpose_b=transposed)
    inner, outer = reversed(kernel.shape) if transposed else kernel.shape
    flat = tf.linalg.matmul(tf.reshape(x, [-1, inner]), kernel, transpose_b=transposed)
    output = tf.reshape(flat, tf.concat([leading_sizes(x, x.shape.rank - 1), [outer]], 0))
    output.set_shape([*x.shape[:-1].as_list(), outer])
    return output


@dataclass(frozen=True, eq=False)
class Scale(Linear):
    """``x * factor + offset``, both broadcast over the features: batch norm, rescaling."""

    factor: Array
    offset: Array | None = None
    broadcasts: ClassVar[bool] = True
    transparent: ClassVar[bool] = True
    elementwise: ClassVar[bool] = True
    any_rank: ClassVar[bool] = True
    fuses: ClassVar[bool] = True
    keeps_gates: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """The product."""
        return inputs[0] * constant(self.factor)

    def forward(self, *inputs: Tensor) -> Tensor:
        """The product plus the offset."""
        output = self.linear(*inputs)
        return output if self.offset is None else output + constant(self.offset)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The same product; 0 where the factor is."""
        return [scaled(multiplier, constant(self.factor))]

    def scaled_after(self, factor: Array, offset: Array | None) -> Linear | None:
        """Both as one."""
        terms = [] if self.offset is None else [self.offset * factor]
        terms += [] if offset is None else [offset]
        return Scale(self.factor * factor, sum(terms[1:], terms[0]) if terms else None)

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Where the factor is the same at all positions."""
        return constant_along(self.factor, axis, rank)
