"""Activations that are functions of a user's own, by the names that the file has for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from deeplift_conversion import LayerSpec
from deeplift_conversion.eras.user_classes import MARK
from deeplift_engine.translate.layer_context import Refusal

PREFIX = "activation:"
"""In front of a function's name, where users' definitions are kept beside those of layers."""
_OPTIONS = ("activation", "recurrent_activation")


def function_of(value: Any) -> str | None:
    """Return the name of a saved activation that is a function, without its package."""
    if isinstance(value, Mapping) and value.get("class_name") == "function":
        value = value.get("config")
    return value.rpartition(">")[2] if isinstance(value, str) else None


def is_own(value: Any) -> bool:
    """Whether an activation is marked as one that the Keras that wrote the file did not have."""
    return isinstance(value, str) and value.startswith(MARK)


def check_recurrent(layer: LayerSpec, functions: Collection[str]) -> None:
    """Refuse a user's definition of an activation of a recurrent layer, which has rules of its own.

    Raises
    ------
    Refusal
        If there is one.
    """
    if "recurrent_activation" not in layer.config and "SimpleRNN" not in layer.class_name:
        return
    for name in activations_of(layer):
        if PREFIX + name in functions:
            raise Refusal(
                f"functions= defines its activation {name!r}, and recurrent layers have rules for "
                "Keras's activations alone",
                f"Define the layer: layers={{{layer.name!r}: f}}.",
            )


def activations_of(layer: LayerSpec) -> Iterator[str]:
    """Yield the names of a layer's activations."""
    for option in _OPTIONS:
        name = function_of(layer.config.get(option))
        if name is not None:
            yield name
