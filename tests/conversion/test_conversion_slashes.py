"""Layers whose names have slashes, as vit-keras has them, within a model of an HDF5 file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deeplift_conversion import read_model
from tests.conversion.conversion_files import numbers, write_model

Layers = list[tuple[str, str, dict[str, Any]]]


def functional(name: str, layers: Layers) -> dict[str, Any]:
    """A chain of layers as tf.keras saves a Functional model."""
    source = {
        "class_name": "InputLayer",
        "name": "in",
        "config": {"name": "in", "batch_input_shape": [None, 4, 3], "dtype": "float32"},
        "inbound_nodes": [],
    }
    saved, before = [source], "in"
    for kind, layer, options in layers:
        saved.append(
            {
                "class_name": kind,
                "name": layer,
                "config": {**options, "name": layer},
                "inbound_nodes": [[[before, 0, 0, {}]]],
            }
        )
        before = layer
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [[before, 0, 0]]}
    return {"class_name": "Functional", "config": {"name": name, "layers": saved, **ends}}


OWN: Layers = [("vit>Block", f"Transformer/block_{n}", {"dim": 3}) for n in range(2)]
OWN += [("LayerNormalization", "Transformer/norm", {"axis": [2]})]
DENSE: Layers = [("Dense", f"a/{name}", {"units": 3}) for name in ("b", "c", "b/b")]
SHARED: Layers = [("Dense", "a/b", {"units": 3}), ("vit>Block", "a", {}), ("vit>Block", "b", {})]


def arrays(layers: Layers, turned: bool) -> dict[str, Any]:
    """Arrays of each layer, one after the other or turned round."""
    named = {}
    for kind, layer, _ in layers:
        norm = kind == "LayerNormalization"
        roles = ("gamma", "beta") if norm else ("kernel", "bias")
        shapes = [(3,), (3,)] if norm else [(3, 3), (3,)]
        inner = "/query" if ">" in kind else ""
        for role, shape in zip(roles, shapes, strict=True):
            named[f"{layer}{inner}/{role}:0"] = numbers(*shape)
    return dict(reversed(named.items())) if turned else named


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("layers", [OWN, DENSE, SHARED], ids=["own", "dense", "shared"])
def test_arrays_go_by_the_full_name(layers: Layers, turned: bool, tmp_path: Path) -> None:
    named = arrays(layers, turned)
    inner = functional("vit", layers)["config"]
    config = functional("model", [("Functional", "vit", inner)])
    write_model(tmp_path / "m.h5", config, {"vit": list(named.items())}, "2.10.0")
    model = read_model(tmp_path / "m.h5")
    for kind, layer, _ in layers:
        roles = model.layers[f"vit/{layer}"].weights
        for role, array in roles.items():
            path = f"{layer}{'/query' if '>' in kind else ''}/{role.rpartition('/')[2]}:0"
            assert (array == named[path]).all()
        assert len(roles) == 2
