"""Layers that move, copy, pad or drop elements, and those that do nothing at inference."""

from __future__ import annotations

from typing import Any

from deeplift_engine.layers import Crop, Identity, Pad, Repeat, Reshape, Transpose
from deeplift_engine.translate.kernels import numbers
from deeplift_engine.translate.layer_context import LayerContext, Refusal

REGULARIZING = (
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
)
"""Classes that change features in training alone."""
AUGMENTING = (
    "AugMix",
    "CutMix",
    "Equalization",
    "MaxNumBoundingBoxes",
    "MixUp",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHeight",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomWidth",
    "RandomZoom",
    "Solarization",
)
"""Classes that change images in training alone."""
INACTIVE = (*REGULARIZING, *AUGMENTING)


def identity(context: LayerContext) -> str:
    """Dropout, noise, regularisation, augmentation: nothing at inference."""
    return context.add(Identity(), context.inputs[0])


def flatten(context: LayerContext) -> str:
    """Flatten; with channels first Keras moves them last before it flattens."""
    source = context.inputs[0]
    if context.option("data_format") == "channels_first" and len(context.shape()) > 1:
        source = context.channels_last(source)
    shape = context.shape(source)
    size = -1
    if None not in shape:
        size = 1
        for length in shape:
            size *= length or 0
    return context.add(Reshape((size,)), source)


def reshape(context: LayerContext) -> str:
    """Reshape, one -1 allowed."""
    target = [int(size) for size in context.option("target_shape")]
    known = context.shape()
    if -1 in target and None not in known:
        total, rest = 1, 1
        for size in known:
            total *= size or 0
        for size in target:
            rest *= size if size != -1 else 1
        target[target.index(-1)] = total // rest
    return context.add(Reshape(tuple(target)))


def permute(context: LayerContext) -> str:
    """Permute; its dims count from 1."""
    return context.add(Transpose(tuple(int(axis) for axis in context.option("dims"))))


def repeat_vector(context: LayerContext) -> str:
    """RepeatVector: (n, c) → (n, times, c)."""
    size = context.shape()[0]
    row = context.add(Reshape((1, -1 if size is None else size)), suffix="/row")
    return context.add(Repeat(int(context.option("n")), 1), row)


def _margins(context: LayerContext, option: str, rank: int) -> tuple[tuple[int, int], ...]:
    """One pair per spatial axis from a number, one number an axis, or pairs."""
    value: Any = context.option(option, 1)
    if isinstance(value, int):
        return ((value, value),) * rank
    if rank == 1:
        before, after = numbers(value, 2)
        return ((before, after),)
    return tuple(
        (entry, entry) if isinstance(entry, int) else (int(entry[0]), int(entry[1]))
        for entry in value
    )


def _spatial(context: LayerContext, option: str) -> tuple[tuple[int, int], ...]:
    margins = _margins(context, option, len(context.shape()) - 1)
    none = ((0, 0),)
    first = context.option("data_format") == "channels_first"
    return none + margins if first else margins + none


def padding(context: LayerContext) -> str:
    """ZeroPadding1D, ZeroPadding2D and ZeroPadding3D."""
    return context.add(Pad(_spatial(context, "padding")))


def cropping(context: LayerContext) -> str:
    """Cropping1D, Cropping2D and Cropping3D."""
    margins = _spatial(context, "cropping")
    for (before, after), length in zip(margins, context.shape(), strict=True):
        if length is not None and before + after >= length:
            raise Refusal(f"crops {before} + {after} elements of {length}")
    return context.add(Crop(margins))
