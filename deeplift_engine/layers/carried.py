"""A ReLU's output and its pre-activation in one tensor.

The Rescale rule wants the pre-activation x, the next layer relu(x). Both are kept in

    c = x where x > 0, x / 2⁶⁴ elsewhere,

a leaky ReLU that oneDNN computes within the convolution, where a ReLU beside a stored
pre-activation would be one more pass over memory. As relu(x), c is exact to 2⁻⁶⁴ of |x|, far
below rounding; the division by a power of two is exact, so x comes back as it was.

Rules that need no x, because they take the derivative or nothing, have relu(x) itself, which has
the derivative's sign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from deeplift_engine.layers.activations import ReLU
from deeplift_engine.layers.families import Elementwise, Linear
from deeplift_engine.util.typing import Tensor

TINY = 2.0**-64


def carry(x: Tensor) -> Tensor:
    """c from x."""
    return tf.nn.leaky_relu(x, TINY)


def restore(c: Tensor) -> Tensor:
    """x from c."""
    return tf.where(c > 0, c, c / TINY)


@dataclass(frozen=True)
class Carrying(Linear):
    """A kernel layer whose activation is c, or relu(x), instead of x."""

    kernel_layer: Linear
    activation: Callable[[Tensor], Tensor] = carry

    @property
    def has_kernel(self) -> bool:  # type: ignore[override]
        """As the kernel layer."""
        return self.kernel_layer.has_kernel

    def linear(self, *inputs: Tensor) -> Tensor:
        """The kernel layer's map."""
        return self.kernel_layer.linear(*inputs)

    def forward(self, *inputs: Tensor) -> Tensor:
        """The activation of the kernel layer's output."""
        return self.kernel_layer.forward_then(self.activation, *inputs)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The kernel layer's."""
        return self.kernel_layer.transpose(multiplier, shapes)


@dataclass(frozen=True)
class AppliedReLU(Elementwise):
    """A ReLU that reads its output, for rules that take the derivative or no factor."""

    def function(self, x: Tensor) -> Tensor:
        """The input, which already is the output."""
        return x

    def derivative(self, x: Tensor) -> Tensor:
        """0 or 1."""
        return tf.cast(x > 0, x.dtype)


@dataclass(frozen=True)
class CarriedReLU(AppliedReLU):
    """A ReLU that reads c, which already is its output."""

    def slope(self, x: Tensor, x0: Tensor) -> Tensor:
        """The ReLU's, between the restored pre-activations."""
        return ReLU().slope(restore(x), restore(x0))
