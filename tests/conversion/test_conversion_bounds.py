"""What a small file may unpack to is bounded for all of it, and what is no file is not read."""

from __future__ import annotations

import copy
import io
import json
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from deeplift_conversion import ModelFileError, read_config, read_model
from deeplift_conversion.files.untrusted import Budget
from deeplift_conversion.graphs.flatten import MOST_CALLS
from tests.conversion.conversion_files import numbers, sequential, write_model, write_weights

DENSE = ("Dense", {"name": "d", "units": 2, "batch_input_shape": [None, 2]})
ARRAYS = {"d": [("d/kernel:0", numbers(2, 2)), ("d/bias:0", numbers(2))]}


def refused(path: Any, message: str, architecture: Any = None, seconds: float = 2) -> None:
    began = time.process_time()
    with pytest.raises(ModelFileError, match=message):
        read_model(path, architecture)
    assert time.process_time() - began < seconds


# ------------------------------------------------------------ files


@pytest.mark.parametrize("role", ["model", "architecture"])
@pytest.mark.parametrize("kind", ["a pipe", "a device", "a link to a device"])
def test_pipes_and_devices_are_refused_and_not_waited_for(
    kind: str, role: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    (tmp_path / "link.h5").symlink_to("/dev/zero")
    path = {
        "a pipe": tmp_path / "pipe.h5",
        "a device": Path("/dev/zero"),
        "a link to a device": tmp_path / "link.h5",
    }[kind]
    if role == "model":
        refused(path, "a pipe or a device")
    else:
        model = write_model(tmp_path / "m.h5", sequential(DENSE), ARRAYS)
        refused(model, "a pipe or a device", path)


def test_a_path_that_is_not_utf_8_is_read_and_told(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"m\xff.h5")
    write_model(tmp_path / "m.h5", sequential(DENSE), ARRAYS).rename(path)
    assert read_model(path).source == str(path)
    path.write_bytes(b"nothing")
    refused(path, "neither HDF5 nor")


# ------------------------------------------------------------ names


@pytest.mark.parametrize("where", ["a layer's name", "an option", "a key"])
def test_text_that_is_no_unicode_is_refused(where: str, tmp_path: Path) -> None:
    config = json.loads(json.dumps(sequential(("Flatten", {"name": "f"}), DENSE)))
    options = config["config"]["layers"][0]["config"]
    if where == "a key":
        options["\udc80"] = 1
    else:
        options["name" if where == "a layer's name" else "data_format"] = "x\udc80"
    refused(write_model(tmp_path / "m.h5", config, ARRAYS), "no Unicode")


def test_names_of_arrays_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.h5", sequential(DENSE), ARRAYS)
    with h5py.File(path, "a") as file:
        group = file["model_weights/d"]
        group.attrs["weight_names"] = np.array([b"d/kernel\xff:0", b"d/bias:0"])
    refused(path, "array is missing")


# ------------------------------------------------------------ bytes


def test_a_budget_is_for_all_of_a_file() -> None:
    budget = Budget(1000)
    budget.take(60 << 20, "one")
    with pytest.raises(ModelFileError, match=r"two, .* the file would unpack .* and it has 1,000"):
        budget.take(60 << 20, "two")


def many_unwritten(group: h5py.Group) -> list[str]:
    """Arrays of 40 MB each, of which the file holds nothing."""
    names = [f"d/w{number}" for number in range(9)]
    for name in names:
        group.create_dataset(name, (10_000_000,), "float32", chunks=(10_000,))
    return names


def one_many_times(group: h5py.Group) -> list[str]:
    group.create_dataset("d/w", (10_000_000,), "float32", chunks=(10_000,))
    return ["d/w"] * 9


def chunks_beyond_the_array(group: h5py.Group) -> list[str]:
    group.create_dataset("d/w", (2,), "float32", chunks=(80_000_000,), maxshape=(None,))
    return ["d/w"]


@pytest.mark.parametrize("fill", [many_unwritten, one_many_times, chunks_beyond_the_array])
def test_arrays_that_are_large_together_are_refused(
    fill: Callable[[h5py.Group], list[str]], tmp_path: Path
) -> None:
    path = write_model(tmp_path / "m.h5", sequential(DENSE), {"d": []})
    with h5py.File(path, "a") as file:
        group = file["model_weights/d"]
        group.attrs["weight_names"] = np.array([name.encode() for name in fill(group)])
    refused(path, "exhaust memory")


def keras_file(path: Path, config: str, weights: bytes, method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.0.0"}')
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", weights)
    return path


def checkpoint(
    fill: Callable[[h5py.Group], object] = lambda group: None, layer: str = "dense"
) -> bytes:
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        group = file.create_group(f"layers/{layer}/vars")
        group["0"], group["1"] = numbers(2, 2), numbers(2)
        fill(group)
    return image.getvalue()


KERAS_3 = json.dumps(
    {
        "class_name": "Sequential",
        "module": "keras",
        "registered_name": None,
        "config": {
            "name": "s",
            "layers": [
                {
                    "class_name": "InputLayer",
                    "module": "keras.layers",
                    "registered_name": None,
                    "config": {"batch_shape": [None, 2], "dtype": "float32", "name": "i"},
                },
                {
                    "class_name": "Dense",
                    "module": "keras.layers",
                    "registered_name": None,
                    "config": {"name": "dense", "units": 2},
                },
            ],
        },
    }
)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packed_file_is_read_and_a_damaged_one_refused(method: int, tmp_path: Path) -> None:
    path = keras_file(tmp_path / "m.keras", KERAS_3, checkpoint(), method)
    np.testing.assert_array_equal(read_model(path).layers["dense"].weights["bias"], numbers(2))
    data = path.read_bytes()
    start = data.index(b"config.json") + len("config.json")
    for position in (start, start + 9, start + 40):
        damaged = bytearray(data)
        damaged[position : position + 8] = b"\xff" * 8
        path.write_bytes(bytes(damaged))
        refused(path, "damaged or cut short .keras")


def test_members_that_are_large_together_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", b'{"keras_version": "3.0.0"}' + b" " * (50 << 20))
        archive.writestr("config.json", b" " * (50 << 20))
        archive.writestr("model.weights.h5", b"")
    refused(path, "unpack|exhaust memory|configuration of")


def test_a_text_of_more_lists_than_any_configuration_is_not_parsed(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.h5", sequential(DENSE), ARRAYS)
    text = f"[{'[],' * 3_100_000}[]]"
    (tmp_path / "a.json").write_text(text)
    refused(path, "a configuration of 3,100,002 lists", tmp_path / "a.json")
    refused(keras_file(tmp_path / "m.keras", text, b""), "a configuration of 3,100,002 lists")


def test_arrays_of_a_keras_3_file_are_its_own(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = numbers(2, 2)

    def linked(group: h5py.Group) -> None:
        del group["0"]
        group["0"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "secret")

    refused(keras_file(tmp_path / "m.keras", KERAS_3, checkpoint(linked)), "link to another file")


def test_groups_that_hold_each_other_end(tmp_path: Path) -> None:
    def circular(group: h5py.Group) -> None:
        for name in ("a", "b", "c"):
            group.parent[name] = group.parent

    own = json.loads(KERAS_3)
    own["config"]["layers"][1] |= {"class_name": "Mine", "registered_name": "x>Mine", "module": "x"}
    path = keras_file(tmp_path / "m.keras", json.dumps(own), checkpoint(circular, "mine"))
    refused(path, "exhaust memory|recursion")


# ------------------------------------------------------------ nodes


def doubled(depth: int) -> dict[str, Any]:
    """A model that calls a model twice, which calls a model twice, and so on."""
    model = None
    for number in range(depth + 1):
        name = f"m{number}"
        layers = [
            {
                "class_name": "InputLayer",
                "name": "i",
                "config": {"name": "i", "batch_input_shape": [None, 2], "dtype": "float32"},
                "inbound_nodes": [],
            }
        ]
        if model is None:
            inner = {"class_name": "ReLU", "name": "r", "config": {"name": "r"}}
            calls = [["i", 0, 0, {}]]
            inner["inbound_nodes"] = [calls]
            output = ["r", 0, 0]
        else:
            inner = {"class_name": "Functional", "name": model["config"]["name"], **model}
            inner["inbound_nodes"] = [[["i", 0, 0, {}]], [[inner["name"], 1, 0, {}]]]
            output = [inner["name"], 2, 0]
        layers.append(inner)
        config = {
            "name": name,
            "layers": layers,
            "input_layers": [["i", 0, 0]],
            "output_layers": [output],
        }
        model = {"class_name": "Functional", "config": config}
    assert model is not None
    return model


def test_nested_models_that_double_are_bounded() -> None:
    assert len(read_config(doubled(5), {}, keras_version="2.10.0").nodes) == 1 + 2**5
    began = time.process_time()
    with pytest.raises(ModelFileError, match=f"more than {MOST_CALLS:,} calls"):
        read_config(doubled(23), {}, keras_version="2.10.0")
    assert time.process_time() - began < 2


def test_nested_models_in_layers_count_together() -> None:
    """A layer that holds a model is read by itself, and counts all the same."""
    inner = doubled(13)
    listed = []
    for number in range(6):
        layer = {"class_name": "Functional", "name": "m", **copy.deepcopy(inner)}
        listed.append(("TimeDistributed", {"name": f"t{number}", "layer": layer}))
    listed[0][1]["batch_input_shape"] = [None, 3, 2]
    with pytest.raises(ModelFileError, match="calls of layers"):
        read_config(sequential(*listed), {}, keras_version="2.10.0")


def test_a_bidirectional_in_a_bidirectional_is_refused_before_it_doubles() -> None:
    layer: dict[str, Any] = {"class_name": "LSTM", "config": {"name": "l", "units": 2}}
    for number in range(40):
        layer = {"class_name": "Bidirectional", "config": {"name": f"b{number}", "layer": layer}}
    layer["config"]["batch_input_shape"] = [None, 3, 2]
    began = time.process_time()
    with pytest.raises(ModelFileError, match="Bidirectional within a Bidirectional"):
        read_config(sequential((layer["class_name"], layer["config"])), {}, keras_version="2.10.0")
    assert time.process_time() - began < 2


def test_merges_of_merges_end() -> None:
    """Each of Keras 1 joins two branches, of which each is a merge: they are read once, or not."""
    options = {"name": "a", "activation": "relu", "batch_input_shape": [None, 2]}
    branch: dict[str, Any] = sequential(("Activation", options))
    for number in range(25):
        merge = {"name": f"m{number}", "mode": "sum", "layers": [branch, branch]}
        branch = sequential(("Merge", merge), as_list=True)
    began = time.process_time()
    with pytest.raises(ModelFileError):
        read_config(branch, {}, keras_version="1.2.2")
    assert time.process_time() - began < 5


def test_yaml_that_merges_mappings_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    path = write_model(tmp_path / "m.h5", sequential(DENSE), ARRAYS)
    (tmp_path / "a.yaml").write_text("a: &a {x: 1}\nb: {<<: *a, y: 2}\n")
    refused(path, "merges mappings", tmp_path / "a.yaml")
    (tmp_path / "a.yaml").write_text("a: &a {x: 1}\nb: !!python/object:x.Y {<<: [*a, *a], y: 2}\n")
    refused(path, "merges mappings", tmp_path / "a.yaml")


def test_weights_alone_are_bounded_too(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        write_weights(file, {"d": []})
        file["d"].attrs["weight_names"] = np.array(
            [name.encode() for name in many_unwritten(file["d"])]
        )
    refused(path, "exhaust memory", sequential(DENSE))
