"""Depthwise and separable convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplift_engine.layers import Convolution, DepthwiseConvolution, Reshape
from deeplift_engine.translate.activations import named_activation, put_activation
from deeplift_engine.translate.kernels import numbers, on_channels_last, with_activation
from deeplift_engine.translate.layer_context import Place


def depthwise(place: Place) -> str:
    """DepthwiseConv1D and DepthwiseConv2D."""
    role = "depthwise_kernel" if "depthwise_kernel" in place.spec.weights else "kernel"
    kernel, bias = place.weight(role), place.optional("bias")
    if kernel.ndim == 4:
        return on_channels_last(place, depthwise_layer(place, kernel, bias))
    sequence = of_a_sequence(place, depthwise_layer(place, kernel, bias), "/sequence")
    if place.option("data_format") == "channels_first":
        sequence = place.channels_first(sequence, suffix="/channels_first")
    return put_activation(place, named_activation(place.option("activation")), sequence)


def separable(place: Place) -> str:
    """SeparableConv1D and SeparableConv2D: depthwise, then one kernel across channels."""
    kernel, mixing = place.weight("depthwise_kernel"), place.weight("pointwise_kernel")
    layer = depthwise_layer(place, kernel, None)
    if kernel.ndim == 3:
        inner = of_a_sequence(place, layer, "/depthwise")
    else:
        inner = place.add(layer, source_channels_last(place), suffix="/depthwise")
    ones = (1,) * (mixing.ndim - 2)
    pointwise = Convolution(mixing, place.optional("bias"), strides=ones, dilation=ones)
    first = place.option("data_format") == "channels_first"
    return with_activation(place, pointwise, inner, channels_first=first)


def depthwise_layer(place: Place, kernel: Any, bias: Any) -> DepthwiseConvolution:
    """The layer of a kernel (spatial..., in, multiplier), of a sequence as of an image."""
    sequence = kernel.ndim == 3
    strides = numbers(place.option("strides", 1), kernel.ndim - 2)
    dilation = numbers(place.option("dilation_rate", 1), kernel.ndim - 2)
    return DepthwiseConvolution(
        kernel[np.newaxis] if sequence else kernel,
        bias,
        # TensorFlow wants equal strides; along an axis of one element they do not matter.
        strides=(strides * 2)[:2],  # type: ignore[arg-type]
        dilation=(1, *dilation) if sequence else dilation,  # type: ignore[arg-type]
        padding=str(place.option("padding", "valid")),
    )


def source_channels_last(place: Place) -> str:
    """What the layer reads, with its channels last."""
    first = place.option("data_format") == "channels_first"
    return place.channels_last(place.inputs[0]) if first else place.inputs[0]


def of_a_sequence(place: Place, layer: DepthwiseConvolution, suffix: str) -> str:
    """Add a depthwise layer to a sequence, as to an image of height 1; channels stay last."""
    source = source_channels_last(place)
    length, channels = place.shape(source)
    row = Reshape((1, -1 if length is None else length, channels or -1))
    image = place.add(layer, place.add(row, source, suffix="/image"), suffix="/image_output")
    _, length, channels = place.shape(image)
    line = Reshape((-1 if length is None else length, channels or -1))
    return place.add(line, image, suffix=suffix)
