"""Average and max pooling, channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from deeplift_engine.layers.base import Linear, Selection
from deeplift_engine.tensors import Tensor


@dataclass(frozen=True)
class AveragePool(Linear):
    """Mean over windows; with ``same`` padding over the elements that are there."""

    size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, spatial..., c) → (n, windows..., c)."""
        return tf.nn.avg_pool(inputs[0], self.size, self.strides, self.padding.upper())

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """Equal shares; of size 1 where one window covers all, for what reads them to broadcast."""
        if self.padding == "valid" and tuple(shapes[0][:-1]) == self.size:
            return [multiplier / math.prod(self.size)]
        return super().transpose(multiplier, shapes)


@dataclass(frozen=True)
class MaxPool(Selection):
    """Largest element of each window; the first one where several are."""

    size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    pools: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """(n, spatial..., c) → (n, windows..., c)."""
        return tf.nn.max_pool(inputs[0], self.size, self.strides, self.padding.upper())


@dataclass(frozen=True)
class GlobalMax(Selection):
    """Largest element over feature axes (from 1); equal ones share."""

    axes: tuple[int, ...]
    keepdims: bool = False
    pools: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """The maximum."""
        return tf.reduce_max(inputs[0], axis=list(self.axes), keepdims=self.keepdims)
