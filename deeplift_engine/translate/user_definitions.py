"""The user's definition of each layer that has one."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deeplift_conversion import LayerSpec, ModelSpec
from deeplift_engine.errors import InputError
from deeplift_engine.translate.own_activations import PREFIX, activations_of
from deeplift_engine.translate.user_layers import (
    ForwardOnly,
    LayerFunction,
    check_definition,
    function_name,
)


@dataclass(frozen=True)
class UserDefinition:
    """The user's definition of one layer.

    ``tensors`` is True if the function takes tensors; else it takes the layer and composes it of
    existing layers. ``nodes`` is the number of points on the path, None for the default; ``key`` is
    the key of the user's mapping, ``label`` the name of the function.
    """

    function: Callable[..., Any]
    tensors: bool
    nodes: int | None
    key: str
    label: str


def definitions_by_layer(
    spec: ModelSpec,
    layers: Mapping[str, LayerFunction] | None,
    functions: Mapping[str, LayerFunction] | None,
    registered: Mapping[str, LayerFunction],
) -> dict[str, UserDefinition]:
    """Return the user's definition of each layer that has one, by the layer's name.

    Keys are names of layers, patterns of such names (``"lambda_*"``) or names of classes; the
    first of these that fits is taken, of several patterns the first. Registered functions apply to
    classes alone, and come last.

    Raises
    ------
    InputError
        For a key that fits no layer, a value that is no function, or a layer with two definitions.
    """
    sources = {"layers": layers or {}, "functions": functions or {}}
    every = list(all_layers(spec))
    activations = {name for layer in every for name in activations_of(layer)}
    definitions: dict[str, UserDefinition] = {}
    for option, keys in sources.items():
        if not isinstance(keys, Mapping):
            raise InputError(f"{option}= is a mapping by name, not {type(keys).__name__}.")
        for key, function in keys.items():
            check_definition(function, f"{option}={{{key!r}: ...}}")
            if any(_rank(key, layer) is not None for layer in every):
                continue
            activation = str(key).rpartition(">")[2]
            if option == "layers" or activation not in activations:
                raise InputError(_unknown(option, key, every, spec))
            definitions[PREFIX + activation] = _definition(function, True, key)
    for layer in every:
        best = {option: _best(keys, layer) for option, keys in sources.items()}
        ranks = {option: _rank(key, layer) for option, key in best.items() if key is not None}
        if len(ranks) == 2 and len(set(ranks.values())) == 1:
            raise InputError(
                f"layers= ({best['layers']!r}) and functions= ({best['functions']!r}) both say "
                f"what {layer.name!r} is; leave one out."
            )
        if ranks:
            option = min(ranks, key=lambda name: ranks[name] or 0)
            key = str(best[option])
            definitions[layer.name] = _definition(sources[option][key], option == "functions", key)
        elif (key_ := _best(registered, layer, classes_alone=True)) is not None:
            definitions[layer.name] = _definition(registered[key_], False, key_)
    return definitions


def all_layers(spec: ModelSpec) -> Iterator[LayerSpec]:
    """Every layer of a model, those in wrappers too."""
    for layer in spec.layers.values():
        yield from _within(layer)


def _within(layer: LayerSpec) -> Iterator[LayerSpec]:
    yield layer
    for child in layer.children:
        yield from _within(child)
    inner = layer.config.get("model")
    if isinstance(inner, ModelSpec):
        yield from all_layers(inner)


def _definition(function: LayerFunction, tensors: bool, key: str) -> UserDefinition:
    if isinstance(function, ForwardOnly):
        return UserDefinition(function.function, True, function.nodes, key, function_name(function))
    return UserDefinition(function, tensors, None, key, function_name(function))


def _rank(key: str, layer: LayerSpec, classes_alone: bool = False) -> int | None:
    """How closely a key fits a layer, 0 the closest; None where it does not."""
    if layer.class_name == "InputLayer":
        return None
    if not classes_alone:
        if key == layer.name:
            return 0
        if any(mark in key for mark in "*?[") and fnmatch.fnmatchcase(layer.name, key):
            return 1
    return 2 if _same_class(key, layer.saved_class_name or layer.class_name) else None


def _same_class(key: str, saved: str) -> bool:
    """Whether both name one class; a package, as in ``"Custom>RevCompConv1D"``, may be left out."""
    if ">" in key and ">" in saved:
        return key == saved
    return key.rpartition(">")[2] == saved.rpartition(">")[2]


def _best(
    keys: Mapping[str, LayerFunction], layer: LayerSpec, classes_alone: bool = False
) -> str | None:
    ranked = [(rank, key) for key in keys if (rank := _rank(key, layer, classes_alone)) is not None]
    return min(ranked, key=lambda entry: entry[0])[1] if ranked else None


def _unknown(option: str, key: Any, every: Sequence[LayerSpec], spec: ModelSpec) -> str:
    names = [layer.name for layer in every if layer.class_name != "InputLayer"]
    words = dict.fromkeys([*names, *(layer.saved_class_name for layer in every)])
    near = difflib.get_close_matches(str(key), list(words), n=3) or names[:10]
    return (
        f"{option}= names {key!r}, which is no layer of {spec.source} and no class of one. "
        f"Near it: {', '.join(near)}."
    )


__all__ = ["UserDefinition", "all_layers", "definitions_by_layer"]
