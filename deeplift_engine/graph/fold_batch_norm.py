"""Rewrites a graph so that batch norm is part of a neighbouring kernel.

A `Scale` behind a kernel, y = (x·W + b)·f + o, is the kernel W·f with the bias b·f + o; one in
front of kernels, (x·f + o)·W + b, is f·W with b + o·W. Relevance rules look at kernels and biases,
so that merged and unmerged networks are different ones to them, though they compute the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from deeplift_engine.errors import RuleError
from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.layers import (
    Convolution,
    Dense,
    DepthwiseConvolution,
    Identity,
    Linear,
    LocallyConnected,
    Scale,
    TransposedConvolution,
)
from deeplift_engine.layers.distributed import DistributedLinear
from deeplift_engine.util.typing import Array

Change = Callable[[Array, Array], Array]


def merging(graph: Graph, seen: Iterable[str], batch_norm: str = "merge") -> Graph:
    """The graph with every `Scale` merged that has a kernel behind or in front of it.

    What is read by others too, is ``seen`` outside or has a factor that is not one number for each
    channel stays as it is. A merged `Scale` becomes an `Identity`.

    Parameters
    ----------
    graph
        The network's.
    seen
        Nodes whose activations must stay what they are; the graph's outputs are, too.
    batch_norm
        ``"merge"``, or ``"rule"``, for which nothing changes.

    Raises
    ------
    RuleError
        For any other ``batch_norm``.
    """
    if batch_norm not in ("merge", "rule"):
        raise RuleError(f"batch_norm is 'merge' or 'rule', not {batch_norm!r}.")
    if batch_norm == "rule":
        return graph
    kept = {*seen, *graph.outputs}
    used = graph.ancestors(kept)  # what nobody reads must not stand in the way
    nodes = {name: node for name, node in graph.nodes.items() if name in used}
    for name in list(nodes):
        if isinstance(nodes[name].layer, Scale):
            nodes |= _into_source(nodes, name, kept) or _into_readers(nodes, name, kept)
    return replace(graph, nodes={name: nodes.get(name, node) for name, node in graph.nodes.items()})


def _readers(nodes: dict[str, Node], name: str) -> list[Node]:
    return [node for node in nodes.values() if name in node.inputs]


def _into_source(nodes: dict[str, Node], name: str, kept: set[str]) -> dict[str, Node]:
    """What changes where the kernel before takes the scale; nothing where none can."""
    scale, source = nodes[name], nodes[nodes[name].inputs[0]]
    while True:
        if source.name in kept or len(_readers(nodes, source.name)) != 1:
            return {}
        if not isinstance(source.layer, Identity):
            break
        source = nodes[source.inputs[0]]
    merged = _behind(source.layer, scale.layer)
    return {} if merged is None else _changed({source.name: merged}, scale, nodes)


def _into_readers(nodes: dict[str, Node], name: str, kept: set[str]) -> dict[str, Node]:
    """What changes where all that read the scale take it."""
    scale, readers = nodes[name], _readers(nodes, name)
    if name in kept or not readers:
        return {}
    merged = {reader.name: _in_front(reader.layer, scale.layer) for reader in readers}
    found = {reader: layer for reader, layer in merged.items() if layer is not None}
    return _changed(found, scale, nodes) if len(found) == len(merged) else {}


def _changed(layers: dict[str, Linear], scale: Node, nodes: dict[str, Node]) -> dict[str, Node]:
    changed = {name: replace(nodes[name], layer=layer) for name, layer in layers.items()}
    return {**changed, scale.name: replace(scale, layer=Identity())}


def _behind(layer: Any, scale: Any) -> Linear | None:
    """The kernel with ``scale`` behind it."""
    if isinstance(layer, DistributedLinear):
        inner = _behind(layer.inner, scale)
        return None if inner is None else DistributedLinear(inner)
    if isinstance(layer, TransposedConvolution):
        channels, change = layer.adjoint.kernel.shape[-2], _along(-2)
    elif isinstance(layer, DepthwiseConvolution):
        channels, change = layer.kernel.shape[-2] * layer.kernel.shape[-1], _by_copies
    elif isinstance(layer, Convolution | Dense | LocallyConnected):
        channels, change = layer.kernel.shape[-1], _along(-1)
    else:
        return None
    factor, offset = (_of_channels(array, channels) for array in (scale.factor, scale.offset))
    if factor is None or offset is None:
        return None
    bias = np.zeros(channels) if layer.bias is None else np.asarray(layer.bias, np.float64)
    bias = bias * factor + offset
    if isinstance(layer, TransposedConvolution):
        kernel = _cast(change, layer.adjoint.kernel, factor)
        return replace(
            layer, adjoint=replace(layer.adjoint, kernel=kernel), bias=bias.astype(kernel.dtype)
        )
    kernel = _cast(change, layer.kernel, factor)
    merged: Linear = replace(layer, kernel=kernel, bias=bias.astype(kernel.dtype))
    return merged


def _in_front(layer: Any, scale: Any) -> Linear | None:
    """The kernel with ``scale`` in front of it; zeros around its input must stay zeros."""
    if not isinstance(layer, Convolution | Dense | DepthwiseConvolution):
        return None
    groups = layer.groups if isinstance(layer, Convolution) else 1
    channels = layer.kernel.shape[-2] * groups
    factor, offset = (_of_channels(array, channels) for array in (scale.factor, scale.offset))
    padded = not isinstance(layer, Dense) and layer.padding != "valid"
    if factor is None or offset is None or (padded and offset.any()):
        return None
    change = _grouped(groups) if groups > 1 else _along(-2)
    taps = tuple(range(layer.kernel.ndim - 2))
    added = change(np.asarray(layer.kernel, np.float64), offset).sum(axis=taps)
    added = added.ravel() if isinstance(layer, DepthwiseConvolution) else added.sum(axis=0)
    bias = added if layer.bias is None else layer.bias + added
    kernel = _cast(change, layer.kernel, factor)
    return replace(layer, kernel=kernel, bias=bias.astype(kernel.dtype))


def _of_channels(array: Array | None, channels: int) -> Array | None:
    """One number for each channel in float64, zeros for None; None where it is no such array."""
    values = np.zeros(()) if array is None else np.asarray(array, np.float64)
    if values.size not in (1, channels) or values.shape[-1:] not in ((), (1,), (channels,)):
        return None
    return np.broadcast_to(values.ravel(), (channels,))


def _cast(change: Change, kernel: Array, factor: Array) -> Array:
    return change(np.asarray(kernel, np.float64), factor).astype(kernel.dtype)


def _along(axis: int) -> Change:
    """Multiplies a kernel along an axis, from the end."""
    return lambda kernel, factor: kernel * factor.reshape(-1, *[1] * (-axis - 1))


def _by_copies(kernel: Array, factor: Array) -> Array:
    return kernel * factor.reshape(kernel.shape[-2:])


def _grouped(groups: int) -> Change:
    """Multiplies the inputs (in / groups) of each group's outputs (out / groups)."""

    def change(kernel: Array, factor: Array) -> Array:
        parts = zip(np.split(kernel, groups, axis=-1), np.split(factor, groups), strict=True)
        return np.concatenate([part * own[:, np.newaxis] for part, own in parts], axis=-1)

    return change
