"""Nonlinear functions of one element: every one that Keras names, and PReLU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import tensorflow as tf

from deeplift_engine.layers.families import Elementwise
from deeplift_engine.tensors.constants import constant
from deeplift_engine.tensors.tensor_ops import named
from deeplift_engine.util.typing import Array, Tensor

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
    """Scaled elu with the self-normalising constants; 0 counts as above."""
    return SELU_SCALE * tf.where(x < 0, SELU_ALPHA * tf.math.expm1(tf.minimum(x, 0)), x)


def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """x·Φ(x), or its tanh approximation."""
    if approximate:
        return 0.5 * x * (1 + tf.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
    return 0.5 * x * tf.math.erfc(-x * 0.7071067811865476)


def sparse_plus(x: Tensor) -> Tensor:
    """0 below -1, x above 1, (x + 1)²/4 between."""
    return tf.where(x <= -1, tf.zeros_like(x), tf.where(x < 1, 0.25 * (x + 1) ** 2, x))


def relu6(x: Tensor) -> Tensor:
    """0 up to 0, 6 from 6 on; no kernel makes 0 of NaN, as of TensorFlow's own."""
    return tf.where(x <= 0, tf.zeros_like(x), tf.where(x >= 6, 6 * tf.ones_like(x), x))


def hard_sigmoid(x: Tensor) -> Tensor:
    """relu6(x + 3) / 6, Keras 3's definition."""
    return relu6(x + 3) / 6


def hard_sigmoid_keras2(x: Tensor) -> Tensor:
    """0.2·x + 0.5 between 0 and 1, Keras 1's and 2's definition."""
    return tf.clip_by_value(0.2 * x + 0.5, 0, 1)


def sparse_sigmoid(x: Tensor) -> Tensor:
    """0 up to -1, 1 from 1 on, (x + 1)/2 between."""
    return tf.where(x <= -1, tf.zeros_like(x), tf.where(x >= 1, tf.ones_like(x), 0.5 * (x + 1)))


def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """Shrunk towards 0 by ``threshold``; 0 for what is no number."""
    below = tf.where(x < -threshold, x + threshold, tf.zeros_like(x))
    return tf.where(x > threshold, x - threshold, below)


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
    near = tf.abs(x) < 0.02
    small = tf.where(near, x, tf.zeros_like(x))  # powers of others may overflow
    square = small * small
    factors = 1 / 3 - square * (2 / 15 - square * (17 / 315 - square * (62 / 2835)))
    return tf.where(near, small * square * factors, x - tf.tanh(x))


def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """X above 0, negative_slope·x below."""
    return _where_positive(x, x, negative_slope * x)


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "Addons>lisht": lambda x: x * tf.tanh(x),
    "Addons>snake": lambda x: x + tf.sin(x) ** 2,
    "celu": celu,
    "elu": elu,
    "exponential": named("exp"),
    "floored_log_root": lambda x, floor: 0.5 * tf.math.log(tf.maximum(x, floor)),
    "floored_root": lambda x, floor: tf.sqrt(tf.maximum(x, floor)),
    "gelu": gelu,
    "hard_shrink": hard_shrink,
    "hard_sigmoid": hard_sigmoid,
    "hard_sigmoid_keras2": hard_sigmoid_keras2,
    "hard_silu": lambda x: x * hard_sigmoid(x),
    "hard_tanh": lambda x: tf.clip_by_value(x, -1, 1),
    "leaky_relu": leaky_relu,
    "log_sigmoid": lambda x: -tf.nn.softplus(-x),
    "nonzero": lambda x: tf.cast(x != 0, x.dtype),
    "mish": lambda x: x * tf.tanh(tf.nn.softplus(x)),
    "reciprocal": named("math.reciprocal"),
    "selu": selu,
    "sigmoid": named("sigmoid"),
    "silu": lambda x: x * tf.sigmoid(x),
    "soft_shrink": soft_shrink,
    "softplus": named("nn.softplus"),
    "softsign": lambda x: x / (1 + tf.abs(x)),
    "sparse_plus": sparse_plus,
    "sparse_sigmoid": sparse_sigmoid,
    "square": named("square"),
    "squareplus": squareplus,
    "tanh": named("tanh"),
    "tanh_shrink": tanh_shrink,
    "threshold": threshold,
}
"""Elementwise functions: activations by the name in files (ReLU's kin are in `ReLU`), and parts."""


