"""Values and gradients at the very edges of functions, beside Keras's own.

An edge is a boundary and the numbers next to it, both zeros, what is not finite. `ratio` makes
infinities and NaN within a model, whose inputs are finite.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812
from keras import ops

import deeplift_engine as de

EXACT = 0.0
CLOSE = 4e-7  # exponentials of another library
EVERYWHERE = (-1e30, -1e4, -7.0, -3.0, -2.5, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.5, 3.0, 7.0, 1e30)
HALVES = tuple(np.arange(-8, 9) / 2)


def tiny(x: Any) -> Any:
    """Where Keras computes expm1 as exp(x) - 1, which is 0, and takes 0 for a kink."""
    return np.abs(x) < 1e-20


def huge(x: Any) -> Any:
    """Where squares overflow, or numbers of the size of 1 are lost beside them."""
    return ~(np.abs(x) <= 100)


def beyond(x: Any) -> Any:
    """What no whole number of 32 bits is: each processor has its own answer."""
    return ~(np.abs(x) < 2**31)


@dataclass(frozen=True)
class Edges:
    """A function of one element, its boundaries, and how far its values may be off.

    Nothing is compared at points that ``skip`` tells, and no gradients at those of ``kinks``; a
    reason stands beside.
    """

    function: Callable[[Any], Any]
    boundaries: Sequence[float] = ()
    tolerance: float = EXACT
    skip: Callable[[Any], Any] = lambda x: x != x
    kinks: Callable[[Any], Any] = lambda x: x != x

    @property
    def points(self) -> Any:
        """Boundaries ± 1 ulp, zeros, and numbers between."""
        values = np.asarray([0.0, -0.0, *self.boundaries, *EVERYWHERE, 1e-30, -1e-30], "float32")
        around = [np.nextafter(values, np.float32(way)) for way in (-np.inf, np.inf)]
        return np.concatenate([values, *around])


def layer(make: Callable[[], Any], *boundaries: float, **options: Any) -> Edges:
    """A layer."""
    return Edges(lambda x: make()(x), boundaries, **options)


def compared(name: str, number: float, **options: Any) -> Edges:
    """A comparison with a number, as numbers."""
    return Edges(lambda x: ops.cast(getattr(ops, name)(x, number), "float32"), [number], **options)


CASES: dict[str, Edges] = {
    "relu": Edges(ops.relu),
    "relu6": Edges(ops.relu6, [6]),
    "leaky_relu": Edges(lambda x: ops.leaky_relu(x, 0.3)),
    "elu": Edges(ops.elu, tolerance=CLOSE),
    "elu of 0.7": Edges(lambda x: ops.elu(x, 0.7), tolerance=CLOSE),
    "celu": Edges(lambda x: ops.celu(x, 0.7), tolerance=CLOSE, kinks=tiny),
    "selu": Edges(ops.selu, tolerance=CLOSE, kinks=lambda x: tiny(x) & (x < 0)),
    "gelu": Edges(lambda x: ops.gelu(x, False), tolerance=CLOSE),
    "gelu by tanh": Edges(ops.gelu, tolerance=CLOSE, kinks=huge),
    "silu": Edges(ops.silu, tolerance=CLOSE),
    "mish": layer(lambda: L.Activation("mish"), tolerance=CLOSE),
    "softplus": Edges(ops.softplus, tolerance=CLOSE),
    "softsign": Edges(ops.softsign, tolerance=CLOSE),
    "sigmoid": Edges(ops.sigmoid, tolerance=CLOSE),
    "log_sigmoid": Edges(ops.log_sigmoid, tolerance=CLOSE),
    "tanh": Edges(ops.tanh, tolerance=CLOSE),
    "tanh_shrink": Edges(ops.tanh_shrink, tolerance=CLOSE),
    "squareplus": Edges(ops.squareplus, tolerance=CLOSE, skip=huge),
    "hard_sigmoid": Edges(ops.hard_sigmoid, [-3, 3], tolerance=CLOSE),
    "hard_silu": Edges(ops.hard_silu, [-3, 3], tolerance=CLOSE),
    "hard_tanh": Edges(ops.hard_tanh, [-1, 1]),
    "hard_shrink": Edges(ops.hard_shrink, [-0.5, 0.5]),
    "hard_shrink at 0.3": Edges(lambda x: ops.hard_shrink(x, 0.3), [-0.3, 0.3]),
    "soft_shrink": Edges(ops.soft_shrink, [-0.5, 0.5]),
    "soft_shrink at 0.3": Edges(lambda x: ops.soft_shrink(x, 0.3), [-0.3, 0.3]),
    "sparse_plus": Edges(ops.sparse_plus, [-1, 1]),
    "sparse_sigmoid": Edges(ops.sparse_sigmoid, [-1, 1]),
    "threshold": Edges(lambda x: ops.threshold(x, 0.7, -2.0), [0.7]),
    "ReLU at 0.7": layer(lambda: L.ReLU(threshold=0.7), 0.7),
    "ReLU to 0.7": layer(lambda: L.ReLU(0.7), 0.7),
    "ReLU to 6": layer(lambda: L.ReLU(6.0), 6),
    "ReLU with slope": layer(lambda: L.ReLU(negative_slope=0.3)),
    "ReLU with all": layer(lambda: L.ReLU(1.1, 0.3, 0.7), 0.7, 1.1),
    "ReLU with slope to 6": layer(lambda: L.ReLU(6.0, 0.3), 6),
    "LeakyReLU": layer(lambda: L.LeakyReLU(0.1)),
    "ELU": layer(lambda: L.ELU(0.3), tolerance=CLOSE),
    "PReLU": layer(lambda: L.PReLU(alpha_initializer=keras.initializers.Constant(0.3))),
    "clip": Edges(lambda x: ops.clip(x, -0.3, 0.7), [-0.3, 0.7]),
    "maximum with a number": Edges(lambda x: ops.maximum(x, 0.7), [0.7]),
    "minimum with a number": Edges(lambda x: ops.minimum(0.7, x), [0.7]),
    # where the two tie they have equal shares, and in Keras the first has all
    "maximum of two": Edges(lambda x: ops.maximum(x, 0.5 * x), kinks=tiny),
    "maximum of two, doubled": Edges(lambda x: ops.maximum(x, 2 * x), kinks=tiny),
    "absolute": Edges(ops.absolute),
    "sign": Edges(ops.sign),
    "floor": Edges(ops.floor, HALVES),
    "ceil": Edges(ops.ceil, HALVES),
    "trunc": Edges(ops.trunc, HALVES),
    "round": Edges(ops.round, HALVES),
    "round to a decimal": Edges(lambda x: ops.round(x, 1), [0.05, 0.15, 0.25, 0.35, 1.45, -2.25]),
    "round to tens": Edges(lambda x: ops.round(x, -1), [5, 15, 25, -5, -15]),
    "floor_divide": Edges(lambda x: ops.floor_divide(x, 0.3), [0.3, 0.6, 0.9, -0.3, 3.0]),
    "mod": Edges(lambda x: ops.mod(x, 0.75), [0.75, 1.5, -0.75, -1.5]),
    "mod of less than 0": Edges(lambda x: ops.mod(x, -0.75), [0.75, 1.5, -0.75, -1.5]),
    "heaviside": Edges(lambda x: ops.heaviside(x, np.float32(0.25))),
    "isnan": Edges(lambda x: ops.cast(ops.isnan(x), "float32")),
    "isinf": Edges(lambda x: ops.cast(ops.isinf(x), "float32")),
    "isfinite": Edges(lambda x: ops.cast(ops.isfinite(x), "float32")),
    "nan_to_num": Edges(lambda x: ops.nan_to_num(x, 0.5, 3.0, -2.0), [3, -2]),
    "isclose": Edges(
        lambda x: ops.cast(ops.isclose(x, 0.7, 0.1, 0.01), "float32"), [0.62, 0.78, 0.7]
    ),
    **{
        f"{name} {number}": compared(name, number)
        for name in ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal")
        for number in (0.0, 0.7)
    },
    "a number greater": Edges(lambda x: ops.cast(ops.greater(0.7, x), "float32"), [0.7]),
    "where": Edges(lambda x: ops.where(x > 0.7, 2.0 * x, -x), [0.7]),
    "where of truth": Edges(lambda x: ops.where(ops.cast(x, "bool"), 2.0, -1.0)),
    "cast to whole numbers": Edges(
        lambda x: ops.cast(ops.cast(x, "int32"), "float32"), HALVES, skip=beyond
    ),
    "square": Edges(ops.square),
    "power of 3": Edges(lambda x: ops.power(x, 3.0), tolerance=CLOSE),
    "power of 0": Edges(lambda x: ops.power(x, 0.0)),
    "power of 0.5": Edges(lambda x: ops.power(x, 0.5), tolerance=CLOSE),
    "sqrt": Edges(ops.sqrt, tolerance=CLOSE),
    "rsqrt": Edges(ops.rsqrt, tolerance=CLOSE),
    "log": Edges(ops.log, tolerance=CLOSE),
    "log1p": Edges(ops.log1p, [-1], tolerance=CLOSE),
    "reciprocal": Edges(ops.reciprocal, tolerance=CLOSE),
    "divide_no_nan": Edges(lambda x: ops.divide_no_nan(1.0, x), tolerance=CLOSE),
    "exp": Edges(ops.exp, tolerance=CLOSE),
    "arcsin": Edges(ops.arcsin, [-1, 1], tolerance=CLOSE),
    "Rescaling": layer(lambda: L.Rescaling(0.1, -0.3), 3.0),
}


@functools.cache
def opened(name: str) -> tuple[keras.Model, Any, Any, Any]:
    """The model of a case, with what the engine makes of it in float32, and its points."""
    numerator, denominator = keras.Input((1,), name="a"), keras.Input((1,), name="b")
    model = keras.Model([numerator, denominator], CASES[name].function(numerator / denominator))
    points = CASES[name].points[:, np.newaxis]
    return model, de.convert(model), points, np.ones_like(points)


@pytest.mark.parametrize("name", CASES)
def test_values_at_edges_are_keras(name: str) -> None:
    model, net, points, ones = opened(name)
    wild = np.array([[0.0], [1.0], [-1.0]], "float32")  # over 0: NaN and both infinities
    x = np.concatenate([points, wild]), np.concatenate([ones, 0 * wild])
    with np.errstate(all="ignore"):
        usual = ~CASES[name].skip(x[0] / x[1])
    expected, met = np.asarray(model([*x])), net.predict([*x])
    tolerance = CASES[name].tolerance
    np.testing.assert_allclose(met[usual], expected[usual], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", CASES)
def test_gradients_at_edges_are_keras(name: str) -> None:
    model, net, points, ones = opened(name)
    with tf.GradientTape() as tape:
        x = tf.constant(points)
        tape.watch(x)
        y = model([x, tf.constant(ones)])
    expected = tape.gradient(y, x, unconnected_gradients="zero").numpy()
    usual = np.isfinite(expected + y) & ~CASES[name].skip(points) & ~CASES[name].kinks(points)
    rows = usual[:, 0]
    result = net.explainer("gradient", target=net.outputs[0]).run(
        [points[rows], ones[rows]], target=0
    )
    rounding = 1e-4 if CASES[name].tolerance else 1e-6  # Keras's exponentials, from 1 - exp(x)
    np.testing.assert_allclose(result.scores["a"], expected[rows], rtol=rounding, atol=1e-9)


TIED = np.array(
    [
        [1, 1, 1, 1],
        [1, 0, 0, 0],
        [0.5, -0.5, -0.5, 2],
        [0.7, 0.7, -0.3, -0.3],
        [0.1, 0.1, 0.1, -0.9],
        [2, 1, 0, -1],
        [0, 0, 0, 1e-8],
    ],
    "float32",
)


@pytest.mark.parametrize("unit", range(4))
def test_sparsemax_of_ties_is_keras(unit: int) -> None:
    source = keras.Input((4,))
    model = keras.Model(source, ops.sparsemax(source))
    net = de.convert(model)
    np.testing.assert_array_equal(net.predict(TIED), model(TIED))
    with tf.GradientTape() as tape:
        x = tf.constant(TIED)
        tape.watch(x)
        y = model(x)[:, unit]
    met = net.explainer("gradient", target=net.outputs[0]).run(TIED, target=unit).scores
    np.testing.assert_allclose(met, tape.gradient(y, x), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "make",
    [
        lambda: L.CategoryEncoding(4, output_mode="multi_hot"),
        lambda: L.CategoryEncoding(4, output_mode="count"),
        lambda: lambda x: ops.one_hot(x, 4),
        lambda: lambda x: ops.cast(x > 2, "float32"),
        lambda: lambda x: ops.cast(ops.equal(3, x), "float32"),
    ],
)
def test_tokens_at_the_ends_of_a_vocabulary(make: Callable[[], Any]) -> None:
    source = keras.Input((2,), dtype="int32")
    model = keras.Model(source, make()(source))
    x = np.array([[0, 3], [3, 3], [1, 0], [2, 2], [4, 9]], "int32")  # the last beyond it
    np.testing.assert_array_equal(de.convert(model).predict(x), model(x))


def test_statement_22_a_constant_column_is_divided_by_a_ten_millionth() -> None:
    normalize = L.Normalization(mean=[1.0, 2.0], variance=[0.0, 4.0])
    model = keras.Sequential([keras.Input((2,)), normalize])
    x = np.array([[1, 2], [2, 6]], "float32")
    predicted = de.convert(model).predict(x)
    np.testing.assert_allclose(predicted, model(x), rtol=1e-6)
    assert predicted[1] == pytest.approx([1e7, 2])
