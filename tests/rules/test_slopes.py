"""Multipliers, not only contributions, are continuous through Δx = 0, at every scale.

The slope of a chord is the mean of the derivative along it: in float64, by Gauss-Legendre on
every piece between the function's corners, it is known to 1e-12 whatever the length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from deeplift_engine.layers import Activation, Elementwise, PReLU, ReLU
from deeplift_engine.layers.activations import FUNCTIONS
from tests.cases.cases_basic import STEEP

LAYERS: dict[str, Elementwise] = {
    **{
        name: Activation(name, (("floor", 1e-6),) if name.startswith("floored") else ())
        for name in FUNCTIONS
    },
    "relu": ReLU(),
    "relu6": ReLU(max_value=6.0),
    "relu, all options": ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2),
    "prelu": PReLU(np.asarray(0.3, np.float32)),
}
POSITIVE = {"reciprocal", "floored_root", "floored_log_root"}
JUMPS = {"hard_shrink", "threshold", "nonzero", "relu, all options", *POSITIVE}
"""Not continuous, or steep without bound: a chord over the jump has no slope to compare."""
BENDS = np.array([0.2, 0.5, 1.0, 1.5, 2.5, 3.0, 6.0, 12.0, 25.0, 50.0, 100.0])
CORNERS = np.concatenate([-BENDS[::-1], [0.0], BENDS])
UNDERFLOW = 1e-36
LARGEST = {**STEEP, "Addons>snake": 10.0}
"""The quadrature follows no more than a few waves."""
SHARES = 10.0 ** np.arange(0, -20, -1.0)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)


def points(largest: float, dtype: str) -> tuple[Any, Any]:
    """x and x₀ at every scale, apart by every share of it, exactly as ``dtype`` holds them."""
    generator = np.random.default_rng(0)
    scales = 10.0 ** np.arange(-3, 3.1, 0.5)
    scales = scales[scales <= largest]
    x0 = generator.choice([-1, 1], (12, 1, 1)) * generator.uniform(0.3, 1, (12, 1, 1))
    x0 = (x0 * scales[:, np.newaxis]).astype(dtype)
    step = generator.choice([-1, 1], x0.shape) * np.abs(x0) * SHARES
    x = (x0 + step.astype(dtype)).astype(dtype)
    return x.ravel(), np.broadcast_to(x0, x.shape).ravel()


def derivative(layer: Elementwise, x: Any) -> Any:
    with tf.GradientTape() as tape:
        point = tf.constant(x)
        tape.watch(point)
        value = layer.function(point)
    return tape.gradient(value, point, unconnected_gradients="zero").numpy()


def mean_derivative(layer: Elementwise, x: Any, x0: Any) -> Any:
    """∫ f' over the chord / its length, piece by piece; at x where the ends meet."""
    x, x0 = x.astype(np.float64), x0.astype(np.float64)
    low, high = np.minimum(x, x0), np.maximum(x, x0)
    cuts = np.concatenate(
        [low[:, None], np.clip(CORNERS, low[:, None], high[:, None]), high[:, None]], axis=1
    )
    for _ in range(2):  # every piece in four: smooth functions bend near 0 alone
        middle = (cuts[:, :-1] + cuts[:, 1:]) / 2
        cuts = np.sort(np.concatenate([cuts, middle], axis=1), axis=1)
    total = np.zeros_like(x)
    for start, end in zip(cuts.T[:-1], cuts.T[1:], strict=True):
        inside = start[:, None] + (NODES + 1) / 2 * (end - start)[:, None]
        total += (derivative(layer, inside) * WEIGHTS / 2).sum(1) * (end - start)
    length = high - low
    chord = total / np.where(length == 0, 1, length)
    return np.where(length == 0, derivative(layer, x), chord)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-10)])
@pytest.mark.parametrize("name", [name for name in LAYERS if name not in JUMPS])
def test_the_slope_is_continuous_through_no_difference(
    name: str, dtype: str, tolerance: float
) -> None:
    layer = LAYERS[name]
    if name == "prelu":
        layer = PReLU(np.asarray(0.3, dtype))
    x, x0 = points(LARGEST.get(name, 1e3), dtype)
    found = layer.slope(tf.constant(x), tf.constant(x0)).numpy()
    exact = PReLU(np.asarray(np.asarray(0.3, dtype), np.float64)) if name == "prelu" else layer
    expected = mean_derivative(exact, x, x0)
    error = np.abs(found - expected) / np.maximum(np.abs(expected), 1)
    worst = int(np.argmax(error))
    assert error[worst] < tolerance, (x[worst], x0[worst], found[worst], expected[worst])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_the_slope_explains_the_difference(name: str, dtype: str) -> None:
    """slope · Δx = Δy to rounding, jumps included."""
    layer = PReLU(np.asarray(0.3, dtype)) if name == "prelu" else LAYERS[name]
    x, x0 = points(STEEP.get(name, 1e3), dtype)
    if name in POSITIVE:
        x, x0 = (np.abs(end) + np.asarray(1e-3, dtype) for end in (x, x0))
    y, y0 = (layer.function(tf.constant(end)).numpy() for end in (x, x0))
    slope = layer.slope(tf.constant(x), tf.constant(x0)).numpy()
    sizes = [layer.magnitude(tf.constant(a), tf.constant(b)).numpy() for a, b in ((x, y), (x0, y0))]
    conditions = [np.abs(end * derivative(layer, end)) for end in (x, x0)]
    rounding = np.finfo(dtype).eps * np.sum([*sizes, *conditions], axis=0)
    error = np.abs(slope * (x - x0) - (y - y0))
    worst = int(np.argmax(error - 8 * rounding))
    assert error[worst] <= 8 * rounding[worst] + UNDERFLOW, (x[worst], x0[worst])


@pytest.mark.parametrize("function", ["sigmoid", "tanh", "relu", "gelu"])
def test_one_slope_whatever_stands_beside_it(function: str) -> None:
    """No pair is judged by its neighbours."""
    layer: Any = ReLU() if function == "relu" else Activation(function)
    x, x0 = points(1e3, "float32")
    slope: Callable[[Any, Any], Any] = lambda a, b: layer.slope(  # noqa: E731
        tf.constant(a), tf.constant(b)
    ).numpy()
    together = slope(x, x0)
    for start in range(0, len(x), 400):
        part = slice(start, start + 1)
        np.testing.assert_allclose(slope(x[part], x0[part]), together[part], rtol=1e-5)
