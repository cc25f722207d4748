"""The input shape of a model whose file lacks it, from the arrays of its first layers."""

from __future__ import annotations

from collections.abc import Sequence

from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.layers.table import family
from deeplift_conversion.spec import LayerSpec


def input_shape(readers: Sequence[LayerSpec], where: str) -> tuple[int | None, ...]:
    """Return the shape, batch first, that the layers reading an input need.

    Raises
    ------
    ModelConfigError
        If no array of these layers determines it.
    """
    for layer in readers:
        shape = _needed_by(layer)
        if shape is not None:
            return shape
    raise ModelConfigError(
        f"{where}: the file does not tell the input's shape, nor do the layers reading it"
        f" ({[layer.class_name for layer in readers]}). Save the model with an Input layer, or add"
        " 'batch_input_shape' to the first layer of the architecture."
    )


def _needed_by(layer: LayerSpec) -> tuple[int | None, ...] | None:
    kernel = layer.weights.get("kernel")
    name = layer.class_name
    if name == "Embedding":
        return (None, None)
    if layer.children and name in ("Bidirectional", "TimeDistributed"):
        inner = _needed_by(layer.children[0])
        if name == "TimeDistributed" and inner is not None:
            return (None, None, *inner[1:])
        return inner
    if kernel is None:
        return None
    if name == "Dense":
        return (None, kernel.shape[0])
    if family(name) == "recurrent":
        return (None, None, kernel.shape[0])
    if family(name) == "convolution":
        free = (None,) * (kernel.ndim - 2)
        channels = kernel.shape[-2] * int(layer.config.get("groups", 1))
        if layer.config.get("data_format") == "channels_first":
            return (None, channels, *free)
        return (None, *free, channels)
    return None
