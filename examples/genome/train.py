"""Train the example's two models and save them beside this file.

python train.py               minutes on two cores; writes fold_0.h5 and fold_1.h5

Both are trained on windows that the example's genome does not have, each without another third.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from simulate import LENGTH, one_hot, simulate

HERE = Path(__file__).parent
TRAINING, TESTING, EMPTY = 18_000, 1_000, 0.2
FOLDS = 2
HEAD = "logcounts_predictions"
"""The name that basepairmodels give the counts: the command line knows it as the head `counts`."""


def build() -> keras.Model:
    """Two convolutions find motifs, the dense layers add up which of them are there."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((LENGTH, 4), name="sequence"),
            layers.Conv1D(24, 11, padding="same", activation="relu", name="motifs"),
            layers.Conv1D(24, 5, padding="same", activation="relu", name="contexts"),
            layers.MaxPooling1D(10, name="strongest"),
            layers.Flatten(name="flat"),
            layers.Dropout(0.1, name="dropout"),
            layers.Dense(32, activation="relu", name="combinations"),
            layers.Dense(1, name=HEAD),
        ],
        name="reads",
    )


def train(fold: int, x: np.ndarray, y: np.ndarray) -> keras.Model:
    """A model trained on two thirds of the windows."""
    keras.utils.set_random_seed(fold + 1)
    taken = np.arange(len(x)) % 3 != fold
    model = build()
    model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="mse")
    slower = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.3, patience=1)
    model.fit(x[taken], y[taken], batch_size=64, epochs=12, verbose=2, callbacks=[slower])
    return model


def main() -> None:
    started = time.perf_counter()
    tf.config.experimental.enable_op_determinism()
    training = simulate(TRAINING, np.random.default_rng(1001), EMPTY)
    testing = simulate(TESTING, np.random.default_rng(1002), EMPTY)
    print(f"{len(training.codes)} windows simulated in {time.perf_counter() - started:.0f} s")
    for fold in range(FOLDS):
        model = train(fold, one_hot(training.codes), training.reads)
        predicted = model.predict(one_hot(testing.codes), verbose=0)[:, 0]
        correlation = np.corrcoef(predicted, testing.reads)[0, 1]
        path = HERE / f"fold_{fold}.h5"
        model.save(path, include_optimizer=False)
        print(
            f"{path.name} {path.stat().st_size / 1000:.0f} kB, correlation with the reads of "
            f"{TESTING} other windows {correlation:.3f}"
        )
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
