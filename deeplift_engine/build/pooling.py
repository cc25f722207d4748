"""Pooling of one to three dimensions, windows and global."""

from __future__ import annotations

from deeplift_engine.build.kernels import numbers
from deeplift_engine.build.place import Place
from deeplift_engine.layers import (
    Activation,
    AveragePool,
    GlobalMax,
    Layer,
    MaxPool,
    Mean,
    Product,
    Reshape,
)


def pool(place: Place) -> str:
    """MaxPooling and AveragePooling."""
    rank = len(place.shape()) - 1
    size = numbers(place.option("pool_size", 2), rank)
    strides = place.option("strides")
    windows = (
        size,
        size if strides is None else numbers(strides, rank),
        str(place.option("padding", "valid")),
    )
    maximum = place.spec.class_name.startswith("Max")
    layer: Layer = MaxPool(*windows) if maximum else AveragePool(*windows)
    if place.option("data_format") != "channels_first":
        return place.add(layer)
    inner = place.add(layer, place.channels_last(place.inputs[0]), suffix="/channels_last")
    return place.channels_first(inner)


def global_pool(place: Place) -> str:
    """GlobalMaxPooling and GlobalAveragePooling."""
    rank = len(place.shape())
    first = place.option("data_format") == "channels_first"
    axes = tuple(range(2, rank + 1) if first else range(1, rank))
    keepdims = bool(place.option("keepdims", False))
    maximum = "Max" in place.spec.class_name
    mask = place.mask() if place.spec.class_name == "GlobalAveragePooling1D" else None
    if mask is not None:
        return _masked_mean(place, mask, axes[0], keepdims)
    return place.add(GlobalMax(axes, keepdims) if maximum else Mean(axes, keepdims))


def _masked_mean(place: Place, mask: str, axis: int, keepdims: bool) -> str:
    """The mean over the steps that are used: their sum over their number."""
    steps = place.shape(mask)[0]
    sizes = [1, 1]
    sizes[axis - 1] = -1 if steps is None else steps
    used = place.add(Reshape(tuple(sizes)), mask, suffix="/used")
    kept = place.add(Product(2), place.inputs[0], used, suffix="/kept")
    total = place.add(Mean((axis,), keepdims), kept, suffix="/sum")
    number = place.add(Mean((axis,), keepdims), used, suffix="/number")
    return place.add(
        Product(2), total, place.add(Activation("reciprocal"), number, suffix="/reciprocal")
    )
