"""Which mask the output of a layer has, as Keras's do.

A mask is a node like any other, 1 for steps that are used and 0 for the rest, so that the
tokens or features it was made of get their share of what it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from deeplift_engine.layers import Concatenate, Element, Layer, Maximum, Product, Scale
from deeplift_engine.translate.layer_context import LayerContext, NodeName

MaskRule = Callable[[LayerContext], str | None]
"""The node of the mask that a layer's outputs have, if any."""


def passed(context: LayerContext) -> str | None:
    """The mask that the call was given, else that of the first input that has one."""
    known, argument = context.builder.masks, context.arguments.get("mask")
    if isinstance(argument, NodeName):
        return context.as_mask(argument)
    return next((known[source] for source in context.inputs if source in known), None)


def of_merged(context: LayerContext) -> str | None:
    """The mask of inputs that are merged element by element."""
    return merged(context, _of_inputs(context))


def _of_inputs(context: LayerContext) -> list[str | None]:
    return [context.builder.masks.get(source) for source in context.inputs]


def merged(context: LayerContext, masks: Sequence[str | None]) -> str | None:
    """The mask of several inputs that are merged element by element.

    In Keras 3 a step is used where any input uses it, and none is masked if one has no mask;
    before, where all that have a mask use it.
    """
    known = list(dict.fromkeys(mask for mask in masks if mask is not None))
    if context.builder.era >= 3 and None in masks:
        return None
    if len(known) < 2:
        return next(iter(known), None)
    layer: Layer = Maximum() if context.builder.era >= 3 else Product(len(known))
    return context.add(layer, *known, suffix="/mask")


def of_concatenated(context: LayerContext) -> str | None:
    """The mask of inputs (n, steps, features), one behind the other."""
    rank, masks = len(context.shape()), _of_inputs(context)
    if all(mask is None for mask in masks) or rank != 2:
        return None
    full = [
        _ones(context, name) if mask is None else mask
        for name, mask in zip(context.inputs, masks, strict=True)
    ]
    axis = int(context.option("axis", -1))
    if axis in (1, -2):
        return context.add(Concatenate(1), *full, suffix="/mask")
    if context.builder.era >= 3 and None in masks:  # every step has features that are used
        return full[masks.index(None)]
    return merged(context, full)


def _ones(context: LayerContext, name: str) -> str:
    """A mask (n, steps) of an input (n, steps, features) that has none."""
    nothing, one = np.zeros((), context.builder.dtype), np.ones((), context.builder.dtype)
    step = context.add(Element(2, 0), name, suffix="/mask/step")
    return context.add(Scale(nothing, one), step, suffix="/mask/all")
