"""Depthwise and separable convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplift_engine.layers import Convolution, DepthwiseConvolution, Reshape
from deeplift_engine.translate.activations import own_or_named, put_activation
from deeplift_engine.translate.kernels import (
    numbers,
    on_channels_last,
    with_activation,
    within_borders,
)
from deeplift_engine.translate.layer_context import LayerContext


def depthwise(context: LayerContext) -> str:
    """DepthwiseConv1D and DepthwiseConv2D."""
    context = within_borders(context)
    role = "depthwise_kernel" if "depthwise_kernel" in context.spec.weights else "kernel"
    kernel, bias = context.weight(role), context.optional("bias")
    if kernel.ndim == 4:
        return on_channels_last(context, depthwise_layer(context, kernel, bias))
    sequence = of_a_sequence(context, depthwise_layer(context, kernel, bias), "/sequence")
    if context.option("data_format") == "channels_first":
        sequence = context.channels_first(sequence, suffix="/channels_first")
    return put_activation(context, own_or_named(context, "activation"), sequence)


def separable(context: LayerContext) -> str:
    """SeparableConv1D and SeparableConv2D: depthwise, then one kernel across channels."""
    context = within_borders(context)
    kernel, mixing = context.weight("depthwise_kernel"), context.weight("pointwise_kernel")
    layer = depthwise_layer(context, kernel, None)
    if kernel.ndim == 3:
        inner = of_a_sequence(context, layer, "/depthwise")
    else:
        inner = context.add(layer, source_channels_last(context), suffix="/depthwise")
    ones = (1,) * (mixing.ndim - 2)
    pointwise = Convolution(mixing, context.optional("bias"), strides=ones, dilation=ones)
    first = context.option("data_format") == "channels_first"
    return with_activation(context, pointwise, inner, channels_first=first)


def depthwise_layer(context: LayerContext, kernel: Any, bias: Any) -> DepthwiseConvolution:
    """The layer of a kernel (spatial..., in, multiplier), of a sequence as of an image."""
    sequence = kernel.ndim == 3
    strides = numbers(context.option("strides", 1), kernel.ndim - 2)
    dilation = numbers(context.option("dilation_rate", 1), kernel.ndim - 2)
    return DepthwiseConvolution(
        kernel[np.newaxis] if sequence else kernel,
        bias,
        # TensorFlow wants equal strides; along an axis of one element they do not matter.
        strides=(strides * 2)[:2],  # type: ignore[arg-type]
        dilation=(1, *dilation) if sequence else dilation,  # type: ignore[arg-type]
        padding=str(context.option("padding", "valid")),
    )


def source_channels_last(context: LayerContext) -> str:
    """What the layer reads, with its channels last."""
    first = context.option("data_format") == "channels_first"
    return context.channels_last(context.inputs[0]) if first else context.inputs[0]


def of_a_sequence(context: LayerContext, layer: DepthwiseConvolution, suffix: str) -> str:
    """Add a depthwise layer to a sequence, as to an image of height 1; channels stay last."""
    source = source_channels_last(context)
    length, channels = context.shape(source)
    row = Reshape((1, -1 if length is None else length, channels or -1))
    image = context.add(layer, context.add(row, source, suffix="/image"), suffix="/image_output")
    _, length, channels = context.shape(image)
    line = Reshape((-1 if length is None else length, channels or -1))
    return context.add(line, image, suffix=suffix)