def _ratio(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """function(x) / x, and 1 at 0, for functions that are x there."""
    nothing = x == 0
    return tf.where(nothing, tf.ones_like(x), function(x) / tf.where(nothing, tf.ones_like(x), x))


TANH_SERIES = (1.0, -1 / 3, 2 / 15, -17 / 315, 62 / 2835, -1382 / 155925, 21844 / 6081075)
"""tanh(u) / u in powers of u², to 1e-16 below `NEAR`."""
NEAR = 0.125


def _tanh_chord(u: Tensor, y: Tensor, y0: Tensor, product: Tensor) -> Tensor:
    """(y - y₀) / u where that cancels little, else tanh(u) / u · product, by its series."""
    square = tf.minimum(u * u, NEAR * NEAR)
    series = tf.zeros_like(u) + TANH_SERIES[-1]
    for coefficient in TANH_SERIES[-2::-1]:
        series = series * square + coefficient
    far = tf.abs(u) > NEAR
    return tf.where(far, (y - y0) / tf.where(far, u, tf.ones_like(u)), series * product)


def tanh_chord(x: Tensor, x0: Tensor, y: Tensor, y0: Tensor) -> Tensor:
    """Near x₀ from tanh(x) - tanh(x₀) = tanh(Δx)·(1 - tanh(x)·tanh(x₀))."""
    return _tanh_chord(x - x0, y, y0, 1 - y * y0)


def sigmoid_chord(x: Tensor, x0: Tensor, y: Tensor, y0: Tensor) -> Tensor:
    """The same, with σ(x) = (1 + tanh(x / 2)) / 2; no term of the product is negative."""
    return _tanh_chord((x - x0) / 2, y, y0, y * (1 - y0) + y0 * (1 - y)) / 2


def exponential_chord(x: Tensor, x0: Tensor, y: Tensor, y0: Tensor) -> Tensor:
    """From eˣ - eˣ⁰ = e^max·(1 - e^-|Δx|), with the sign of Δx."""
    return tf.maximum(y, y0) * _ratio(lambda size: -tf.math.expm1(-size), tf.abs(x - x0))


CHORDS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "exponential": exponential_chord,
    "sigmoid": sigmoid_chord,
    "square": lambda x, x0, y, y0: x + x0,
    "tanh": tanh_chord,
}
"""Slopes of chords that have a closed form in which nothing cancels: exact, and cheaper."""

CANCELLING: dict[str, Callable[[Tensor], Tensor]] = {
    "hard_sigmoid": named("ones_like"),
    "hard_sigmoid_keras2": named("ones_like"),
    "hard_silu": named("abs"),
    "sparse_sigmoid": named("ones_like"),
    "tanh_shrink": named("abs"),
}
"""Those that subtract numbers larger than what is left, and how large."""


GATES = frozenset({"hard_sigmoid", "hard_sigmoid_keras2", "nonzero", "sigmoid", "sparse_sigmoid"})
"""Those whose values are shares, from 0 to 1."""


