"""Positions and channels: how a node has them, and maps over positions brought to another size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.explainers.setup import Setup
from deeplift_engine.graph import Graph, Node
from deeplift_engine.layers import (
    Convolution,
    DepthwiseConvolution,
    Elementwise,
    Identity,
    LocallyConnected,
    Scale,
    Transpose,
    TransposedConvolution,
)
from deeplift_engine.plan import Cut, cut_at

Array = NDArray[Any]
CONVOLUTIONS = (Convolution, DepthwiseConvolution, LocallyConnected, TransposedConvolution)
INTERPOLATIONS = ("linear", "nearest")


@dataclass(frozen=True)
class Layout:
    """How one sample of a node is laid out.

    Attributes
    ----------
    rank
        How many axes of positions there are: 1 of a sequence, 2 of an image, 3 of a volume.
    axis
        Where the channels are, from the end; None where there are none, as of tokens.
    """

    rank: int
    axis: int | None

    def sizes(self, array: Array) -> tuple[int, ...]:
        """How many positions an array (..., *sample) has along each of their axes."""
        kept = list(array.shape[array.ndim - self.rank - (self.axis is not None) :])
        if self.axis is not None:
            del kept[self.axis]
        return tuple(kept)

    def last(self, array: Array) -> Array:
        """(..., *sample) as (..., *positions, channels)."""
        return array if self.axis is None else np.moveaxis(array, self.axis, -1)

    def spread(self, maps: Array) -> Array:
        """Maps (..., *positions) with an axis of size 1 for the channels, where there are any."""
        return maps if self.axis is None else np.expand_dims(maps, self.axis)


def layout(graph: Graph, name: str) -> Layout:
    """How the node called ``name`` is laid out; its last axis are channels if nothing tells."""
    rank = len(graph.nodes[name].shape) - 1
    return Layout(rank, -rank - 1 if _channels_first(graph, name) else -1)


def _channels_first(graph: Graph, name: str) -> bool:
    """Whether a layer that has its channels first gave the node, or reads it.

    Such a layer moves them itself, where it begins and where it ends.
    """
    rank = len(graph.nodes[name].shape)
    origin = _origin(graph, name)
    if _moves(origin, (rank, *range(1, rank))):
        return graph.nodes[origin.inputs[0]].keras_layer == origin.keras_layer
    return any(
        _moves(graph.nodes[source], (*range(2, rank + 1), 1))
        and graph.nodes[source].keras_layer == reader.keras_layer
        and _origin(graph, graph.nodes[source].inputs[0]).name == origin.name
        for reader in graph.nodes.values()
        for source in reader.inputs
    )


def _moves(node: Node, axes: tuple[int, ...]) -> bool:
    return isinstance(node.layer, Transpose) and node.layer.axes == axes


def _origin(graph: Graph, name: str) -> Node:
    """Where the node's layout comes from: an input, a transpose, or what changes the rank."""
    node = graph.nodes[name]
    while node.inputs and not isinstance(node.layer, Transpose):
        source = graph.nodes[node.inputs[0]]
        if len(source.shape) != len(node.shape):
            break
        node = source
    return node


# ---------------------------------------------------------------- which layer


def at_feature_maps(setup: Setup) -> Setup:
    """The same at layers with positions and channels: the last convolution if none is named.

    Raises
    ------
    InputError
        If there is no convolution in front of the target, or a layer has no positions.
    """
    if setup.at_inputs:
        place = last_convolution(setup.graph, setup.target)
        settings = {**setup.settings, "layers": [place.name]}
        setup = replace(setup, places=(place,), settings=settings)
    for place in setup.places:
        node = setup.graph.nodes[place.node]
        if len(node.shape) < 2 or node.tokens:
            raise InputError(
                f"A map needs positions and channels, but {place.name!r} gives {node.dtype} of "
                f"shape {node.shape}: name a convolution, or a layer of its shape, as layers=."
            )
    return setup


