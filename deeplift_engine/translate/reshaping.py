"""Layers that move, copy, pad or drop elements, and those that do nothing at inference."""

from __future__ import annotations

from typing import Any

from deeplift_engine.layers import Crop, Identity, Pad, Repeat, Reshape, Transpose
from deeplift_engine.translate.kernels import numbers
from deeplift_engine.translate.layer_context import Place, Refused

INACTIVE = (
    "ActivityRegularization",
    "AlphaDropout",
    "AugMix",
    "CutMix",
    "Dropout",
    "Equalization",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
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
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
)
"""Classes that change images or features in training alone."""


def identity(place: Place) -> str:
    """Dropout, noise, regularisation, augmentation: nothing at inference."""
    return place.add(Identity(), place.inputs[0])


def flatten(place: Place) -> str:
    """Flatten; with channels first Keras moves them last before it flattens."""
    source = place.inputs[0]
    if place.option("data_format") == "channels_first" and len(place.shape()) > 1:
        source = place.channels_last(source)
    shape = place.shape(source)
    size = -1
    if None not in shape:
        size = 1
        for length in shape:
            size *= length or 0
    return place.add(Reshape((size,)), source)


def reshape(place: Place) -> str:
    """Reshape, one -1 allowed."""
    target = [int(size) for size in place.option("target_shape")]
    known = place.shape()
    if -1 in target and None not in known:
        total, rest = 1, 1
        for size in known:
            total *= size or 0
        for size in target:
            rest *= size if size != -1 else 1
        target[target.index(-1)] = total // rest
    return place.add(Reshape(tuple(target)))


def permute(place: Place) -> str:
    """Permute; its dims count from 1."""
    return place.add(Transpose(tuple(int(axis) for axis in place.option("dims"))))


def repeat_vector(place: Place) -> str:
    """RepeatVector: (n, c) → (n, times, c)."""
    size = place.shape()[0]
    row = place.add(Reshape((1, -1 if size is None else size)), suffix="/row")
    return place.add(Repeat(int(place.option("n")), 1), row)


def _margins(place: Place, option: str, rank: int) -> tuple[tuple[int, int], ...]:
    """One pair per spatial axis from a number, one number an axis, or pairs."""
    value: Any = place.option(option, 1)
    if isinstance(value, int):
        return ((value, value),) * rank
    if rank == 1:
        before, after = numbers(value, 2)
        return ((before, after),)
    return tuple(
        (entry, entry) if isinstance(entry, int) else (int(entry[0]), int(entry[1]))
        for entry in value
    )


def _spatial(place: Place, option: str) -> tuple[tuple[int, int], ...]:
    margins = _margins(place, option, len(place.shape()) - 1)
    none = ((0, 0),)
    first = place.option("data_format") == "channels_first"
    return none + margins if first else margins + none


def padding(place: Place) -> str:
    """ZeroPadding1D, ZeroPadding2D and ZeroPadding3D."""
    return place.add(Pad(_spatial(place, "padding")))


def cropping(place: Place) -> str:
    """Cropping1D, Cropping2D and Cropping3D."""
    margins = _spatial(place, "cropping")
    for (before, after), length in zip(margins, place.shape(), strict=True):
        if length is not None and before + after >= length:
            raise Refused(f"crops {before} + {after} elements of {length}")
    return place.add(Crop(margins))
