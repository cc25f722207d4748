"""The families of attribution layers: each has its own way to cross backwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from deeplift_engine.layers.layer import Layer, Shape, constant_along
from deeplift_engine.tensors.tensor_ops import epsilon, leading_sizes, safe_divide, vector, vjp
from deeplift_engine.util.typing import Array, Tensor

CONSTANTS = ("bias", "offset", "value")
"""Fields of layers that hold what a layer adds."""


@dataclass(frozen=True)
class Linear(Layer):
    """A linear map plus a constant.

    With a kernel (``has_kernel``), positive and negative parts of the output follow the sign of
    each product, so the spread is abs(Δ)·abs(W), and a half-difference that arrives is folded
    into the mean. A map without a kernel keeps both.

    Attributes
    ----------
    broadcasts
        Whether the transposed map takes a multiplier of size 1 along feature axes.
    sparse
        Whether coefficients of 0 are there by structure, so that no rule changes them.
    """

    kind: ClassVar[str] = "linear"
    any_rank: ClassVar[bool] = False
    broadcasts: ClassVar[bool] = False
    sparse: ClassVar[bool] = False

    @property
    def last_axis_slice(self) -> tuple[int, int] | None:
        """Start and stop if the layer is a slice of the last axis."""
        return None

    def within(self, axis: int, shape: Shape) -> Linear:
        """The map of a span along ``axis`` (from 0) alone; ``shape`` is that of its output."""
        return self

    def with_kernel(self, x: Tensor, kernel: Tensor) -> Tensor:
        """The map without its constant, with another kernel of the same shape."""
        raise NotImplementedError

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
        count = leading_sizes(multiplier, 1)
        points = [
            tf.zeros(tf.concat([count, vector(shape)], 0), multiplier.dtype) for shape in shapes
        ]
        for point, shape in zip(points, shapes, strict=True):
            point.set_shape([None, *(size if isinstance(size, int) else None for size in shape)])
        return vjp(self.linear, points, multiplier)

    def reweighted(self, change: Callable[[Array], Array]) -> Linear:
        """The same map after ``change`` of its coefficients and of its constant.

        Changes the arrays that the layer holds, or the layer within it.
        """
        changed: dict[str, Any] = {}
        for name, value in self._fields.items():
            if isinstance(value, Linear):
                changed[name] = value.reweighted(change)
            elif isinstance(value, np.ndarray | np.generic):
                array = np.asarray(value)
                new = change(array)
                changed[name] = np.where(array == 0, array, new) if self.sparse else new
        return replace(self, **changed) if changed else self

    def absolute(self) -> Linear:
        """The same map with the magnitudes of its coefficients and of its constant."""
        return self.reweighted(np.abs)

    @property
    def homogeneous(self) -> bool:
        """Whether it has no constant: zeros give zeros."""
        constants = [value for name, value in self._fields.items() if name in CONSTANTS]
        within = [value for value in self._fields.values() if isinstance(value, Linear)]
        return not any(value is not None and np.any(value) for value in constants) and all(
            layer.homogeneous for layer in within
        )

    @property
    def _fields(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Elementwise(Layer):
    """A nonlinear function of each element by itself.

    ``constants_of_elements`` are the arrays of a layer that broadcast against its features.
    """

    kind: ClassVar[str] = "elementwise"
    elementwise: ClassVar[bool] = True
    fuses: ClassVar[bool] = True

    @property
    def constants_of_elements(self) -> tuple[Array, ...]:
        """Arrays that broadcast against the features."""
        return ()

    @property
    def uniform(self) -> bool:  # type: ignore[override]
        """Whether no array tells elements apart."""
        return all(np.size(array) == 1 for array in self.constants_of_elements)

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Unless an array tells positions apart."""
        return all(constant_along(array, axis, rank) for array in self.constants_of_elements)

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
        """The same slope, from the outputs as well.

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

    ``sign`` is +1 where the largest wins and -1 where the smallest does. Where equal shares take
    ``many_steps``, XLA is several times as fast as TensorFlow.
    """

    kind: ClassVar[str] = "selection"
    any_rank: ClassVar[bool] = False
    keeps_gates: ClassVar[bool] = True
    sign: ClassVar[int] = 1
    many_steps: ClassVar[bool] = False

    def equal_shares(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """Gradient at ``points`` (n, ...), of which those that tie share equally.

        ``multiplier`` and gradients have one more leading axis; these are not yet summed over
        features along which a point was broadcast.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Joint(Layer):
    """A smooth function of several elements together.

    ``nodes`` is the number of Gauss-Legendre points of the straight path from reference to
    input at which its gradient is taken: exact for polynomials up to degree 2·nodes - 1
    along the path times a difference, so 1 for products of two. ``adds`` says whether outputs are
    sums, whose terms may cancel.
    """

    kind: ClassVar[str] = "joint"
    any_rank: ClassVar[bool] = False
    keeps_gates: ClassVar[bool] = True
    adds: ClassVar[bool] = True

    @property
    def nodes(self) -> int:
        """Number of points on the path."""
        return 1


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
        """The same multipliers, from the layer's own ``outputs`` at input and reference too."""
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
    is_gate: ClassVar[bool] = True
