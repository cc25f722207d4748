"""The numbers of a float32 file stay its float32 numbers in a network of float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from keras import ops

import deeplift_engine as de

NUMBERS = np.array([0.1, 0.3, 0.7, 1.1, -0.1, -0.3, -0.7, 6.0, 3.0], "float32")
POINTS = np.concatenate([np.nextafter(NUMBERS, np.float32(way)) for way in (-9, 9)] + [NUMBERS])
STEPS = {
    "greater": lambda x: ops.cast(x > 0.1, x.dtype),
    "less_equal, the number first": lambda x: ops.cast(ops.less_equal(0.7, x), x.dtype),
    "equal": lambda x: ops.cast(ops.equal(x, -0.3), x.dtype),
    "isclose": lambda x: ops.cast(ops.isclose(x, 0.3, 0.0, 1e-9), x.dtype),
    "where": lambda x: ops.where(x >= 1.1, x, 0.1),
    "threshold": lambda x: ops.threshold(x, 0.1, -1.0),
    "hard_shrink": lambda x: ops.hard_shrink(x, 0.7),
    "ReLU": lambda x: L.ReLU(threshold=0.3)(x),
    "an activation object": lambda x: L.Activation(L.ReLU(threshold=0.3))(x),
    "Masking": lambda x: L.Masking(0.1)(x[:, :, None])[:, :, 0],
    "in TimeDistributed": lambda x: L.TimeDistributed(L.ReLU(threshold=0.7))(x[:, :, None])[..., 0],
}
SMOOTH = {
    "clip": lambda x: ops.clip(x, -0.3, 0.7),
    "maximum": lambda x: ops.maximum(0.3, x),
    "ReLU to a maximum": lambda x: L.ReLU(0.7, negative_slope=0.1)(x),
    "LeakyReLU": lambda x: L.LeakyReLU(0.3)(x),
    "soft_shrink": lambda x: ops.soft_shrink(x, 0.3),
    "Rescaling": lambda x: L.Rescaling(0.1, -0.3)(x),
    "arithmetic": lambda x: 0.1 * (x - 0.3) / 0.7,
    "Normalization": lambda x: L.Normalization(mean=0.1, variance=0.7)(x),
    "epsilon of a norm": lambda x: L.UnitNormalization()(x),
}


def model_of(make: Callable[[Any], Any], dtype: str = "float32") -> keras.Model:
    """A model of one function of a row."""
    keras.config.set_dtype_policy(dtype)
    try:
        source = keras.Input((len(POINTS),), dtype=dtype)
        return keras.Model(source, make(source))
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_where_keras_has_it(name: str, dtype: str) -> None:
    model, x = model_of(STEPS[name]), POINTS[np.newaxis]
    met = de.convert(model, dtype=dtype).predict(x)
    np.testing.assert_array_equal(met.astype("float32"), np.asarray(model(x)))


@pytest.mark.parametrize("name", SMOOTH)
def test_float64_differs_by_rounding_alone(name: str) -> None:
    model, x = model_of(SMOOTH[name]), POINTS[np.newaxis]
    met = de.convert(model, dtype="float64").predict(x)
    np.testing.assert_allclose(met, np.asarray(model(x)), rtol=2e-7, atol=1e-7)


def test_the_number_is_that_of_float32() -> None:
    met = de.convert(model_of(lambda x: x * 0.1), dtype="float64").predict(POINTS[np.newaxis])
    np.testing.assert_array_equal(met[0], POINTS.astype(float) * float(np.float32(0.1)))


WIDE = {
    **{name: STEPS[name] for name in STEPS if name != "an activation object"},
    **{name: SMOOTH[name] for name in SMOOTH if name != "ReLU to a maximum"},
    "ReLU to its maximum": lambda x: L.ReLU(0.7)(x),
    "where and a cast": lambda x: ops.where(L.Identity(dtype="float64")(x) >= 0.7, 0.1, x),
    "a cast": lambda x: ops.maximum(ops.cast(x, "float64"), 0.1),
    "an array of float64": lambda x: x * np.full(len(POINTS), 0.1),
}


@pytest.mark.parametrize("name", WIDE)
def test_layers_of_float64_have_the_numbers_that_keras_has_there(name: str) -> None:
    """Some read float64 from the file; others, comparisons among them, are rounded all the same.

    A ReLU within an Activation, and a slope beside a maximum, are off by the rounding of float32.
    """
    model = model_of(WIDE[name], "float64")
    literals, step = NUMBERS.astype("float64").round(6), 1e-12
    rounded = NUMBERS.astype("float64")
    x = np.concatenate([literals, literals + step, (literals + rounded) / 2])[np.newaxis]
    met = de.convert(model, dtype="float64").predict(x)
    np.testing.assert_allclose(met, np.asarray(model(x)), rtol=1e-14, atol=1e-15)


def test_what_a_user_defines_reads_the_number_of_the_file() -> None:
    class Shifted(keras.layers.Layer):
        def __init__(self, by: float, **options: Any) -> None:
            super().__init__(**options)
            self.by = by

        def call(self, x: Any) -> Any:
            return x + self.by

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "by": self.by}

    met = []

    def made(layer: Any) -> Any:
        met.append(layer.config["by"])
        return layer.input + layer.config["by"]

    model = model_of(lambda x: Shifted(0.1)(x))
    de.convert(model, dtype="float64", layers={"Shifted": made})
    assert set(met) == {0.1}
