"""Average and max pooling of one to three dimensions, channels last."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from deeplift_engine.layers.families import Linear, Selection
from deeplift_engine.layers.layer import Shape
from deeplift_engine.layers.spans import Window
from deeplift_engine.tensors.tensor_ops import features
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class AveragePool(Linear):
    """Mean over windows; with ``same`` padding over the elements that are there."""

    size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, spatial..., c) → (n, windows..., c)."""
        return _pooled(tf.nn.avg_pool, inputs[0], self.size, self.strides, self.padding)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """Equal shares; of size 1 where one window covers all, for what reads them to broadcast."""
        if self.padding == "valid" and tuple(shapes[0][:-1]) == self.size:
            return [multiplier / math.prod(self.size)]
        return super().transpose(multiplier, shapes)

    def sliding_window(self, axis: int, length: int) -> Window | None:
        """Along spatial axes."""
        if axis >= len(self.size):
            return None
        return Window.padded(self.padding, length, self.size[axis], 1, self.strides[axis])

    def averages(
        self, axis: int, before: Shape, after: Shape
    ) -> tuple[int, tuple[int, ...]] | None:
        """The only window of a sequence."""
        if len(self.size) > 1 or after[0] != 1 or axis != 0:
            return None
        return min(self.size[0], before[0]), (0,)


@dataclass(frozen=True)
class MaxPool(Selection):
    """Largest element of each window; the first one where several are."""

    size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    pools: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """(n, spatial..., c) → (n, windows..., c)."""
        return _pooled(tf.nn.max_pool, inputs[0], self.size, self.strides, self.padding)

    def sliding_window(self, axis: int, length: int) -> Window | None:
        """Along spatial axes."""
        if axis >= len(self.size):
            return None
        return Window.padded(self.padding, length, self.size[axis], 1, self.strides[axis])


@dataclass(frozen=True)
class GlobalMax(Selection):
    """Largest element over feature axes (from 1); equal ones share."""

    axes: tuple[int, ...]
    keepdims: bool = False
    pools: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """The maximum."""
        return tf.reduce_max(inputs[0], axis=list(self.axes), keepdims=self.keepdims)

    def greatest_along(self, axis: int) -> bool:
        """Along the axes of the maximum."""
        return axis + 1 in self.axes


@dataclass(frozen=True)
class WindowMax(Selection):
    """Largest element of windows of any sizes.

    ``windows`` holds for each feature axis (from 1) that is pooled where its windows begin and
    end; the output has one element for each combination of them.
    """

    windows: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]
    pools: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """The axes become as long as there are windows along them."""
        x = inputs[0]
        for axis, spans in self.windows:
            longest = max(end - begin for begin, end in spans)
            # shorter windows read their last element again
            indices = [
                [min(begin + step, end - 1) for step in range(longest)] for begin, end in spans
            ]
            x = tf.reduce_max(tf.gather(x, indices, axis=axis), axis=axis + 1)
        return x


def _pooled(
    operation: Callable[..., Tensor],
    x: Tensor,
    size: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
) -> Tensor:
    """TensorFlow's pooling; that of volumes plane by plane and then along the depth.

    Both the mean (of the elements that are there, a box of them) and the maximum are the same
    in two steps, and TensorFlow pools volumes in float32 alone.
    """
    if len(size) < 3:
        return operation(x, size, strides, padding.upper())
    _, depth, height, width, channels = features(x, 0)
    planes = tf.reshape(x, [-1, height, width, channels])
    planes = operation(planes, size[1:], strides[1:], padding.upper())
    height, width = features(planes, 1)[:2]
    columns = tf.reshape(planes, [-1, depth, height * width, channels])
    columns = operation(columns, (size[0], 1), (strides[0], 1), padding.upper())
    return tf.reshape(columns, [-1, features(columns, 1)[0], height, width, channels])
