"""Linear layers without a kernel: they move, copy, drop, add or average elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import tensorflow as tf

from deeplift_engine.layers.families import Linear
from deeplift_engine.layers.layer import Shape
from deeplift_engine.layers.spans import Span, reshaped
from deeplift_engine.tensors.tensor_ops import features
from deeplift_engine.util.typing import Array, Tensor

Margins = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Identity(Linear):
    """Nothing at inference: dropout, noise, regularisation, a linear activation."""

    broadcasts: ClassVar[bool] = True
    moves: ClassVar[bool] = True
    transparent: ClassVar[bool] = True
    is_identity: ClassVar[bool] = True
    elementwise: ClassVar[bool] = True
    uniform: ClassVar[bool] = True
    any_rank: ClassVar[bool] = True
    fuses: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """The input."""
        return inputs[0]

    def transpose(self, multiplier: Tensor, shapes: object) -> list[Tensor]:
        """The multiplier."""
        return [multiplier]

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along every axis."""
        return True


@dataclass(frozen=True)
class Reshape(Linear):
    """Row-major reshape to ``shape`` (without batch axis; one -1 allowed)."""

    shape: tuple[int, ...]
    moves: ClassVar[bool] = True
    transparent: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, ...) → (n, *shape)."""
        return (
            tf.reshape(inputs[0], [-1, *self.shape])
            if -1 not in self.shape
            else tf.reshape(inputs[0], [tf.shape(inputs[0])[0], *self.shape])
        )

    def moved_span(self, span: Span, before: Shape, after: Shape) -> Span | None:
        """Where positions lie side by side in the new shape, too."""
        return reshaped(span, tuple(before), tuple(after))

    def within(self, axis: int, shape: Shape) -> Linear:
        """The reshape of a span's elements."""
        return Reshape(tuple(shape))


@dataclass(frozen=True)
class Transpose(Linear):
    """Permute the feature axes; ``axes`` count from 1, as Keras's Permute does."""

    axes: tuple[int, ...]
    moves: ClassVar[bool] = True
    transparent: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """Axes in their new order."""
        return tf.transpose(inputs[0], [0, *self.axes])

    @property
    def inverse(self) -> tuple[int, ...]:
        """The axes that undo this."""
        return tuple(self.axes.index(axis + 1) + 1 for axis in range(len(self.axes)))

    def transpose(self, multiplier: Tensor, shapes: object) -> list[Tensor]:
        """Axes back in their old order."""
        return [tf.transpose(multiplier, [0, *self.inverse])]

    @property
    def permutation(self) -> tuple[int, ...]:
        """The axes."""
        return self.axes

    def moved_span(self, span: Span, before: Shape, after: Shape) -> Span:
        """Along the axis in its new position."""
        return replace(span, axis=self.axes.index(span.axis + 1))


@dataclass(frozen=True)
class Pad(Linear):
    """``value`` around the features: one (before, after) per feature axis."""

    margins: tuple[tuple[int, int], ...]
    value: float = 0.0
    moves: ClassVar[bool] = True
    pads: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """Padded with zeros."""
        return tf.pad(inputs[0], [(0, 0), *self.margins])

    def forward(self, *inputs: Tensor) -> Tensor:
        """Padded with ``value``."""
        x = inputs[0]
        value = tf.cast(self.value, x.dtype)
        return tf.pad(x, [(0, 0), *self.margins], constant_values=value)

    def transpose(self, multiplier: Tensor, shapes: object) -> list[Tensor]:
        """Cropped."""
        return [Crop(self.margins).linear(multiplier)]

    def moved_span(self, span: Span, before: Shape, after: Shape) -> Span:
        """Behind the margin."""
        return span.moved(self.margins[span.axis][0], after[span.axis])

    def within(self, axis: int, shape: Shape) -> Linear:
        """The margins along the other axes."""
        return replace(self, margins=_without(self.margins, axis))


@dataclass(frozen=True)
class Crop(Linear):
    """Elements dropped at the ends: one (before, after) per feature axis."""

    margins: tuple[tuple[int, int], ...]
    moves: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """Cropped."""
        ends = [slice(before, -after or None) for before, after in self.margins]
        return inputs[0][(slice(None), *ends)]

    def transpose(self, multiplier: Tensor, shapes: object) -> list[Tensor]:
        """Zeros around."""
        return [Pad(self.margins).linear(multiplier)]

    def moved_span(self, span: Span, before: Shape, after: Shape) -> Span:
        """Before the margin."""
        return span.moved(-self.margins[span.axis][0], after[span.axis])

    def within(self, axis: int, shape: Shape) -> Linear:
        """The margins along the other axes."""
        return Crop(_without(self.margins, axis))


@dataclass(frozen=True)
class Slice(Linear):
    """Elements ``start`` to ``stop`` of the last axis."""

    start: int
    stop: int
    moves: ClassVar[bool] = True
    any_rank: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, ..., c) → (n, ..., stop - start)."""
        return inputs[0][..., self.start : self.stop]

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """Zeros for the others."""
        margins = [(0, 0)] * (multiplier.shape.rank - 1)
        return [tf.pad(multiplier, [*margins, (self.start, shapes[0][-1] - self.stop)])]

    @property
    def last_axis_slice(self) -> tuple[int, int]:
        """Start and stop."""
        return self.start, self.stop

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along all axes but the last."""
        return axis < rank - 1


