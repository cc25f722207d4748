"""Activations that are functions of a user's own, by the names that the file has for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deeplift_conversion import LayerSpec
from deeplift_conversion.eras.user_classes import MARK

PREFIX = "activation:"
"""In front of a function's name, where users' definitions are kept beside those of layers."""
_OPTIONS = ("activation", "recurrent_activation")


def saved_name(value: Any) -> str | None:
    """Return a saved activation that is a function or a class as its file names it.

    With its package, ``"Addons>lisht"``, or its module, where the file tells it.
    """
    if isinstance(value, Mapping):
        name = value.get("class_name")
        name = value.get("config") if name == "function" else name
        module = str(value.get("module") or "builtins")
        if not isinstance(name, str):
            return None
        registered = value.get("registered_name")
        if isinstance(registered, str) and registered.rpartition(">")[2] == name:
            return registered
        return name if module == "builtins" else f"{module}.{name}"
    return value.removeprefix(MARK) if isinstance(value, str) else None


def function_of(value: Any) -> str | None:
    """Return the name of a saved activation that is a function or a class, without its package."""
    name = value
    if isinstance(value, Mapping):
        name = value.get("class_name")
        name = value.get("config") if name == "function" else name
    return name.rpartition(">")[2] if isinstance(name, str) else None


def is_own(value: Any) -> bool:
    """Whether an activation is marked as one that the Keras that wrote the file did not have."""
    return isinstance(value, str) and value.startswith(MARK)


def of_functions(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return users' definitions of activations alone."""
    return {name: each for name, each in definitions.items() if name.startswith(PREFIX)}


def activations_of(layer: LayerSpec) -> Iterator[str]:
    """Yield the names of a layer's activations."""
    for option in _OPTIONS:
        name = function_of(layer.config.get(option))
        if name is not None:
            yield name
