"""Nonlinear functions of one element beside activations: of arithmetic and of comparisons."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from deeplift_engine.layers.families import Elementwise
from deeplift_engine.tensors.constants import constant
from deeplift_engine.tensors.tensor_ops import named
from deeplift_engine.util.typing import Array, Tensor


def _numbers(compare: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A comparison as numbers: 1 where it holds, else 0."""

    def compared(x: Tensor, *values: Tensor) -> Tensor:
        return tf.cast(compare(x, *values), x.dtype)

    return compared


def _is_close(x: Tensor, y: Tensor, relative: Tensor, absolute: Tensor) -> Tensor:
    return tf.abs(x - y) <= absolute + relative * tf.abs(y)


def _rounded(x: Tensor, decimals: Tensor) -> Tensor:
    shift = tf.pow(tf.cast(10, x.dtype), decimals)
    return tf.round(x * shift) / shift


def _heaviside(x: Tensor, middle: Tensor) -> Tensor:
    return tf.where(x > 0, tf.ones_like(x), tf.where(x < 0, tf.zeros_like(x), middle))


def _cube_root(x: Tensor) -> Tensor:
    return tf.sign(x) * tf.pow(tf.abs(x), 1 / 3)


def _without_nan(x: Tensor, nan: Tensor, highest: Tensor, lowest: Tensor) -> Tensor:
    for met, number in ((tf.math.is_nan(x), nan), (x == np.inf, highest), (x == -np.inf, lowest)):
        x = tf.where(met, number, x)
    return x


COMPARISONS: dict[str, Callable[..., Tensor]] = {
    "equal": lambda x, y: tf.equal(x, y),
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "isclose": _is_close,
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "not_equal": lambda x, y: tf.not_equal(x, y),
}
"""True or false of an element and a constant, by Keras's name."""

PLAIN: dict[str, Callable[..., Tensor]] = {
    "absolute": named("abs"),
    "arccos": named("acos"),
    "arccosh": named("acosh"),
    "arcsin": named("asin"),
    "arcsinh": named("asinh"),
    "arctan": named("atan"),
    "arctanh": named("atanh"),
    "bessel_i0": named("math.bessel_i0"),
    "bessel_i0e": named("math.bessel_i0e"),
    "bessel_i1": named("math.bessel_i1"),
    "cbrt": _cube_root,
    "ceil": named("math.ceil"),
    "cos": named("cos"),
    "cosh": named("cosh"),
    "digamma": named("math.digamma"),
    "erf": named("math.erf"),
    "erfc": named("math.erfc"),
    "erfinv": named("math.erfinv"),
    "exp2": lambda x: tf.exp(x * math.log(2)),
    "expm1": named("math.expm1"),
    "floor": named("floor"),
    "lgamma": named("math.lgamma"),
    "log": named("math.log"),
    "log10": lambda x: tf.math.log(x) / math.log(10),
    "log1p": named("math.log1p"),
    "log2": lambda x: tf.math.log(x) / math.log(2),
    "reciprocal": named("math.reciprocal"),
    "rsqrt": named("math.rsqrt"),
    "sign": named("sign"),
    "sin": named("sin"),
    "sinh": named("sinh"),
    "sqrt": named("sqrt"),
    "tan": named("tan"),
    "trunc": lambda x: tf.where(x < 0, tf.math.ceil(x), tf.floor(x)),
}
"""Functions of an element alone, by Keras's name."""

FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    **PLAIN,
    **{name: _numbers(compare) for name, compare in COMPARISONS.items()},
    "clip": named("clip_by_value"),
    "exponential_of": lambda x, base: tf.pow(base, x),
    "floor_divide": named("math.floordiv"),
    "heaviside": _heaviside,
    "isfinite": _numbers(named("math.is_finite")),
    "isinf": _numbers(named("math.is_inf")),
    "isnan": _numbers(named("math.is_nan")),
    "maximum": named("maximum"),
    "maximum_from": lambda x, least: tf.maximum(least, x),
    "minimum": named("minimum"),
    "minimum_from": lambda x, most: tf.minimum(most, x),
    "mod": named("math.floormod"),
    "nan_to_num": _without_nan,
    "power": named("pow"),
    "reciprocal_no_nan": named("math.reciprocal_no_nan"),
    "round": _rounded,
}
"""Functions of an element, and of constants that broadcast against the features.

Where both are equal, the slope of a maximum is that of its first operand: the element's or the
constant's.
"""

PARTIAL = frozenset(
    {
        "arccos",
        "arccosh",
        "arcsin",
        "arctanh",
        "digamma",
        "erfinv",
        "lgamma",
        "log",
        "log10",
        "log1p",
        "log2",
    }
    | {"reciprocal", "reciprocal_no_nan", "rsqrt", "sqrt", "tan"}
)
"""Those that have no value, or a pole, somewhere."""


@dataclass(frozen=True, eq=False)
class Function(Elementwise):
    """The function called ``name``, with its ``constants``."""

    name: str
    constants: tuple[Array, ...] = ()

    @property
    def is_gate(self) -> bool:  # type: ignore[override]
        """Whether it is a comparison."""
        return self.name in COMPARISONS

    @property
    def is_condition(self) -> bool:  # type: ignore[override]
        """Whether it is a comparison."""
        return self.is_gate

    @property
    def constants_of_elements(self) -> tuple[Array, ...]:
        """The constants."""
        return self.constants

    @property
    def everywhere(self) -> bool:
        """Whether the function has a value wherever parts of a difference may lead."""
        if self.name != "power":
            return self.name not in PARTIAL
        (exponent,) = self.constants
        return bool(np.all((exponent >= 0) & (exponent == np.round(exponent))))

    @property
    def singular(self) -> bool:  # type: ignore[override]
        """Whether it has no value or an infinite slope somewhere."""
        return self.name == "cbrt" or not self.everywhere

    def function(self, x: Tensor) -> Tensor:
        """The function."""
        return FUNCTIONS[self.name](x, *map(constant, self.constants))
