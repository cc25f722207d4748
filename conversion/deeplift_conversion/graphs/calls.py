"""A call's arguments in one form: positional tensors, and everything else by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deeplift_conversion.graphs.inbound import tensors_in
from deeplift_conversion.layers.table import family
from deeplift_conversion.spec import TensorRef
from deeplift_conversion.tree import Layer

_RECURRENT = ("recurrent", "bidirectional", "conv_lstm")
"""Families that are called with states, too."""


def arguments_of(
    layer: Layer, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[TensorRef, ...], dict[str, Any]]:
    """Return the positional tensors and the other arguments of a call.

    Attention layers come out with ``(query, value, key)`` as positional tensors, recurrent
    ones with the sequence alone and ``initial_state`` by name, in whatever form they were saved.
    Where constants stand among the positional arguments, ``"args"`` holds all of them in order.
    """
    operation = layer.class_name.startswith(("ops.", "TFOp", "SlicingOp"))
    others = {key: value for key, value in kwargs.items() if value is not None or operation}
    if operation:
        others.pop("name", None)
    if layer.era >= 3 or others.get("training") is False:
        others.pop("training", None)  # since Keras 3 what the caller says holds for every layer
    if family(layer.class_name) == "multi_head":
        return _attention(args, others)
    inputs = tuple(value for value in tensors_in(args) if isinstance(value, TensorRef))
    if family(layer.class_name) in _RECURRENT and len(inputs) > 1:
        others["initial_state"] = inputs[1:]
        return inputs[:1], others
    if isinstance(others.get("initial_state"), TensorRef):
        others["initial_state"] = (others["initial_state"],)
    if not _plain(args):
        others["args"] = args
    return inputs, others


def _attention(
    args: tuple[Any, ...], others: dict[str, Any]
) -> tuple[tuple[TensorRef, ...], dict[str, Any]]:
    names = ("query", "value", "key", "query_mask", "value_mask", "key_mask", "attention_mask")
    flat = args[0] if len(args) == 1 and isinstance(args[0], tuple) else args
    by_name = {
        **{name: value for name, value in zip(names, flat, strict=False) if value is not None},
        **others,
    }
    query, value = by_name.pop("query", None), by_name.pop("value", None)
    key = by_name.pop("key", None)
    value = query if value is None else value
    key = value if key is None else key
    inputs = tuple(tensor for tensor in (query, value, key) if isinstance(tensor, TensorRef))
    return inputs, by_name


def _plain(args: tuple[Any, ...]) -> bool:
    """Tell whether arguments are tensors only, at most in one list."""
    if len(args) == 1 and isinstance(args[0], tuple):
        return all(isinstance(value, TensorRef) for value in args[0])
    if len(args) == 1 and isinstance(args[0], dict):
        return False
    return all(isinstance(value, TensorRef) for value in args)
