"""Dense layers and convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplift_engine.build.activations import named_activation, put_activation
from deeplift_engine.build.place import Place
from deeplift_engine.layers import (
    Convolution,
    Dense,
    DepthwiseConvolution,
    Identity,
    Layer,
    Reshape,
)


def numbers(value: Any, count: int) -> tuple[int, ...]:
    """An option that is one number or ``count`` of them."""
    if isinstance(value, list | tuple):
        return tuple(int(number) for number in value) * (count if len(value) == 1 else 1)
    return (int(value),) * count


def with_activation(place: Place, layer: Layer, *inputs: str, channels_first: bool = False) -> str:
    """Add a kernel layer and the activation that Keras lets it have."""
    function = named_activation(place.option("activation"))
    plain = isinstance(function, Identity)
    suffix = "" if plain else "/pre_activation"
    if channels_first:
        inner = place.add(layer, *inputs, suffix=suffix + "/channels_last")
        name = place.channels_first(inner, suffix=suffix)
    else:
        name = place.add(layer, *inputs, suffix=suffix)
    return name if plain else put_activation(place, function, name)


def dense(place: Place) -> str:
    """Dense, on any rank."""
    return with_activation(place, Dense(place.weight("kernel"), place.optional("bias")))


def convolution(place: Place) -> str:
    """Conv1D, Conv2D: strides, dilation, groups, every padding, channels first and last."""
    kernel = place.weight("kernel")
    rank = kernel.ndim - 2
    layer = Convolution(
        kernel,
        place.optional("bias"),
        strides=numbers(place.option("strides", 1), rank),
        dilation=numbers(place.option("dilation_rate", 1), rank),
        padding=str(place.option("padding", "valid")),
        groups=int(place.option("groups", 1) or 1),
    )
    return on_channels_last(place, layer)


def on_channels_last(place: Place, layer: Layer) -> str:
    """Add a kernel layer that wants its channels last."""
    if place.option("data_format") == "channels_first":
        return with_activation(
            place, layer, place.channels_last(place.inputs[0]), channels_first=True
        )
    return with_activation(place, layer)


def depthwise(place: Place) -> str:
    """DepthwiseConv1D and DepthwiseConv2D."""
    kernel, bias = place.weight(_depthwise_role(place)), place.optional("bias")
    return (
        on_channels_last(place, _depthwise_layer(place, kernel, bias))
        if kernel.ndim == 4
        else (_depthwise_1d(place, kernel, bias))
    )


def _depthwise_role(place: Place) -> str:
    return "depthwise_kernel" if "depthwise_kernel" in place.spec.weights else "kernel"


def _depthwise_layer(place: Place, kernel: Any, bias: Any) -> DepthwiseConvolution:
    one_dimensional = kernel.ndim == 3
    strides = numbers(place.option("strides", 1), kernel.ndim - 2)
    dilation = numbers(place.option("dilation_rate", 1), kernel.ndim - 2)
    return DepthwiseConvolution(
        kernel[np.newaxis] if one_dimensional else kernel,
        bias,
        # TensorFlow wants equal strides; along an axis of one element they do not matter.
        strides=(strides * 2)[:2],  # type: ignore[arg-type]
        dilation=(1, *dilation) if one_dimensional else dilation,  # type: ignore[arg-type]
        padding=str(place.option("padding", "valid")),
    )


def _depthwise_1d(place: Place, kernel: Any, bias: Any) -> str:
    """A sequence as an image of height 1."""
    first = place.option("data_format") == "channels_first"
    source = place.channels_last(place.inputs[0]) if first else place.inputs[0]
    image = _as_image(place, source)
    layer = _depthwise_layer(place, kernel, bias)
    inner = place.add(layer, image, suffix="/image_output")
    sequence = _as_sequence(place, inner, "/sequence")
    if first:
        sequence = place.channels_first(sequence, suffix="/channels_first")
    return put_activation(place, named_activation(place.option("activation")), sequence)


def _as_image(place: Place, source: str) -> str:
    length, channels = place.shape(source)
    return place.add(
        Reshape((1, -1 if length is None else length, channels or -1)), source, suffix="/image"
    )


def _as_sequence(place: Place, source: str, suffix: str) -> str:
    _, length, channels = place.shape(source)
    return place.add(
        Reshape((-1 if length is None else length, channels or -1)), source, suffix=suffix
    )


def separable(place: Place) -> str:
    """SeparableConv1D and SeparableConv2D: depthwise, then one kernel across channels."""
    kernel, mixing = place.weight("depthwise_kernel"), place.weight("pointwise_kernel")
    first = place.option("data_format") == "channels_first"
    source = place.channels_last(place.inputs[0]) if first else place.inputs[0]
    layer = _depthwise_layer(place, kernel, None)
    if kernel.ndim == 3:
        image = place.add(layer, _as_image(place, source), suffix="/image_output")
        inner = _as_sequence(place, image, "/depthwise")
    else:
        inner = place.add(layer, source, suffix="/depthwise")
    ones = (1,) * (mixing.ndim - 2)
    pointwise = Convolution(mixing, place.optional("bias"), strides=ones, dilation=ones)
    return with_activation(place, pointwise, inner, channels_first=first)