@dataclass(frozen=True)
class Activation(Elementwise):
    """The function called ``name`` with its ``options``."""

    name: str
    options: tuple[tuple[str, float], ...] = ()

    @property
    def label(self) -> str:
        """Name of the function."""
        return self.name

    @property
    def is_gate(self) -> bool:  # type: ignore[override]
        """Whether the function's values are shares."""
        return self.name in GATES

    @property
    def is_condition(self) -> bool:  # type: ignore[override]
        """Whether it tells what is not 0."""
        return self.name == "nonzero"

    @property
    def reads_logits(self) -> bool:  # type: ignore[override]
        """Whether it is the sigmoid of a classifier."""
        return self.name == "sigmoid"

    @property
    def singular(self) -> bool:  # type: ignore[override]
        """Whether it has a pole."""
        return self.name == "reciprocal"

    def function(self, x: Tensor) -> Tensor:
        """The function."""
        return FUNCTIONS[self.name](x, **dict(self.options))

    def chord(self, x: Tensor, x0: Tensor, y: Tensor, y0: Tensor) -> Tensor:
        """In closed form where there is one."""
        closed = CHORDS.get(self.name)
        return super().chord(x, x0, y, y0) if closed is None else closed(x, x0, y, y0)

    def magnitude(self, x: Tensor, y: Tensor) -> Tensor:
        """Of the output, or of what cancels in it."""
        cancelling = CANCELLING.get(self.name)
        return tf.abs(y) if cancelling is None else tf.abs(y) + cancelling(x)


@dataclass(frozen=True)
class ReLU(Elementwise):
    """Keras's ReLU with all of its options.

    It ``keeps_nan`` where it is computed by itself, never within a kernel.
    """

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0
    keeps_nan: bool = False
    rectifies: ClassVar[bool] = True

    @property
    def plain(self) -> bool:
        """Whether it is max(x, 0)."""
        return self == ReLU(keeps_nan=self.keeps_nan)

    def function(self, x: Tensor) -> Tensor:
        """max_value above it, x between threshold and it, negative_slope·(x - threshold) below.

        The threshold itself is below; with a maximum nothing above it is negative. The slope at
        the maximum is Keras's: 0 for 6 alone.
        """
        if self.negative_slope and replace(self, negative_slope=0.0).plain:
            return leaky_relu(x, self.negative_slope)
        if self.threshold == 0.0:
            positive = self._native(x)
        else:
            positive = tf.where(x > self.threshold, x, tf.zeros_like(x))
        if self.max_value is not None:
            positive = tf.clip_by_value(
                positive, tf.zeros((), x.dtype), tf.cast(self.max_value, x.dtype)
            )
        if self.negative_slope == 0.0:
            return positive
        return positive - self.negative_slope * tf.nn.relu(self.threshold - x)

    def _native(self, x: Tensor) -> Tensor:
        """max(x, 0), and the minimum of that and 6 if that is the maximum."""
        if self.max_value == 6:
            return relu6(x) if self.keeps_nan else tf.nn.relu6(x)
        return tf.where(x <= 0, tf.zeros_like(x), x) if self.keeps_nan else tf.nn.relu(x)

    def derivative(self, x: Tensor) -> Tensor:
        """0 or 1 for the plain one."""
        return tf.cast(x > 0, x.dtype) if self.plain else super().derivative(x)

    def chord(self, x: Tensor, x0: Tensor, y: Tensor, y0: Tensor) -> Tensor:
        """Needs no care for the plain one: it has no rounding of its own."""
        if not self.plain:
            return super().chord(x, x0, y, y0)
        dx = x - x0
        same = dx == 0
        chord = (y - y0) / tf.where(same, tf.ones_like(dx), dx)
        return tf.where(same, tf.cast(x > 0, x.dtype), chord)


@dataclass(frozen=True, eq=False)
class PReLU(Elementwise):
    """x above 0, alpha·x below; ``alpha`` broadcasts over the features."""

    alpha: Array

    @property
    def constants_of_elements(self) -> tuple[Array, ...]:
        """The slope."""
        return (self.alpha,)

    def function(self, x: Tensor) -> Tensor:
        """The function."""
        return tf.nn.relu(x) - constant(self.alpha) * tf.nn.relu(-x)
