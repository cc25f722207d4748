"""Layers and activations of other packages: refused by the file's name with the way, or equal."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from deeplift_conversion.errors import LONGEST
from deeplift_engine.cli import main
from deeplift_engine.errors import DeepliftEngineError, ModelConfigError, UnsupportedModelError
from deeplift_engine.translate.package_layers import ROWS, described
from tests.helpers import slow_among

L = keras.layers
X = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("float32")


def registered(package: str, name: str, call: Callable[..., Any], **options: Any) -> Any:
    """A layer class as a package registers it; ``options`` are saved."""

    def get_config(self: Any) -> dict[str, Any]:
        return {**keras.layers.Layer.get_config(self), **options}

    kind = type(name, (L.Layer,), {"call": call, "get_config": get_config})
    return keras.saving.register_keras_serializable(package)(kind)()


def saved(layer: Any, folder: Path, suffix: str, two: bool = False) -> Path:
    """A model with the layer behind a convolution, on that or on the input too."""
    x = L.Input((6, 4), name="x")
    hidden = L.Conv1D(4, 3, padding="same", name="conv")(x)
    model = keras.Model(x, L.Flatten()(layer([x, hidden] if two else hidden)))
    path = folder / f"m{suffix}"
    model.save(path)
    np.save(folder / "y.npy", model.predict(X, verbose=0))
    return path


def advised(error: Exception) -> dict[str, Any]:
    """The definitions that a message says."""
    match = re.search(r"Say so: (layers|functions)=(\{.*\})\.$", str(error), re.MULTILINE)
    assert match, error
    return {match[1]: eval(match[2], {"tf": tf})}


SHARE = 0.7
CASES: dict[str, tuple[str, dict[str, Any], Callable[..., Any], bool]] = {
    "DropPath": ("keras_cv", {"rate": 0.5}, lambda self, x: x, False),
    "StochasticDepth of keras_cv": (
        "keras_cv",
        {"rate": 1 - SHARE},
        lambda self, x: x[0] + SHARE * x[1],
        True,
    ),
    "StochasticDepth of convnext": ("mine", {"drop_path_rate": 0.2}, lambda self, x: x, False),
}


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("case", CASES)
def test_the_advice_on_layers_of_packages_is_right(case: str, suffix: str, tmp_path: Path) -> None:
    package, options, call, two = CASES[case]
    path = saved(registered(package, case.split()[0], call, **options), tmp_path, suffix, two)
    with pytest.raises(UnsupportedModelError, match="at inference, if it is that of") as caught:
        de.load(path)
    net = de.load(path, **advised(caught.value))
    np.testing.assert_allclose(net.predict(X), np.load(tmp_path / "y.npy"), atol=1e-5)
    assert all(row.status == "exact" for row in net.coverage().rows)


LIKE_KERAS: dict[str, tuple[type, dict[str, Any]]] = {
    "ConvDNA": (L.Conv1D, {"filters": 3, "kernel_size": 2, "activation": "relu"}),
    "ConvRNA": (L.Conv1D, {"filters": 2, "kernel_size": 3, "padding": "same"}),
}


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("kind", LIKE_KERAS)
def test_the_advice_on_layers_like_keras_s_is_right(kind: str, suffix: str, tmp_path: Path) -> None:
    base, options = LIKE_KERAS[kind]
    class_ = keras.saving.register_keras_serializable("Addons")(type(kind, (base,), {}))
    path = saved(class_(**options), tmp_path, suffix)
    with pytest.raises(UnsupportedModelError, match=f"Addons>{kind}.*equals Keras's") as caught:
        de.load(path)
    net = de.load(path, **advised(caught.value))
    np.testing.assert_allclose(net.predict(X), np.load(tmp_path / "y.npy"), atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("ClusterWeights", "strip_clustering"),
        ("QuantizeWrapperV2", "before quantize_annotate_model"),
    ],
)
def test_wrappers_for_training_are_taken_off_first(kind: str, way: str, tmp_path: Path) -> None:
    path = saved(registered("tfmot", kind, lambda self, x: x), tmp_path, ".keras")
    with pytest.raises(UnsupportedModelError, match=way):
        de.load(path)


def test_every_row_says_what_to_do() -> None:
    for row in ROWS:
        reason, advice = described(row, row.names[0])
        assert reason.endswith(row.package)
        assert re.match(r"(Save|Say so: (layers|functions)=\{'\w+': lambda ).*\.$", advice)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_class_is_named_as_the_file_names_it(suffix: str, tmp_path: Path) -> None:
    layer = registered("Addons", "Weighing", lambda self, x: 2 * x)
    path = saved(layer, tmp_path, suffix)
    name = "Addons>Weighing"
    module = f"it is of the module {type(layer).__module__}" if suffix == ".keras" else "Say"
    with pytest.raises(UnsupportedModelError, match=f"{name}.*{module}") as caught:
        de.load(path)
    assert "own>" not in str(caught.value)
    table = de.coverage(path)
    assert name in str(table)
    assert "own>" not in str(table)
    own = registered("mine", "Dense", lambda self, x: 3 * x, scale=3)
    path = saved(own, tmp_path, suffix)
    with pytest.raises(UnsupportedModelError, match=r"\(mine>Dense\).*another class") as refused:
        de.load(path)
    net = de.load(path, layers={"Dense": lambda layer: layer.input * 3.0})
    for shown in (refused.value, de.coverage(path), net.describe(), net.audit(X, target=0)):
        assert "own>" not in str(shown)
    path = saved(layer, tmp_path, suffix)
    for key in (name, "Weighing"):
        net = de.load(path, functions={key: lambda x: 2 * x})
        np.testing.assert_allclose(net.predict(X), np.load(tmp_path / "y.npy"), atol=1e-5)


def test_another_class_of_a_name_of_keras_is_told_as_such(tmp_path: Path) -> None:
    layer = registered("keras_multi_head", "MultiHeadAttention", lambda self, x: x, head_num=2)
    path = saved(layer, tmp_path, ".h5")
    with pytest.raises(UnsupportedModelError, match=r"another class: .* no option 'head_num'"):
        de.load(path)


@keras.saving.register_keras_serializable("of_mine")
def lisht(x: Any) -> Any:
    return x * tf.tanh(x)


@keras.saving.register_keras_serializable("mine")
def twice(x: Any) -> Any:
    return 2 * tf.sigmoid(x)


USING: dict[str, Callable[[], Any]] = {
    "dense": lambda: L.Dense(5, activation=lisht),
    "convolution": lambda: L.Conv1D(5, 2, activation=lisht),
    "activation": lambda: L.Activation(lisht),
    "separable": lambda: L.SeparableConv1D(5, 2, activation=lisht),
    "depthwise": lambda: L.DepthwiseConv1D(2, activation=lisht),
    "transposed": lambda: L.Conv1DTranspose(3, 2, activation=lisht),
    "einsum": lambda: L.EinsumDense("abc,cd->abd", (None, 5), activation=lisht),
    "SimpleRNN": lambda: L.SimpleRNN(3, activation=lisht),
    "LSTM": lambda: L.LSTM(3, activation=lisht, recurrent_activation=twice),
    "GRU": lambda: L.GRU(3, recurrent_activation=twice, return_sequences=True),
    "cells": lambda: L.RNN([L.LSTMCell(3, activation=lisht), L.GRUCell(2, activation=lisht)]),
    "bidirectional": lambda: L.Bidirectional(L.GRU(3, activation=lisht)),
    "distributed": lambda: L.TimeDistributed(L.Dense(3, activation=lisht)),
}


@pytest.mark.parametrize("suffix", slow_among([".keras", ".h5"], [".h5"]))
@pytest.mark.parametrize("layer", slow_among(USING, set(USING) - {"activation", "LSTM"}))
def test_a_function_of_one_s_own_works_in_every_layer(
    layer: str, suffix: str, tmp_path: Path
) -> None:
    path = saved(USING[layer](), tmp_path, suffix)
    with pytest.raises(UnsupportedModelError, match=r">\w+' is none of Keras's.*for all") as caught:
        de.load(path)
    assert "save the model" not in str(caught.value).lower()
    functions = {"lisht": lisht, "twice": twice}
    used = {name: f for name, f in functions.items() if name.encode() in _config(path)}
    net = de.load(path, functions=used)
    np.testing.assert_allclose(net.predict(X), np.load(tmp_path / "y.npy"), rtol=1e-4, atol=1e-4)
    result = net.explainer().run(X, target=0)
    assert np.max(result.relative_error) < 1e-3


def _config(path: Path) -> bytes:
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            return str(file.attrs["model_config"]).encode()
    with zipfile.ZipFile(path) as archive:
        return archive.read("config.json")


# the length of messages, and the table


def test_no_message_is_longer_than_2000_characters(tmp_path: Path) -> None:
    x = y = L.Input((6, 4))
    for number in range(60):
        y = registered("mine", f"Own{number}", lambda self, x: x)(y)
    keras.Model(x, y).save(tmp_path / "m.keras")
    message = r"(?s)60 layers.*and \d+ more; .*coverage"
    with pytest.raises(UnsupportedModelError, match=message) as caught:
        de.load(tmp_path / "m.keras")
    assert len(str(caught.value)) <= LONGEST == 2000
    assert len(de.coverage(tmp_path / "m.keras").having("refused")) == 60
    error = DeepliftEngineError("begin " + "x" * 10**6 + " end")
    assert len(str(error)) <= LONGEST
    assert re.fullmatch("begin x+ … .* characters left out. … x+ end", str(error))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_coverage_and_inspect_have_a_table_where_arrays_do_not_fit(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = L.Input((6, 4))
    model = keras.Model(x, L.Dense(3, name="head")(L.Flatten(name="flat")(x)))
    model.save(tmp_path / f"m{suffix}")
    other = keras.Sequential([L.Input((5,)), L.Dense(2, name="head")])
    other.save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "m.json").write_text(model.to_json())
    arguments = (tmp_path / "other.weights.h5", tmp_path / "m.json")
    with pytest.raises(ModelConfigError) as caught:
        de.load(*arguments)
    table = de.coverage(*arguments)
    assert not table.supported
    assert [row.layer for row in table.rows][1:] == ["flat", "head"]
    assert table.problem == str(caught.value)
    assert str(caught.value)[-60:] in str(table)
    assert main(["inspect", str(arguments[0]), "--architecture", str(arguments[1])]) == 3
    captured = capsys.readouterr()
    assert "flat" in captured.out
    assert str(caught.value) in captured.err
    assert de.coverage(tmp_path / f"m{suffix}").supported
