"""Layers that move, copy, pad or drop elements, and those that do nothing at inference."""

from __future__ import annotations

from typing import Any

from deeplift_engine.build.kernels import numbers
from deeplift_engine.build.place import Place, Refused
from deeplift_engine.layers import Crop, Identity, Pad, Repeat, Reshape, Resize, Transpose


def identity(place: Place) -> str:
    """Dropout, noise, regularisation: nothing at inference."""
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


def upsampling(place: Place) -> str:
    """UpSampling1D and UpSampling2D; nearest, or bilinear and bicubic interpolation."""
    rank = len(place.shape()) - 1
    factors = numbers(place.option("size", 2), rank)
    first = place.option("data_format") == "channels_first"
    method = str(place.option("interpolation", "nearest"))
    if method == "nearest" or rank == 1:
        name = place.inputs[0]
        for position, factor in enumerate(factors):
            last = position == rank - 1
            axis = position + (2 if first else 1)
            name = place.add(Repeat(factor, axis), name, suffix="" if last else f"/axis_{axis}")
        return name
    layer = Resize((factors[0], factors[1]))
    if not first:
        return place.add(layer)
    inner = place.add(layer, place.channels_last(place.inputs[0]), suffix="/channels_last")
    return place.channels_first(inner)


def check_interpolation(method: object) -> None:
    """Raise `Refused` for interpolation that is not a mean with weights of 0 or more."""
    if method not in ("nearest", "bilinear"):
        raise Refused(
            f"interpolation={method!r} has coefficients below 0",
            "Save the model with nearest or bilinear interpolation.",
        )
