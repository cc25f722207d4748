"""`Network.verify` compares with what the network was built of, and runs nothing of a file's."""

from __future__ import annotations

import base64
import gc
import json
import marshal
import random
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras.src.backend.common import global_state

import deeplift_engine as de
from deeplift_conversion.files.code import code_in_file
from deeplift_engine.verify import ModelInMemory
from tests.helpers import slow_among

MARKED: list[str] = []


def mark() -> None:
    """A harmless function, whose call would show that the code of a file was run."""
    MARKED.append("run")


@keras.saving.register_keras_serializable("tests_verify")
class Doubling(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return 2 * x


def small(**options: Any) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((12, 4)),
            keras.layers.Conv1D(3, 3, activation="relu", name="conv", **options),
            keras.layers.Flatten(name="flat", **options),
            keras.layers.Dense(2, activation="sigmoid", name="dense", **options),
        ]
    )


def saved(model: keras.Model, path: Path) -> Path:
    model.save(path)
    return path


def changed(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Change the configuration of a saved model."""
    if path.suffix == ".h5":
        with h5py.File(path, "a") as file:
            document = json.loads(file.attrs["model_config"])
            change(document)
            file.attrs["model_config"] = json.dumps(document)
        return path
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(members["config.json"])
    change(document)
    members["config.json"] = json.dumps(document).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def marshalled() -> str:
    return base64.b64encode(marshal.dumps(mark.__code__)).decode()


def layers_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return document["config"]["layers"]


# ------------------------------------------------------------ code in files


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_file_with_a_lambda_is_not_given_to_keras(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = keras.Sequential(
        [keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2, name="l", output_shape=(4,))],
        name="inside",
    )
    model = keras.Sequential([keras.Input((4,)), inside, keras.layers.Dense(1)])
    path = saved(model, tmp_path / f"m{suffix}")
    network = de.load(path, layers={"inside/l": lambda layer: layer.input * 2})
    monkeypatch.setattr(keras.saving, "load_model", lambda *_, **__: pytest.fail("Keras has it"))
    keras.config.enable_unsafe_deserialization()  # what a user may have done
    try:
        verification = network.verify()
    finally:
        global_state.set_global_attribute("safe_mode_saving", None)
    assert (verification.ok, verification.max_error) == (None, None)
    assert "holds Lambda 'l', which Keras would run" in verification.message
    assert "convert(model).verify()" in verification.message
    converted = de.convert(model, layers={"inside/l": lambda layer: layer.input * 2})
    assert converted.verify().ok


def a_lambda(document: dict[str, Any]) -> None:
    layers_of(document)[-1] = {"class_name": "Lambda", "config": {"name": "x"}}


def a_lambda_of_a_package(document: dict[str, Any]) -> None:
    layers_of(document)[-1]["class_name"] = "Package>Lambda"


def an_activation(document: dict[str, Any]) -> None:
    code = {"class_name": "__lambda__", "config": {"value": marshalled()}}
    layers_of(document)[-1]["config"]["activation"] = code


def an_initializer_of_a_nested_model(document: dict[str, Any]) -> None:
    inner = json.loads(json.dumps(document))
    options = layers_of(inner)[-1]["config"]
    options["kernel_initializer"] = {"config": {"f": {"class_name": "__lambda__"}}}
    layers_of(document).append(inner)


def bare_code(document: dict[str, Any]) -> None:
    layers_of(document)[-1]["config"]["note"] = [["x", marshalled()]]


def a_merge_of_keras_1(document: dict[str, Any]) -> None:
    merge = {"mode_type": "lambda", "mode": marshalled()}
    layers_of(document)[-1]["config"] |= {"arguments": {"merge": merge}}


def a_key(document: dict[str, Any]) -> None:
    layers_of(document)[-1]["config"]["deep"] = {"er": {"__lambda__": True}}


def a_class_of_another_module(document: dict[str, Any]) -> None:
    layers_of(document)[-1] |= {"module": "antigravity", "registered_name": "x>Dense"}


def a_function_of_another_module(document: dict[str, Any]) -> None:
    code = {"class_name": "function", "module": "os", "config": "getcwd", "registered_name": "x"}
    layers_of(document)[-1]["config"]["activation"] = code


def a_function_that_is_no_activation(document: dict[str, Any]) -> None:
    code = {"class_name": "function", "module": "keras.utils", "config": "get_file"}
    layers_of(document)[-1]["config"]["activation"] = code


CODE = [
    a_lambda,
    a_lambda_of_a_package,
    an_activation,
    an_initializer_of_a_nested_model,
    bare_code,
    a_merge_of_keras_1,
    a_key,
    a_class_of_another_module,
    a_function_of_another_module,
    a_function_that_is_no_activation,
]


@pytest.mark.parametrize("change", CODE)
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_code_is_met_anywhere_in_a_configuration(
    suffix: str, change: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    path = saved(small(), tmp_path / f"m{suffix}")
    assert code_in_file(path.read_bytes(), "m", lambda _: False) == ""
    changed(path, change)
    assert code_in_file(path.read_bytes(), "m", lambda _: False) != ""
    assert MARKED == []


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_code_in_an_option_that_the_reader_passes_over(suffix: str, tmp_path: Path) -> None:
    """An initialiser means nothing to the network: it loads, and Keras is not given the file."""

    def change(document: dict[str, Any]) -> None:
        code = {"class_name": "__lambda__", "config": {"value": marshalled()}}
        layers_of(document)[-1]["config"]["kernel_initializer"] = code

    path = changed(saved(small(), tmp_path / f"m{suffix}"), change)
    verification = de.load(path).verify()
    assert verification.ok is None
    assert "holds code in Dense 'dense', which Keras would run" in verification.message
    assert MARKED == []


def test_what_is_registered_is_known(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), Doubling(name="own"), keras.layers.Dense(1)])
    path = saved(model, tmp_path / "m.keras")
    network = de.load(path, layers={"own": lambda layer: layer.input * 2})
    assert network.verify().ok
    assert "Doubling" in code_in_file(path.read_bytes(), "m", lambda _: False)


@pytest.mark.parametrize("name", ["m.h5", "m.keras", "m"])
def test_the_content_says_what_keras_is_given_and_not_the_name(name: str, tmp_path: Path) -> None:
    """Keras chooses by the name, so that it is given one that fits the content."""
    for suffix in (".h5", ".keras"):
        path = tmp_path / name
        path.write_bytes(saved(small(), tmp_path / f"any{suffix}").read_bytes())
        assert de.load(path).verify().ok


# ------------------------------------------------------------ the same file


@pytest.mark.parametrize("suffix", slow_among([".h5", ".keras"], [".h5"]))
def test_a_wrong_forward_pass_is_not_verified(suffix: str, tmp_path: Path) -> None:
    network = de.load(saved(small(), tmp_path / f"m{suffix}"))
    dense = network.spec.layers["dense"]
    weights = {**dense.weights, "kernel": dense.weights["kernel"] + 1e-3}
    layers = {**network.spec.layers, "dense": replace(dense, weights=weights)}
    verification = network.respecified(replace(network.spec, layers=layers)).verify()
    assert verification.ok is False
    assert "differs from" in verification.message


def test_a_file_that_was_replaced_since_loading_is_told(tmp_path: Path) -> None:
    path = saved(small(), tmp_path / "m.keras")
    network = de.load(path)
    saved(small(), path)
    verification = network.verify()
    assert verification.ok is None
    assert "is not the file that was loaded any more" in verification.message
    path.unlink()
    assert "no such model file" in network.verify().message


def test_an_architecture_of_its_own_is_no_other_file(tmp_path: Path) -> None:
    model = small()
    path = saved(model, tmp_path / "m.h5")
    assert de.load(path, model.to_json()).verify().ok


# ------------------------------------------------------------ models in memory


def test_a_model_in_memory_is_compared_with_itself() -> None:
    model = small()
    network = de.convert(model)
    assert network.verify().ok
    model.layers[-1].kernel.assign_add(np.full((30, 2), 1e-2))
    verification = network.verify()
    assert verification.ok is False
    assert "that of the model in memory" in verification.message
    del model
    gc.collect()
    verification = network.verify()
    assert verification.ok is None
    assert "no longer exists" in verification.message


class TwoArguments(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, a: Any, b: Any) -> Any:
        return {"x": self.dense(a) + b, "y": b}


@pytest.mark.parametrize("by_name", [True, False])
def test_a_subclassed_model_is_called_as_it_was_traced(by_name: bool) -> None:
    model, x = TwoArguments(), np.ones((3, 2), "float32")
    model(x, x)
    network = de.convert(model, example={"a": x, "b": x} if by_name else [x, x])
    assert network.verify().ok


# ------------------------------------------------------------ precision, and random numbers


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_file_of_mixed_precision_is_compared_in_float32(policy: str, tmp_path: Path) -> None:
    model = small(dtype=policy)
    verification = de.load(saved(model, tmp_path / "m.keras")).verify()
    assert verification.ok
    assert verification.max_error is not None
    assert verification.max_error < 1e-5
    assert f"layers of {policy} in float32" in verification.message


@pytest.mark.parametrize(("policy", "name"), [("mixed_float16", "float16"), ("bfloat16",) * 2])
def test_a_model_in_memory_is_compared_to_its_precision(policy: str, name: str) -> None:
    verification = de.convert(small(dtype=policy)).verify()
    assert verification.ok
    assert f"computes in {name}" in verification.message


def test_python_s_random_numbers_are_left_as_they_are(tmp_path: Path) -> None:
    model = keras.Sequential([small(), keras.layers.Dropout(0.5)])
    network = de.load(saved(model, tmp_path / "m.keras"))
    random.seed(0)
    expected = random.random()
    random.seed(0)
    network.verify()
    assert random.random() == expected


def test_a_model_that_is_gone_leaves_nothing_to_compare_with() -> None:
    network = de.convert(small())
    network.original = ModelInMemory(lambda x: None, "float32")
    assert network.verify().ok is None
