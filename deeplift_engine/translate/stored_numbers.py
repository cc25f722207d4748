"""Numbers of a file as the model that it holds computes with them: in float32.

An architecture says 0.1; a layer of float32 compares with the float32 number next to it. A network
of float64 computes with that number too, else what equals it there is unequal here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from deeplift_conversion import LayerSpec, ModelSpec
from deeplift_engine.translate.nodes import references
from deeplift_engine.translate.operations import is_operation
from deeplift_engine.translate.table import TRANSLATORS

WIDE = "float64"
ALWAYS = frozenset(
    {"LeakyReLU", "Masking", "Normalization", "ReLU", "Rescaling", "ops.LeakyRelu", "ops.Mod"}
    | {f"ops.{name}" for name in ("Equal", "NotEqual", "Greater", "Less", "Isclose")}
    | {f"ops.{name}Equal" for name in ("Greater", "Less")}
)
"""Classes of Keras 3 that make tensors of their numbers before they see what these go with.

So the numbers are of float32 in layers of float64 too, where those of others are not rounded.
"""


def in_float32(spec: ModelSpec, defined: frozenset[str]) -> ModelSpec:
    """The model with the numbers of options and arguments rounded to float32.

    Those of layers of float64 stay, as do those of operations on float64, unless Keras rounds them
    all the same; so do arrays, and all of the layers that the user ``defined``.
    """
    layers, nodes = dict(spec.layers), []
    always = ALWAYS if spec.era >= 3 else frozenset()
    wide: set[str] = set()
    for node in spec.nodes:
        layer = spec.layers[node.layer]
        operation = is_operation(layer)
        if _is_wide(layer) or (
            operation
            and (
                any(ref.node in wide for ref in references(node))
                or any(map(_is_wide_array, _leaves(node.arguments)))
            )
        ):
            wide.add(node.name)
        if layer.name not in defined and (operation or layer.class_name in TRANSLATORS):
            stays = node.name in wide and layer.class_name not in always
            layers[node.layer] = _rounded_layer(layer, always, stays)
            node = node if stays else replace(node, arguments=_rounded(node.arguments))
        nodes.append(node)
    return replace(spec, layers=layers, nodes=tuple(nodes))


def _is_wide(layer: LayerSpec) -> bool:
    return layer.config.get("dtype") == WIDE


def _is_wide_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == WIDE


def _rounded_layer(layer: LayerSpec, always: frozenset[str], stays: bool) -> LayerSpec:
    children = tuple(
        _rounded_layer(child, always, _is_wide(child) and child.class_name not in always)
        for child in layer.children
    )
    config = layer.config if stays else _rounded(layer.config)
    return replace(layer, config=config, children=children)


def _rounded(value: Any) -> Any:
    """A value whose numbers with a point, at any depth, are those of float32."""
    if isinstance(value, Mapping):
        return {key: _rounded(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_rounded, value))
    if not isinstance(value, float):
        return value
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def _leaves(value: Any) -> list[Any]:
    members = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping | list | tuple):
        return [value]
    return [leaf for member in members for leaf in _leaves(member)]
