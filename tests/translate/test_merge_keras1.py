"""Keras 1's Merge in every mode: forward by numpy, complete."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import UnsupportedModelError
from tests.helpers import off

Array = Any


def cosine(x: Array, y: Array) -> Array:
    lengths = np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)
    return ((x * y).sum(-1) / lengths)[:, None, None]


def cosine_of_tables(x: Array, y: Array) -> Array:
    products = [np.einsum("nik,njk->nij", *pair) for pair in ((x, y), (x, x), (y, y))]
    return (products[0] / np.maximum(np.sqrt(products[1] * products[2]), 1e-7))[:, None]


MODES: dict[str, tuple[dict[str, Any], tuple[int, ...], Callable[[Array, Array], Array]]] = {
    "sum": ({}, (4, 3), lambda x, y: x + y),
    "mul": ({}, (3,), lambda x, y: x * y),
    "ave": ({}, (3,), lambda x, y: (x + y) / 2),
    "max": ({}, (4, 3), np.maximum),
    "concat": ({}, (4, 3), lambda x, y: np.concatenate([x, y], -1)),
    "concat 1": ({"concat_axis": 1}, (4, 3), lambda x, y: np.concatenate([x, y], 1)),
    "dot": ({}, (3,), lambda x, y: (x * y).sum(-1, keepdims=True)),
    "dot 1": ({"dot_axes": [1, 1]}, (4, 3), lambda x, y: np.einsum("nki,nkj->nij", x, y)),
    "dot 2": ({"dot_axes": [[2], [2]]}, (4, 3), lambda x, y: np.einsum("nik,njk->nij", x, y)),
    "cos": ({"dot_axes": 1}, (3,), cosine),
    "cos 2": ({"dot_axes": 2}, (4, 3), cosine_of_tables),
}


def saved(
    path: Path, mode: str, options: dict[str, Any], shape: tuple[int, ...], **more: Any
) -> Path:
    """Two inputs and what joins them, as Keras 1 writes it."""
    layers = [
        {
            "class_name": "InputLayer",
            "config": {"batch_input_shape": [None, *shape], "input_dtype": "float32", "name": name},
            "name": name,
            "inbound_nodes": [],
        }
        for name in ("left", "right")
    ]
    merge = {"name": "merge", "mode": mode, "mode_type": "raw", "concat_axis": -1, "dot_axes": -1}
    layers.append(
        {
            "class_name": "Merge",
            "config": {**merge, **options, **more},
            "name": "merge",
            "inbound_nodes": [[["left", 0, 0], ["right", 0, 0]]],
        }
    )
    config = {
        "name": "model",
        "layers": layers,
        "input_layers": [["left", 0, 0], ["right", 0, 0]],
        "output_layers": [["merge", 0, 0]],
    }
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Model", "config": config})
        file.attrs["keras_version"] = "1.2.2"
        file.create_group("model_weights").attrs["layer_names"] = []
    return path


@pytest.mark.parametrize("name", MODES)
def test_every_mode_is_as_in_keras_1_and_keeps_the_sum(tmp_path: Path, name: str) -> None:
    options, shape, expected = MODES[name]
    path = saved(tmp_path / "m.h5", name.split()[0], options, shape)
    generator = np.random.default_rng(0)
    # numbers above 0: of others Keras 1's cosine of tables is no number
    x, y, x0, y0 = generator.uniform(0.1, 1, (4, 3, *shape))
    for dtype, limit in (("float32", 1e-4), ("float64", 1e-10)):
        network = de.load(path, dtype=dtype)
        values = network.predict([x, y])
        assert off(values, expected(x, y)) < 1e-5
        weights = generator.normal(size=values.shape[1:])
        for rules in ("rescale", "reveal_cancel"):
            audit = network.audit([x, y], [x0, y0], target=weights, rules=rules)
            assert audit.worst.error < limit, audit


def test_a_mode_of_code_is_refused_until_its_function_is_given(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.h5", "4wAAAA", {}, (3,), mode_type="lambda")
    with pytest.raises(UnsupportedModelError, match=r"merge \(Merge\): Python code"):
        de.load(path)
    network = de.load(path, functions={"merge": lambda tensors: tensors[0] - tensors[1]})
    x, y = np.random.default_rng(0).normal(size=(2, 3, 3))
    assert off(network.predict([x, y]), x - y) < 1e-6
