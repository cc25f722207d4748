"""Small models and data files, and a way to run commands in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from deeplift_engine.cli import main

LENGTH, UNITS, SAMPLES = 20, 3, 6


class Outcome(NamedTuple):
    """What a command gave: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    def run(*arguments: Any) -> Outcome:
        capfd.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse's way of wrong usage, --help and --version
            code = int(stop.code or 0)
        return Outcome(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models and inputs that no test changes.

    ``model.h5``: one input (20, 4), three sigmoid units. ``two.h5``: inputs ``left`` and
    ``right``, one unit. ``inputs.npy`` (also ``.npz`` and ``.h5``), ``two.npz``.
    """
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    where = tmp_path_factory.mktemp("command_line")
    model = keras.Sequential(
        [
            keras.Input((LENGTH, 4), name="letters"),
            layers.Conv1D(6, 5, activation="relu", name="conv"),
            layers.MaxPooling1D(4, name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(8, activation="relu", name="hidden"),
            layers.Dense(UNITS, activation="sigmoid", name="tasks"),
        ]
    )
    model.save(where / "model.h5")
    model.save(where / "model.keras")
    model.save_weights(where / "model.weights.h5")
    (where / "model.json").write_text(model.to_json())
    left, right = keras.Input((5,), name="left"), keras.Input((3,), name="right")
    both = layers.Concatenate(name="both")([left, right])
    hidden = layers.Dense(4, activation="relu", name="hidden")(both)
    unit = layers.Dense(1, name="unit")(hidden)
    keras.Model([left, right], unit).save(where / "two.h5")

    generator = np.random.default_rng(0)
    inputs = np.eye(4, dtype="float32")[generator.integers(4, size=(SAMPLES, LENGTH))]
    np.save(where / "inputs.npy", inputs)
    np.savez(where / "inputs.npz", onehot=inputs, other=np.zeros(3))
    np.savez(
        where / "two.npz",
        left=generator.normal(size=(SAMPLES, 5)),
        right=generator.normal(size=(SAMPLES, 3)),
    )
    return where


@pytest.fixture(scope="session")
def inputs(folder: Path) -> np.ndarray:
    return np.load(folder / "inputs.npy")
