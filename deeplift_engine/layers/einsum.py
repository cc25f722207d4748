"""Sums of products in Einstein's notation: with a kernel, and of two activations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from deeplift_engine.layers.families import Joint, Linear
from deeplift_engine.layers.layer import Shape, contraction_work, kernel_work
from deeplift_engine.tensors.constants import constant
from deeplift_engine.util.typing import Array, Tensor


@dataclass(frozen=True, eq=False)
class EinsumKernel(Linear):
    """``einsum(equation, x, kernel) + bias``.

    Attributes
    ----------
    equation
        Of the input with its batch axis (a letter, or within the dots) and the kernel:
        ``"abc,cd->abd"``, ``"...c,cde->...de"``.
    bias
        To be broadcast against the output, or None.
    """

    equation: str
    kernel: Array
    bias: Array | None = None
    has_kernel: ClassVar[bool] = True
    kernel_family: ClassVar[str | None] = "dense"

    def linear(self, *inputs: Tensor) -> Tensor:
        """The map without its bias."""
        if self._summed:
            return tf.tensordot(inputs[0], constant(self.kernel), self._summed)
        return tf.einsum(self.equation, inputs[0], constant(self.kernel))

    def forward(self, *inputs: Tensor) -> Tensor:
        """The map with its bias."""
        output = self.linear(*inputs)
        return output if self.bias is None else output + constant(self.bias)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The same letters from output to input."""
        source, kernel, output = letters(self.equation)
        if self._summed:
            rank, outer = multiplier.shape.rank, self.kernel.ndim - self._summed
            axes = [list(range(rank - outer, rank)), list(range(self._summed, self.kernel.ndim))]
            return [tf.tensordot(multiplier, constant(self.kernel), axes)]
        once = len(set(source.replace(".", ""))) == len(source.replace(".", ""))
        if not once or not set(source) <= set(kernel + output):
            return super().transpose(multiplier, shapes)
        return [tf.einsum(f"{output},{kernel}->{source}", multiplier, constant(self.kernel))]

    @property
    def _summed(self) -> int:
        """Number of last axes of the input that meet first axes of the kernel; 0 for others."""
        source, kernel, output = letters(self.equation)
        for count in range(1, len(kernel) + 1):
            free, used = source[:-count], (source[:-count] + kernel).replace(".", "")
            simple = source == free + kernel[:count] and output == free + kernel[count:]
            if simple and len(set(used)) == len(used):
                return count
        return 0

    def work(self, inputs: Sequence[Shape], output: Shape) -> float:
        """Each output is a product with one column of the kernel."""
        return kernel_work(self.kernel, output)


def letters(equation: str) -> tuple[str, str, str]:
    """The letters of the two factors and of the result."""
    factors, result = equation.replace(" ", "").split("->")
    first, second = factors.split(",")
    return first, second, result


@dataclass(frozen=True)
class Contraction(Joint):
    """Sum of products of two activations: queries and keys, weights and values.

    Every letter of ``equation`` is a feature axis; one that a factor has is in the other or in
    the result. A bilinear map, so its Shapley value is the gradient at the midpoint.
    """

    equation: str

    def forward(self, *inputs: Tensor) -> Tensor:
        """Any axes in front, which both have or which are broadcast."""
        first, second, result = letters(self.equation)
        return tf.einsum(f"...{first},...{second}->...{result}", *inputs)

    def gradient(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """Each factor's, from the multiplier and the other factor."""
        first, second, result = letters(self.equation)
        left, right = points
        return [
            tf.einsum(f"...{result},...{second}->...{first}", multiplier, right),
            tf.einsum(f"...{first},...{result}->...{second}", left, multiplier),
        ]

    def work(self, inputs: Sequence[Shape], output: Shape) -> float:
        """The cost of matrix products."""
        return contraction_work(inputs, output)
