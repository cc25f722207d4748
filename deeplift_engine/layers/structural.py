"""Linear layers without a kernel: they move, copy, drop, add or average elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from deeplift_engine.layers.layer import Linear
from deeplift_engine.tensors.tensor_ops import features
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class Identity(Linear):
    """What does nothing at inference: dropout, noise, regularisation, a linear activation."""

    broadcasts: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """The input."""
        return inputs[0]

    def transpose(self, multiplier: Tensor, shapes: object) -> list[Tensor]:
        """The multiplier."""
        return [multiplier]


@dataclass(frozen=True)
class Reshape(Linear):
    """Row-major reshape to ``shape`` (without batch axis; one -1 allowed)."""

    shape: tuple[int, ...]

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, ...) → (n, *shape)."""
        return (
            tf.reshape(inputs[0], [-1, *self.shape])
            if -1 not in self.shape
            else tf.reshape(inputs[0], [tf.shape(inputs[0])[0], *self.shape])
        )


@dataclass(frozen=True)
class Transpose(Linear):
    """Permute the feature axes; ``axes`` count from 1, as Keras's Permute does."""

    axes: tuple[int, ...]

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


@dataclass(frozen=True)
class Pad(Linear):
    """``value`` around the features: one (before, after) per feature axis."""

    margins: tuple[tuple[int, int], ...]
    value: float = 0.0

    def linear(self, *inputs: Tensor) -> Tensor:
        """Padded with zeros."""
        return tf.pad(inputs[0], [(0, 0), *self.margins])

    def forward(self, *inputs: Tensor) -> Tensor:
        """Padded."""
        return tf.pad(inputs[0], [(0, 0), *self.margins], constant_values=self.value)

    def transpose(self, multiplier: Tensor, shapes: object) -> list[Tensor]:
        """Cropped."""
        return [Crop(self.margins).linear(multiplier)]


@dataclass(frozen=True)
class Crop(Linear):
    """Elements dropped at the ends: one (before, after) per feature axis."""

    margins: tuple[tuple[int, int], ...]

    def linear(self, *inputs: Tensor) -> Tensor:
        """Cropped."""
        ends = [slice(before, -after or None) for before, after in self.margins]
        return inputs[0][(slice(None), *ends)]

    def transpose(self, multiplier: Tensor, shapes: object) -> list[Tensor]:
        """Zeros around."""
        return [Pad(self.margins).linear(multiplier)]


@dataclass(frozen=True)
class Part(Linear):
    """Elements ``start`` to ``stop`` of the last axis."""

    start: int
    stop: int

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, ..., c) → (n, ..., stop - start)."""
        return inputs[0][..., self.start : self.stop]

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """Zeros for the others."""
        margins = [(0, 0)] * (multiplier.shape.rank - 1)
        return [tf.pad(multiplier, [*margins, (self.start, shapes[0][-1] - self.stop)])]


@dataclass(frozen=True)
class Element(Linear):
    """One element of feature axis ``axis`` (from 1), which is dropped; ``index`` may be below 0."""

    axis: int
    index: int

    def linear(self, *inputs: Tensor) -> Tensor:
        """The element."""
        return inputs[0][(slice(None),) * self.axis + (self.index,)]


@dataclass(frozen=True)
class Reverse(Linear):
    """Feature axis ``axis`` (from 1) the other way round."""

    axis: int

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

    def linear(self, *inputs: Tensor) -> Tensor:
        """Repeated."""
        return tf.repeat(inputs[0], self.times, axis=self.axis)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The sum over the copies of an element."""
        sizes = features(multiplier, 1)
        sizes[self.axis - 1 : self.axis] = [shapes[0][self.axis - 1], self.times]
        apart = tf.reshape(multiplier, [-1, *sizes])
        return [tf.reduce_sum(apart, axis=self.axis + 1)]


@dataclass(frozen=True)
class Concatenate(Linear):
    """Inputs one behind the other along feature axis ``axis`` (from 1)."""

    axis: int

    def linear(self, *inputs: Tensor) -> Tensor:
        """Concatenated."""
        return tf.concat(inputs, axis=self.axis)


@dataclass(frozen=True)
class Sum(Linear):
    """Sum of all inputs, broadcast against each other, times ``factor``."""

    factor: float = 1.0

    def linear(self, *inputs: Tensor) -> Tensor:
        """The sum."""
        total = inputs[0]
        for term in inputs[1:]:
            total = total + term
        return total if self.factor == 1.0 else total * tf.cast(self.factor, total.dtype)


@dataclass(frozen=True)
class Difference(Linear):
    """First input minus the second."""

    def linear(self, *inputs: Tensor) -> Tensor:
        """The difference."""
        return inputs[0] - inputs[1]

    def absolute(self) -> Linear:
        """Their sum."""
        return Sum()


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


@dataclass(frozen=True)
class LinearFunction(Linear):
    """Any other linear map with coefficients of 0 or more, as a function of its inputs."""

    function: Callable[..., Tensor]

    def linear(self, *inputs: Tensor) -> Tensor:
        """The function's value."""
        return self.function(*inputs)
