"""Models of Keras 1 within models, tf.keras's virtual batches and constants: as they computed.

``saved/nested.npz`` holds configurations, arrays, inputs and outputs of models that Keras 1.2.2 and
TensorFlow 2.15 saved as HDF5, without its bytes.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import deeplift_engine as de
from tests.conversion.conversion_files import write_model
from tests.conversion.eras.files import SAVED

NAMES = {
    "nest3": "Sequential in Sequential in Sequential",
    "two": "two Sequential, both without a name",
    "wrap": "TimeDistributed and Bidirectional within",
    "merge": "a Merge in the first of two Sequential",
    "cl_th_valid_False": "ConvLSTM2D of 12 arrays",
    "bn1": "virtual batches of lines",
    "bn3": "virtual batches of planes, channels first",
    "bn5": "virtual batches along two axes",
    "kaddnp": "tf.keras's Add of a constant",
    "kcattf": "tf.keras's Concatenate of a constant",
    "kresc": "tf.keras's Rescaling and Masking by arrays",
}


@pytest.mark.parametrize("name", NAMES, ids=NAMES.get)
def test_what_is_saved_within_others_is_computed_as_it_was(name: str, tmp_path: Path) -> None:
    saved = np.load(SAVED / "nested.npz")
    model = json.loads(str(saved[f"{name}/model"]))
    numbers = iter(range(1000))
    arrays = {
        layer: [(key, saved[f"{name}/a{next(numbers)}"]) for key in keys]
        for layer, keys in model["lists"]
    }
    path = write_model(tmp_path / "m.h5", model["config"], arrays, model["version"])
    x = [saved[f"{name}/{key}"] for key in ("x", "x1") if f"{name}/{key}" in saved]
    predicted = de.load(path).predict(x if len(x) > 1 else x[0])
    np.testing.assert_allclose(predicted, saved[f"{name}/y"], rtol=1e-4, atol=1e-5)
