"""Rewrites a graph so that a product of products is one product, a maximum of maxima one maximum.

Shares of a·b·c are those of the three factors, however a file groups them. Only where nothing
else reads the product within, and both have the rule of the straight path. So too for maxima and
minima, of whose inputs those that tie share equally, where both have one rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from deeplift_engine.graph.graph import Graph
from deeplift_engine.rules import Assigned
from deeplift_engine.rules.deeplift.joint import Path


def joining(graph: Graph, rules: Mapping[str, Assigned], seen: Iterable[str]) -> Graph:
    """The graph with such layers joined, but for nodes that are ``seen`` outside.

    The graph's outputs are seen, too. Layers within stay as nodes, which nothing reads.
    """
    exposed = {*seen, *graph.outputs}
    readers = graph.readers()
    nodes = dict(graph.nodes)

    def joins(name: str, inner: str) -> bool:
        """Whether two nodes are of one kind that can be joined, under one rule."""
        layer, rule = nodes[name].layer, rules[name].rule
        return (
            type(layer) is type(nodes[inner].layer)
            and layer.joined(2) is not None
            and rules[inner].rule == rule
            and (layer.kind == "selection" or isinstance(rule, Path))
            and len(nodes[name].shape) == len(nodes[inner].shape)
        )

    def inputs(name: str, source: str) -> tuple[str, ...]:
        """The inputs of the node behind an input of ``name`` that joins it, else that input."""
        inner = source
        while len(readers[inner]) == 1 and inner not in exposed and nodes[inner].inputs:
            if joins(name, inner):
                return nodes[inner].inputs
            if not nodes[inner].layer.is_identity:
                break
            inner = nodes[inner].inputs[0]
        return (source,)

    for node in graph.nodes.values():
        joined = [name for source in node.inputs for name in inputs(node.name, source)]
        if len(joined) > len(node.inputs):
            layer = node.layer.joined(len(joined)) or node.layer
            nodes[node.name] = replace(node, layer=layer, inputs=tuple(joined))
    return replace(graph, nodes=nodes)
