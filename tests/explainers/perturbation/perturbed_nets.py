"""Small networks that perturbation methods explain, and their values in plain numpy."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers as L  # noqa: N812

import deeplift_engine as de

FEATURES, UNITS = 5, 3


def dense(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


@functools.cache
def linear() -> tuple[de.Network, Any]:
    """x @ w + b, and w (5, 3)."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((FEATURES,)), L.Dense(UNITS)])
    w, b = dense(1, FEATURES, UNITS), dense(2, UNITS)
    model.set_weights([w, b])
    return de.convert(model, dtype="float64"), w.astype(np.float32).astype(float)


@functools.cache
def curved() -> tuple[de.Network, Callable[[Any], Any]]:
    """A row of five numbers through tanh and ReLU, and the same function in numpy."""
    model = keras.Sequential(
        [
            keras.Input((FEATURES,)),
            L.Dense(7, activation="tanh"),
            L.Dense(6, activation="relu"),
            L.Dense(UNITS),
        ]
    )
    sizes = (FEATURES, 7, 6, UNITS)
    weights = [
        part
        for number, pair in enumerate(itertools.pairwise(sizes))
        for part in (dense(number, *pair), dense(9 + number, pair[1]))
    ]
    model.set_weights(weights)
    w1, b1, w2, b2, w3, b3 = (part.astype(np.float32).astype(float) for part in weights)

    def value(x: Any) -> Any:
        return np.maximum(np.tanh(x @ w1 + b1) @ w2 + b2, 0) @ w3 + b3

    return de.convert(model, dtype="float64"), value


@functools.cache
def image() -> de.Network:
    """Images of 6 x 8 pixels in two channels."""
    keras.utils.set_random_seed(2)
    return de.convert(
        keras.Sequential(
            [
                keras.Input((6, 8, 2)),
                L.Conv2D(3, 3, activation="tanh", name="conv"),
                L.Flatten(),
                L.Dense(UNITS),
            ]
        ),
        dtype="float64",
    )


@functools.cache
def several() -> de.Network:
    """A sequence of letters and a row of numbers, called ``letters`` and ``row``."""
    keras.utils.set_random_seed(3)
    letters, row = keras.Input((6, 4), name="letters"), keras.Input((3,), name="row")
    scanned = L.Flatten()(L.Conv1D(3, 2, activation="relu", name="scan")(letters))
    hidden = L.Dense(5, activation="tanh")(L.Concatenate()([scanned, row]))
    return de.convert(keras.Model([letters, row], L.Dense(UNITS)(hidden)), dtype="float64")


@functools.cache
def tokens() -> de.Network:
    """Six tokens of a table of nine, where 0 is masked."""
    keras.utils.set_random_seed(4)
    source = keras.Input((6,), dtype="int32", name="words")
    embedded = L.Embedding(9, 4, mask_zero=True, name="embedding")(source)
    return de.convert(
        keras.Model(source, L.Dense(UNITS)(L.LSTM(5, name="memory")(embedded))), dtype="float64"
    )


def rows(samples: int = 4, seed: int = 5) -> Any:
    return np.random.default_rng(seed).normal(size=(samples, FEATURES))


def pictures(samples: int = 3, seed: int = 6) -> Any:
    return np.random.default_rng(seed).normal(size=(samples, 6, 8, 2))


def pairs(samples: int = 3, seed: int = 7) -> list[Any]:
    generator = np.random.default_rng(seed)
    letters = np.eye(4)[generator.integers(4, size=(samples, 6))]
    return [letters, generator.normal(size=(samples, 3))]


def words(samples: int = 3, seed: int = 8) -> Any:
    return np.random.default_rng(seed).integers(1, 9, size=(samples, 6)).astype("int32")
