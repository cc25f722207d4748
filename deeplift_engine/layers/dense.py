"""Dense layers and elementwise linear ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from deeplift_engine.constants import Array, constant
from deeplift_engine.layers.base import Linear
from deeplift_engine.tensors import Tensor


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
        return _matmul(inputs[0], constant(self.kernel))

    def forward(self, *inputs: Tensor) -> Tensor:
        """The map with its bias."""
        output = self.linear(*inputs)
        return output if self.bias is None else output + constant(self.bias)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """(n, ..., out) → (n, ..., in)."""
        return [_matmul(multiplier, constant(self.kernel, np.transpose))]

    def absolute(self) -> Linear:
        """With the kernel's magnitudes."""
        return replace(self, kernel=np.abs(self.kernel), bias=None)


def _matmul(x: Tensor, kernel: Tensor) -> Tensor:
    if x.shape.rank == 2:
        return tf.linalg.matmul(x, kernel)
    flat = tf.reshape(x, [-1, kernel.shape[0]])
    output = tf.reshape(
        tf.linalg.matmul(flat, kernel), tf.concat([tf.shape(x)[:-1], [kernel.shape[1]]], 0)
    )
    output.set_shape([*x.shape[:-1].as_list(), kernel.shape[1]])
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

    def absolute(self) -> Linear:
        """With the factor's magnitude."""
        return Scale(np.abs(self.factor))
