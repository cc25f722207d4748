"""Receptive fields: the positions of an input that each unit of a layer reads.

A mark is put on one position of the input after another, and followed by the structure of the
layers: kernels as if no weight were 0, maxima as if every element could win.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.util.typing import Array, Tensor

AT_ONCE = 16
"""Marks that are followed together."""


@dataclass(frozen=True)
class ReceptiveField:
    """What the units of a layer read of an input.

    Attributes
    ----------
    layer, input
        Names.
    axes
        Of one sample of the input, those of its positions.
    start, stop
        The first position along each of these axes, and the one behind the last, that a unit
        reads: (*units, axes). Both are 0 where it reads none.
    """

    layer: str
    input: str
    axes: tuple[int, ...]
    start: Array
    stop: Array

    @property
    def size(self) -> tuple[int, ...]:
        """The largest number of positions along each axis, those in between included."""
        widths = (self.stop - self.start).reshape(-1, len(self.axes))
        return tuple(int(width) for width in widths.max(axis=0, initial=0))

    def of(self, *unit: int) -> tuple[slice, ...]:
        """The positions along each axis that one unit reads."""
        ends = zip(self.start[unit], self.stop[unit], strict=True)
        return tuple(slice(int(start), int(stop)) for start, stop in ends)


def receptive_field(
    graph: Graph, layer: str, entered: str, shape: Sequence[int], axes: Sequence[int]
) -> ReceptiveField:
    """What the units of a node read of an input.

    Parameters
    ----------
    graph
        The network.
    layer, entered
        Names of the node and of the input.
    shape
        Of one sample of the input.
    axes
        Of it, those of positions.
    """
    ends = [_along(graph, layer, entered, shape, axis) for axis in axes]
    start, stop = (np.stack(each, axis=-1) for each in zip(*ends, strict=True))
    return ReceptiveField(layer, entered, tuple(axes), start, stop)


def _along(
    graph: Graph, layer: str, entered: str, shape: Sequence[int], axis: int
) -> tuple[Array, Array]:
    """First and last positions along one axis, (*units) each."""
    length = shape[axis]
    dtype = next(node.dtype for node in graph.nodes.values() if not node.tokens)
    start: Any = None
    stop: Any = None
    for first in range(0, length, AT_ONCE):
        positions = np.arange(first, min(first + AT_ONCE, length))
        marks = np.zeros((len(positions), *shape), dtype)
        index: list[Any] = [slice(None)] * len(shape)
        for number, position in enumerate(positions):
            index[axis] = position
            marks[(number, *index)] = 1
        reached = _followed(graph, layer, entered, tf.constant(marks))
        if start is None:
            start, stop = np.full(reached.shape[1:], length), np.zeros(reached.shape[1:], int)
        where = positions.reshape(-1, *(1 for _ in start.shape))
        start = np.minimum(start, np.where(reached, where, length).min(axis=0))
        stop = np.maximum(stop, np.where(reached, where + 1, 0).max(axis=0))
    return np.where(stop > 0, start, 0), stop


def _followed(graph: Graph, layer: str, entered: str, marks: Tensor) -> Array:
    """Whether each mark reaches each unit of a node, (marks, *units)."""
    between = graph.on_paths([entered], [layer])
    reached = {entered: marks}
    for name, node in graph.nodes.items():
        if name in between and name != entered:
            read = [
                reached.get(
                    source, tf.zeros([len(marks), *_sizes(graph.nodes[source])], marks.dtype)
                )
                for source in node.inputs
            ]
            reached[name] = tf.cast(_crossed(node, read), marks.dtype)
    return np.asarray(reached[layer]) > 0


def _crossed(node: Node, read: Sequence[Tensor]) -> Tensor:
    """Whether marks reach the units of a node, from those of what it reads."""
    layer: Any = node.layer
    if layer.kind == "recurrent":
        return _anywhere(node, read)
    if layer.kind == "linear":
        sizes = layer.absolute()
        return (sizes.reweighted(np.ones_like) if layer.has_kernel else sizes).linear(*read) > 0
    if layer.kind == "elementwise":
        return read[0] > 0
    if layer.kind == "selection":
        flipped = layer.core.sign < 0
        winners = layer.forward(*(1 - mark if flipped else mark for mark in read))
        return (1 - winners if flipped else winners) > 0
    if layer.kind == "lookup":
        met = functools.reduce(tf.maximum, read)
        shape = [*met.shape, *(1 for _ in range(len(node.shape) + 1 - met.shape.rank))]
        return tf.broadcast_to(tf.reshape(met, shape), [len(met), *_sizes(node, met)]) > 0
    return _moved(layer, read)


def _moved(layer: Any, marks: Sequence[Tensor]) -> Tensor:
    """Where the output of a smooth function changes with what is marked."""
    draw = np.random.default_rng(0)
    points = [
        tf.constant(draw.uniform(0.5, 1.5, (1, *mark.shape[1:])), mark.dtype) for mark in marks
    ]
    moves = [0.5 * mark * point for mark, point in zip(marks, points, strict=True)]
    changed = layer.forward(*(point + move for point, move in zip(points, moves, strict=True)))
    return tf.not_equal(changed, layer.forward(*points))


def _anywhere(node: Node, marks: Sequence[Tensor]) -> Tensor:
    """Every unit, of those marks that are read at all."""
    met = tf.zeros([len(marks[0])], bool)
    for mark in marks:
        met |= tf.reduce_any(tf.reshape(mark, [len(mark), -1]) > 0, axis=1)
    shape = [len(met), *_sizes(node, marks[0])]
    return tf.broadcast_to(tf.reshape(met, [len(met), *(1 for _ in node.shape)]), shape)


def _sizes(node: Node, mark: Tensor | None = None) -> list[int]:
    """The shape of a node's output; a free axis is as that of what it reads, or 1."""
    return [
        (1 if mark is None else mark.shape[1 + axis]) if size is None else size
        for axis, size in enumerate(node.shape)
    ]


__all__ = ["ReceptiveField", "receptive_field"]
