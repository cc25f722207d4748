"""Small Keras models in float64, their networks, and TensorFlow's own gradients of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import deeplift_engine as de

L = keras.layers
UNITS = 3


@contextmanager
def float64() -> Iterator[None]:
    """Layers and inputs that are made inside compute in float64."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    try:
        yield
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy(before)


def sequence() -> keras.Model:
    x = source = keras.Input((12, 4), name="letters")
    x = L.Conv1D(5, 3, activation="relu", name="conv")(x)
    x = L.AveragePooling1D(2, name="pool")(x)
    x = L.Dense(6, activation="tanh", name="hidden")(L.Flatten(name="flat")(x))
    return keras.Model(source, L.Dense(UNITS, name="units")(x))


def image() -> keras.Model:
    x = source = keras.Input((7, 6, 2), name="pixels")
    x = L.Conv2D(4, 3, activation="softplus", name="conv")(x)
    x = L.MaxPooling2D(2, name="pool")(x)
    x = L.Dense(5, activation="relu", name="hidden")(L.Flatten(name="flat")(x))
    return keras.Model(source, L.Dense(UNITS, name="units")(x))


def several() -> keras.Model:
    letters, row = keras.Input((6, 4), name="letters"), keras.Input((3,), name="row")
    scanned = L.Flatten()(L.Conv1D(3, 2, activation="relu", name="scan")(letters))
    hidden = L.Dense(5, activation="tanh", name="hidden")(L.Concatenate()([scanned, row]))
    return keras.Model([letters, row], L.Dense(UNITS, name="units")(hidden))


def without_bias() -> keras.Model:
    x = source = keras.Input((10, 3), name="x")
    x = L.Conv1D(6, 3, activation="relu", use_bias=False, name="conv")(x)
    x = L.AveragePooling1D(2)(x)
    x = L.Dense(7, activation="relu", use_bias=False, name="hidden")(L.Flatten()(x))
    return keras.Model(source, L.Dense(UNITS, use_bias=False, name="units")(x))


def linear() -> keras.Model:
    x = source = keras.Input((8, 3), name="x")
    x = L.Conv1D(4, 3, name="conv")(x)
    x = L.AveragePooling1D(2, name="pool")(x)
    return keras.Model(source, L.Dense(UNITS, name="units")(L.Flatten(name="flat")(x)))


def words() -> keras.Model:
    source = keras.Input((6,), dtype="int32", name="words")
    x = L.Embedding(9, 4, name="embedding")(source)
    x = L.Conv1D(5, 2, activation="tanh", name="scan")(x)
    return keras.Model(source, L.Dense(UNITS, name="units")(L.Flatten()(x)))


BUILDERS: dict[str, Callable[[], keras.Model]] = {
    build.__name__: build for build in (sequence, image, several, without_bias, linear, words)
}


@functools.cache
def opened(name: str) -> tuple[keras.Model, de.Network]:
    """The model, its biases not zero, and its network."""
    with float64():
        keras.utils.set_random_seed(sum(map(ord, name)))
        model = BUILDERS[name]()
        generator = np.random.default_rng(0)
        model.set_weights(
            [generator.normal(0, 0.5, size=weight.shape) for weight in model.get_weights()]
        )
        return model, de.convert(model, dtype="float64")


def data(name: str, samples: int = 3, seed: int = 1) -> Any:
    """Normal numbers, or tokens, for each input."""
    generator = np.random.default_rng(seed)
    model = opened(name)[0]
    if name == "words":
        return generator.integers(0, 9, size=(samples, 6)).astype("int32")
    arrays = [generator.normal(size=(samples, *each.shape[1:])) for each in model.inputs]
    return arrays if len(arrays) > 1 else arrays[0]


def gradients(model: keras.Model, x: Any, unit: int, layer: str | None = None) -> list[Any]:
    """TensorFlow's gradient of a unit at the inputs, or at the output of a layer."""
    points = [tf.constant(array) for array in (x if isinstance(x, list) else [x])]
    if layer is not None:
        upper = keras.Model(model.get_layer(layer).output, model.output)
        lower = keras.Model(model.input, model.get_layer(layer).output)
        points, model = [lower(points if len(points) > 1 else points[0])], upper
    with tf.GradientTape() as tape:
        tape.watch(points)
        value = tf.reduce_sum(model(points if len(points) > 1 else points[0])[:, unit])
    return [part.numpy() for part in tape.gradient(value, points)]


def values(model: keras.Model, x: Any, unit: int) -> Any:
    points = [tf.constant(array) for array in (x if isinstance(x, list) else [x])]
    return model(points if len(points) > 1 else points[0]).numpy()[:, unit]


def parts(found: Any) -> list[Any]:
    """The arrays of one input or of several."""
    return list(found.values()) if isinstance(found, dict) else [found]


def between(x0: Any, x: Any, position: float) -> Any:
    """A point of the straight path, of one input or of several."""
    if isinstance(x, list):
        return [between(start, end, position) for start, end in zip(x0, x, strict=True)]
    return x0 + position * (x - x0)
