"""Models in memory: Sequential, Functional, and subclassed ones by calling them on symbols."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812
from keras import ops

import deeplift_engine as de
from deeplift_engine.errors import InputError
from tests.helpers import off


class Residual(keras.Model):
    """Layers, an operation, dropout, a layer called twice, two inputs by name."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = L.Conv1D(6, 3, padding="same", activation="relu")
        self.twice = L.Dense(6, activation="tanh")
        self.drop = L.Dropout(0.5)
        self.last = L.Dense(3, activation="softmax")

    def call(self, inputs: Any, training: bool = False) -> Any:
        x = self.convolution(inputs["sequence"])
        x = x + self.twice(self.drop(self.twice(x), training=training))
        x = ops.concatenate([ops.mean(x, axis=1), inputs["more"]], axis=-1)
        return self.last(x)


class Tokens(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.cell = L.Embedding(7, 4), L.LSTM(3)

    def call(self, inputs: Any) -> Any:
        return self.cell(self.table(inputs))


class Reads(keras.Model):
    """Looks at values: no graph."""

    def call(self, inputs: Any) -> Any:
        return inputs if float(ops.sum(inputs)) > 0 else -inputs


def data(samples: int = 4, seed: int = 0) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    sizes = {"sequence": (samples, 9, 4), "more": (samples, 2)}
    return {name: generator.normal(size=size).astype("float32") for name, size in sizes.items()}


def gradient(model: keras.Model, x: dict[str, Any]) -> Any:
    points = {name: tf.constant(values) for name, values in x.items()}
    with tf.GradientTape() as tape:
        tape.watch(points)
        value = tf.reduce_sum(model(points)[:, 0])
    return tape.gradient(value, points)


def test_a_subclassed_model_is_called_on_symbols_and_stays_as_it_is() -> None:
    model, x = Residual(), data()
    before = np.asarray(model(x))
    weights, slopes = model.get_weights(), gradient(model, x)
    network = de.convert(model, example=x)
    assert off(network.predict(x), before) < 1e-6
    result = network.explainer().run(x, target=1, references=data(seed=1), strict=True)
    assert {name: values.shape for name, values in result.scores.items()} == {
        name: values.shape for name, values in x.items()
    }
    np.testing.assert_array_equal(np.asarray(model(x)), before)
    for now, then in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, then)
    for name, slope in gradient(model, x).items():
        np.testing.assert_array_equal(slope, slopes[name])


def test_a_model_that_was_never_called_is_built_by_the_example() -> None:
    model, tokens = Tokens(), np.random.default_rng(0).integers(0, 7, (3, 5))
    network = de.convert(model, example=tokens, dtype="float64")
    assert off(network.predict(tokens), np.asarray(model(tokens))) < 1e-6
    result = network.explainer().run(tokens, target=0, references=0, strict=True)
    assert result.scores.shape == tokens.shape


def test_a_sequential_model_without_input_shape_takes_an_example() -> None:
    model, x = keras.Sequential([L.Dense(4, activation="relu"), L.Dense(2)]), np.ones((3, 5))
    with pytest.raises(InputError, match="no input shape yet"):
        de.convert(model)
    network = de.convert(model, example=x)
    assert off(network.predict(x), np.asarray(model(x))) < 1e-6


def test_what_cannot_be_called_on_symbols_says_so() -> None:
    with pytest.raises(InputError, match=r"subclass of keras.Model.*example="):
        de.convert(Residual())
    with pytest.raises(InputError, match="Reads cannot be called on symbols"):
        de.convert(Reads(), example=np.ones((2, 3), "float32"))
    with pytest.raises(InputError, match="takes a Keras model, not int"):
        de.convert(3)
