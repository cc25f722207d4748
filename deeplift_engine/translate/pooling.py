"""Pooling of one to three dimensions, by windows, over all and to a given size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from deeplift_engine.layers import (
    Activation,
    AveragePool,
    AxisMatrix,
    GlobalMax,
    Layer,
    MaxPool,
    Mean,
    Product,
    Reshape,
    WindowMax,
)
from deeplift_engine.translate.kernels import numbers
from deeplift_engine.translate.layer_context import LayerContext, Refusal

Windows: TypeAlias = tuple[tuple[int, ...], ...]
"""The places of each window's elements along one axis."""


def pool(context: LayerContext) -> str:
    """MaxPooling and AveragePooling."""
    rank = len(context.shape()) - 1
    size = numbers(context.option("pool_size", 2), rank)
    strides = context.option("strides")
    windows = (
        size,
        size if strides is None else numbers(strides, rank),
        str(context.option("padding", "valid")),
    )
    maximum = context.spec.class_name.startswith("Max")
    front = context.option("padding_in_front")
    if front is not None:
        spans = [
            _windows(length, *window)
            for length, *window in zip(_sizes(context), *windows[:2], front, strict=True)
        ]
        return _maxima(context, spans) if maximum else _means(context, spans)
    if context.option("edges") == "repeated":
        padded = [
            _padded_windows(length, *window)
            for length, *window in zip(_sizes(context), *windows[:2], strict=True)
        ]
        if any(uneven for _, uneven in padded):
            return _means(context, [places for places, _ in padded])
    layer: Layer = MaxPool(*windows) if maximum else AveragePool(*windows)
    return _on_channels_last(context, layer)


def _windows(length: int, size: int, stride: int, front: int) -> Windows:
    """The elements of each window, the first of which begins ``front`` before the input."""
    return tuple(
        tuple(range(max(start, 0), min(start + size, length)))
        for start in range(-front, -(-length // stride) * stride - front, stride)
    )


def _padded_windows(length: int, size: int, stride: int) -> tuple[Windows, bool]:
    """The elements of windows over an input whose edges are repeated, and whether unevenly."""
    count = -(-length // stride)
    padding = max((count - 1) * stride + size - length, 0)
    starts = range(-(padding // 2), count * stride - padding // 2, stride)
    places = tuple(
        tuple(min(max(place, 0), length - 1) for place in range(start, start + size))
        for start in starts
    )
    return places, padding % 2 == 1


def global_pool(context: LayerContext) -> str:
    """GlobalMaxPooling and GlobalAveragePooling."""
    rank = len(context.shape())
    first = context.option("data_format") == "channels_first"
    axes = tuple(range(2, rank + 1) if first else range(1, rank))
    keepdims = bool(context.option("keepdims", False))
    maximum = "Max" in context.spec.class_name
    mask = context.mask() if context.spec.class_name == "GlobalAveragePooling1D" else None
    if mask is not None:
        return _masked_mean(context, mask, axes[0], keepdims)
    return context.add(GlobalMax(axes, keepdims) if maximum else Mean(axes, keepdims))


def _masked_mean(context: LayerContext, mask: str, axis: int, keepdims: bool) -> str:
    """The mean over the steps that are used: their sum over their number."""
    steps = context.shape(mask)[0]
    sizes = [1, 1]
    sizes[axis - 1] = -1 if steps is None else steps
    used = context.add(Reshape(tuple(sizes)), mask, suffix="/used")
    weighted = context.add(Product(2), context.inputs[0], used, suffix="/kept")
    total = context.add(Mean((axis,), keepdims), weighted, suffix="/sum")
    number = context.add(Mean((axis,), keepdims), used, suffix="/number")
    return context.add(
        Product(2), total, context.add(Activation("reciprocal"), number, suffix="/reciprocal")
    )


def adaptive_pool(context: LayerContext) -> str:
    """AdaptiveMaxPooling and AdaptiveAveragePooling: to a given number of windows.

    Window i of n reaches from ⌊i·length/n⌋ to ⌈(i + 1)·length/n⌉. Where these are all of one
    size side by side it is a pooling by windows.
    """
    sizes = _sizes(context)
    counts = numbers(context.option("output_size"), len(sizes))
    maximum = "Max" in context.spec.class_name
    if all(length % count == 0 for length, count in zip(sizes, counts, strict=True)):
        size = tuple(length // count for length, count in zip(sizes, counts, strict=True))
        return _on_channels_last(
            context, (MaxPool if maximum else AveragePool)(size, size, "valid")
        )
    windows = [_adaptive(length, count) for length, count in zip(sizes, counts, strict=True)]
    return _maxima(context, windows) if maximum else _means(context, windows)


def _adaptive(length: int, count: int) -> Windows:
    """The elements of each of ``count`` windows."""
    return tuple(
        tuple(range(i * length // count, -(-(i + 1) * length // count))) for i in range(count)
    )


def _sizes(context: LayerContext) -> list[int]:
    """Sizes of the spatial axes, which must be known."""
    shape = context.shape()
    first = context.option("data_format") == "channels_first"
    lengths = shape[1:] if first else shape[:-1]
    if any(length is None for length in lengths):
        raise Refusal(
            "its windows depend on the input's size, which is free",
            "Give the model's input a fixed shape.",
        )
    return [length or 0 for length in lengths]


def _first_axis(context: LayerContext) -> int:
    return 2 if context.option("data_format") == "channels_first" else 1


def _maxima(context: LayerContext, windows: Sequence[Windows]) -> str:
    """The maximum over windows side by side along each axis."""
    spans = [tuple((places[0], places[-1] + 1) for places in axis) for axis in windows]
    return context.add(WindowMax(tuple(enumerate(spans, start=_first_axis(context)))))


def _means(context: LayerContext, windows: Sequence[Windows]) -> str:
    """The mean over windows, an element as often as it is in one: a matrix along each axis."""
    name = context.inputs[0]
    for number, (length, spans) in enumerate(zip(_sizes(context), windows, strict=True)):
        matrix = np.zeros((len(spans), length), context.builder.dtype)
        for row, places in zip(matrix, spans, strict=True):
            np.add.at(row, list(places), 1 / len(places))
        axis = _first_axis(context) + number
        suffix = "" if number == len(windows) - 1 else f"/axis_{axis}"
        name = context.add(AxisMatrix(matrix, axis), name, suffix=suffix)
    return name


def _on_channels_last(context: LayerContext, layer: Layer) -> str:
    if context.option("data_format") != "channels_first":
        return context.add(layer)
    inner = context.add(layer, context.channels_last(context.inputs[0]), suffix="/channels_last")
    return context.channels_first(inner)
