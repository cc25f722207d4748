"""Constants of models: arrays as options, and arrays among the inputs of layers and operations."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from keras import ops

import deeplift_engine as de
from deeplift_engine.errors import ModelConfigError, UnsupportedModelError

RANDOM = np.random.default_rng(0)
C = RANDOM.normal(size=(1, 2, 3)).astype("float32")
X = RANDOM.normal(size=(4, 2, 3)).astype("float32")
STEPS = np.array(
    [[[1.0, 2.0, 0.5], [0.0, 1.0, 0.5]], [[0.0, 1.0, 0.5], [3.0, 4.0, 5.0]]], "float32"
)

OPTIONS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "rescaled features": (L.Rescaling(np.array([2.0, -3.0, 0.5]), [1.0, 0.5, 0.0]), X),
    "rescaled steps": (L.Rescaling(2.0, offset=np.array([[1.0], [2.0]])), X),
    "rescaled with a batch axis": (L.Rescaling([[[2.0, 3.0, 4.0]]]), X),
    "masked by an array": (L.Masking(np.array([0.0, 1.0, 0.5], "float32")), STEPS),
    "masked by a list": (L.Masking([0.0, 1.0, 0.5]), STEPS),
    "masked by zeros": (L.Masking([0.0, 0.0, 0.0]), STEPS * [[[1.0], [0.0]]]),
}
CALLS: dict[str, Callable[[Any], Any]] = {
    "Add": lambda x: L.Add()([x, C]),
    "Multiply": lambda x: L.Multiply()([x, C]),
    "Maximum": lambda x: L.Maximum()([x, C]),
    "Average of three": lambda x: L.Average()([x, C, L.Dense(3)(x)]),
    "Subtract": lambda x: L.Subtract()([x, C]),
    "Attention": lambda x: L.Attention()([x, C]),
    "broadcast": lambda x: L.Add()([x, C[:, :1]]),
    "broadcast to": lambda x: L.Minimum()([L.GlobalMaxPooling1D(keepdims=True)(x), C]),
    "masked": lambda x: L.Multiply()([L.Masking()(x), C]),
    "an operation by keyword": lambda x: ops.subtract(x1=C, x2=ops.add(x, x2=C)),
    "an operation of several": lambda x: ops.multiply(ops.add(x, C), C),
}


def check(layer: Callable[[Any], Any], x: Any, directory: Path) -> None:
    """Compare predictions and sums of a model in both formats and in memory with Keras."""
    source = keras.Input(x.shape[1:])
    model = keras.Model(source, L.Dense(1)(L.Flatten()(layer(source))))
    expected = model.predict(x, verbose=0)
    networks = [de.convert(model)]
    for suffix in (".keras", ".h5"):
        model.save(directory / f"model{suffix}")
        networks.append(de.load(directory / f"model{suffix}"))
    for network in networks:
        np.testing.assert_allclose(network.predict(x), expected, rtol=1e-5, atol=1e-6)
    scores = networks[1].explainer("deeplift").run(x, references=0.25)
    assert np.max(np.abs(scores.convergence_delta)) < 1e-5


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_may_be_an_array(name: str, tmp_path: Path) -> None:
    layer, x = OPTIONS[name]
    check(layer, x, tmp_path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_a_constant_may_stand_among_the_inputs(name: str, tmp_path: Path) -> None:
    check(CALLS[name], X, tmp_path)


def test_a_constant_for_each_sample_is_refused() -> None:
    source = keras.Input((2, 3), batch_size=4)
    model = keras.Model(source, L.Add()([source, X]))
    with pytest.raises(UnsupportedModelError, match=r"constant of shape \(4, 2, 3\)"):
        de.convert(model)


def test_a_large_table_is_one_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deeplift_conversion.files.untrusted._MOST_VALUES", 500)
    table = RANDOM.normal(size=(1, 30, 20)).astype("float32")
    source = keras.Input((30, 20))
    model = keras.Model(source, L.GlobalAveragePooling1D()(ops.add(source, table)))
    model.save(tmp_path / "table.keras")
    zero = np.zeros((1, 30, 20), "float32")
    values = de.load(tmp_path / "table.keras").predict(zero)
    np.testing.assert_allclose(values, table.mean(1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("value", [[[0.0]] * 600 + [[0.0, 1.0]], [{"a": 0}] * 600, ["0"] * 600])
def test_a_table_of_other_than_numbers_is_not(
    value: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deeplift_conversion.files.untrusted._MOST_VALUES", 500)
    source = keras.Input((2, 3))
    keras.Model(source, ops.add(source, C)).save(tmp_path / "m.keras")
    de.load(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    constant = config["config"]["layers"][1]["inbound_nodes"][0]["args"][1]
    assert constant["class_name"] == "__numpy__"
    constant["config"]["value"] = value
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ModelConfigError, match="no saved model looks like this"):
        de.load(tmp_path / "m.keras")


def test_the_numbers_of_all_constants_have_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = keras.Input((2, 3))
    model = keras.Model(source, ops.add(ops.add(source, C), C))
    model.save(tmp_path / "m.keras")
    monkeypatch.setattr("deeplift_conversion.files.untrusted._MOST_NUMBERS", 12)
    de.load(tmp_path / "m.keras")
    monkeypatch.setattr("deeplift_conversion.files.untrusted._MOST_NUMBERS", 11)
    with pytest.raises(ModelConfigError, match="12 numbers in saved constants, more than 11"):
        de.load(tmp_path / "m.keras")
    de.convert(model)  # what is in memory already is no danger
