"""Models that Keras saves for these tests, and no kernels compiled for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _unfused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is large enough to earn back the time of compiling kernels."""
    monkeypatch.setattr("deeplift_engine.engine.block_sizes.LARGE", 10**9)


def with_biases(model: Any) -> Any:
    draw = np.random.default_rng(1)
    model.set_weights([w + 0.1 * draw.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def sequential(folder: Path) -> tuple[Any, str]:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = with_biases(
        keras.Sequential(
            [
                keras.Input((30, 4)),
                layers.Conv1D(6, 5, activation="relu", name="motifs"),
                layers.MaxPooling1D(2),
                layers.Conv1D(5, 3),
                layers.Activation("linear"),
                layers.Activation("relu", name="second"),
                layers.Flatten(),
                layers.Dropout(0.2),
                layers.Dense(7, activation="relu", name="mix"),
                layers.Dense(3),
                layers.Activation("sigmoid"),
            ]
        )
    )
    path = str(folder / "sequential.h5")
    model.save(path)
    return model, path


@pytest.fixture(scope="session")
def functional(folder: Path) -> tuple[Any, str]:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    left, right = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    shared = layers.Dense(5, activation="tanh", name="shared")
    once = shared(left)
    twice = shared(layers.Concatenate(name="both")([right, layers.Dense(1, name="one")(left)]))
    joined = layers.Concatenate(name="joined")([once, twice])
    output = layers.Dense(2, activation="softmax", name="classes")(joined)
    model = with_biases(keras.Model([left, right], output))
    path = str(folder / "functional.h5")
    model.save(path)
    return model, path
