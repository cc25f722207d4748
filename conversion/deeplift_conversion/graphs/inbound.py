"""Reads how a layer was called: the inbound nodes of Keras 1, 2 and 3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.spec import Path
from deeplift_conversion.tree import SavedTensor


def read_inbound(
    data: Any, layers: frozenset[str], where: str
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return positional and keyword arguments of one call.

    Parameters
    ----------
    data
        One entry of ``inbound_nodes``.
    layers
        Names of the graph's layers, which tell a tensor from a list of numbers.
    where
        File and layer, for messages.
    """
    if isinstance(data, dict) and "args" in data:
        args = revive(data["args"])
        kwargs = revive(data.get("kwargs") or {})
        return tuple(args if isinstance(args, list | tuple) else [args]), kwargs
    keywords: dict[str, Any] = {}

    def read(item: Any) -> Any:
        if _is_leaf(item):
            if len(item) > 3 and isinstance(item[3], dict):
                for key, value in item[3].items():
                    keywords.setdefault(key, _tensors_inside(value, layers))
            if item[0] == "_CONSTANT_VALUE":
                return _constant(_tensors_inside(item[2], layers))
            return SavedTensor(item[0], int(item[1]), int(item[2]))
        if isinstance(item, list):
            return [read(entry) for entry in item]
        if isinstance(item, dict):
            return {key: read(entry) for key, entry in item.items()}
        raise ModelConfigError(
            f"{where}: an inbound node is {str(item)[:80]!r}, expected [layer, node, tensor]."
        )

    value = read(data)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return (value,), keywords


def read_tensors(data: Any, where: str) -> Any:
    """Return the structure of ``input_layers`` or ``output_layers`` with `SavedTensor` leaves."""
    if _is_leaf(data):
        return SavedTensor(data[0], int(data[1]), int(data[2]))
    if isinstance(data, list):
        return [read_tensors(entry, where) for entry in data]
    if isinstance(data, dict):
        return {key: read_tensors(entry, where) for key, entry in data.items()}
    raise ModelConfigError(
        f"{where}: inputs or outputs are {str(data)[:80]!r}, expected [layer, node, tensor]."
    )


def revive(value: Any) -> Any:
    """Return Keras 3's serialised arguments as Python's own data."""
    if isinstance(value, list):
        return [revive(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    class_name, config = value.get("class_name"), value.get("config")
    if class_name == "__keras_tensor__" and isinstance(config, dict):
        history = config.get("keras_history")
        if isinstance(history, list) and _is_leaf(history):
            return SavedTensor(history[0], int(history[1]), int(history[2]))
    if class_name == "__tuple__":
        return tuple(revive(entry) for entry in value.get("items", ()))
    if class_name in ("__numpy__", "__tensor__") and isinstance(config, dict):
        dtype = str(config.get("dtype") or "float32").replace("bfloat16", "float32")
        return np.asarray(config.get("value"), dtype=dtype)
    if class_name == "__ellipsis__":
        return Ellipsis
    if class_name == "__slice__" and isinstance(config, dict):
        return slice(*(revive(config.get(key)) for key in ("start", "stop", "step")))
    return {key: revive(entry) for key, entry in value.items()}


def tensors_in(value: Any) -> Iterator[Any]:
    """Yield what is not a container in a structure, dicts by sorted key as Keras flattens."""
    if isinstance(value, list | tuple):
        for entry in value:
            yield from tensors_in(entry)
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from tensors_in(value[key])
    else:
        yield value


def paths_in(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path to each of what `tensors_in` yields; () for a list of one tensor alone."""
    alone = not path and isinstance(value, list | tuple) and len(value) == 1
    if alone and not isinstance(value[0], list | tuple | dict):
        value = value[0]
    if isinstance(value, list | tuple):
        for position, entry in enumerate(value):
            yield from paths_in(entry, (*path, position))
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from paths_in(value[key], (*path, key))
    else:
        yield path


def mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    """Apply ``function`` to what is not a container; lists come back as tuples."""
    if isinstance(value, list | tuple):
        return tuple(mapped(entry, function) for entry in value)
    if isinstance(value, dict):
        return {key: mapped(entry, function) for key, entry in value.items()}
    return function(value)


def _is_leaf(item: Any) -> bool:
    return (
        isinstance(item, list)
        and len(item) in (3, 4)
        and isinstance(item[0], str)
        and isinstance(item[1], int)
        and (isinstance(item[2], int) or item[0] == "_CONSTANT_VALUE")
    )


def _constant(value: Any) -> Any:
    """Return a list of numbers as an array, anything else as it is."""
    if not isinstance(value, list):
        return value
    try:
        array = np.asarray(value)
    except ValueError:
        return value
    return array if array.dtype.kind in "biuf" and array.size else value


def _tensors_inside(value: Any, layers: frozenset[str]) -> Any:
    if isinstance(value, list):
        if _is_leaf(value) and value[0] in layers:
            return SavedTensor(value[0], int(value[1]), int(value[2]))
        return [_tensors_inside(entry, layers) for entry in value]
    if isinstance(value, dict):
        return {key: _tensors_inside(entry, layers) for key, entry in value.items()}
    return value
