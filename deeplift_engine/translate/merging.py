"""Layers of several inputs."""

from __future__ import annotations

from collections.abc import Callable

from deeplift_engine.layers import (
    Concatenate,
    Difference,
    Dot,
    Layer,
    Maximum,
    Minimum,
    Product,
    Reshape,
    Sum,
)
from deeplift_engine.layers.attention import Chosen, Masked
from deeplift_engine.translate.layer_context import LayerContext, Refusal
from deeplift_engine.translate.masks import merged
from deeplift_engine.translate.normalizing import unit_length
from deeplift_engine.translate.tokens import expanded

ELEMENTWISE: dict[str, Callable[[int], Layer]] = {
    "Add": lambda count: Sum(),
    "Average": lambda count: Sum(1.0 / count),
    "Maximum": lambda count: Maximum(),
    "Minimum": lambda count: Minimum(),
    "Multiply": Product,
    "Subtract": lambda count: Difference(),
}
"""Merges that broadcast their inputs, by class, from the number of inputs."""


def merge(context: LayerContext) -> str:
    """Add, Subtract, Multiply, Average, Maximum, Minimum."""
    count = len(context.inputs)
    if context.spec.class_name == "Subtract" and count != 2:
        raise Refusal(f"takes two inputs, not {count}")
    rank = max(len(context.shape(name)) for name in context.inputs)
    inputs = []
    for position, name in enumerate(context.inputs):
        shape = context.shape(name)
        if len(shape) < rank:
            grown = (1,) * (rank - len(shape)) + tuple(
                -1 if size is None else size for size in shape
            )
            name = context.add(Reshape(grown), name, suffix=f"/input_{position}")
        inputs.append(name)
    layer = ELEMENTWISE[context.spec.class_name](count)
    reads_masks = context.builder.era >= 3 and not context.option("ends_mask")
    if reads_masks and rank > 1:
        masks = [context.builder.masks.get(name) for name in context.inputs]
        if layer.kind == "selection":
            return _chosen_where_used(context, layer, inputs, masks)
        if layer.kind == "joint":
            return _multiplied_where_used(context, inputs, masks)
    return context.add(layer, *inputs)


def _chosen_where_used(
    context: LayerContext, layer: Layer, inputs: list[str], masks: list[str | None]
) -> str:
    """Maximum or Minimum: in Keras 3 a step that an input does not use is the other's."""
    result, mask = inputs[0], masks[0]
    for number, (name, own) in enumerate(zip(inputs[1:], masks[1:], strict=True), 1):
        suffix = "" if number == len(inputs) - 1 else f"/up_to_{number}"
        if own is not None:
            name = _chosen(context, own, name, result, f"/input_{number}/used")
        if mask is not None:
            result = _chosen(context, mask, result, name, f"/input_{number}/others")
        mask = None if mask is None or own is None else merged(context, [mask, own])
        result = context.add(layer, result, name, suffix=suffix)
    return result


def _chosen(context: LayerContext, mask: str, name: str, other: str, suffix: str) -> str:
    used = expanded(context, mask, len(context.shape(name)) - len(context.shape(mask)))
    return context.add(Chosen(), used, name, other, suffix=suffix)


def _multiplied_where_used(
    context: LayerContext, inputs: list[str], masks: list[str | None]
) -> str:
    """Multiply: in Keras 3 a step that an input does not use is 1, and one that none uses 0."""
    factors = []
    for number, (name, mask) in enumerate(zip(inputs, masks, strict=True)):
        if mask is not None:
            used = expanded(context, mask, len(context.shape(name)) - len(context.shape(mask)))
            name = context.add(Masked(1.0), name, used, suffix=f"/input_{number}/used")
        factors.append(name)
    mask = merged(context, masks)
    if mask is None:
        return context.add(Product(len(factors)), *factors)
    product = context.add(Product(len(factors)), *factors, suffix="/product")
    used = expanded(context, mask, len(context.shape(product)) - len(context.shape(mask)))
    return context.add(Product(2), product, used)


def concatenate(context: LayerContext) -> str:
    """Concatenate along any axis but the batch."""
    axis, rank = int(context.option("axis", -1)), len(context.shape())
    axis = axis if axis > 0 else axis + rank + 1
    if not 1 <= axis <= rank:
        raise Refusal(f"axis={context.option('axis')} is not a feature axis of a rank-{rank} input")
    return context.add(Concatenate(axis))


def dot(context: LayerContext) -> str:
    """Dot, with or without normalisation to unit length."""
    axes = context.option("axes")
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    ranks = [len(context.shape(name)) for name in context.inputs]
    left, right = (
        axis if axis > 0 else axis + rank + 1 for axis, rank in zip(pair, ranks, strict=True)
    )
    inputs = context.inputs
    if context.option("normalize", False):
        shortest = 1e-7 if context.builder.era >= 3 else 1e-6
        inputs = [
            context.add(unit_length((axis - rank - 1,), shortest), name, suffix=f"/unit_{position}")
            for position, (name, axis, rank) in enumerate(
                zip(inputs, (left, right), ranks, strict=True)
            )
        ]
    return context.add(Dot((left, right)), *inputs)
