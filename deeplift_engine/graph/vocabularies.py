"""Which tables the tokens of an input are looked up in, however they are moved before."""

from __future__ import annotations

from deeplift_engine.graph.graph import Graph
from deeplift_engine.graph.inputs import Table
from deeplift_engine.layers import (
    Concatenate,
    Crop,
    Element,
    Embedding,
    Identity,
    Layer,
    Part,
    Repeat,
    Reshape,
    Reverse,
    Transpose,
)

MOVING = (Concatenate, Crop, Element, Identity, Part, Repeat, Reshape, Reverse, Transpose)
"""Layers whose outputs are some of their inputs, as they were."""


def tables(graph: Graph) -> dict[str, Table]:
    """For each input that is looked up the smallest table that it is looked up in."""
    found: dict[str, Table] = {}
    sources: dict[str, set[str]] = {name: {name} for name in graph.inputs}
    for node in graph.nodes.values():
        if not node.inputs:
            continue
        reached: set[str] = set().union(*(sources.get(name, set()) for name in node.inputs))
        layer: Layer = node.layer.core
        if isinstance(layer, MOVING):
            sources[node.name] = reached
        elif isinstance(layer, Embedding):
            table = Table(node.keras_layer, len(layer.table))
            for name in reached:
                if name not in found or table.rows < found[name].rows:
                    found[name] = table
    return found


__all__ = ["tables"]
