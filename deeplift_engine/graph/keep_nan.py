"""Marks the ReLUs that what is no number may reach, so that none of them makes it 0.

TensorFlow computes a ReLU within the kernel in front of it, where oneDNN can: as max(x, 0), which
is 0 for NaN. By itself a ReLU of NaN is NaN. Inputs and weights are finite; NaN comes of a pole or
of a function without a value, as of 0/0 where a mask leaves nothing.
"""

from __future__ import annotations

from dataclasses import replace

from deeplift_engine.graph.graph import Graph
from deeplift_engine.layers import ReLU


def keeping_nan(graph: Graph) -> Graph:
    """The graph whose ReLUs behind such functions pass NaN on, each in a pass of its own."""
    behind = graph.descendants([node.name for node in graph.poles])
    nodes = {
        name: replace(node, layer=replace(node.layer, keeps_nan=True))
        if name in behind and isinstance(node.layer, ReLU)
        else node
        for name, node in graph.nodes.items()
    }
    return replace(graph, nodes=nodes)