@dataclass(frozen=True)
class Element(Linear):
    """One element of feature axis ``axis`` (from 1), which is dropped; ``index`` may be below 0."""

    axis: int
    index: int
    moves: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """The element."""
        return inputs[0][(slice(None),) * self.axis + (self.index,)]


@dataclass(frozen=True)
class Reverse(Linear):
    """Feature axis ``axis`` (from 1) the other way round."""

    axis: int
    moves: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """Reversed."""
        return tf.reverse(inputs[0], [self.axis])

    def transpose(self, multiplier: Tensor, shapes: object) -> list[Tensor]:
        """Reversed."""
        return [tf.reverse(multiplier, [self.axis])]


@dataclass(frozen=True)
class Repeat(Linear):
    """Every element ``times`` times along feature axis ``axis`` (from 1)."""

    times: int
    axis: int
    moves: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """Repeated."""
        return tf.repeat(inputs[0], self.times, axis=self.axis)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The sum over the copies of an element."""
        sizes = features(multiplier, 1)
        sizes[self.axis - 1 : self.axis] = [shapes[0][self.axis - 1], self.times]
        apart = tf.reshape(multiplier, [-1, *sizes])
        return [tf.reduce_sum(apart, axis=self.axis + 1)]

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along the other axes."""
        return axis != self.axis - 1

    def moved_span(self, span: Span, before: Shape, after: Shape) -> Span | None:
        """As many times as long along the repeated axis."""
        return span.repeated(self.times) if span.axis == self.axis - 1 else None


@dataclass(frozen=True)
class Concatenate(Linear):
    """Inputs one behind the other along feature axis ``axis`` (from 1)."""

    axis: int
    moves: ClassVar[bool] = True
    fuses: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """Concatenated."""
        return tf.concat(inputs, axis=self.axis)

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along the other axes."""
        return axis != self.axis - 1


@dataclass(frozen=True)
class Sum(Linear):
    """Sum of all inputs, broadcast against each other, times ``factor``."""

    factor: float = 1.0
    any_rank: ClassVar[bool] = True
    fuses: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """The sum."""
        total = inputs[0]
        for term in inputs[1:]:
            total = total + term
        return total if self.factor == 1.0 else total * tf.cast(self.factor, total.dtype)

    def scaled_after(self, factor: Array, offset: Array | None) -> Linear | None:
        """The sum times one more number."""
        if factor.size != 1 or (offset is not None and offset.any()):
            return None
        return Sum(self.factor * float(factor.item()))

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along every axis."""
        return True


@dataclass(frozen=True)
class Difference(Linear):
    """First input minus the second."""

    any_rank: ClassVar[bool] = True
    fuses: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """The difference."""
        return inputs[0] - inputs[1]

    def absolute(self) -> Linear:
        """Their sum."""
        return Sum()

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along every axis."""
        return True


@dataclass(frozen=True)
class Mean(Linear):
    """Mean over feature axes (from 1)."""

    axes: tuple[int, ...]
    keepdims: bool = False

    def linear(self, *inputs: Tensor) -> Tensor:
        """The mean."""
        return tf.reduce_mean(inputs[0], axis=list(self.axes), keepdims=self.keepdims)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """Equal shares, of size 1 along the averaged axes: what reads them broadcasts."""
        if not self.keepdims:
            for axis in sorted(self.axes):
                multiplier = tf.expand_dims(multiplier, axis)
        size: Any = 1
        for axis in self.axes:
            size = size * shapes[0][axis - 1]
        return [multiplier / tf.cast(size, multiplier.dtype)]

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along axes in front of all that are averaged, which keep their number."""
        return all(other - 1 > axis for other in self.axes)

    def averages(
        self, axis: int, before: Shape, after: Shape
    ) -> tuple[int, tuple[int, ...]] | None:
        """All positions of an axis that is averaged."""
        if axis + 1 not in self.axes:
            return None
        return before[axis], tuple(other - 1 for other in self.axes)


@dataclass(frozen=True)
class LinearFunction(Linear):
    """Any other linear map with coefficients of 0 or more, as a function of its inputs.

    A slice or a roll ``moves``, a cumulative sum does not; a triangle of a matrix ``pads`` too.
    """

    function: Callable[..., Tensor]
    moves: bool = field(default=False, kw_only=True)  # type: ignore[misc]
    pads: bool = field(default=False, kw_only=True)  # type: ignore[misc]

    @property
    def label(self) -> str:
        """Name in tables."""
        return "linear map"

    def linear(self, *inputs: Tensor) -> Tensor:
        """The function's value."""
        return self.function(*inputs)


def _without(margins: Margins, axis: int) -> Margins:
    """Margins without those of one axis."""
    return tuple((0, 0) if other == axis else margin for other, margin in enumerate(margins))
