"""Equal shares of a maximum for the elements that tie for it.

TensorFlow's own gradient depends on the order of the elements: it goes to the first winner of a
window, and of two tensors to the first.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from deeplift_engine.tensors.tensor_ops import features, scaled
from deeplift_engine.util.typing import Tensor

ALONE = 8
"""The elements of windows up to this size are taken one by one, at a stride: XLA is slow to
reduce short inner axes."""


@dataclass(frozen=True)
class Windows:
    """Windows of one size along an axis, at a stride, with Keras's padding.

    The axis is read as blocks of a stride each, of which a window spans ``span``.
    """

    axis: int
    size: int
    stride: int
    padding: str

    @property
    def span(self) -> int:
        """The number of blocks of a window."""
        return -(-self.size // self.stride)

    @property
    def widths(self) -> list[int]:
        """How many elements of each of its blocks a window reads: all, but perhaps of the last."""
        return [min(self.stride, self.size - block * self.stride) for block in range(self.span)]

    def layout(self, x: Tensor) -> tuple[Any, Any, Any]:
        """Number of blocks of ``x``, its length, and the padding in front."""
        length = features(x, self.axis)[0]
        if self.padding == "valid":
            return (length - self.size) // self.stride + self.span, length, 0
        count = -(-length // self.stride)
        padding = _at_least_zero((count - 1) * self.stride + self.size - length)
        return count - 1 + self.span, length, padding // 2

    def blocks(self, x: Tensor, filler: float) -> Tensor:
        """The axis as (blocks, elements), with ``filler`` as padding."""
        count, length, before = self.layout(x)
        end = count * self.stride
        x = _padded(x, self.axis, before, _at_least_zero(end - length - before), filler)
        sizes = features(x, 0)
        sizes[self.axis : self.axis + 1] = [count, self.stride]
        return tf.reshape(_sliced(x, self.axis, 0, end), sizes)

    def elements(self, x: Tensor, filler: float) -> list[Tensor]:
        """All elements of each window, in tensors (windows, some of its elements)."""
        blocks = self.blocks(x, filler)
        windows = features(blocks, self.axis)[0] - self.span + 1
        if self.size > ALONE:
            return [
                _sliced(_sliced(blocks, self.axis, block, windows), self.axis + 1, 0, width)
                for block, width in enumerate(self.widths)
            ]
        sizes = features(blocks, 0)
        sizes[self.axis : self.axis + 2] = [sizes[self.axis] * self.stride, 1]
        line = tf.reshape(blocks, sizes)
        reach = (windows - 1) * self.stride + 1
        return [_sliced(line, self.axis, first, reach, self.stride) for first in range(self.size)]

    def sent(self, share: Tensor, largest: Tensor, x: Tensor) -> Tensor:
        """The ``share`` (windows, 1) of each window to its elements of ``x`` that are largest."""
        count, length, before = self.layout(x)
        blocks = self.blocks(x, -math.inf)
        around = self.span - 1
        share = _padded(share, self.axis, around, around)
        largest = _padded(largest, self.axis, around, around, math.nan)
        total = []
        for block, width in enumerate(self.widths):
            each, top = (
                _sliced(tensor, self.axis, around - block, count) for tensor in (share, largest)
            )
            wins = blocks == top
            if width < self.stride:
                rank = x.shape.rank - self.axis
                wins &= tf.reshape(tf.range(self.stride) < width, [-1, *[1] * (rank - 1)])
            total.append(scaled(each, tf.cast(wins, each.dtype)))
        line = sum(total)
        sizes = features(line, 0)
        sizes[self.axis : self.axis + 2] = [count * self.stride]
        line = _sliced(tf.reshape(line, sizes), self.axis, before, length)
        return _padded(line, self.axis, 0, _at_least_zero(length + before - count * self.stride))


def shared_in_windows(x: Tensor, multiplier: Tensor, windows: Sequence[Windows]) -> Tensor:
    """Gradient of the maximum over boxes of windows along several axes of ``x`` (t, n, ...).

    Axis by axis: the largest of a window of largest elements, and how many elements tie for it.
    """
    number = None
    crossed = []
    for along in reversed(windows):
        inner = along.axis + 1
        elements = along.elements(x, -math.inf)
        largest = functools.reduce(
            tf.maximum, [tf.reduce_max(each, inner, keepdims=True) for each in elements]
        )
        numbers = [tf.cast(each == largest, x.dtype) for each in elements]
        if number is not None:
            before = along.elements(number, 0.0)
            numbers = [own * winner for own, winner in zip(before, numbers, strict=True)]
        number = tf.add_n([tf.reduce_sum(each, inner) for each in numbers])
        crossed.append((along, largest, x))
        x = tf.squeeze(largest, inner)
    sent = multiplier if number is None else multiplier / number
    for along, largest, x in reversed(crossed):
        sent = along.sent(tf.expand_dims(sent, along.axis + 1), largest, x)
    return sent


def _sliced(x: Tensor, axis: int, begin: Any, reach: Any, stride: int = 1) -> Tensor:
    if isinstance(reach, int) and x.shape[axis] == reach:
        return x
    return x[(*(slice(None),) * axis, slice(begin, begin + reach, stride))]


def _padded(x: Tensor, axis: int, before: Any, after: Any, filler: float = 0.0) -> Tensor:
    if isinstance(before, int) and isinstance(after, int) and before == after == 0:
        return x
    margins: list[list[Any]] = [[0, 0] for _ in x.shape]
    margins[axis] = [before, after]
    return tf.pad(x, margins, constant_values=tf.constant(filler, x.dtype))


def _at_least_zero(number: Any) -> Any:
    return max(number, 0) if isinstance(number, int) else tf.maximum(number, 0)


def shared_over(
    reduce: Callable[..., Tensor],
    x: Tensor,
    multiplier: Tensor,
    axes: Sequence[int],
    keepdims: bool,
) -> Tensor:
    """Gradient of an extreme over axes of ``x`` (n, ...), which the multiplier may lack."""
    for axis in () if keepdims else sorted(axes):
        multiplier = tf.expand_dims(multiplier, axis + 1)
    winners = tf.cast(x == reduce(x, axis=list(axes), keepdims=True), x.dtype)
    number = tf.reduce_sum(winners, axis=list(axes), keepdims=True)
    return scaled(multiplier / number, winners)


def shared_by_inputs(inputs: Sequence[Tensor], extreme: Tensor, multiplier: Tensor) -> list[Tensor]:
    """Gradient of the ``extreme`` of inputs, with those along which they are broadcast."""
    winners = [tf.cast(x == extreme, x.dtype) for x in inputs]
    share = multiplier / tf.add_n(winners)
    return [scaled(share, each) for each in winners]
