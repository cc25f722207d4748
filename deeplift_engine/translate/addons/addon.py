"""A layer of a package, and what the definitions of several share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from deeplift_engine.translate.custom_layer import CustomLayer
from deeplift_engine.translate.symbol import Symbol
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Addon:
    """A class of a package, as it was saved and as it computes.

    Attributes
    ----------
    package
        Its name, and the version that was run.
    class_name
        As HDF5 files have it, with the package it is registered under: ``"Addons>Snake"``.
    options
        Those that the class saves besides every layer's own; with others it is another class.
    definition
        Composes the layer; see `CustomLayer`.
    """

    package: str
    class_name: str
    options: frozenset[str]
    definition: Callable[[CustomLayer], Any]


def rows(package: str, *classes: tuple[str, str, Callable[[CustomLayer], Any]]) -> list[Addon]:
    """A row for each class of a package: its name, its options, its definition."""
    return [
        Addon(package, name, frozenset(options.split()), definition)
        for name, options, definition in classes
    ]


def length(x: Symbol, axis: int = 1) -> int:
    """The number of steps along an axis, which counts with the batch axis."""
    steps = x.shape[axis]
    if steps is None:
        raise ValueError("its steps are counted, and the input's length is free; give input_shape=")
    return int(steps)


def dense(
    layer: CustomLayer,
    x: Symbol,
    weights: Sequence[Array],
    activation: Any = "linear",
) -> Symbol:
    """``activation`` of x·kernel + bias, along the last axis; the bias may be left out."""
    result: Symbol = layer.apply("Dense", x, weights=weights, activation=activation)
    return result


def operation(layer: CustomLayer, name: str, *inputs: Symbol, **options: Any) -> Symbol:
    """An operation of Keras 3."""
    result: Symbol = layer.apply(f"ops.{name}", *inputs, **options)
    return result


def heads(layer: CustomLayer, x: Symbol, count: int) -> Symbol:
    """(n, steps, features) as (n, heads, steps, features / heads)."""
    size = x.shape[-1] or 0
    apart = layer.apply("Reshape", x, target_shape=(x.shape[1] or -1, count, size // count))
    return operation(layer, "Transpose", apart, axes=(0, 2, 1, 3))


def joined(layer: CustomLayer, x: Symbol) -> Symbol:
    """Undo `heads`."""
    steps = operation(layer, "Transpose", x, axes=(0, 2, 1, 3))
    size = (x.shape[1] or 0) * (x.shape[3] or 0)
    result: Symbol = layer.apply("Reshape", steps, target_shape=(steps.shape[1] or -1, size))
    return result


def attention(
    layer: CustomLayer, parts: Sequence[Symbol], added: Sequence[Any] = ()
) -> tuple[Symbol, Symbol]:
    """softmax(q·kᵀ / √d + added)·v of query, key and value, and that softmax."""
    query, key, value = parts
    rank = len(key.shape)
    axes = (*range(rank - 2), rank - 1, rank - 2)
    turned = operation(layer, "Transpose", key, axes=axes)
    scores = operation(layer, "Matmul", query, turned) / math.sqrt(query.shape[-1] or 1)
    for term in added:
        scores = scores + term
    weights = layer.apply("Softmax", scores, axis=-1)
    return operation(layer, "Matmul", weights, value), weights


def with_weights(layer: CustomLayer, output: Symbol, weights: Symbol) -> Any:
    """The output, and the attention's weights where the layer gives them."""
    return (output, weights) if layer.config.get("return_attention") else output


def without(layer: CustomLayer, options: dict[str, Any]) -> None:
    """Refuse options that are set to other values than these."""
    for name, value in options.items():
        if layer.config.get(name, value) != value:
            raise ValueError(f"{name}={layer.config[name]!r}, which only {value!r} is known of")
