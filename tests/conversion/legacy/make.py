"""Writes the models of this folder, and what TensorFlow 2.15 computes with them.

Run once, from the repository's root, by a Python that has TensorFlow 2.15 alone:

    python -m tests.conversion.legacy.make [name ...]

Each model goes to ``saved/<name>.h5``, some to ``saved/<name>.keras`` too; inputs, references
and the outputs on both go to ``numbers.npz`` as ``<name>/x0``, ``/r0``, ``/y0``, ``/yr0``. Every
file is loaded again: a few models are saved by TensorFlow 2.15 without all that it takes (what
``tf.einsum`` reads; one encoder both in a model and in a model within it).
"""

from __future__ import annotations

import os
import sys
import warnings
import zipfile
import zlib
from typing import Any

os.environ.update(TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")

import h5py
import numpy as np
import tensorflow as tf
from keras.src.saving.legacy.hdf5_format import save_model_to_hdf5

from tests.conversion.legacy.builders import composite, cudnn, kernels, operations, recurrent
from tests.conversion.legacy.builders.common import Builder, random_inputs, random_weights
from tests.conversion.legacy.files import NUMBERS, SAVED

ARCHIVED = (
    "bidirectional",
    "cells",
    "conv_lstm",
    "depthwise",
    "gru",
    "lstm",
    "multi_head",
    "nested",
    "normalisation",
    "products",
    "sequential_tokens",
    "time_distributed",
    "transformer",
)
"""Saved as ``.keras`` too, whose layout TensorFlow 2.15 shares with no other version."""


KNOWN = {"SpectralNormalization": tf.keras.layers.SpectralNormalization}
"""What TensorFlow 2.15 has and does not know by name."""


def builders() -> dict[str, Builder]:
    """Every model by name."""
    builders_by_name: dict[str, Builder] = {}
    for module in (recurrent, cudnn, kernels, composite, operations):
        builders_by_name |= module.models()
    return builders_by_name


def make(name: str, builder: Builder) -> dict[str, Any]:
    """Save one model, and return its numbers."""
    tf.keras.backend.clear_session()
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    model = builder()
    random_weights(model, generator)
    save(model, name)
    runs = model
    if name == "cudnn":
        runs = cudnn.plain()
        runs.load_weights(SAVED / f"{name}.h5")
    x, references = random_inputs(model, generator), random_inputs(model, generator)
    numbers = {f"x{number}": values for number, values in enumerate(x)}
    numbers |= {f"r{number}": values for number, values in enumerate(references)}
    for letter, values in (("y", x), ("yr", references)):
        outputs = runs(values if len(values) > 1 else values[0], training=False)
        for number, values in enumerate(tf.nest.flatten(outputs)):
            numbers[f"{letter}{number}"] = values.numpy()
            assert np.isfinite(values).all(), f"{name}: output {number}"
    if name != "cudnn":
        for path in sorted(SAVED.glob(f"{name}.*")):
            again = tf.keras.models.load_model(path, KNOWN, compile=False, safe_mode=False)
            outputs = again(x if len(x) > 1 else x[0], training=False)
            for number, values in enumerate(tf.nest.flatten(outputs)):
                np.testing.assert_allclose(values, numbers[f"y{number}"], atol=1e-6)
    return {f"{name}/{key}": values for key, values in numbers.items()}


def save(model: tf.keras.Model, name: str) -> None:
    """Write the model's files, small: HDF5's compact groups, a deflated zip."""
    with h5py.File(SAVED / f"{name}.h5", "w", libver="v108") as file:
        save_model_to_hdf5(model, file, include_optimizer=False)
    if name in ARCHIVED:
        path = SAVED / f"{name}.keras"
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            entries = {entry: archive.read(entry) for entry in archive.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, data in entries.items():
                archive.writestr(zipfile.ZipInfo(entry), data, zipfile.ZIP_DEFLATED)


def main(names: list[str]) -> None:
    """Make the models called ``names``, or all of them."""
    assert tf.__version__.startswith("2.15."), f"TensorFlow 2.15 is needed, not {tf.__version__}"
    warnings.filterwarnings("ignore")
    SAVED.mkdir(exist_ok=True)
    numbers = dict(np.load(NUMBERS)) if names and NUMBERS.exists() else {}
    for name, builder in builders().items():
        if not names or name in names:
            numbers = {key: v for key, v in numbers.items() if not key.startswith(f"{name}/")}
            numbers |= make(name, builder)
    np.savez_compressed(NUMBERS, **numbers)


if __name__ == "__main__":
    main(sys.argv[1:])
