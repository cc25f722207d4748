"""The layout of a node: its axes of positions and its axis of channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Layout:
    """The layout of one sample of a node.

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
        """Sizes of the axes of positions of an array (..., *sample)."""
        axes = list(array.shape[array.ndim - self.rank - (self.axis is not None) :])
        if self.axis is not None:
            del axes[self.axis]
        return tuple(axes)

    def last(self, array: Array) -> Array:
        """(..., *sample) as (..., *positions, channels)."""
        return array if self.axis is None else np.moveaxis(array, self.axis, -1)

    def spread(self, maps: Array) -> Array:
        """Maps (..., *positions) with an axis of size 1 for the channels, where there are any."""
        return maps if self.axis is None else np.expand_dims(maps, self.axis)


def layout(graph: Graph, name: str) -> Layout:
    """The layout of the node called ``name``; its last axis is the channels' unless known."""
    return Layout(len(graph.nodes[name].shape) - 1, channels_axis(graph, name))


def channels_axis(graph: Graph, name: str) -> int:
    """Axis of the channels of a node, from the end; the last unless known."""
    return -len(graph.nodes[name].shape) if _channels_first(graph, name) else -1


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
    return node.layer.permutation == axes


def _origin(graph: Graph, name: str) -> Node:
    """The node that sets the layout: an input, a transpose, or a change of rank."""
    node = graph.nodes[name]
    while node.inputs and node.layer.permutation is None:
        source = graph.nodes[node.inputs[0]]
        if len(source.shape) != len(node.shape):
            break
        node = source
    return node
