"""Which embedding tables look up the tokens of an input, also behind layers that move them."""

from __future__ import annotations

from deeplift_engine.graph.graph import Graph
from deeplift_engine.graph.inputs import Table


def tables(graph: Graph) -> dict[str, Table]:
    """The smallest table for each input that an embedding looks up."""
    smallest: dict[str, Table] = {}
    sources: dict[str, set[str]] = {name: {name} for name in graph.inputs}
    for node in graph.nodes.values():
        if not node.inputs:
            continue
        reached: set[str] = set().union(*(sources.get(name, set()) for name in node.inputs))
        layer = node.layer.core
        if layer.moves:
            sources[node.name] = reached
        elif layer.vocabulary is not None:
            table = Table(node.keras_layer, layer.vocabulary)
            for name in reached:
                if name not in smallest or table.rows < smallest[name].rows:
                    smallest[name] = table
    return smallest


__all__ = ["tables"]
