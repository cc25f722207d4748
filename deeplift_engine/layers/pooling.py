"""Average and max pooling of one to three dimensions, channels last."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from deeplift_engine.layers.families import Linear, Selection
from deeplift_engine.layers.layer import Shape
from deeplift_engine.layers.spans import Window
from deeplift_engine.layers.ties import Windows, shared_in_windows, shared_over
from deeplift_engine.tensors.tensor_ops import features, merge, split, vjp
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
    """Largest element of each window; equal ones share."""

    size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    pools: ClassVar[bool] = True
    many_steps: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """(n, spatial..., c) → (n, windows..., c)."""
        return _pooled(tf.nn.max_pool, inputs[0], self.size, self.strides, self.padding)

    def equal_shares(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """Among the elements of each window."""
        windows = [
            Windows(axis, size, stride, self.padding)
            for axis, (size, stride) in enumerate(zip(self.size, self.strides, strict=True), 2)
            if (size, stride) != (1, 1)
        ]
        return [shared_in_windows(points[0][tf.newaxis], multiplier, windows)]

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

    def equal_shares(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """Among the elements over the axes."""
        return [shared_over(tf.reduce_max, points[0], multiplier, self.axes, self.keepdims)]

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
    many_steps: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """The axes become as long as there are windows along them."""
        x = self._side_by_side(inputs[0], -math.inf)
        for windows in self._windows(0):
            x = tf.reduce_max(windows.blocks(x, -math.inf), axis=windows.axis + 1)
        return x

    def equal_shares(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """Among the elements of each window, and the sum of what an element has of several."""
        x = self._side_by_side(points[0], -math.inf)
        sent = shared_in_windows(x[tf.newaxis], multiplier, self._windows(1))
        axes = tf.shape(sent)[:2]
        nothing = tf.zeros([axes[0] * axes[1], *features(points[0], 1)], sent.dtype)
        back = vjp(lambda x: self._side_by_side(x, 0.0), [nothing], merge(sent, 2))
        return [split(back[0], axes, 2)]

    def _windows(self, leading: int) -> list[Windows]:
        """The windows of `_side_by_side`, behind ``leading`` more axes."""
        sizes = [(axis, max(end - begin for begin, end in spans)) for axis, spans in self.windows]
        return [Windows(axis + leading, size, size, "valid") for axis, size in sizes]

    def _side_by_side(self, x: Tensor, filler: float) -> Tensor:
        """All windows one behind the other, ``filler`` behind those that are shorter."""
        for (axis, spans), windows in zip(self.windows, self._windows(0), strict=True):
            begins, ends = np.transpose(spans)[..., np.newaxis]
            elements = begins + np.arange(windows.size)
            x = tf.gather(x, np.minimum(elements, ends - 1).ravel(), axis=axis)
            inside = (elements < ends).reshape(-1, *[1] * (x.shape.rank - axis - 1))
            x = x if inside.all() else tf.where(inside, x, tf.constant(filler, x.dtype))
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
