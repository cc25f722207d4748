"""A slope of 0 hides what is behind it, be that infinite: beside numerical differentiation."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from keras import ops

import deeplift_engine as de
from deeplift_engine.errors import NotFiniteError

X = np.array(
    [
        [4.0, -1.0, 9.0, -2.0, -3.0, -0.5, 2.0, 1.0],
        [-4.0, -1.0, -9.0, -2.0, -3.0, -0.5, -2.0, -1.0],
        [1.5, 2.5, 3.0, 8.0, 1.0, 2.0, 2.5, 0.5],
    ]
)


def rows(x: Any) -> Any:
    """The elements as a sequence of one channel."""
    return ops.reshape(x, (-1, 8, 1))


def behind(off: Callable[[Any], Any], function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of what may be constant."""
    return lambda x: function(off(x))


def some(shape: Any, dtype: Any = None) -> Any:
    """A kernel that reads off elements of the first row of `X` in one unit, others in the other."""
    off = (X[0] < 0).astype(float)
    return ops.convert_to_tensor(np.stack([off, 1 - off], axis=1), dtype)


OFF = {
    "relu": ops.relu,
    "relu6": ops.relu6,
    "clip": lambda x: ops.clip(x, 0.0, 8.5),
    "hard_sigmoid": lambda x: ops.hard_sigmoid(x * 10),
    "maximum": lambda x: ops.maximum(x, 0.0),
    "a gate of 0": lambda x: ops.square(x) * ops.cast(x > 0, "float64"),
    "a factor of 0": lambda x: ops.abs(x) * np.array([1, 0, 1, 0, 0, 0, 1, 1.0]),
    "where": lambda x: ops.where(x > 0, x, 0.0),
    "ReLU of a kernel": L.Dense(8, activation="relu", kernel_initializer="identity"),
}
SINGULAR = {
    "sqrt": ops.sqrt,
    "power": lambda h: ops.power(h, 0.3),
    "rsqrt where it is": lambda h: ops.where(h > 0, ops.rsqrt(h), 1.0),
    "log where it is": lambda h: ops.where(h > 0, ops.log(h), 2.0),
    "quotient where it is": lambda h: ops.where(h > 0, (h + 1) / ops.square(h), 0.5),
    "root of a root": lambda h: ops.sqrt(ops.sqrt(h)),
}
CASES = {
    **{f"sqrt of {off}": behind(OFF[off], ops.sqrt) for off in OFF},
    **{f"{name} of relu": behind(ops.relu, SINGULAR[name]) for name in SINGULAR},
    "root of what is below 0, chosen nowhere": lambda x: ops.where(x > 0, ops.sqrt(x), x),
    "norm": lambda x: ops.norm(ops.relu(x), axis=-1, keepdims=True),
    "deviation": lambda x: ops.std(ops.relu(x), axis=-1, keepdims=True),
    "root of a mean": lambda x: ops.sqrt(ops.mean(ops.relu(x), axis=-1, keepdims=True)),
    "root of a maximum": lambda x: ops.sqrt(ops.max(ops.relu(x), axis=-1, keepdims=True)),
    "roots of windows": lambda x: ops.sqrt(L.AveragePooling1D(2, 1)(rows(ops.relu(x))))[..., 0],
    "roots of maxima": lambda x: ops.sqrt(L.MaxPooling1D(2)(rows(ops.relu(x))))[..., 0],
    "roots of a convolution": lambda x: ops.sqrt(
        L.Conv1D(1, 2, kernel_initializer="ones")(rows(ops.relu(x)))
    )[..., 0],
    "root of a sum of some": lambda x: ops.sqrt(L.Dense(2, kernel_initializer=some)(ops.relu(x))),
    "roots of a strided convolution": lambda x: ops.sqrt(
        L.Conv1D(1, 2, strides=2, kernel_initializer="ones")(rows(ops.relu(x)))
    )[..., 0],
    "roots of steps": lambda x: L.TimeDistributed(L.Dense(1, kernel_initializer="ones"))(
        ops.sqrt(rows(ops.relu(x)))
    )[..., 0],
}


@functools.cache
def opened(name: str) -> de.Network:
    """The network of a case, in float64."""
    source = keras.Input((8,), dtype="float64")
    with keras.device("cpu"):
        keras.config.set_dtype_policy("float64")
        try:
            model = keras.Model(source, L.Dense(1, kernel_initializer="ones")(CASES[name](source)))
        finally:
            keras.config.set_dtype_policy("float32")
    return de.convert(model, dtype="float64")


def numerical(net: de.Network) -> Any:
    """Central differences, (samples, 8)."""
    step = 1e-6
    slopes = [
        (net.predict(X + step * unit) - net.predict(X - step * unit)) / (2 * step)
        for unit in np.eye(8)
    ]
    return np.concatenate(slopes, axis=1)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_gradients_where_a_function_is_constant(name: str, fused: bool) -> None:
    net = opened(name)
    met = net.explainer("gradient", fused=fused).run(X, target=0).scores
    np.testing.assert_allclose(met, numerical(net), rtol=1e-6, atol=1e-8)


@pytest.mark.filterwarnings("ignore:Contributions do not sum")  # steps past an infinite slope
@pytest.mark.parametrize("method", ["deeplift", "integrated_gradients", "guided_backprop"])
@pytest.mark.parametrize("name", ["sqrt of relu", "root of a mean", "norm"])
def test_methods_that_inherit_them(name: str, method: str) -> None:
    options = {"steps": 300} if method == "integrated_gradients" else {}
    net = opened(name)
    result = net.explainer(method, **options).run(
        X, target=0, **({} if method == "guided_backprop" else {"references": 0.25})
    )
    assert np.isfinite(result.scores).all()
    if method == "deeplift":
        change = net.predict(X) - net.predict(np.full_like(X, 0.25))
        np.testing.assert_allclose(result.scores.sum(axis=1), change[:, 0], rtol=1e-9)


@pytest.mark.parametrize("method", ["gradient", "integrated_gradients", "saliency", "lrp_z"])
def test_a_target_that_is_not_finite_is_no_constant(method: str) -> None:
    """No slope of 0 hides it: the logarithm of 0 is -∞, and the sigmoid of that is 0."""
    source = keras.Input((3,))
    total = L.Dense(1, kernel_initializer="ones")(ops.log(ops.relu(source)))
    net = de.convert(keras.Model(source, ops.sigmoid(total)))
    with pytest.raises(NotFiniteError, match="sample 1"):
        net.explainer(method).run(np.array([[1.0, 2, 3], [1, -2, 3]], "float32"), target=0)
