"""Which layers hand the mask of their input on, as Keras's do.

A mask is a node like any other, 1 for steps that are used and 0 for the rest, so that the
tokens or features it was made of get their share of what it changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplift_engine.layers import Concatenate, Element, Layer, Maximum, Product, Scale
from deeplift_engine.translate.layer_context import LayerContext, NodeName

PASSING = frozenset(
    [
        "Activation",
        "ActivityRegularization",
        "AlphaDropout",
        "BatchNormalization",
        "Dense",
        "Dropout",
        "ELU",
        "GaussianDropout",
        "GaussianNoise",
        "GroupNormalization",
        "Identity",
        "LayerNormalization",
        "LeakyReLU",
        "Normalization",
        "PReLU",
        "ReLU",
        "Rescaling",
        "Softmax",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "SpatialDropout3D",
        "ThresholdedReLU",
        "TimeDistributed",
        "UnitNormalization",
    ]
)
"""Classes whose output has the mask of their input; others set it themselves or drop it."""


MERGING = frozenset(["Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"])
"""Classes whose output has a mask made of those of its inputs."""


def pass_on(context: LayerContext, outputs: tuple[str, ...]) -> None:
    """Give the outputs of a layer their mask, where the layer itself has not.

    A mask that a call was given counts, else that of its first masked input.
    """
    masks, name = context.builder.masks, context.spec.class_name
    if context.option("ends_mask"):
        return
    mask = None
    if name in PASSING:
        argument = context.arguments.get("mask")
        arriving = [masks[source] for source in context.inputs if source in masks]
        mask = (
            context.as_mask(argument)
            if isinstance(argument, NodeName)
            else next(iter(arriving), None)
        )
    elif name in MERGING:
        mask = merged(context, [masks.get(source) for source in context.inputs])
    elif name == "Concatenate":
        mask = _concatenated(context, [masks.get(source) for source in context.inputs])
    if mask is not None:
        for output in outputs:
            masks.setdefault(output, mask)


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


def _concatenated(context: LayerContext, masks: Sequence[str | None]) -> str | None:
    """The mask of inputs (n, steps, features), one behind the other."""
    rank = len(context.shape())
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
