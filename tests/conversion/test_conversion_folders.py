"""Models in folders, weights in several files, and arrays of bfloat16."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_conversion import ModelFileError, read_model

RANDOM = np.random.default_rng(0)
pytestmark = pytest.mark.filterwarnings("ignore")


def dense() -> Any:
    return keras.Sequential([L.Input((30,)), L.Dense(40, activation="relu"), L.Dense(20)])


def nested() -> Any:
    source = L.Input((8, 4))
    inner = keras.Sequential([L.Input((8, 4)), L.Conv1D(5, 3), L.BatchNormalization()])
    return keras.Model(source, L.Dense(2)(L.Flatten()(inner(source))))


def recurrent() -> Any:
    source = L.Input((6,), dtype="int32")
    x = L.Bidirectional(L.LSTM(3))(L.Embedding(9, 4, mask_zero=True)(source))
    return keras.Model(source, L.Dense(2)(x))


def filled(build: Callable[[], Any]) -> tuple[Any, Any, Any]:
    model = build()
    for variable in model.weights:
        if "seed" not in variable.path:
            variable.assign(RANDOM.uniform(0.1, 1, size=variable.shape))
    shape = (3, *model.inputs[0].shape[1:])
    tokens = model.inputs[0].dtype == "int32"
    x = RANDOM.integers(0, 9, shape) if tokens else RANDOM.normal(size=shape).astype("float32")
    return model, x, model.predict(x, verbose=0)


@pytest.mark.parametrize("build", [dense, nested, recurrent])
def test_a_model_in_a_folder_is_read_as_its_file(build: Callable[[], Any], tmp_path: Path) -> None:
    model, x, expected = filled(build)
    model.save(tmp_path / "folder", zipped=False)
    network = de.load(tmp_path / "folder")
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-5, atol=1e-6)
    assert network.verify().ok
    assert read_model(tmp_path / "folder").sha256 != ""
    (tmp_path / "folder" / "model.weights.h5").unlink()
    with pytest.raises(ModelFileError, match=r"no model.weights.h5"):
        de.load(tmp_path / "folder")


@pytest.mark.parametrize("build", [dense, nested, recurrent])
def test_weights_in_several_files_are_read_with_an_architecture(
    build: Callable[[], Any], tmp_path: Path
) -> None:
    model, x, expected = filled(build)
    largest = max(variable.numpy().nbytes for variable in model.weights)
    model.save_weights(tmp_path / "w.weights.json", max_shard_size=1.01 * largest / 2**30)
    assert len(list(tmp_path.glob("*.h5"))) > 1
    network = de.load(tmp_path / "w.weights.json", architecture=model.to_json())
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-5, atol=1e-6)


def test_shards_are_beside_their_index(tmp_path: Path) -> None:
    model, *_ = filled(dense)
    path = tmp_path / "w.weights.json"
    model.save_weights(path, max_shard_size=6000 / 2**30)
    index = json.loads(path.read_text())
    first = sorted(tmp_path.glob("*.h5"))[0]
    content = first.read_bytes()
    first.unlink()
    with pytest.raises(ModelFileError, match="no such shard"):
        read_model(path, model.to_json())
    first.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelFileError, match="damaged"):
        read_model(path, model.to_json())
    for name in ("../w.weights.h5", "/etc/passwd", "folder/w.weights.h5", "w.txt", 3):
        index["weight_map"]["/layers/dense/vars"] = [name]
        path.write_text(json.dumps(index))
        with pytest.raises(ModelFileError, match=r"expected names of HDF5 files"):
            read_model(path, model.to_json())


def test_a_small_shard_does_not_become_large(tmp_path: Path) -> None:
    path = tmp_path / "w.weights.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": {"/a": ["w.weights.h5"]}}))
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        for number in range(20):
            file.create_dataset(str(number), (2**24,), "f4", compression="gzip", fillvalue=1.0)
    with pytest.raises(ModelFileError, match="made to exhaust memory"):
        read_model(path, dense().to_json())


BFLOAT16: dict[str, Callable[[], list[Any]]] = {
    "Dense": lambda: [L.Input((4,)), L.Dense(3, dtype="bfloat16")],
    "Conv1D": lambda: [L.Input((4, 2)), L.Conv1D(3, 2, dtype="bfloat16"), L.Flatten(), L.Dense(2)],
    "BatchNormalization": lambda: [L.Input((4,)), L.BatchNormalization(dtype="bfloat16")],
}


@pytest.mark.parametrize("name", BFLOAT16)
def test_arrays_of_bfloat16_are_read(name: str, tmp_path: Path) -> None:
    model, x, expected = filled(lambda: keras.Sequential(BFLOAT16[name]()))
    for suffix in (".h5", ".keras"):
        model.save(tmp_path / f"model{suffix}")
        network = de.load(tmp_path / f"model{suffix}")
        # Keras computes with eight bits, the network with all of float32
        np.testing.assert_allclose(network.predict(x), expected.astype("float32"), atol=0.05)
        layer = next(each for each in network.spec.layers.values() if each.weights)
        for array, variable in zip(layer.weights.values(), model.weights, strict=False):
            np.testing.assert_array_equal(array, variable.numpy().astype("float32"))
