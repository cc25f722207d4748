"""Rewrites a graph so that ReLUs behind kernels cost no pass of their own.

See `deeplift_engine.layers.carried`. Only where nothing else reads the pre-activation, the
rule takes the chord or the derivative, and all that reads the ReLU is linear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from deeplift_engine.graph.graph import Graph
from deeplift_engine.layers import Linear, ReLU
from deeplift_engine.layers.carried import CarriedReLU, Carrying
from deeplift_engine.rules import Assigned
from deeplift_engine.rules.deeplift.elementwise import Factor


def carrying(graph: Graph, rules: Sequence[Mapping[str, Assigned]], seen: Iterable[str]) -> Graph:
    """The graph with such pairs of layers rewritten, but for nodes that are ``seen`` outside.

    Of several assignments of ``rules``, all must allow it.
    """
    seen = set(seen)
    readers = graph.readers()
    nodes = dict(graph.nodes)
    for relu in graph.nodes.values():
        if not relu.inputs or relu.layer != ReLU():
            continue
        kernel = graph.nodes[relu.inputs[0]]
        fits = (
            kernel.layer.fuses_activation
            and all(isinstance(each[relu.name].rule, Factor) for each in rules)
            and seen.isdisjoint((kernel.name, relu.name))
            and len(readers[kernel.name]) == 1
            and all(node.layer.kind == "linear" for node in readers[relu.name])
        )
        if fits and isinstance(kernel.layer, Linear):
            nodes[kernel.name] = replace(kernel, layer=Carrying(kernel.layer))
            nodes[relu.name] = replace(relu, layer=CarriedReLU())
    return replace(graph, nodes=nodes)
