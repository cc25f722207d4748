"""A matrix along one axis: adaptive means, interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from deeplift_engine.layers.families import Linear
from deeplift_engine.tensors.constants import constant
from deeplift_engine.tensors.tensor_ops import features
from deeplift_engine.util.typing import Array, Tensor


@dataclass(frozen=True, eq=False)
class AxisMatrix(Linear):
    """Every line along feature axis ``axis`` (from 1) times ``matrix`` (out, in)."""

    matrix: Array
    axis: int
    sparse: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """The axis of size ``in`` becomes one of size ``out``."""
        return along(inputs[0], constant(self.matrix), self.axis)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The transposed matrix along the axis."""
        return [along(multiplier, constant(self.matrix.T), self.axis)]

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along the other axes."""
        return axis != self.axis - 1


def along(x: Tensor, matrix: Tensor, axis: int) -> Tensor:
    """``matrix`` (out, in) times every line along ``axis`` of (n, ...), by one product a block."""
    sizes = features(x, 1)
    before, after = sizes[: axis - 1], sizes[axis:]
    width: Any = 1
    for size in after:
        width = width * size
    blocks = tf.linalg.matmul(matrix, tf.reshape(x, [-1, sizes[axis - 1], width]))
    return tf.reshape(blocks, [-1, *before, features(matrix, 0)[0], *after])
