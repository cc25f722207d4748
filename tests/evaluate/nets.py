"""Small networks, and their forward passes in plain numpy, that metrics are checked on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers as L  # noqa: N812

import deeplift_engine as de

FEATURES, UNITS = 6, 3
Forward = Callable[[np.ndarray], np.ndarray]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def linear() -> tuple[Any, np.ndarray, Forward]:
    """One dense layer: the network, its kernel (F, UNITS), and its forward pass."""
    keras.utils.set_random_seed(1)
    source = keras.Input((FEATURES,), name="x")
    layer = L.Dense(UNITS, bias_initializer="random_normal", name="units")
    model = keras.Model(source, layer(source))
    kernel, bias = (array.numpy().astype(float) for array in layer.weights)
    return de.convert(model, dtype="float64"), kernel, lambda x: x @ kernel + bias


def curved() -> tuple[Any, Forward]:
    """Two dense layers with a ReLU between."""
    keras.utils.set_random_seed(2)
    source = keras.Input((FEATURES,), name="x")
    hidden = L.Dense(8, activation="relu", bias_initializer="random_normal", name="hidden")
    units = L.Dense(UNITS, name="units")
    model = keras.Model(source, units(hidden(source)))
    w, b, v, c = (array.numpy().astype(float) for array in model.weights)
    return de.convert(model, dtype="float64"), lambda x: np.maximum(x @ w + b, 0) @ v + c


def picture() -> Any:
    """A small convolutional network of images (5, 4, 2)."""
    keras.utils.set_random_seed(3)
    return de.convert(
        keras.Sequential(
            [
                keras.Input((5, 4, 2), name="x"),
                L.Conv2D(3, 2, activation="relu", name="conv"),
                L.Flatten(name="flat"),
                L.Dense(UNITS, name="units"),
            ]
        ),
        dtype="float64",
    )


def two_inputs() -> Any:
    """Two inputs of different shapes, joined."""
    keras.utils.set_random_seed(4)
    first, second = keras.Input((3,), name="first"), keras.Input((2, 2), name="second")
    joined = L.Concatenate()([first, L.Flatten()(second)])
    x = L.Dense(5, activation="relu", name="hidden")(joined)
    return de.convert(keras.Model([first, second], L.Dense(UNITS)(x)), dtype="float64")


def tokens() -> Any:
    """An embedding, a convolution and a global average, of texts of any length."""
    keras.utils.set_random_seed(5)
    source = keras.Input((None,), dtype="int32", name="tokens")
    x = L.Conv1D(4, 2, activation="relu", name="conv")(L.Embedding(9, 3, name="table")(source))
    x = L.Dense(UNITS, name="units")(L.GlobalAveragePooling1D(name="mean")(x))
    return de.convert(keras.Model(source, x), dtype="float64")
