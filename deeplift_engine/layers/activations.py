"""Nonlinear functions of one element: every one that Keras names, and PReLU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from deeplift_engine.constants import Array, constant
from deeplift_engine.layers.base import Elementwise
from deeplift_engine.tensors import Tensor

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def _where_positive(positive: Tensor, x: Tensor, otherwise: Tensor) -> Tensor:
    return tf.where(x > 0, positive, otherwise)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """X above 0, alpha·(exp(x) - 1) below."""
    return _where_positive(x, x, alpha * tf.math.expm1(tf.minimum(x, 0)))


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """X above 0, alpha·(exp(x / alpha) - 1) below."""
    return _where_positive(x, x, alpha * tf.math.expm1(tf.minimum(x, 0) / alpha))


def selu(x: Tensor) -> Tensor:
    """Scaled elu with the self-normalising constants."""
    return SELU_SCALE * elu(x, SELU_ALPHA)


def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """x·Φ(x), or its tanh approximation."""
    if approximate:
        return 0.5 * x * (1 + tf.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
    return 0.5 * x * tf.math.erfc(-x * 0.7071067811865476)


def sparse_plus(x: Tensor) -> Tensor:
    """0 below -1, x above 1, (x + 1)²/4 between."""
    return tf.where(x <= -1, tf.zeros_like(x), tf.where(x < 1, 0.25 * (x + 1) ** 2, x))


def hard_sigmoid(x: Tensor) -> Tensor:
    """relu6(x + 3) / 6, Keras 3's definition."""
    return tf.clip_by_value(x / 6 + 0.5, 0, 1)


def hard_sigmoid_keras2(x: Tensor) -> Tensor:
    """0.2·x + 0.5 between 0 and 1, Keras 1's and 2's definition."""
    return tf.clip_by_value(0.2 * x + 0.5, 0, 1)


def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """Shrunk towards 0 by ``threshold``."""
    return tf.nn.relu(x - threshold) - tf.nn.relu(-x - threshold)


def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """0 within ``threshold`` of 0."""
    return tf.where(tf.abs(x) > threshold, x, tf.zeros_like(x))


def threshold(x: Tensor, threshold: float = 0.0, default_value: float = 0.0) -> Tensor:
    """X above ``threshold``, ``default_value`` elsewhere."""
    return tf.where(x > threshold, x, tf.fill(tf.shape(x), tf.cast(default_value, x.dtype)))


def squareplus(x: Tensor, b: float = 4.0) -> Tensor:
    """(x + sqrt(x² + b)) / 2, below 0 as b / (sqrt(x² + b) - x) / 2, where nothing cancels."""
    root = tf.sqrt(x * x + b)
    return _where_positive((x + root) / 2, x, b / (root - tf.minimum(x, 0)) / 2)


def tanh_shrink(x: Tensor) -> Tensor:
    """x - tanh(x), near 0 by its series, where the difference cancels."""
    square = x * x
    factors = 1 / 3 - square * (2 / 15 - square * (17 / 315 - square * (62 / 2835)))
    return tf.where(tf.abs(x) < 0.02, x * square * factors, x - tf.tanh(x))


def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """X above 0, negative_slope·x below."""
    return _where_positive(x, x, negative_slope * x)


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "celu": celu,
    "elu": elu,
    "exponential": tf.exp,
    "gelu": gelu,
    "hard_shrink": hard_shrink,
    "hard_sigmoid": hard_sigmoid,
    "hard_sigmoid_keras2": hard_sigmoid_keras2,
    "hard_silu": lambda x: x * hard_sigmoid(x),
    "hard_tanh": lambda x: tf.clip_by_value(x, -1, 1),
    "inverse_root": lambda x: tf.math.rsqrt(tf.maximum(x, 1e-12)),
    "leaky_relu": leaky_relu,
    "log_sigmoid": lambda x: -tf.nn.softplus(-x),
    "nonzero": lambda x: tf.cast(x != 0, x.dtype),
    "mish": lambda x: x * tf.tanh(tf.nn.softplus(x)),
    "reciprocal": tf.math.reciprocal,
    "selu": selu,
    "sigmoid": tf.sigmoid,
    "silu": lambda x: x * tf.sigmoid(x),
    "soft_shrink": soft_shrink,
    "softplus": tf.nn.softplus,
    "softsign": lambda x: x / (1 + tf.abs(x)),
    "sparse_plus": sparse_plus,
    "sparse_sigmoid": lambda x: tf.clip_by_value(0.5 * (x + 1), 0, 1),
    "square": tf.square,
    "squareplus": squareplus,
    "tanh": tf.tanh,
    "tanh_shrink": tanh_shrink,
    "threshold": threshold,
}
"""Elementwise functions: activations by Keras's name (ReLU's kin are in `ReLU`), and parts."""

CANCELLING: dict[str, Callable[[Tensor], Tensor]] = {
    "hard_sigmoid": tf.ones_like,
    "hard_sigmoid_keras2": tf.ones_like,
    "hard_silu": tf.abs,
    "sparse_sigmoid": tf.ones_like,
    "tanh_shrink": tf.abs,
}
"""Those that subtract numbers larger than what is left, and how large."""


@dataclass(frozen=True)
class Activation(Elementwise):
    """The function called ``name`` with its ``options``."""

    name: str
    options: tuple[tuple[str, float], ...] = ()

    def function(self, x: Tensor) -> Tensor:
        """The function."""
        return FUNCTIONS[self.name](x, **dict(self.options))

    def magnitude(self, x: Tensor, y: Tensor) -> Tensor:
        """Of the output, or of what cancels in it."""
        cancelling = CANCELLING.get(self.name)
        return tf.abs(y) if cancelling is None else tf.abs(y) + cancelling(x)


@dataclass(frozen=True)
class ReLU(Elementwise):
    """Keras's ReLU with all of its options."""

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    @property
    def plain(self) -> bool:
        """Whether it is max(x, 0)."""
        return self == ReLU()

    def function(self, x: Tensor) -> Tensor:
        """max_value above it, x between threshold and it, negative_slope·(x - threshold) below."""
        if self.threshold == 0.0:
            positive = tf.nn.relu(x)
        else:
            positive = tf.where(x >= self.threshold, x, tf.zeros_like(x))
        if self.max_value is not None:
            positive = tf.minimum(positive, tf.cast(self.max_value, x.dtype))
        if self.negative_slope == 0.0:
            return positive
        return positive - self.negative_slope * tf.nn.relu(self.threshold - x)

    def derivative(self, x: Tensor) -> Tensor:
        """0 or 1 for the plain one."""
        return tf.cast(x > 0, x.dtype) if self.plain else super().derivative(x)

    def slope(self, x: Tensor, x0: Tensor) -> Tensor:
        """Needs no care for the plain one: its chord has no rounding of its own."""
        if not self.plain:
            return super().slope(x, x0)
        dx = x - x0
        same = dx == 0
        chord = (tf.nn.relu(x) - tf.nn.relu(x0)) / tf.where(same, tf.ones_like(dx), dx)
        return tf.where(same, tf.cast(x > 0, x.dtype), chord)


@dataclass(frozen=True, eq=False)
class PReLU(Elementwise):
    """x above 0, alpha·x below; ``alpha`` broadcasts over the features."""

    alpha: Array

    def function(self, x: Tensor) -> Tensor:
        """The function."""
        return tf.nn.relu(x) - constant(self.alpha) * tf.nn.relu(-x)
