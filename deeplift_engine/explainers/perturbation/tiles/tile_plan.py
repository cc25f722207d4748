"""Tiles of a layer near the input, each of which depends on its receptive field alone.

Layers with windows and layers that are pointwise lie between the input and a node, the cut. Boxes
of its positions, the tiles, are computed by themselves from crops of the input: each layer takes
the positions that the next one reads, and where windows reach over an end, what is there is set to
what padding holds. All tiles have one shape, so that the last ones may reach over the end, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from deeplift_engine.explainers.perturbation.incremental.crossing import plain_work, sizes
from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.layers.spans import Box, Span, Window, union
from deeplift_engine.util.typing import Tensor

COPIED = 10
"""Cost of an element that is copied, in multiply-adds of a convolution."""
HALO = 6
"""Factor by which overlapping tiles may cost more than all of the layers at once."""


@dataclass(frozen=True)
class TilePlan:
    """Tiles of a cut.

    Attributes
    ----------
    graph, entered, cut
        The network, its input, and the node that is divided.
    boxes
        Of each node up to the cut what a tile reads of it.
    reduced
        The node behind the cut that is its mean or maximum over all tiles, if there is one: of a
        tile its share is computed instead.
    """

    graph: Graph
    entered: str
    cut: str
    boxes: Mapping[str, Box]
    reduced: str | None

    @property
    def axes(self) -> tuple[int, ...]:
        """Feature axes (from 0) that tiles divide."""
        return tuple(span.axis for span in self.boxes[self.cut])

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of tiles along each of the axes."""
        return tuple(-(-span.length // span.width) for span in self.boxes[self.cut])

    @property
    def number(self) -> int:
        """Number of tiles."""
        return math.prod(self.counts)

    @property
    def end(self) -> str:
        """The node from which on masks are computed one by one."""
        return self.reduced or self.cut

    # ------------------------------------------------------------ costs, in multiply-adds

    @property
    def tile_work(self) -> float:
        """Of a tile under one mask."""
        entered = math.prod(_shape(self.graph.nodes[self.entered], self.boxes[self.entered]))
        return COPIED * entered + sum(
            _work(self.graph, name)
            * math.prod(span.width / span.length for span in self.boxes[name])
            for name in self.boxes
            if name != self.entered
        )

    def work_behind(self, target: str) -> float:
        """Of one mask behind the tiles."""
        needed = self.graph.ancestors([target]) - self.graph.ancestors([self.end])
        return COPIED * self.number * self.elements + sum(_work(self.graph, n) for n in needed)

    @property
    def elements(self) -> int:
        """Number of elements that are held of a tile."""
        shape = list(_shape(self.graph.nodes[self.cut], self.boxes[self.cut]))
        if self.reduced:
            shape = [size for axis, size in enumerate(shape) if axis not in self.axes]
        return math.prod(shape)

    @property
    def crop_elements(self) -> int:
        """Number of elements of the largest tensor that a tile reads."""
        nodes = self.graph.nodes
        return max(math.prod(_shape(nodes[name], box)) for name, box in self.boxes.items())

    # ------------------------------------------------------------ computation

    def tiles(self, crops: Tensor, numbers: Tensor) -> Tensor:
        """The cut's values (B, *tile), or the share (B, *features) in what it is reduced to.

        ``crops`` (B, *box) are of the input, ``numbers`` (B, A) those of the tiles along each axis.
        """
        values = {self.entered: crops}
        for name, node in self.graph.nodes.items():
            if name in self.boxes and name != self.entered:
                values[name] = self._computed(node, values, numbers)
        cut = values[self.cut]
        if self.reduced is None:
            return cut
        box = self.boxes[self.cut]
        axes = [axis + 1 for axis in self.axes]
        mean = _mean_over(self.graph, self.cut, self.reduced, self.axes)
        if mean is None:
            lowest = cut.dtype.min
            return tf.reduce_max(_bounded(cut, box, numbers, lowest), axes)
        counted = [replace(span, length=last) for span, last in zip(box, mean, strict=True)]
        total = tf.reduce_sum(_bounded(cut, counted, numbers, 0), axes)
        return total / tf.cast(math.prod(mean), total.dtype)

    def _computed(self, node: Node, values: Mapping[str, Tensor], numbers: Tensor) -> Tensor:
        layer: Any = node.layer
        windows = _windows(self.graph, node)
        if windows is None:
            box = self.boxes[node.name]
            return layer.forward(
                *(_within(values[name], self.boxes[name], box) for name in node.inputs)
            )
        name = node.inputs[0]
        read = _read(self.graph, node, self.boxes[node.name], name)
        x = _within(values[name], self.boxes[name], read)
        inner = replace(layer, padding="valid")
        if layer.padding == "valid":
            return inner.forward(x)
        if layer.has_kernel:
            return inner.forward(_bounded(x, read, numbers, 0))
        if layer.kind != "linear":
            return inner.forward(_bounded(x, read, numbers, x.dtype.min))
        there = _bounded(tf.ones_like(x[..., :1]), read, numbers, 0)
        return tf.math.divide_no_nan(inner.forward(x * there), inner.forward(there))

    def joined(self, tiles: Tensor) -> Tensor:
        """The value (M, *shape) of `end` of all its tiles (M, tiles, *tile)."""
        node = self.graph.nodes[self.end]
        shape = list(sizes(node))
        if self.reduced is not None:
            mean = _mean_over(self.graph, self.cut, self.reduced, self.axes)
            over = tf.reduce_max if mean is None else tf.reduce_sum
            return tf.reshape(over(tiles, 1), [-1, *shape])
        box = {span.axis: span for span in self.boxes[self.cut]}
        rank, front = len(shape), 1 + len(self.counts)
        apart = tf.reshape(tiles, [-1, *self.counts, *tiles.shape[2:]])
        order, widths = [0], []
        for axis in range(rank):
            if axis in box:
                number = self.axes.index(axis)
                order.append(1 + number)
                widths.append(self.counts[number] * box[axis].width)
            else:
                widths.append(shape[axis])
            order.append(front + axis)
        merged = tf.reshape(tf.transpose(apart, order), [-1, *widths])
        return merged[(slice(None), *(slice(size) for size in shape))]


def tile_plans(graph: Graph, entered: str, target: str, widths: Sequence[int]) -> list[TilePlan]:
    """Plans for tiles as wide as stretches of ``widths`` positions of the input, of each cut.

    Tiles divide the first axes. Those plans are left out whose tiles overlap so much that they
    compute most of the layers several times.
    """
    between = graph.on_paths([entered], [target])
    axes = _divided(graph, entered, between)
    plans: dict[tuple[str, Box], TilePlan] = {}
    for cut in _cuts(graph, entered, target, axes):
        if axes[cut] != tuple(range(len(axes[cut]))):
            continue
        shape = sizes(graph.nodes[cut])
        before = sizes(graph.nodes[entered])
        for wide in widths:
            box = tuple(
                Span(axis, width, 0, width, shape[axis])
                for axis in axes[cut]
                for width in [max(1, min(shape[axis], round(wide * shape[axis] / before[axis])))]
            )
            if (cut, box) not in plans:
                plan = _plan(graph, entered, cut, box)
                if plan is not None:
                    plans[cut, box] = plan
    return list(plans.values())


def _plan(graph: Graph, entered: str, cut: str, box: Box) -> TilePlan | None:
    boxes = {cut: box}
    front = graph.on_paths([entered], [cut])
    for node in reversed(list(graph.nodes.values())):
        if node.name in boxes and node.name != entered:
            for name in node.inputs:
                read = _read(graph, node, boxes[node.name], name)
                boxes[name] = union([boxes.get(name, read), read]) or ()
    if not boxes.keys() <= front:
        return None
    axes = tuple(span.axis for span in box)
    behind = [each for each in graph.readers()[cut] if each.inputs == (cut,)]
    several = len(graph.readers()[cut]) > 1 or cut in graph.outputs
    reduces = [each.name for each in behind if not several and _reduces(graph, cut, each, axes)]
    plan = TilePlan(graph, entered, cut, boxes, reduces[0] if reduces else None)
    at_once = sum(_work(graph, name) for name in front if name != entered)
    return plan if plan.number * plan.tile_work < HALO * at_once else None


def _divided(graph: Graph, entered: str, between: set[str]) -> dict[str, tuple[int, ...]]:
    """Of each node the axes along which its positions depend on those near them alone."""
    axes = {entered: tuple(range(len(graph.nodes[entered].shape)))}
    for name, node in graph.nodes.items():
        if name not in between or name == entered or not axes.keys() >= set(node.inputs):
            continue
        shape, windows = sizes(node), _windows(graph, node)
        if windows is None:
            shapes = [sizes(graph.nodes[source]) for source in node.inputs]
            rank = len(shapes[0])
            along = tuple(
                axis
                for axis in axes[node.inputs[0]]
                if all(axis in axes[source] for source in node.inputs)
                and all(len(each) == rank for each in shapes)
                and len({size[axis] for size in (*shapes, shape) if axis < len(size)}) == 1
                and axis < len(shape)
                and node.layer.pointwise_along(axis, rank)
            )
        else:
            along = tuple(windows) if set(windows) <= set(axes[node.inputs[0]]) else ()
        if along:
            axes[name] = along
    return axes


def _cuts(
    graph: Graph, entered: str, target: str, axes: Mapping[str, tuple[int, ...]]
) -> Iterator[str]:
    """The nodes that all ways go through, where the next layer mixes positions."""
    readers = graph.readers()
    for name in axes:
        behind = [each.name for each in readers[name] if each.name in axes]
        if name in (entered, target):
            continue
        if behind and all(_windows(graph, graph.nodes[each]) is None for each in behind):
            continue
        beside = {entered}
        for node in graph.nodes.values():
            if node.name != name and not beside.isdisjoint(node.inputs):
                beside.add(node.name)
        if target not in beside:
            yield name


def _windows(graph: Graph, node: Node) -> dict[int, Window] | None:
    """The windows that slide along axes of a node's only input; None where there are none."""
    if len(node.inputs) != 1:
        return None
    shape = sizes(graph.nodes[node.inputs[0]])
    windows = {axis: node.layer.sliding_window(axis, size) for axis, size in enumerate(shape)}
    sliding = {axis: window for axis, window in windows.items() if window is not None}
    return sliding or None


def _read(graph: Graph, node: Node, box: Box, name: str) -> Box:
    """What a box of a node reads of one that it reads."""
    windows, shape = _windows(graph, node), sizes(graph.nodes[name])
    if windows is None:
        return box
    return tuple(
        replace(span, step=span.step * window.stride, length=shape[span.axis]).read_by(window, span)
        for span in box
        for window in [windows[span.axis]]
    )


def _within(values: Tensor, box: Box, inner: Box) -> Tensor:
    """Values (B, *box) in a smaller box."""
    index = [slice(None)] * values.shape.rank
    for span, own in zip(box, inner, strict=True):
        before, _ = span.margins(own)
        index[span.axis + 1] = slice(before, before + own.width)
    return values[tuple(index)]


def _bounded(values: Tensor, box: Sequence[Span], numbers: Tensor, otherwise: Any) -> Tensor:
    """Values (B, *box) between the ends of the axes, and ``otherwise`` beyond."""
    for number, span in enumerate(box):
        positions = numbers[:, number, tf.newaxis] * span.step + span.start + tf.range(span.width)
        inside = (positions >= 0) & (positions < span.length)
        shape = [-1 if axis in (0, span.axis + 1) else 1 for axis in range(values.shape.rank)]
        shape[span.axis + 1] = span.width
        other = tf.cast(otherwise, values.dtype)
        values = tf.where(tf.reshape(inside, shape), values, other)
    return values


def _reduces(graph: Graph, cut: str, node: Node, axes: Sequence[int]) -> bool:
    """Whether a node is the mean or the maximum of the cut over all of its tiles."""
    greatest = all(node.layer.greatest_along(axis) for axis in axes)
    left = math.prod(sizes(node)) * math.prod(sizes(graph.nodes[cut])[axis] for axis in axes)
    same = left == math.prod(sizes(graph.nodes[cut]))
    return same and (greatest or _mean_over(graph, cut, node.name, axes) is not None)


def _mean_over(graph: Graph, cut: str, name: str, axes: Sequence[int]) -> list[int] | None:
    """Number of positions along each axis that a node is the mean of; None if it is none."""
    node, shape = graph.nodes[name], sizes(graph.nodes[cut])
    means = [node.layer.averages(axis, shape, sizes(node)) for axis in axes]
    if any(mean is None or set(mean[1]) != set(axes) for mean in means):
        return None
    return [mean[0] for mean in means if mean is not None]


def _shape(node: Node, box: Box) -> tuple[int, ...]:
    """Shape of what a box holds of a node."""
    shape = list(sizes(node))
    for span in box:
        shape[span.axis] = span.width
    return tuple(shape)


def _work(graph: Graph, name: str) -> float:
    node = graph.nodes[name]
    return plain_work(node, [graph.nodes[source] for source in node.inputs]) if node.inputs else 0.0
