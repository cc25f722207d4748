"""Dense layers and elementwise linear ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import tensorflow as tf

from deeplift_engine.layers.layer import Linear
from deeplift_engine.tensors.constants import LARGEST_IN_GRAPH, constant
from deeplift_engine.util.typing import Array, Tensor


@dataclass(frozen=True, eq=False)
class Dense(Linear):
    """``x @ kernel + bias`` over the last axis of an input of any rank.

    ``kernel`` is (in, out), ``bias`` (out,) or None.
    """

    kernel: Array
    bias: Array | None = None
    folds: ClassVar[bool] = True

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
        with tf.init_scope():
            return tf.constant(self.kernel)

    @property
    def _weights(self) -> Tensor:
        large = self.kernel.nbytes > LARGEST_IN_GRAPH
        return self._captured if large else constant(self.kernel)


def _matmul(x: Tensor, kernel: Tensor, *, transposed: bool) -> Tensor:
    if x.shape.rank == 2:
        return tf.linalg.matmul(x, kernel, transpose_b=transposed)
    inner, outer = reversed(kernel.shape) if transposed else kernel.shape
    flat = tf.linalg.matmul(tf.reshape(x, [-1, inner]), kernel, transpose_b=transposed)
    output = tf.reshape(flat, tf.concat([tf.shape(x)[:-1], [outer]], 0))
    output.set_shape([*x.shape[:-1].as_list(), outer])
    return output


@dataclass(frozen=True, eq=False)
class Scale(Linear):
    """``x * factor + offset``, both broadcast over the features: batch norm, rescaling."""

    factor: Array
    offset: Array | None = None
    broadcasts: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """The product."""
        return inputs[0] * constant(self.factor)

    def forward(self, *inputs: Tensor) -> Tensor:
        """The product plus the offset."""
        output = self.linear(*inputs)
        return output if self.offset is None else output + constant(self.offset)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The same product."""
        return [self.linear(multiplier)]
