"""Dense layers and convolutions, and what kernel layers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deeplift_engine.layers import Convolution, Dense, Layer, Pad, Scale
from deeplift_engine.translate.activations import own_or_named, put_activation
from deeplift_engine.translate.layer_context import LayerContext, Refusal


def numbers(value: Any, count: int) -> tuple[int, ...]:
    """An option that is one number or ``count`` of them."""
    if isinstance(value, list | tuple):
        return tuple(int(number) for number in value) * (count if len(value) == 1 else 1)
    return (int(value),) * count


def with_activation(
    context: LayerContext, layer: Layer, *inputs: str, channels_first: bool = False
) -> str:
    """Add a kernel layer and the activation that Keras lets it have."""
    function = own_or_named(context, "activation")
    plain = function.is_identity
    suffix = "" if plain else "/pre_activation"
    if channels_first and context.option("bias_along_width"):
        name = _biased_along_width(context, layer, inputs, suffix)
        if name is not None:
            return name if plain else put_activation(context, function, name)
    if channels_first:
        inner = context.add(layer, *inputs, suffix=suffix + "/channels_last")
        name = context.channels_first(inner, suffix=suffix)
    else:
        name = context.add(layer, *inputs, suffix=suffix)
    return name if plain else put_activation(context, function, name)


def _biased_along_width(
    context: LayerContext, layer: Layer, inputs: Sequence[str], suffix: str
) -> str | None:
    """A kernel layer whose bias Keras adds to columns, there being as many as channels."""
    bias = getattr(layer, "bias", None)
    width, channels = context.shape_after(layer, *inputs)[-2:]
    if bias is None or width != channels:
        return None
    unbiased: Layer = replace(layer, bias=None)  # type: ignore[call-arg]
    inner = context.add(unbiased, *inputs, suffix=f"{suffix}/channels_last")
    moved = context.channels_first(inner, suffix=f"{suffix}/unbiased")
    return context.add(Scale(np.ones_like(bias), bias), moved, suffix=suffix)


def dense(context: LayerContext) -> str:
    """Dense, on any rank."""
    kernel, shape = context.weight("kernel"), context.shape()
    if not shape or shape[-1] not in (None, kernel.shape[0]):
        raise Refusal(
            f"cannot take an input of shape {shape}: its kernel has shape {kernel.shape}",
            "Check that the architecture belongs to these weights.",
        )
    return with_activation(context, Dense(kernel, context.optional("bias")))


def within_borders(context: LayerContext) -> LayerContext:
    """The layer behind the zeros that its borders have, where these are neither valid nor same."""
    borders = context.option("borders")
    if borders is None:
        return context
    if borders == "unknown":
        raise Refusal(
            'has an even kernel and padding="same", which Theano pads in ways of its own here',
            f"Give the layer's forward pass yourself: functions={{{context.spec.name!r}: f}}.",
        )
    first = context.option("data_format") == "channels_first"
    margins = ((0, 0), *borders) if first else (*borders, (0, 0))
    source = context.add(Pad(margins), context.inputs[0], suffix="/borders")
    return replace(context, inputs=[source])


def convolution(context: LayerContext) -> str:
    """Conv1D, Conv2D, Conv3D: strides, dilation, groups, every padding, channels first and last."""
    context = within_borders(context)
    kernel = context.weight("kernel")
    rank = kernel.ndim - 2
    layer = Convolution(
        kernel,
        context.optional("bias"),
        strides=numbers(context.option("strides", 1), rank),
        dilation=numbers(context.option("dilation_rate", 1), rank),
        padding=str(context.option("padding", "valid")),
        groups=int(context.option("groups", 1) or 1),
    )
    return on_channels_last(context, layer)


def on_channels_last(context: LayerContext, layer: Layer) -> str:
    """Add a kernel layer that wants its channels last."""
    if context.option("data_format") == "channels_first":
        return with_activation(
            context, layer, context.channels_last(context.inputs[0]), channels_first=True
        )
    return with_activation(context, layer)


def source_shape(context: LayerContext) -> tuple[int | None, ...]:
    """Feature shape of what the layer reads, as it is with its channels last."""
    shape = context.shape()
    return (*shape[1:], shape[0]) if context.option("data_format") == "channels_first" else shape
