"""Everything that can be wrong with a file raises one error that says what to do."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from deeplift_conversion import (
    DeepliftEngineError,
    ModelConfigError,
    ModelFileError,
    read_config,
    read_model,
)
from deeplift_conversion.files.architecture import read_architecture
from tests.conversion.conversion_files import numbers, sequential, write_model, write_weights

CONFIG = sequential(
    ("Dense", {"name": "d", "units": 2, "batch_input_shape": [None, 3]}),
    ("BatchNormalization", {"name": "n", "axis": -1}),
)
NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def arrays() -> dict[str, list[tuple[str, np.ndarray]]]:
    return {
        "d": [("d/kernel:0", numbers(3, 2)), ("d/bias:0", numbers(2))],
        "n": [(f"n/{role}:0", numbers(2)) for role in NORM],
    }


def model(folder: Path) -> Path:
    return write_model(folder / "m.h5", CONFIG, arrays())


def refused(path: Any, message: str, *args: Any, error: type[Exception] = ModelFileError) -> None:
    with pytest.raises(error, match=message) as caught:
        read_model(path, *args)
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, DeepliftEngineError)


def test_what_is_no_file_or_no_model_is_told_apart(tmp_path: Path) -> None:
    refused(tmp_path / "gone.h5", "no such model file")
    refused(tmp_path, "a directory, expected a model file")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"x")
    refused(tmp_path / "saved", "TensorFlow SavedModel")
    for content, message in (
        (b"", r"empty \(0 bytes\)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b'{"class_name": "Sequential"}', "architecture="),
        (b"\x80\x04\x95pickle", "pickle, which is never opened"),
        (b"just text", "neither HDF5 nor"),
        (b"PK\x03\x04 and then nothing", "damaged or cut short .keras"),
        (b"\x89HDF\r\n\x1a\n and then nothing", "damaged or cut short HDF5"),
    ):
        path = tmp_path / "bad.h5"
        path.write_bytes(content)
        refused(path, message)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = model(tmp_path)
    data = path.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.99):
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(ModelFileError):
            read_model(path)


def test_other_hdf5_and_zip_files_are_no_models(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["scores"] = numbers(3)
    refused(tmp_path / "data.h5", "not a model saved by Keras.*scores")
    with zipfile.ZipFile(tmp_path / "data.keras", "w") as archive:
        archive.writestr("a.txt", "a")
    refused(tmp_path / "data.keras", "without config.json")
    with zipfile.ZipFile(tmp_path / "half.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(CONFIG))
    refused(tmp_path / "half.keras", "no model.weights.h5")
    bomb = tmp_path / "bomb.keras"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (80 << 20))
        archive.writestr("model.weights.h5", b"")
    refused(bomb, "exhaust memory")


def test_weights_alone_ask_for_the_architecture(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        write_weights(file, arrays())
    refused(tmp_path / "w.h5", "architecture='model.json'")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{ not json", "expected JSON"),
        ("a: [1,", "neither JSON nor YAML"),
        ("[1, 2]", "expected a model's configuration"),
        ('{"class_name": "Sequential", "config": {"name": "s", "layers": []}}', "no layers"),
        ('{"class_name": "MyNet", "config": {"depth": 3}}', "subclassed model"),
        ('{"a":' * 3000 + "1" + "}" * 3000, "nested|recursion"),
    ],
)
def test_an_architecture_that_is_none_is_refused(
    content: str, message: str, tmp_path: Path
) -> None:
    path = model(tmp_path)
    (tmp_path / "a.json").write_text(content)
    refused(path, message, tmp_path / "a.json")


def test_an_architecture_file_that_is_missing_or_binary_is_refused(tmp_path: Path) -> None:
    path = model(tmp_path)
    refused(path, "no such architecture file", tmp_path / "gone.json")
    refused(path, "expected an architecture in JSON or YAML", path, error=ModelConfigError)


def test_yaml_is_read_as_plain_data_and_never_run(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    path = model(tmp_path)
    text = """
