"""What Keras 1 alone had and no later layer does."""

from __future__ import annotations

import numpy as np

from deeplift_engine.layers import Dot, LinearFunction, Product, ReLU
from deeplift_engine.layers.functions import Function
from deeplift_engine.layers.operations import Quotient
from deeplift_engine.translate.layer_context import LayerContext, Refusal
from deeplift_engine.util.typing import Tensor

SMALLEST = 1e-7
"""Keras 1's epsilon."""


def merge(context: LayerContext) -> str:
    """Merge(mode="cos"): x·y / max(√max(x·x · y·y, 0), ε), with one more axis in front.

    As Keras 1 has it, every product a batch dot over the same axes: for rows of numbers the
    cosine, of shape (n, 1, 1).
    """
    if context.option("mode") != "cos":
        raise Refusal(f"mode={context.option('mode')!r} is no mode of Keras 1's Merge")
    if len(context.inputs) != 2:
        raise Refusal(f"mode='cos' takes two inputs, not {len(context.inputs)}")
    axes = context.option("axes", -1)
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    ranks = [len(context.shape(name)) for name in context.inputs]
    first, second = (
        axis if axis > 0 else axis + rank + 1 for axis, rank in zip(pair, ranks, strict=True)
    )
    left, right = context.inputs
    squares = [
        context.add(Dot((axis, axis)), name, name, suffix=f"/square_{position}")
        for position, (name, axis) in enumerate(((left, first), (right, second)))
    ]
    product = context.add(Product(2), *squares, suffix="/squares")
    positive = context.add(ReLU(), product, suffix="/squares_bounded")
    root = context.add(Function("sqrt"), positive, suffix="/lengths")
    smallest = np.asarray(SMALLEST, context.builder.dtype)
    lengths = context.add(Function("maximum", (smallest,)), root, suffix="/bounded")
    dot = context.add(Dot((first, second)), left, right, suffix="/dot")
    cosine = context.add(Quotient(), dot, lengths, suffix="/cosine")
    return context.add(LinearFunction(_with_axis, moves=True), cosine)


def _with_axis(x: Tensor) -> Tensor:
    return x[:, None]
