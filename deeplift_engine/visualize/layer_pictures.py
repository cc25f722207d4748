"""What layers hold and do: their kernels, their activations for a sample, what their units read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.figures.channel_figure import ChannelMaps, draw_channels
from deeplift_engine.graph.inputs import by_input, by_name
from deeplift_engine.graph.receptive_fields import ReceptiveField
from deeplift_engine.graph.receptive_fields import receptive_field as followed
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deeplift_engine.network import Network

MOST = 64
"""Channels of a layer that are drawn, where no number is said."""


def receptive_field(
    network: Network,
    layer: str,
    input: str | None = None,
    *,
    shape: Sequence[int] | None = None,
) -> ReceptiveField:
    """The positions of an input that each unit of a layer reads, by the structure of the layers.

    Kernels count as if no weight were 0, and maxima as if every element could win; each output of
    a recurrent layer reads all of its sequence.

    Parameters
    ----------
    network
        From `load` or `convert`.
    layer
        Its name.
    input
        Name of the input, where there are several.
    shape
        Of one sample of the input, where the model leaves a size open.

    Raises
    ------
    InputError
        If there is no such input, or its size is open.
    """
    names = [info.name for info in network.inputs]
    if (input is None and len(names) > 1) or input not in (None, *names):
        raise InputError(f"input={input!r}: name one of the inputs, {', '.join(names)}.")
    number = 0 if input is None else names.index(input)
    info = network.inputs[number]
    given = info.shape if shape is None else shape
    sizes = tuple(size for size in given if size is not None)
    if len(sizes) != len(info.shape):
        raise InputError(
            f"The input {info.name!r} has shape {info.shape}: give shape=, that of one sample."
        )
    channels = info.channels % len(sizes) if len(sizes) > 1 and info.table is None else None
    axes = [axis for axis in range(len(sizes)) if axis != channels]
    node = network.target_node(layer)
    return followed(network.graph, node, network.graph.inputs[number], sizes, axes)


def draw_filters(network: Network, layer: str, *, most: int = MOST) -> Figure:
    """Draw the kernels of a convolution, each channel of the output by itself.

    Kernels of images with three channels are drawn in colours, those of sequences as a map of
    letters, or channels, by positions; of other images the mean over the input's channels.

    Parameters
    ----------
    network
        From `load` or `convert`.
    layer
        A layer with a kernel.
    most
        Channels at most, the first ones.

    Raises
    ------
    InputError
        If the layer has no kernel with positions.
    """
    most = checked("most", most, Integer(1), InputError)
    names = {node.keras_layer for node in network.nodes.values() if node.layer.has_kernel}
    kernel: Any = next(
        (
            getattr(node.layer.core, "kernel", None)
            for node in network.nodes.values()
            if node.layer.has_kernel and layer in (node.name, node.keras_layer)
        ),
        None,
    )
    if kernel is None or np.ndim(kernel) not in (3, 4):
        raise InputError(
            f"{layer!r} has no kernel of a sequence or an image. Layers with a kernel: "
            f"{', '.join(sorted(names))}."
        )
    array = np.moveaxis(np.asarray(kernel, float), -1, 0)[:most]
    if array.ndim == 3:
        maps = array.transpose(0, 2, 1)
        axes = ("position in the kernel", "channel of the input")
    else:
        maps = array if array.shape[-1] == 3 else array.mean(axis=-1)
        axes = ("column (pixel)", "row (pixel)")
    names_of_maps = [str(number) for number in range(len(maps))]
    about = f"{layer}: kernels of {len(maps)} of {kernel.shape[-1]} channels"
    return draw_channels([ChannelMaps(about, maps, names_of_maps, axes, signed=True)])


def draw_activations(
    network: Network,
    x: Any,
    layers: str | Sequence[str],
    *,
    sample: int = 0,
    most: int = 16,
) -> Figure:
    """Draw activations of layers for a sample, layer by layer, the largest channels first.

    Parameters
    ----------
    network
        From `load` or `convert`.
    x
        Samples, as for `Network.predict`.
    layers
        Names, from the lowest on.
    sample
        Its number.
    most
        Channels of each layer at most: those of the largest activations.

    Raises
    ------
    InputError
        If the sample is not there, or a layer has more than two axes of positions.
    """
    most = checked("most", most, Integer(1), InputError)
    arrays = by_input(x, network.inputs, "x")
    count = len(arrays[0])
    sample = checked("sample", sample, Integer(0, count - 1), InputError)
    one = by_name([np.asarray(array)[sample : sample + 1] for array in arrays], network.inputs)
    found = network.activations(one, layers, progress=False)
    shapes = [np.shape(array)[1:] for array in arrays]
    return draw_channels(
        [
            _maps(network, name, values[0].astype(float), shapes, most)
            for name, values in found.items()
        ]
    )


def _maps(
    network: Network, name: str, values: Array, shapes: Sequence[tuple[int, ...]], most: int
) -> ChannelMaps:
    """The maps of the largest channels of a layer's activations (*positions, channels)."""
    if values.ndim > 3:
        raise InputError(
            f"{name!r} has activations of shape {values.shape}: two axes of positions and one of "
            "channels can be drawn."
        )
    reads = ""
    if len(shapes) == 1 and values.ndim > 1:
        sizes = receptive_field(network, name, shape=shapes[0]).size
        reads = f"; a unit reads {' x '.join(map(str, sizes))}"
    channels = values.shape[-1]
    if values.ndim == 1:
        maps, names, axes = values[np.newaxis, np.newaxis], ["units"], ("unit", "")
        about = f"{name}: {channels} units"
    else:
        order = np.argsort(-values.reshape(-1, channels).max(axis=0), kind="stable")[:most]
        maps = np.moveaxis(values[..., order], -1, 0)
        names, axes = [str(number) for number in order], ("column", "row")
        about = f"{name}: {len(order)} of {channels} channels{reads}"
    if maps.ndim == 2:
        maps, names, axes = maps[np.newaxis], [""], ("position", "channel")
        ticks = [str(number) for number in order]
        return ChannelMaps(about, maps, names, axes, rows=ticks)
    return ChannelMaps(about, maps, names, axes)


__all__ = ["draw_activations", "draw_filters", "receptive_field"]
