"""Layers that join several inputs other than by adding them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from deeplift_engine.layers.families import Joint, Selection
from deeplift_engine.layers.layer import Layer, Shape, contraction_work
from deeplift_engine.layers.ties import shared_by_inputs
from deeplift_engine.tensors.tensor_ops import scaled
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class Maximum(Selection):
    """Elementwise largest of the inputs; equal ones share."""

    fuses: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """The maximum; NaN where one of them is.

        Not by `tf.maximum`: of x and 2·x TensorFlow's optimiser makes a leaky ReLU, their minimum.
        """
        result = inputs[0]
        for other in inputs[1:]:
            result = tf.where((result >= other) | tf.math.is_nan(result), result, other)
        return result

    def joined(self, count: int) -> Layer:
        """The maximum of all."""
        return self

    def equal_shares(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """Among the inputs, element by element."""
        return shared_by_inputs(points, self.forward(*points), multiplier)

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along every axis."""
        return True


@dataclass(frozen=True)
class Minimum(Selection):
    """Elementwise smallest of the inputs; equal ones share."""

    sign: ClassVar[int] = -1
    fuses: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """The minimum."""
        result = inputs[0]
        for other in inputs[1:]:
            result = tf.minimum(result, other)
        return result

    def joined(self, count: int) -> Layer:
        """The minimum of all."""
        return self

    def equal_shares(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """Among the inputs, element by element."""
        return shared_by_inputs(points, self.forward(*points), multiplier)

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along every axis."""
        return True


@dataclass(frozen=True)
class Product(Joint):
    """Elementwise product of the inputs, broadcast against each other.

    Each input's multiplier is its Shapley value: the mean of the product of the others over
    the straight path, a polynomial of degree ``factors - 1``.
    """

    factors: int
    fuses: ClassVar[bool] = True
    adds: ClassVar[bool] = False

    @property
    def nodes(self) -> int:
        """Gauss-Legendre is exact for degree 2·nodes - 1."""
        return (self.factors + 1) // 2

    def forward(self, *inputs: Tensor) -> Tensor:
        """The product."""
        result = inputs[0]
        for other in inputs[1:]:
            result = result * other
        return result

    def joined(self, count: int) -> Layer:
        """The product of all factors."""
        return Product(count)

    def gradient(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """Multiplier times the other factors; 0 where one of them is."""
        return [
            functools.reduce(scaled, (*points[:position], *points[position + 1 :]), multiplier)
            for position in range(len(points))
        ]

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along every axis."""
        return True


@dataclass(frozen=True)
class Dot(Joint):
    """Batched dot product over axis ``axes[0]`` of the first and ``axes[1]`` of the second.

    Axes count from 1, the first feature axis. The other axes of the first input come first.
    """

    axes: tuple[int, int]

    def forward(self, *inputs: Tensor) -> Tensor:
        """The dot product; (n, 1) where nothing else is left."""
        left, right = inputs
        letters = "abcdefghijklmnopqrstuvw"
        first = ["z", *letters[: left.shape.rank - 1]]
        second = ["z", *letters[12 : 12 + right.shape.rank - 1]]
        second[self.axes[1]] = first[self.axes[0]]
        shared = first[self.axes[0]]
        remaining = [name for name in first + second[1:] if name != shared]
        result = tf.einsum(f"{''.join(first)},{''.join(second)}->{''.join(remaining)}", left, right)
        return result[:, tf.newaxis] if len(remaining) == 1 else result

    def work(self, inputs: Sequence[Shape], output: Shape) -> float:
        """The cost of matrix products."""
        return contraction_work(inputs, output)


@dataclass(frozen=True, eq=False)
class PathFunction(Joint):
    """A function given by the user, its multipliers averaged along the straight path.

    Complete to the accuracy of ``points`` Gauss-Legendre nodes; marked as approximate. ``note``
    says why the function is not made of operations.
    """

    function: Callable[..., Tensor]
    points: int = 16
    note: str = ""
    exact: ClassVar[bool] = False

    @property
    def nodes(self) -> int:
        """Number of points on the path."""
        return self.points

    def forward(self, *inputs: Tensor) -> Tensor:
        """The function's value; its Python control flow is converted by TensorFlow."""
        return tf.function(self.function)(*inputs)

    @property
    def label(self) -> str:
        """Name in tables."""
        return f"path of {self.points} points"
