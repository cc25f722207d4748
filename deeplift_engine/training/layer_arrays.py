"""The arrays of a graph's layers as one line of numbers, and graphs with others in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from deeplift_engine.graph.graph import Graph
from deeplift_engine.util.typing import Array


def mapped(value: Any, change: Callable[[Array], Array]) -> Any:
    """``value`` with every array of floats in it changed: layers, cells, lists and mappings."""
    if isinstance(value, np.ndarray):
        return change(value) if value.dtype.kind == "f" else value
    if isinstance(value, Mapping):
        return {key: mapped(each, change) for key, each in value.items()}
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        return type(value)(mapped(each, change) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        own = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
        after = {name: mapped(each, change) for name, each in own.items()}
        if any(after[name] is not own[name] for name in own):
            return replace(value, **after)
    return value


def arrays_of(graph: Graph) -> Iterator[Array]:
    """The arrays of floats of all layers, always in the same order."""
    found: list[Array] = []

    def keep(array: Array) -> Array:
        found.append(array)
        return array

    mapped(graph, keep)
    yield from found


def flat(graph: Graph) -> Array:
    """All of them, one behind the other (n,)."""
    return np.concatenate([np.zeros(0), *(array.ravel() for array in arrays_of(graph))])


def filled(graph: Graph, numbers: Array) -> Graph:
    """A graph of the same layers whose arrays are these numbers (n,), in the order of `flat`."""
    place = 0

    def take(array: Array) -> Array:
        nonlocal place
        own = numbers[place : place + array.size].reshape(array.shape).astype(array.dtype)
        place += array.size
        return own

    result: Graph = mapped(graph, take)
    return result


__all__ = ["arrays_of", "filled", "flat", "mapped"]
