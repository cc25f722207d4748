"""Layers that only operations need: sums, products, choices, quotients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from deeplift_engine.layers.families import Composite, Joint, Linear, Selection
from deeplift_engine.layers.softmax import chord_of_logarithm, normalized
from deeplift_engine.layers.ties import shared_over
from deeplift_engine.tensors.constants import constant
from deeplift_engine.tensors.tensor_ops import safe_divide, scaled
from deeplift_engine.util.typing import Array, Tensor


@dataclass(frozen=True)
class BroadcastTo(Linear):
    """Axes of size 1 repeated to the sizes of ``shape``; None leaves an axis as it is."""

    shape: tuple[int | None, ...]
    moves: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, ...) → (n, *shape)."""
        x = inputs[0]
        sizes = tf.shape(x)
        target = [
            sizes[axis] if size is None else size for axis, size in enumerate(self.shape, start=1)
        ]
        result = tf.broadcast_to(x, tf.stack([sizes[0], *target]))
        known = [
            own if size is None else size
            for own, size in zip(x.shape[1:].as_list(), self.shape, strict=True)
        ]
        result.set_shape([None, *known])
        return result


@dataclass(frozen=True)
class BroadcastLike(Linear):
    """The first input with its axes of size 1 repeated to the sizes of the second."""

    moves: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """Shape of both together."""
        return inputs[0] + tf.zeros_like(inputs[1])


@dataclass(frozen=True)
class Total(Linear):
    """Sum over feature axes (from 1)."""

    axes: tuple[int, ...]
    keepdims: bool = False

    def linear(self, *inputs: Tensor) -> Tensor:
        """The sum."""
        return tf.reduce_sum(inputs[0], axis=list(self.axes), keepdims=self.keepdims)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The multiplier, of size 1 along the summed axes: what reads it broadcasts."""
        if not self.keepdims:
            for axis in sorted(self.axes):
                multiplier = tf.expand_dims(multiplier, axis)
        return [multiplier]


@dataclass(frozen=True, eq=False)
class Multilinear(Joint):
    """A function of ``factors`` inputs that is linear in each of them."""

    function: Callable[..., Tensor]
    factors: int

    @property
    def nodes(self) -> int:
        """Gauss-Legendre is exact for degree 2·nodes - 1."""
        return (self.factors + 1) // 2

    def forward(self, *inputs: Tensor) -> Tensor:
        """The function's value."""
        return self.function(*inputs)


@dataclass(frozen=True, eq=False)
class Polynomial(Joint):
    """A function of one input that is a polynomial of ``degree`` in its elements.

    Of a product of elements each one's multiplier is its Shapley value, as for a product of
    several inputs.
    """

    function: Callable[[Tensor], Tensor]
    degree: int

    @property
    def nodes(self) -> int:
        """Gauss-Legendre is exact for degree 2·nodes - 1."""
        return (self.degree + 1) // 2

    def forward(self, *inputs: Tensor) -> Tensor:
        """The function's value."""
        return self.function(inputs[0])


@dataclass(frozen=True, eq=False)
class Choice(Joint):
    """``first`` where the condition, of 0 and 1, is 1, and ``second`` where it is 0.

    That is condition·first + (1 - condition)·second, with the product rule; a value that neither
    end chooses counts for nothing, be it NaN. The inputs are the condition and those of
    the two that are no constants.
    """

    first: Array | None = None
    second: Array | None = None

    def forward(self, *inputs: Tensor) -> Tensor:
        """The value that the condition says; in between their mean."""
        condition, *values = inputs
        first = values.pop(0) if self.first is None else constant(self.first)
        second = values.pop(0) if self.second is None else constant(self.second)
        between = (condition != 0) & (condition != 1)
        shown, hidden = (
            tf.where(between, value, tf.zeros_like(value)) for value in (first, second)
        )
        mean = hidden + condition * (shown - hidden)
        return tf.where(between, mean, tf.where(condition == 0, second, first))


@dataclass(frozen=True)
class GlobalMin(Selection):
    """Smallest element over feature axes (from 1); equal ones share."""

    axes: tuple[int, ...]
    keepdims: bool = False
    sign: ClassVar[int] = -1

    def forward(self, *inputs: Tensor) -> Tensor:
        """The minimum."""
        return tf.reduce_min(inputs[0], axis=list(self.axes), keepdims=self.keepdims)

    def equal_shares(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """Among the elements over the axes."""
        return [shared_over(tf.reduce_min, points[0], multiplier, self.axes, self.keepdims)]


@dataclass(frozen=True)
class LogSumExp(Composite):
    """log Σ exp(x) over feature axes (negative numbers, from the end).

    Its rule is that of the chain: the chords of the exponential and of the logarithm.
    """

    axes: tuple[int, ...]
    keepdims: bool = False

    def forward(self, *inputs: Tensor) -> Tensor:
        """The logarithm of the sum."""
        return tf.reduce_logsumexp(inputs[0], axis=list(self.axes), keepdims=self.keepdims)

    def cross(
        self, inputs: Sequence[Tensor], references: Sequence[Tensor], multiplier: Tensor
    ) -> list[Tensor]:
        """m_x = m · w, with w the chord of the output in x."""
        (x,), (x0,) = inputs, references
        if not self.keepdims:
            for axis in sorted(self.axes):  # from the outermost: each finds its place
                multiplier = _expanded(multiplier, axis, self.axes)
        a, a0 = (tf.reduce_logsumexp(end, axis=list(self.axes), keepdims=True) for end in (x, x0))
        return [multiplier * chord_of_logarithm(x, x0, a, a0)]

    def share(self, inputs: Sequence[Tensor], relevance: Tensor) -> list[Tensor]:
        """To every element by its weight, that of a softmax: what has the largest has most."""
        if not self.keepdims:
            for axis in sorted(self.axes):
                relevance = _expanded(relevance, axis, self.axes)
        return [relevance * normalized(inputs[0], self.axes)]


def _expanded(multiplier: Tensor, axis: int, axes: Sequence[int]) -> Tensor:
    """An axis of size 1 put back where ``axis`` was, the later ones of ``axes`` still missing."""
    later = sum(other > axis for other in axes)
    return tf.expand_dims(multiplier, axis + later)


@dataclass(frozen=True)
class Quotient(Composite):
    """First input over the second, of one shape.

    Its rule is that of the product y·q = p read backwards, Δp = q̄·Δy + ȳ·Δq with means over the
    two ends: m_p = m / q̄ and m_q = -m·ȳ / q̄. Where the denominator changes its sign, so
    that its mean may be 0, it is that of the product p·(1/q) with the chord of the inverse.
    """

    singular: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """The quotient."""
        return inputs[0] / inputs[1]

    def gradient(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """m / q and -m·p / q²; 0 where the multiplier is."""
        p, q = points
        return [scaled(multiplier, slope, singular=True) for slope in (1 / q, -p / q / q)]

    def cross(
        self, inputs: Sequence[Tensor], references: Sequence[Tensor], multiplier: Tensor
    ) -> list[Tensor]:
        """Multipliers of both."""
        (p, q), (p0, q0) = inputs, references
        same = q * q0 > 0
        mean = tf.where(same, (q + q0) / 2, tf.ones_like(q + q0))
        backwards = 1 / mean, -(p / q + p0 / q0) / 2 / mean
        forwards = (1 / q + 1 / q0) / 2, -safe_divide((p + p0) / 2, q * q0)
        return [
            scaled(multiplier, tf.where(same, alike, crossed), singular=True)
            for alike, crossed in zip(backwards, forwards, strict=True)
        ]
