"""Positions and channels: how a node has them, and maps over positions brought to another size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias

import numpy as np

from deeplift_engine.engine.task import AttributionPoint, Task, attribution_point
from deeplift_engine.errors import InputError
from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.graph.layouts import Layout, layout
from deeplift_engine.util.options import Among
from deeplift_engine.util.typing import Array

Interpolation: TypeAlias = Annotated[str, Among(("linear", "nearest"))]


# ---------------------------------------------------------------- which layer


def at_feature_maps(task: Task) -> Task:
    """The same at layers with positions and channels: the last convolution if none is named.

    Raises
    ------
    InputError
        If there is no convolution in front of the target, heads have different ones, or a layer has
        no positions.
    """
    if task.at_inputs:
        point = _last_of_all(task)
        settings = {**task.settings, "layers": [point.name]}
        task = replace(task, attribution_points=(point,), settings=settings)
    for point in task.attribution_points:
        node = task.graph.nodes[point.node]
        if len(node.shape) < 2 or node.tokens:
            raise InputError(
                f"A map needs positions and channels, but {point.name!r} gives {node.dtype} of "
                f"shape {node.shape}: name a convolution, or a layer of its shape, as layers=."
            )
    return task


def _last_of_all(task: Task) -> AttributionPoint:
    """The last convolution in front of the target, which has to be that of every head."""
    cut = task.settings.get("layers")
    points = {name: last_convolution(task.graph, name, cut) for name in task.explained}
    if len(set(points.values())) > 1:
        met = ", ".join(f"{point.name!r} in front of {name!r}" for name, point in points.items())
        raise InputError(f"The last convolutions of the heads differ, {met}: name one as layers=.")
    return next(iter(points.values()))


def last_convolution(
    graph: Graph, target: str, behind: Sequence[str] | None = None
) -> AttributionPoint:
    """The last convolution in front of the target, behind its own normalisation and activation.

    A layer that does nothing, such as dropout, is left out where nothing else follows it. The
    error names the layers that the graph was cut ``behind``.

    Raises
    ------
    InputError
        If there is none.
    """
    before = graph.ancestors([target])
    readers = graph.readers()

    def idle(node: Node) -> bool:
        moved = node.layer.permutation is not None
        return (graph.nodes[node.inputs[0]] if moved else node).layer.core.is_identity

    def end(node: Node) -> Node:
        following = [reader for reader in readers[node.name] if reader.name in before]
        if len(following) != 1 or not _own(node, following[0]):
            return node
        last = end(following[0])
        return node if idle(last) and last.keras_layer != node.keras_layer else last

    for node in reversed(list(graph.nodes.values())):
        if node.name in before and node.layer.core.kernel_family == "convolution":
            last = end(node).name
            if last != target:
                outside = last.removesuffix("/channels_last")
                return attribution_point(graph, outside if outside in graph.nodes else last)
    if behind:
        raise InputError(
            f"There is no convolution between {list(behind)} and {target!r}: leave layers= out, or "
            "name layers in front of the convolution that is looked at."
        )
    raise InputError(
        f"There is no convolution in front of {target!r}: name a layer with positions and "
        "channels as layers=."
    )


def _own(node: Node, reader: Node) -> bool:
    """Whether ``reader`` is a part of the same layer, its normalisation or its activation."""
    return reader.layer.core.elementwise or reader.keras_layer == node.keras_layer


@dataclass(frozen=True)
class Source:
    """The input, by its ``number``, that a layer's positions are those of, and its layout."""

    number: int
    layout: Layout


def source_of(task: Task, point: AttributionPoint) -> Source:
    """The input whose positions those of a layer are.

    Raises
    ------
    InputError
        If there is no such input, or several.
    """
    graph = task.graph
    rank = len(graph.nodes[point.node].shape) - 1
    before = graph.ancestors([point.node])
    sources = []
    for number, name in enumerate(graph.inputs):
        node = graph.nodes[name]
        if name in before and node.tokens and len(node.shape) == rank:
            sources.append(Source(number, Layout(rank, None)))
        elif name in before and len(node.shape) == rank + 1:
            sources.append(Source(number, layout(graph, name)))
    if len(sources) != 1:
        met = {name: graph.nodes[name].shape for name in graph.inputs if name in before}
        raise InputError(
            f"{point.name!r} has {rank} axes of positions, and of the inputs in front of it, {met},"
            f" {len(sources)} have positions and channels like it; one is needed to know whose "
            "positions they are. Give resize=None, or the sizes of the map, where the method has "
            "that option."
        )
    return sources[0]


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
