"""Rewrites a graph so that ReLUs behind kernels cost no pass of their own.

See `deeplift_engine.layers.carried`. Only where nothing else reads the pre-activation, the
rule takes the chord or the derivative, and all that reads the ReLU is linear.

A chord needs the pre-activation, so that an off ReLU is a tiny number where it was 0. What is
behind must not tell the two apart: a derivative at 0 does, and so do ties of what selects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.layers import Layer, ReLU
from deeplift_engine.layers.carried import AppliedReLU, CarriedReLU, Carrying, carry
from deeplift_engine.layers.path_points import PathPoints
from deeplift_engine.rules import Assigned
from deeplift_engine.rules.deeplift.elementwise import Factor
from deeplift_engine.util.typing import Tensor


def carrying(graph: Graph, rules: Sequence[Mapping[str, Assigned]], seen: Iterable[str]) -> Graph:
    """The graph with such pairs of layers rewritten, but for nodes that are ``seen`` outside.

    Of several assignments of ``rules``, all must allow it, and all or none take the chord.
    """
    seen = set(seen)
    readers = graph.readers()
    nodes = dict(graph.nodes)
    for relu in graph.nodes.values():
        if not relu.inputs or relu.layer != ReLU():
            continue
        kernel = graph.nodes[relu.inputs[0]]
        chords = {
            rule.factor == "slope" if isinstance(rule, Factor) else None
            for rule in (each[relu.name].rule for each in rules)
        }
        fits = (
            kernel.layer.fuses_activation
            and chords in ({True}, {False})
            and seen.isdisjoint((kernel.name, relu.name))
            and len(readers[kernel.name]) == 1
            and all(node.layer.kind == "linear" for node in readers[relu.name])
        )
        if not fits:
            continue
        if chords == {False}:
            nodes[kernel.name] = replace(kernel, layer=_followed(kernel.layer, tf.nn.relu))
            nodes[relu.name] = replace(relu, layer=AppliedReLU())
        elif all(_allows_tiny(node, rules) for node in _nonlinear_readers(readers, relu.name)):
            nodes[kernel.name] = replace(kernel, layer=_followed(kernel.layer, carry))
            nodes[relu.name] = replace(relu, layer=CarriedReLU())
    return replace(graph, nodes=nodes)


def _followed(layer: Any, activation: Callable[[Tensor], Tensor]) -> Layer:
    """A layer that fuses an activation, with it."""
    if isinstance(layer, PathPoints):
        return replace(layer, activation=activation)
    return Carrying(layer, activation)


def _nonlinear_readers(readers: Mapping[str, Sequence[Node]], name: str) -> list[Node]:
    """The first nodes that are not linear on each way from the node called ``name``."""
    first: dict[str, Node] = {}
    waiting, met = [name], {name}
    while waiting:
        for node in readers[waiting.pop()]:
            if node.layer.kind != "linear":
                first[node.name] = node
            elif node.name not in met:
                met.add(node.name)
                waiting.append(node.name)
    return list(first.values())


def _allows_tiny(node: Node, rules: Sequence[Mapping[str, Assigned]]) -> bool:
    """Whether a node's rules are the same for tiny numbers in place of 0."""
    return node.layer.kind != "selection" and not any(
        getattr(each[node.name].rule, "at_input", False) for each in rules
    )
