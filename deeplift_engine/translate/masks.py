"""Which layers hand the mask of their input on, as Keras's do.

A mask is a node like any other, 1 for steps that are used and 0 for the rest, so that the
tokens or features it was made of get their share of what it changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplift_engine.layers import Concatenate, Element, Layer, Maximum, Product, Scale
from deeplift_engine.translate.layer_context import NodeName, Place

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


def pass_on(place: Place, outputs: tuple[str, ...]) -> None:
    """Give the outputs of a layer their mask, where the layer itself has not.

    A mask that a call was given counts, else that of its first masked input.
    """
    masks, name = place.draft.masks, place.spec.class_name
    mask = None
    if name in PASSING:
        given = place.arguments.get("mask")
        found = [masks[source] for source in place.inputs if source in masks]
        mask = place.as_mask(given) if isinstance(given, NodeName) else next(iter(found), None)
    elif name in MERGING:
        mask = merged(place, [masks.get(source) for source in place.inputs])
    elif name == "Concatenate":
        mask = _concatenated(place, [masks.get(source) for source in place.inputs])
    if mask is not None:
        for output in outputs:
            masks.setdefault(output, mask)


def merged(place: Place, masks: Sequence[str | None]) -> str | None:
    """The mask of several inputs that are merged element by element.

    In Keras 3 a step is used where any input uses it, and none is masked if one has no mask;
    before, where all that have a mask use it.
    """
    known = list(dict.fromkeys(mask for mask in masks if mask is not None))
    if place.draft.era >= 3 and None in masks:
        return None
    if len(known) < 2:
        return next(iter(known), None)
    layer: Layer = Maximum() if place.draft.era >= 3 else Product(len(known))
    return place.add(layer, *known, suffix="/mask")


def _concatenated(place: Place, masks: Sequence[str | None]) -> str | None:
    """The mask of inputs (n, steps, features), one behind the other."""
    rank = len(place.shape())
    if all(mask is None for mask in masks) or rank != 2:
        return None
    full = [
        _ones(place, name) if mask is None else mask
        for name, mask in zip(place.inputs, masks, strict=True)
    ]
    axis = int(place.option("axis", -1))
    if axis in (1, -2):
        return place.add(Concatenate(1), *full, suffix="/mask")
    if place.draft.era >= 3 and None in masks:  # every step has features that are used
        return full[masks.index(None)]
    return merged(place, full)


def _ones(place: Place, name: str) -> str:
    """A mask (n, steps) of an input (n, steps, features) that has none."""
    nothing, one = np.zeros((), place.draft.dtype), np.ones((), place.draft.dtype)
    step = place.add(Element(2, 0), name, suffix="/mask/step")
    return place.add(Scale(nothing, one), step, suffix="/mask/all")
