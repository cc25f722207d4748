"""Pooling of one to three dimensions, by windows, over all and to a given size."""

from __future__ import annotations

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
    layer: Layer = MaxPool(*windows) if maximum else AveragePool(*windows)
    return _on_channels_last(context, layer)


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
    shape = context.shape()
    first = context.option("data_format") == "channels_first"
    lengths = shape[1:] if first else shape[:-1]
    counts = numbers(context.option("output_size"), len(lengths))
    maximum = "Max" in context.spec.class_name
    if any(length is None for length in lengths):
        raise Refusal(
            "its windows depend on the input's size, which is free",
            "Give the model's input a fixed shape.",
        )
    sizes = [length or 0 for length in lengths]
    if all(length % count == 0 for length, count in zip(sizes, counts, strict=True)):
        size = tuple(length // count for length, count in zip(sizes, counts, strict=True))
        return _on_channels_last(
            context, (MaxPool if maximum else AveragePool)(size, size, "valid")
        )
    windows = [_adaptive(length, count) for length, count in zip(sizes, counts, strict=True)]
    start = 2 if first else 1
    if maximum:
        axes = tuple(range(start, start + len(counts)))
        return context.add(WindowMax(tuple(zip(axes, windows, strict=True))))
    name = context.inputs[0]
    for number, (length, spans) in enumerate(zip(sizes, windows, strict=True)):
        matrix = np.zeros((len(spans), length), context.builder.dtype)
        for row, (begin, end) in zip(matrix, spans, strict=True):
            row[begin:end] = 1 / (end - begin)
        suffix = "" if number == len(sizes) - 1 else f"/axis_{start + number}"
        name = context.add(AxisMatrix(matrix, start + number), name, suffix=suffix)
    return name


def _adaptive(length: int, count: int) -> tuple[tuple[int, int], ...]:
    """Where each of ``count`` windows begins and ends."""
    return tuple((i * length // count, -(-(i + 1) * length // count)) for i in range(count))


def _on_channels_last(context: LayerContext, layer: Layer) -> str:
    if context.option("data_format") != "channels_first":
        return context.add(layer)
    inner = context.add(layer, context.channels_last(context.inputs[0]), suffix="/channels_last")
    return context.channels_first(inner)
