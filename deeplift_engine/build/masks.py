"""Which layers hand the mask of their input on, as Keras's do.

A mask is a node like any other, 1 for steps that are used and 0 for the rest, so that the
tokens or features it was made of get their share of what it changes.
"""

from __future__ import annotations

from deeplift_engine.build.place import Place

PASSING = frozenset(
    [
        "Activation",
        "ActivityRegularization",
        "Add",
        "AlphaDropout",
        "Average",
        "BatchNormalization",
        "Dense",
        "Dropout",
        "ELU",
        "GaussianDropout",
        "GaussianNoise",
        "GroupNormalization",
        "Identity",
        "Lambda",
        "LayerNormalization",
        "LeakyReLU",
        "Maximum",
        "Minimum",
        "Multiply",
        "Normalization",
        "PReLU",
        "ReLU",
        "Rescaling",
        "Softmax",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "SpatialDropout3D",
        "Subtract",
        "ThresholdedReLU",
        "TimeDistributed",
        "UnitNormalization",
    ]
)
"""Classes whose output has the mask of their input; others set it themselves or drop it."""


def pass_on(place: Place, outputs: tuple[str, ...]) -> None:
    """Give the outputs of a layer that hands masks on the mask of its first masked input."""
    masks = place.draft.masks
    if place.spec.class_name not in PASSING:
        return
    found = [masks[name] for name in place.inputs if name in masks]
    for name in outputs:
        if found and name not in masks:
            masks[name] = found[0]