def last_convolution(graph: Graph, target: str) -> Cut:
    """The last convolution in front of the target, behind its own normalisation and activation.

    What does nothing there, such as dropout, is left out where nothing else follows it.

    Raises
    ------
    InputError
        If there is none.
    """
    before = graph.before([target])
    readers: dict[str, list[Node]] = {}
    for node in graph.nodes.values():
        for source in set(node.inputs) if node.name in before else ():
            readers.setdefault(source, []).append(node)

    def idle(node: Node) -> bool:
        moved = isinstance(node.layer, Transpose)
        return isinstance((graph.nodes[node.inputs[0]] if moved else node).layer.core, Identity)

    def end(node: Node) -> Node:
        following = readers.get(node.name, [])
        if len(following) != 1 or not _own(node, following[0]):
            return node
        last = end(following[0])
        return node if idle(last) and last.keras_layer != node.keras_layer else last

    for node in reversed(list(graph.nodes.values())):
        if node.name in before and isinstance(node.layer.core, CONVOLUTIONS):
            last = end(node).name
            if last != target:
                outside = last.removesuffix("/channels_last")
                return cut_at(graph, outside if outside in graph.nodes else last)
    raise InputError(
        f"There is no convolution in front of {target!r}: name a layer with positions and "
        "channels as layers=."
    )


def _own(node: Node, reader: Node) -> bool:
    """Whether ``reader`` is a part of the same layer, its normalisation or its activation."""
    elementwise = isinstance(reader.layer.core, Elementwise | Identity | Scale)
    return elementwise or reader.keras_layer == node.keras_layer


@dataclass(frozen=True)
class Source:
    """The input, by its ``number``, that a layer's positions are those of, and its layout."""

    number: int
    layout: Layout


def source_of(setup: Setup, place: Cut) -> Source:
    """The input whose positions those of a layer are.

    Raises
    ------
    InputError
        If there is no such input, or several.
    """
    graph = setup.graph
    rank = len(graph.nodes[place.node].shape) - 1
    before = graph.before([place.node])
    found = []
    for number, name in enumerate(graph.inputs):
        node = graph.nodes[name]
        if name in before and node.tokens and len(node.shape) == rank:
            found.append(Source(number, Layout(rank, None)))
        elif name in before and len(node.shape) == rank + 1:
            found.append(Source(number, layout(graph, name)))
    if len(found) != 1:
        met = {name: graph.nodes[name].shape for name in graph.inputs if name in before}
        raise InputError(
            f"{place.name!r} has {rank} axes of positions, and of the inputs in front of it, {met},"
            f" {len(found)} have positions and channels like it; one is needed to know whose "
            "positions they are. Give resize=None, or the sizes of the map, where the method has "
            "that option."
        )
    return found[0]


# ---------------------------------------------------------------- sizes


def resized(
    maps: Array, sizes: Sequence[int], leading: int, interpolation: str = "linear"
) -> Array:
    """Maps of positions (behind ``leading`` axes) with other ``sizes``.

    Pixels are areas, so that the corners of the image, not the centres of its first and last
    pixel, stay where they are; beyond those centres values stay the same. This is what
    `tf.image.resize` and OpenCV do (bilinear for images), along any number of axes. What is
    constant stays so, to the last digit.
    """
    for axis, size in enumerate(sizes, start=leading):
        old = maps.shape[axis]
        if size == old:
            continue
        at = (np.arange(size) + 0.5) * old / size
        if interpolation == "nearest":
            maps = np.take(maps, at.astype(int), axis)
            continue
        at = np.clip(at - 0.5, 0, old - 1)
        below = at.astype(int)
        share = (at - below).reshape(-1, *[1] * (maps.ndim - axis - 1)).astype(maps.dtype)
        first, maps = (np.take(maps, at, axis) for at in (below, np.minimum(below + 1, old - 1)))
        maps -= first
        maps *= share
        maps += first
    return maps


def checked_interpolation(interpolation: str) -> str:
    """One of `INTERPOLATIONS`.

    Raises
    ------
    RuleError
        For anything else.
    """
    if interpolation not in INTERPOLATIONS:
        known = ", ".join(INTERPOLATIONS)
        raise RuleError(f"interpolation is one of {known}, not {interpolation!r}.")
    return interpolation
