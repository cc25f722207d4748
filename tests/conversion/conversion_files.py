"""What the tests of the reader share: the real models, and files of every age by hand."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from deeplift_conversion import LayerSpec, ModelSpec

SHARED = Path(
    os.environ.get("DEEPLIFT_ENGINE_SHARED", Path(__file__).resolve().parents[3] / "shared")
).resolve()
MODELS = SHARED / "models"
Arrays = Mapping[str, Sequence[tuple[str, np.ndarray]]]


def shared_file(*names: str) -> Path:
    """Path of a file of the shared models; the test is skipped where it is absent."""
    path = MODELS.joinpath(*names)
    if not path.exists():
        pytest.skip(f"{path} is not here (set DEEPLIFT_ENGINE_SHARED)")
    return path


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype("float32")


def write_weights(group: h5py.Group, arrays: Arrays, *, as_text: bool = False) -> None:
    """Write weights as Keras 1 and 2 do: a group a layer, names in attributes."""

    def listed(names: Sequence[str]) -> Any:
        return list(names) if as_text else np.array([name.encode() for name in names], dtype="S99")

    group.attrs["layer_names"] = listed(list(arrays))
    for layer, named in arrays.items():
        inner = group.create_group(layer)
        inner.attrs["weight_names"] = listed([name for name, _ in named])
        for name, values in named:
            inner[name] = values


def write_model(
    path: Path, config: Any, arrays: Arrays, version: str = "2.2.4", **attributes: Any
) -> Path:
    """Write a whole model as Keras 1 and 2 do."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        if version:
            file.attrs["keras_version"] = version.encode()
        for key, value in attributes.items():
            file.attrs[key] = value
        write_weights(file.create_group("model_weights"), arrays)
    return path


def sequential(*layers: tuple[str, dict[str, Any]], as_list: bool = False) -> dict[str, Any]:
    listed = [{"class_name": kind, "config": options} for kind, options in layers]
    config = listed if as_list else {"name": "sequential", "layers": listed}
    return {"class_name": "Sequential", "config": config}


def layer_arrays(layer: LayerSpec) -> list[np.ndarray]:
    """All arrays of a layer, those of wrapped layers and models included."""
    arrays = list(layer.weights.values())
    for child in layer.children:
        arrays += layer_arrays(child)
    inner = layer.config.get("model")
    return arrays + (every_array(inner) if isinstance(inner, ModelSpec) else [])


def every_array(spec: ModelSpec) -> list[np.ndarray]:
    """All arrays of a model, in order."""
    return [values for layer in spec.layers.values() for values in layer_arrays(layer)]


def layout(spec: ModelSpec) -> list[tuple[Any, ...]]:
    """Layers, roles and array contents in a form that can be compared."""

    def layer_layout(layer: LayerSpec) -> tuple[Any, ...]:
        inner = layer.config.get("model")
        return (
            layer.name,
            layer.class_name,
            {role: (values.shape, values.tobytes()) for role, values in layer.weights.items()},
            [layer_layout(child) for child in layer.children],
            layout(inner) if isinstance(inner, ModelSpec) else None,
        )

    return [layer_layout(layer) for layer in spec.layers.values()]
