"""Dense layers and convolutions, and what kernel layers share."""

from __future__ import annotations

from typing import Any

from deeplift_engine.layers import Convolution, Dense, Identity, Layer
from deeplift_engine.translate.activations import named_activation, put_activation
from deeplift_engine.translate.layer_context import Place, Refused


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
    kernel, shape = place.weight("kernel"), place.shape()
    if not shape or shape[-1] not in (None, kernel.shape[0]):
        raise Refused(
            f"cannot take an input of shape {shape}: its kernel has shape {kernel.shape}",
            "Check that the architecture belongs to these weights.",
        )
    return with_activation(place, Dense(kernel, place.optional("bias")))


def convolution(place: Place) -> str:
    """Conv1D, Conv2D, Conv3D: strides, dilation, groups, every padding, channels first and last."""
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


def source_shape(place: Place) -> tuple[int | None, ...]:
    """Feature shape of what the layer reads, as it is with its channels last."""
    shape = place.shape()
    return (*shape[1:], shape[0]) if place.option("data_format") == "channels_first" else shape
