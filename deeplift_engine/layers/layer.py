"""The families of attribution layers.

A layer is frozen data and pure functions of tensors with one batch axis in front; what
crosses it backwards is decided by the rules (`deeplift_engine.rules`). Those of DeepLIFT know
these families and no single layer; those of relevance also ask which layers only move values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from deeplift_engine.tensors.tensor_ops import epsilon, safe_divide, vjp
from deeplift_engine.util.typing import Array, Tensor

CONSTANTS = ("bias", "offset", "value")
"""What layers call what they add."""


@dataclass(frozen=True)
class Layer:
    """Anything with a forward pass.

    ``exact`` says whether a complete rule sums up to rounding, or to the accuracy of a path.
    """

    kind: ClassVar[str] = "layer"
    exact: ClassVar[bool] = True

    @property
    def core(self) -> Layer:
        """The layer itself, or the one that it wraps."""
        return self

    def forward(self, *inputs: Tensor) -> Tensor:
        """Output (n, ...) of the layer for inputs (n, ...)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Input(Layer):
    """Where data come in; ``shape`` is without the batch axis, None where free."""

    shape: tuple[int | None, ...]
    dtype: str
    kind: ClassVar[str] = "input"


@dataclass(frozen=True)
class Linear(Layer):
    """A linear map plus a constant.

    ``folds`` says that the map mixes elements by a kernel: positive and negative parts of its
    output are taken from the sign of each product, so its spread is abs(Δ)·abs(W) and what
    arrives as a half-difference leaves folded into the mean. A map without mixing keeps both.
    ``broadcasts`` says that the transposed map takes a multiplier of size 1 along feature axes.
    """

    kind: ClassVar[str] = "linear"
    folds: ClassVar[bool] = False
    broadcasts: ClassVar[bool] = False

    def linear(self, *inputs: Tensor) -> Tensor:
        """The map without its constant."""
        raise NotImplementedError

    def forward(self, *inputs: Tensor) -> Tensor:
        """The map with its constant."""
        return self.linear(*inputs)

    def forward_then(self, function: Callable[[Tensor], Tensor], *inputs: Tensor) -> Tensor:
        """``function`` of the output, where a layer can have it cheaper."""
        return function(self.forward(*inputs))

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The transposed map of (n, out...); ``shapes`` are the inputs' without batch axis."""
        count = tf.shape(multiplier)[:1]
        points = [
            tf.zeros(
                tf.concat([count, tf.cast(tf.stack(list(shape)), tf.int32)], 0), multiplier.dtype
            )
            if len(shape)
            else tf.zeros(count, multiplier.dtype)
            for shape in shapes
        ]
        for point, shape in zip(points, shapes, strict=True):
            point.set_shape([None, *(size if isinstance(size, int) else None for size in shape)])
        return vjp(self.linear, points, multiplier)

    def reweighted(self, change: Callable[[Array], Array]) -> Linear:
        """The same map after ``change`` of its coefficients and of its constant.

        Those are the arrays that the layer holds, or the layer within it.
        """
        changed: dict[str, Any] = {
            name: value.reweighted(change)
            if isinstance(value, Linear)
            else change(np.asarray(value))
            for name, value in self._held.items()
            if isinstance(value, Linear | np.ndarray | np.generic)
        }
        return replace(self, **changed) if changed else self

    def absolute(self) -> Linear:
        """The same map with the magnitudes of its coefficients and of its constant."""
        return self.reweighted(np.abs)

    @property
    def homogeneous(self) -> bool:
        """Whether it has no constant: zeros give zeros."""
        constants = [value for name, value in self._held.items() if name in CONSTANTS]
        within = [value for value in self._held.values() if isinstance(value, Linear)]
        return not any(value is not None and np.any(value) for value in constants) and all(
            layer.homogeneous for layer in within
        )

    @property
    def _held(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Elementwise(Layer):
    """A nonlinear function of each element by itself."""

    kind: ClassVar[str] = "elementwise"

    @property
    def everywhere(self) -> bool:
        """Whether the function has a value wherever parts of a difference may lead.

        Where it has not, as a logarithm, positive and negative parts are not kept apart.
        """
        return True

    def function(self, x: Tensor) -> Tensor:
        """The function; any number of leading axes."""
        raise NotImplementedError

    def forward(self, *inputs: Tensor) -> Tensor:
        """The function of the one input."""
        return self.function(inputs[0])

    def derivative(self, x: Tensor) -> Tensor:
        """Derivative of the function at ``x``."""
        return vjp(self.function, [x], tf.ones_like(x))[0]

    def slope(self, x: Tensor, x0: Tensor) -> Tensor:
        """Slope of the chord from ``x0`` to ``x``; the derivative where they meet."""
        return self.chord(x, x0, self.function(x), self.function(x0))

    def chord(self, x: Tensor, x0: Tensor, y: Tensor, y0: Tensor) -> Tensor:
        """The same from the outputs as well.

        Dividing two tiny differences gives noise. Simpson's mean of the derivative between
        the two points does not, and is taken wherever it explains the difference of the
        outputs to within their own rounding, so that nothing depends on an absolute scale.
        """
        dx, dy = x - x0, y - y0
        first, last = self.derivative(x0 + tf.zeros_like(dx)), self.derivative(x)
        mean = (first + 4 * self.derivative(x0 + dx / 2) + last) / 6
        outputs = self.magnitude(x, y) + self.magnitude(x0, y0)
        arguments = tf.abs(x * last) + tf.abs(x0 * first)
        rounding = epsilon(x.dtype) * (4 * outputs + arguments)
        return tf.where(tf.abs(dy - mean * dx) <= rounding, mean, safe_divide(dy, dx))

    def magnitude(self, x: Tensor, y: Tensor) -> Tensor:
        """Size of the largest number whose rounding is left in the output ``y``."""
        return tf.abs(y)


@dataclass(frozen=True)
class Selection(Layer):
    """Each output is one of the inputs: max pooling, maximum, minimum.

    ``sign`` is +1 where the largest wins and -1 where the smallest does.
    """

    kind: ClassVar[str] = "selection"
    sign: ClassVar[int] = 1
    pools: ClassVar[bool] = False


@dataclass(frozen=True)
class Joint(Layer):
    """A smooth function of several elements together.

    ``nodes`` is the number of Gauss-Legendre points of the straight path from reference to
    input at which its gradient is taken: exact for polynomials up to degree 2·nodes - 1
    along the path times a difference, so 1 for products of two.
    """

    kind: ClassVar[str] = "joint"

    @property
    def nodes(self) -> int:
        """Number of points on the path."""
        return 1

    def gradient(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor] | None:
        """Gradient at ``points`` against ``multiplier``, with any leading axes, broadcast.

        Not yet summed over features along which a point was broadcast. None where
        TensorFlow's own gradient is to be taken.
        """
        return None


@dataclass(frozen=True)
class Composite(Layer):
    """A layer that brings its own complete rule.

    Where it ``reads_outputs``, the rule is `cross_from`. What relevance propagation does is
    `share`.
    """

    kind: ClassVar[str] = "composite"
    reads_outputs: ClassVar[bool] = False

    def cross(
        self, inputs: Sequence[Tensor], references: Sequence[Tensor], multiplier: Tensor
    ) -> list[Tensor]:
        """Multipliers of the inputs; ``multiplier`` may have one more leading axis."""
        if not self.reads_outputs:
            raise NotImplementedError
        outputs = [self.forward(*end) for end in (inputs, references)]
        return self.cross_from(inputs, references, outputs, multiplier)

    def cross_from(
        self,
        inputs: Sequence[Tensor],
        references: Sequence[Tensor],
        outputs: Sequence[Tensor],
        multiplier: Tensor,
    ) -> list[Tensor]:
        """The same, with the layer's own ``outputs`` at input and reference at hand."""
        return self.cross(inputs, references, multiplier)

    def share(self, inputs: Sequence[Tensor], relevance: Tensor) -> list[Tensor]:
        """Relevance of the inputs (n, ...) from that of the output, with one more leading axis.

        Here all of it is the first input's, element by element: what normalises, as a softmax
        or a quotient, is taken as a constant (Achtibat 2024, arXiv:2402.05602, the identity rule).
        """
        return [relevance, *(tf.zeros_like(x, relevance.dtype)[tf.newaxis] for x in inputs[1:])]


@dataclass(frozen=True)
class Lookup(Layer):
    """A function of tokens: of integers or booleans, whose differences mean nothing.

    By convention a token has a difference-from-reference of 1, so that its multiplier is its
    contribution: all that the layer's output contributes there.
    """

    kind: ClassVar[str] = "lookup"
