"""A damaged file raises `ModelFileError` or reads; it never raises anything else."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from pathlib import Path

import h5py
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deeplift_conversion import ModelFileError, ModelSpec, read_model
from tests.conversion.conversion_files import numbers, sequential, write_model, write_weights

CONFIG = sequential(
    ("Conv1D", {"name": "c", "filters": 2, "kernel_size": [3], "batch_input_shape": [None, 9, 4]}),
    (
        "Bidirectional",
        {
            "name": "b",
            "layer": {"class_name": "LSTM", "config": {"name": "l", "units": 2}},
        },
    ),
    ("Dense", {"name": "d", "units": 1, "activation": "sigmoid"}),
)
ARRAYS = {
    "c": [("c/kernel:0", numbers(3, 4, 2)), ("c/bias:0", numbers(2))],
    "b": [
        (f"b/{way}_l/{role}:0", numbers(*shape))
        for way in ("forward", "backward")
        for role, shape in (("kernel", (2, 8)), ("recurrent_kernel", (2, 8)), ("bias", (8,)))
    ],
    "d": [("d/kernel:0", numbers(4, 1)), ("d/bias:0", numbers(1))],
}
FUZZ = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def file_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("fuzz") / "m.h5"
    return write_model(path, CONFIG, ARRAYS).read_bytes()


def survives(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with contextlib.suppress(ModelFileError):
        assert isinstance(read_model(path), ModelSpec)


@FUZZ
@given(share=st.floats(0, 1))
def test_truncations(share: float, file_bytes: bytes, tmp_path: Path) -> None:
    survives(tmp_path / "m.h5", file_bytes[: int(share * len(file_bytes))])


@FUZZ
@given(positions=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=12))
def test_changed_bytes(positions: list[tuple[int, int]], file_bytes: bytes, tmp_path: Path) -> None:
    damaged = bytearray(file_bytes)
    for position, value in positions:
        damaged[position % len(damaged)] = value
    survives(tmp_path / "m.h5", bytes(damaged))


@FUZZ
@given(positions=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=8))
def test_changed_bytes_of_a_keras_archive(positions: list[tuple[int, int]], tmp_path: Path) -> None:
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        write_weights(file, ARRAYS)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "2.13.1"}')
        archive.writestr("config.json", json.dumps(CONFIG))
        archive.writestr("model.weights.h5", weights.getvalue())
    damaged = bytearray(packed.getvalue())
    for position, value in positions:
        damaged[position % len(damaged)] = value
    survives(tmp_path / "m.keras", bytes(damaged))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@FUZZ
@given(layer=st.integers(0, 2), value=_VALUES, number=st.integers(0, 20))
def test_options_of_any_kind(layer: int, value: object, number: int, tmp_path: Path) -> None:
    config = json.loads(json.dumps(CONFIG))
    entry = config["config"]["layers"][layer]
    positions = [(entry, "class_name"), (entry, "config"), (config["config"], "layers")]
    positions += [(entry["config"], key) for key in [*entry["config"], "data_format", "trainable"]]
    target, key = positions[number % len(positions)]
    target[key] = value
    (tmp_path / "m.h5").unlink(missing_ok=True)
    survives(tmp_path / "m.h5", write_model(tmp_path / "m.h5", config, ARRAYS).read_bytes())
