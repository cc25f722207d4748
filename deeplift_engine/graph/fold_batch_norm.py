"""Rewrites a graph so that batch norm is part of a neighbouring kernel.

A `Scale` behind a kernel, y = (x·W + b)·f + o, is the kernel W·f with the bias b·f + o; one in
front of kernels, (x·f + o)·W + b, is f·W with b + o·W. Relevance rules look at kernels and biases,
so that merged and unmerged networks are different ones to them, though they compute the same.
Scales in a row are one, and a sum with a number behind it is an average, so that rules share by
what is computed and not by how a file writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from deeplift_engine.errors import RuleError
from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.layers import Identity, Layer, Scale


def merging(graph: Graph, seen: Iterable[str], batch_norm: str = "merge") -> Graph:
    """The graph with every `Scale` merged that has a kernel behind or in front of it.

    A `Scale` stays as it is if others read the kernel too, if its activation is ``seen`` outside,
    or if its factor is not one number for each channel. A merged `Scale` becomes an `Identity`.

    Parameters
    ----------
    graph
        The network's.
    seen
        Nodes whose activations must stay what they are; the graph's outputs are, too.
    batch_norm
        ``"merge"``, or ``"rule"``, for which no kernel changes.

    Raises
    ------
    RuleError
        For any other ``batch_norm``.
    """
    if batch_norm not in ("merge", "rule"):
        raise RuleError(f"batch_norm is 'merge' or 'rule', not {batch_norm!r}.")
    exposed = {*seen, *graph.outputs}
    used = graph.ancestors(exposed)  # what nobody reads must not stand in the way
    nodes = {name: node for name, node in graph.nodes.items() if name in used}
    scales = [name for name, node in nodes.items() if isinstance(node.layer, Scale)]
    for name in scales:  # first among themselves: the next round sees what they come to
        nodes |= _into_source(nodes, name, exposed, kernels=False)
    for name in scales if batch_norm == "merge" else ():
        if isinstance(nodes[name].layer, Scale):
            nodes |= _into_source(nodes, name, exposed) or _into_readers(nodes, name, exposed)
    return replace(graph, nodes={name: nodes.get(name, node) for name, node in graph.nodes.items()})


def _readers(nodes: Mapping[str, Node], name: str) -> list[Node]:
    return [node for node in nodes.values() if name in node.inputs]


def _into_source(
    nodes: Mapping[str, Node], name: str, exposed: set[str], kernels: bool = True
) -> dict[str, Node]:
    """Nodes that change if the layer before takes the scale; none if it cannot."""
    scale, source = nodes[name].layer, nodes[nodes[name].inputs[0]]
    while True:
        if source.name in exposed or len(_readers(nodes, source.name)) != 1:
            return {}
        if not source.layer.is_identity:
            break
        source = nodes[source.inputs[0]]
    if not isinstance(scale, Scale) or (source.layer.has_kernel and not kernels):
        return {}
    layer = source.layer.scaled_after(scale.factor, scale.offset)
    return {} if layer is None else _changed({source.name: layer}, name, nodes)


def _into_readers(nodes: Mapping[str, Node], name: str, exposed: set[str]) -> dict[str, Node]:
    """Nodes that change if all readers take the scale; none if one cannot."""
    scale, readers = nodes[name].layer, _readers(nodes, name)
    if name in exposed or not readers or not isinstance(scale, Scale):
        return {}
    scaled = {
        reader.name: reader.layer.scaled_before(scale.factor, scale.offset) for reader in readers
    }
    layers = {reader: layer for reader, layer in scaled.items() if layer is not None}
    return _changed(layers, name, nodes) if len(layers) == len(scaled) else {}


def _changed(layers: Mapping[str, Layer], scale: str, nodes: Mapping[str, Node]) -> dict[str, Node]:
    changed = {name: replace(nodes[name], layer=layer) for name, layer in layers.items()}
    return {**changed, scale: replace(nodes[scale], layer=Identity())}
