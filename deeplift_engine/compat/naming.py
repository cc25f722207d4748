"""The layers that the original builds from a saved model, in its order, under its names.

It made two layers of a Dense or convolution with an activation (``preact_`` before the name of
the first), none of an Activation("linear"), and named layers of Sequential models by their
position in the file's list, those of others by Keras's name and the number of the call.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplift_conversion import LayerSpec, NodeSpec
from deeplift_conversion.files.architecture import Architecture, parse_json, read_architecture
from deeplift_conversion.files.hdf5 import opened, split_text
from deeplift_conversion.files.source import container, read_bytes
from deeplift_engine.compat import layers as legacy

if TYPE_CHECKING:
    from deeplift_engine.network import Network

CLASSES: dict[str, type[legacy.Layer]] = {
    "InputLayer": legacy.Input,
    "Dense": legacy.Dense,
    "Conv1D": legacy.Conv1D,
    "Conv2D": legacy.Conv2D,
    "MaxPooling1D": legacy.MaxPool1D,
    "MaxPooling2D": legacy.MaxPool2D,
    "GlobalMaxPooling1D": legacy.GlobalMaxPool1D,
    "AveragePooling1D": legacy.AvgPool1D,
    "AveragePooling2D": legacy.AvgPool2D,
    "GlobalAveragePooling1D": legacy.GlobalAvgPool1D,
    "BatchNormalization": legacy.BatchNormalization,
    "Flatten": legacy.Flatten,
    "Concatenate": legacy.Concat,
    "PReLU": legacy.PReLU,
    "ReLU": legacy.ReLU,
    "Softmax": legacy.Softmax,
    **dict.fromkeys(("LeakyReLU", "ELU", "ThresholdedReLU"), legacy.Activation),
    **dict.fromkeys(
        (
            "ActivityRegularization",
            "AlphaDropout",
            "Dropout",
            "GaussianDropout",
            "GaussianNoise",
            "SpatialDropout1D",
            "SpatialDropout2D",
            "SpatialDropout3D",
        ),
        legacy.NoOp,
    ),
}
"""Keras class → the original's; any other is a plain `legacy.Layer`."""

ACTIVATIONS: dict[str, type[legacy.Layer]] = {
    "relu": legacy.ReLU,
    "sigmoid": legacy.Sigmoid,
    "tanh": legacy.Tanh,
    "softmax": legacy.Softmax,
}


def saved_configuration(
    path: str | Path, architecture: Architecture | None = None
) -> dict[str, Any]:
    """The configuration as saved, of a file that `deeplift_conversion.read_model` has read."""
    if architecture is not None:
        return read_architecture(architecture)[0]
    data = read_bytes(path)
    if container(data, path) == "zip":
        with zipfile.ZipFile(path) as archive:
            document: dict[str, Any] = json.loads(archive.read("config.json"))
            return document
    with opened(data, str(path)) as file:
        return parse_json(split_text(file, "model_config"), str(path))


def is_sequential(document: Mapping[str, Any]) -> bool:
    """Whether the outermost model is a list of layers."""
    config = document.get("config", document)
    return isinstance(config, list) or "input_layers" not in config


def named_layers(network: Network, document: Mapping[str, Any]) -> list[legacy.Layer]:
    """The original's layers of a network, in its order."""
    positions = dict(_positions(document)) if is_sequential(document) else None
    layers: list[legacy.Layer] = []
    count = -1
    for node in network.spec.nodes:
        spec = network.spec.layers[node.layer]
        count += spec.class_name != "InputLayer"
        if node.name not in network.nodes or _is_linear_activation(spec):
            continue
        if positions is None:
            name = _call_name(node)
        elif spec.class_name == "InputLayer":
            name = "input" if len(network.inputs) == 1 else spec.name
        else:
            name = positions.get(spec.name, str(count))  # Keras 0 did not save names
            name += node.name.rpartition(":")[2] if node.name != node.layer else ""
        before = f"{node.name}/pre_activation"
        kind = CLASSES.get(spec.class_name, legacy.Layer)
        if before in network.nodes:
            layers.append(kind(f"preact_{name}", before, spec.name, network))
            kind = _activation(spec)
        elif spec.class_name == "Activation":
            kind = _activation(spec)
        layers.append(kind(name, node.name, spec.name, network))
    return layers


def _activation(spec: LayerSpec) -> type[legacy.Layer]:
    return ACTIVATIONS.get(str(spec.config.get("activation")), legacy.Activation)


def _is_linear_activation(spec: LayerSpec) -> bool:
    return spec.class_name == "Activation" and spec.config.get("activation") in ("linear", None)


def _call_name(node: NodeSpec) -> str:
    """``"encoder:1/conv"`` is ``"encoder_1_conv_0"``."""
    names = []
    for called, layer in zip(node.name.split("/"), node.layer.split("/"), strict=True):
        names.append(f"{layer}_{called[len(layer) + 1 :] or 0}")
    return "_".join(names)


def _positions(document: Mapping[str, Any], prefix: str = "", path: str = "") -> Iterator[Any]:
    """(path of the layer, its position in the file's list; inside nested models ``"3-0"``)."""
    config = document.get("config", document)
    entries = config if isinstance(config, list) else config.get("layers", [])
    for index, entry in enumerate(entries):
        inner = entry.get("config", {})
        own = inner.get("name") if isinstance(inner, dict) else None
        name = str(entry.get("name") or own or entry.get("class_name", "")).removeprefix("/")
        if isinstance(inner, list) or "layers" in inner:
            name = name if own or entry.get("name") else name.lower()
            yield from _positions(entry, f"{prefix}{index}-", f"{path}{name}/")
        else:
            yield path + name, f"{prefix}{index}"
