"""Attribute through layers of one's own: a reverse-complement model, from its file alone.

    python demo.py [--out DIR]    a few seconds; writes model.h5 and scores.h5 to DIR

The model is made here, untrained, by classes that the file knows by name only. What they are is
said in layers.py beside this script, of which the conversion needs nothing else.
"""

from __future__ import annotations

import argparse
import logging
import os
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import ops
from layers import FUNCTIONS, LAYERS

import deeplift_engine as de

LENGTH, FILTERS = 200, 12
SEQUENCES = 16
TOLERANCE = 1e-5


class RevCompConv1D(keras.layers.Conv1D):
    """A convolution that scans both strands with the same kernels."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*super().compute_output_shape(input_shape)[:-1], 2 * self.filters)

    def call(self, inputs: Any) -> Any:
        kernel = ops.concatenate([self.kernel, ops.flip(self.kernel)], axis=-1)
        bias = ops.concatenate([self.bias, ops.flip(self.bias)])
        output = ops.conv(inputs, kernel, padding="valid", dilation_rate=self.dilation_rate)
        return self.activation(output + bias)


def make_model() -> keras.Model:
    """Dilated convolutions with shortcuts that are cropped to fit; a profile and a count."""
    keras.utils.set_random_seed(0)
    sequence = keras.Input((LENGTH, 4), name="sequence")
    x = RevCompConv1D(FILTERS, 11, activation="relu", name="motifs")(sequence)
    for dilation in (2, 4, 8):
        wide = RevCompConv1D(
            FILTERS, 3, dilation_rate=dilation, activation="relu", name=f"dilated_{dilation}"
        )(x)
        shortcut = keras.layers.Lambda(
            lambda x, margin=dilation: x[:, margin:-margin],
            output_shape=wide.shape[1:],
            name=f"crop_{dilation}",
        )(x)
        x = keras.layers.Average(name=f"mean_{dilation}")([shortcut, wide])
    profile = RevCompConv1D(1, 25, name="profile")(x)
    pooled = keras.layers.GlobalAveragePooling1D(name="pooled")(x)
    return keras.Model(sequence, [profile, keras.layers.Dense(1, name="count")(pooled)])


def symmetric(model: keras.Model) -> keras.Model:
    """The model with a count that is the same for both strands: channels in mirrored pairs."""
    kernel, bias = model.get_layer("count").get_weights()
    model.get_layer("count").set_weights([(kernel + kernel[::-1]) / 2, bias])
    return model


def sequences() -> np.ndarray:
    """Random sequences (SEQUENCES, LENGTH, 4), one-hot."""
    letters = np.random.default_rng(0).integers(4, size=(SEQUENCES, LENGTH))
    return np.eye(4, dtype="float32")[letters]


def reverse_complement(x: np.ndarray) -> np.ndarray:
    """The other strand: positions and letters (or strands) the other way round."""
    return x[:, ::-1, ::-1]


def largest(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference as a share of the largest value."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("demo-output/reverse_complement"))
    out = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    model = symmetric(make_model())
    path = out / "model.h5"
    logging.getLogger("absl").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of the format, and of the Lambdas' bytecode
        model.save(path)

    print("What the file alone says:\n")
    print(de.coverage(path))
    network = de.load(path, layers=LAYERS, functions=FUNCTIONS)
    print("\nWith layers.py:\n")
    print(network.coverage())

    x = sequences()
    explainer = network.explainer(target="count")
    references = de.references.background([0.25] * 4)
    result = explainer.run(x, references=references)
    turned = explainer.run(reverse_complement(x), references=references)
    result.save(out / "scores.h5", overwrite=True)
    found, expected = network.predict(x), model.predict(x, verbose=0)
    checks = {
        "forward pass, against Keras's": max(
            largest(found[name], values)
            for name, values in zip(("profile", "count"), expected, strict=True)
        ),
        "sums of contributions": float(result.relative_error.max()),
        "profile of the other strand": largest(
            network.predict(reverse_complement(x))["profile"], reverse_complement(found["profile"])
        ),
        "scores of the other strand": largest(turned.scores, reverse_complement(result.scores)),
    }
    print("\nLargest relative errors:")
    for what, error in checks.items():
        print(f"  {what:32} {error:.1e}")
    return int(not max(checks.values()) < TOLERANCE)


if __name__ == "__main__":
    raise SystemExit(main())