backend: tensorflow
class_name: Sequential
config:
  name: s
  layers:
  - class_name: Dense
    config: {name: d, units: 2, batch_input_shape: !!python/tuple [null, 3], activation: relu}
  - class_name: BatchNormalization
    config: {name: n, axis: -1, note: !!python/object/apply:os.system ['touch hacked']}
keras_version: 2.2.4
"""
    (tmp_path / "a.yaml").write_text(text)
    spec = read_model(path, tmp_path / "a.yaml")
    assert spec.layers["d_input"].config["batch_shape"] == (None, 3)
    assert spec.layers["d"].config["activation"] == "relu"
    assert not Path("hacked").exists()
    assert not (tmp_path / "hacked").exists()
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    (tmp_path / "bomb.yaml").write_text(bomb)
    refused(path, "nested deeper", tmp_path / "bomb.yaml")


def test_json_inside_a_json_string_is_unpacked(tmp_path: Path) -> None:
    path = model(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps(json.dumps(CONFIG)))
    assert list(read_model(path, tmp_path / "a.json").layers) == ["d_input", "d", "n"]
    assert list(read_model(path, json.dumps(CONFIG)).layers) == ["d_input", "d", "n"]
    assert list(read_model(path, CONFIG).layers) == ["d_input", "d", "n"]


@pytest.mark.parametrize(
    ("layer", "changed", "message"),
    [
        (
            "d",
            [("d/kernel:0", numbers(3, 5)), ("d/bias:0", numbers(2))],
            r"kernel has shape \(3, 5\), expected \(in, 2\)",
        ),
        (
            "d",
            [("d/kernel:0", numbers(3, 2)), ("d/bias:0", numbers(3))],
            r"bias has shape \(3,\), expected \(2,\)",
        ),
        (
            "d",
            [("d/kernel:0", numbers(3, 2))],
            r"'d' \(Dense\): weights are missing.*expected \['kernel', 'bias'\]",
        ),
        ("d", [], "none are saved, expected"),
        ("d", [*arrays()["d"], ("d/more:0", numbers(2))], "too many weights"),
        ("d", [("d/gamma:0", numbers(3, 2)), ("d/bias:0", numbers(2))], "'d/gamma:0' is no kernel"),
        ("n", arrays()["n"][:3], "weights are missing"),
        (
            "n",
            [*arrays()["n"][:3], ("n/moving_variance:0", numbers(3))],
            "moving_variance has shape",
        ),
    ],
)
def test_arrays_that_do_not_fit_the_options_are_refused(
    layer: str, changed: list[tuple[str, np.ndarray]], message: str, tmp_path: Path
) -> None:
    path = write_model(tmp_path / "m.h5", CONFIG, {**arrays(), layer: changed})
    refused(path, message, error=ModelConfigError)


def test_weights_of_layers_that_the_model_does_not_have_are_refused(tmp_path: Path) -> None:
    extra = {**arrays(), "e": [("e/kernel:0", numbers(2, 2))]}
    path = write_model(tmp_path / "m.h5", CONFIG, extra)
    refused(path, r"saved for layer 'e'", error=ModelConfigError)
    flat = sequential(("Flatten", {"name": "d", "batch_input_shape": [None, 3]}))
    with pytest.raises(ModelConfigError, match="has no weights, but"):
        read_config(flat, {"d": arrays()["d"]}, keras_version="2.2.4")


def test_weights_that_are_listed_but_absent_are_told(tmp_path: Path) -> None:
    path = model(tmp_path)
    with h5py.File(path, "a") as file:
        del file["model_weights/d/d/bias:0"]
    refused(path, "'d/bias:0' is listed in 'weight_names', but its array is missing")
    with h5py.File(path, "a") as file:
        del file["model_weights/n"]
        file["model_weights/d/d/bias:0"] = numbers(2)
    refused(path, "'n' is listed in 'layer_names', but its group is missing")


def test_links_out_of_the_file_are_not_followed(tmp_path: Path) -> None:
    path = model(tmp_path)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = numbers(2)
    with h5py.File(path, "a") as file:
        del file["model_weights/d/d/bias:0"]
        file["model_weights/d/d/bias:0"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "secret")
    refused(path, "link to another file")
    with h5py.File(path, "a") as file:
        group = file["model_weights/d/d"]
        del group["bias:0"]
        raw = tmp_path / "raw.bin"
        raw.write_bytes(numbers(2).tobytes())
        group.create_dataset("bias:0", (2,), "float32", external=[(str(raw), 0, 8)])
    refused(path, "stored in another file")


def test_soft_links_inside_the_file_are_fine_and_dangling_ones_told(tmp_path: Path) -> None:
    path = model(tmp_path)
    with h5py.File(path, "a") as file:
        del file["model_weights/d/d/bias:0"]
        file["kept"] = numbers(2)
        file["model_weights/d/d/bias:0"] = h5py.SoftLink("/kept")
    np.testing.assert_array_equal(read_model(path).layers["d"].weights["bias"], numbers(2))
    with h5py.File(path, "a") as file:
        del file["kept"]
    refused(path, "its array is missing")


def test_arrays_that_are_no_numbers_or_absurdly_large_are_refused(tmp_path: Path) -> None:
    path = model(tmp_path)
    with h5py.File(path, "a") as file:
        group = file["model_weights/d/d"]
        del group["bias:0"]
        group.create_dataset("bias:0", data=[b"a", b"b"])
    refused(path, "expected numbers", error=ModelConfigError)
    with h5py.File(path, "a") as file:
        group = file["model_weights/d/d"]
        del group["bias:0"]
        group.create_dataset("bias:0", (10**12,), "float32", chunks=(1000,))
    refused(path, "exhaust memory")


def test_options_that_make_no_sense_are_refused() -> None:
    for options, message in (
        ({"filters": 2, "kernel_size": [3, 3]}, "kernel_size is"),
        ({"filters": 2, "kernel_size": "three"}, "kernel_size is"),
    ):
        config = sequential(("Conv1D", {"name": "c", "batch_input_shape": [None, 9, 4], **options}))
        with pytest.raises(ModelConfigError, match=message):
            read_config(config, {}, keras_version="2.2.4")
    twice = sequential(
        ("Flatten", {"name": "f", "batch_input_shape": [None, 3]}), ("Flatten", {"name": "f"})
    )
    with pytest.raises(ModelConfigError, match="unique names"):
        read_config(twice, {}, keras_version="2.2.4")


def test_reading_needs_neither_tensorflow_nor_keras_nor_the_engine() -> None:
    import subprocess
    import sys

    code = (
        "import sys, deeplift_conversion;"
        "bad = {'tensorflow', 'keras', 'deeplift_engine', 'yaml'} & set(sys.modules);"
        "sys.exit(f'imported: {bad}' if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_yaml_without_pyyaml_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "yaml", None)
    path = model(tmp_path)
    (tmp_path / "a.yaml").write_text("class_name: Sequential\n")
    refused(path, "needs PyYAML", tmp_path / "a.yaml")
    (tmp_path / "a.json").write_text(json.dumps(CONFIG))
    assert read_model(path, tmp_path / "a.json").name == "sequential"


class _Open:
    """As an open file, or an HDF5 file."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def read(self) -> bytes:
        """Return nothing."""
        return b""


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (_Open(get_config=dict, name="mine"), r"deeplift_engine\.convert\(model\)"),
        (_Open(name="model.h5"), "open file: give its name, 'model.h5'"),
        (_Open(filename="model.h5", name="/"), "open file: give its name, 'model.h5'"),
        (_Open(), "write its bytes to a file"),
        (b"PK\x03\x04" * 30_000, "write its bytes to a file"),
        ('{"class_name": "Sequential"}' * 9_000, r"load\(weights, architecture=text\)"),
        (None, "of type NoneType: give the name"),
        (3, "of type int: give the name"),
    ],
)
def test_what_is_no_name_of_a_file_is_refused_with_the_way(path: Any, message: str) -> None:
    with pytest.raises(ModelFileError, match=message) as caught:
        read_model(path)
    assert len(str(caught.value)) < 300
    if not isinstance(path, str):
        with pytest.raises(ModelFileError, match="architecture"):
            read_architecture(path)


def test_data_are_no_model(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    refused(tmp_path / "x.npy", "an array of numpy")
