"""Rewrites a graph so that a product of products is one product of all factors.

Shares of a·b·c are those of the three factors, however a file groups them. Only where nothing
else reads the product within, and both have the rule of the straight path.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from deeplift_engine.graph.graph import Graph
from deeplift_engine.layers import Product
from deeplift_engine.rules import Assigned
from deeplift_engine.rules.deeplift.joint import Path


def joining(graph: Graph, rules: Mapping[str, Assigned], seen: Iterable[str]) -> Graph:
    """The graph with such products joined, but for nodes that are ``seen`` outside.

    The graph's outputs are seen, too. Products within stay as nodes, which nothing reads.
    """
    exposed = {*seen, *graph.outputs}
    readers = graph.readers()
    nodes = dict(graph.nodes)

    def is_product(name: str) -> bool:
        return isinstance(nodes[name].layer, Product) and isinstance(rules[name].rule, Path)

    def factors(name: str, rank: int) -> tuple[str, ...]:
        """The factors of the product that a node is, else its own name."""
        inner = name
        while len(readers[inner]) == 1 and inner not in exposed:
            node = nodes[inner]
            if is_product(inner) and len(node.shape) == rank:
                return node.inputs
            if not node.layer.is_identity:
                break
            inner = node.inputs[0]
        return (name,)

    for node in graph.nodes.values():
        if node.inputs and is_product(node.name):
            joined = [name for source in node.inputs for name in factors(source, len(node.shape))]
            nodes[node.name] = replace(node, layer=Product(len(joined)), inputs=tuple(joined))
    return replace(graph, nodes=nodes)
