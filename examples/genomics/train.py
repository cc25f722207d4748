"""Train the example's model and save it beside this file, with the sequences of the demo.

python train.py               about a minute on two cores; writes model.h5 and sequences.npz
"""

from __future__ import annotations

import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from simulate import ALPHABET, LENGTH, MOTIFS, TASKS, simulate

HERE = Path(__file__).parent
TRAINING, TESTING = 16_000, 400


def build() -> keras.Model:
    """Two convolutions find motifs, the dense layers combine them into three tasks."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((LENGTH, 4), name="sequence"),
            layers.Conv1D(24, 11, padding="same", activation="relu", name="motifs"),
            layers.Conv1D(24, 5, padding="same", activation="relu", name="contexts"),
            layers.MaxPooling1D(10, name="strongest"),
            layers.Flatten(name="flat"),
            layers.Dropout(0.2, name="dropout"),
            layers.Dense(32, activation="relu", name="combinations"),
            layers.Dense(len(TASKS), activation="sigmoid", name="tasks"),
        ],
        name="gata_tal1",
    )


def main() -> None:
    started = time.perf_counter()
    keras.utils.set_random_seed(1)
    tf.config.experimental.enable_op_determinism()
    training, testing = simulate(TRAINING, seed=1), simulate(TESTING, seed=2)
    model = build()
    model.compile(
        optimizer=keras.optimizers.Adam(2e-3),
        loss="binary_crossentropy",
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy")],
    )
    slower = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.3, patience=1)
    model.fit(
        training.one_hot,
        training.labels,
        batch_size=64,
        epochs=14,
        verbose=2,
        validation_data=(testing.one_hot, testing.labels),
        callbacks=[slower],
    )
    predicted = model.predict(testing.one_hot, verbose=0) > 0.5
    for name, share in zip(TASKS, (predicted == testing.labels).mean(axis=0), strict=True):
        print(f"{name:15s} accuracy on the {TESTING} test sequences {share:.3f}")

    model.save(HERE / "model.h5", include_optimizer=False)
    letters = np.frombuffer(ALPHABET.encode(), np.uint8)
    np.savez_compressed(
        HERE / "sequences.npz",
        sequences=letters[testing.codes].view(f"S{LENGTH}")[:, 0],
        labels=testing.labels.astype(np.uint8),
        tasks=np.array(TASKS),
        sites=testing.sites.astype(np.int16),
        motifs=np.array(list(MOTIFS)),
        widths=np.array([len(frequencies) for frequencies in MOTIFS.values()]),
    )
    for name in ("model.h5", "sequences.npz"):
        print(f"{name} {(HERE / name).stat().st_size / 1000:.0f} kB")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
