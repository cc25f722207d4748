"""Which layer gets which relevance rule: by its position, family, class or name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deeplift_engine.errors import RuleError
from deeplift_engine.layers import Recurrence
from deeplift_engine.layers.recurrence import MASK
from deeplift_engine.rules.deeplift.assign import Assigned
from deeplift_engine.rules.lrp.kernels import ByCoefficients, Epsilon, RelevanceRule
from deeplift_engine.rules.lrp.others import Moved, OwnShares, Passed, Signals, Summed, TakesAll
from deeplift_engine.rules.recurrence import Unrolled
from deeplift_engine.rules.rule import Rule
from deeplift_engine.rules.selecting import FAMILIES, NodeLike, Nodes, Selector, Test, select

IN_PROPORTION = Epsilon(0.0)

Pairs = Sequence[tuple[Selector, RelevanceRule]]


def assign_relevance(
    nodes: Nodes,
    pairs: Sequence[tuple[str, RelevanceRule]],
    adding: Epsilon = IN_PROPORTION,
) -> dict[str, Assigned]:
    """The relevance rule of every node that has inputs.

    Parameters
    ----------
    nodes
        The network's nodes by name.
    pairs
        (which layers, rule), of which the first that matches wins. Which layers: ``"first"``, the
        kernels that no other kernel is in front of, or ``"first:3"``, the three lowest on any way;
        ``"dense"`` and ``"convolution"``; ``"recurrent"``, the kernels of recurrent layers;
        ``"default"``, every kernel; a layer's name, or ``"class:Conv1D"``, the Keras class, and
        these also for linear layers without a kernel.
    adding
        The rule of linear layers without a kernel, its epsilon that of sums of products too; where
        the default shares by coefficients alone, what adds does so instead.

    Raises
    ------
    RuleError
        A name of no layer, or a kernel that nothing matches.
    """
    selected = _selected(pairs, nodes)
    return {
        node.name: Assigned(_rule(node, nodes, selected, adding))
        for node in nodes.values()
        if node.inputs
    }


def _selected(pairs: Sequence[tuple[str, RelevanceRule]], nodes: Nodes) -> Pairs:
    """The pairs, their keys read."""
    depths = _depths(nodes)
    words: dict[str, Test] = {
        "default": lambda node: True,
        "recurrent": lambda node: node.layer.kind == "recurrent",
    }
    words |= {family: _of_family(family) for family in FAMILIES}
    counted = {"first": lambda count: lambda node: _is_low(node, depths, count)}
    return [(select(which, nodes, words, counted), rule) for which, rule in pairs]


def _of_family(family: str) -> Test:
    """Whether a node, or the kernel at the entry of a recurrent one, is of a family."""
    return lambda node: node.layer.input_map.core.kernel_family == family


def _is_low(node: NodeLike, depths: Mapping[str, int], count: int) -> bool:
    return node.layer.kind != "recurrent" and depths[node.name] <= count


def _rule(node: NodeLike, nodes: Nodes, pairs: Pairs, adding: Epsilon) -> Rule:
    layer = node.layer
    if isinstance(layer, Recurrence):
        return _unrolled(layer, _chosen(node, pairs), adding)
    rule: RelevanceRule
    if layer.kind == "linear":
        rule = _of_linear(node, pairs) or _adding(pairs, adding)
    elif layer.kind == "joint":
        joint: Any = layer.core
        rule = Signals(_gates(node, nodes), adding.epsilon if joint.adds else 0.0)
    else:
        rule = BY_KIND[layer.kind]
    return rule.of(layer)


BY_KIND: Mapping[str, RelevanceRule] = {
    "elementwise": Passed(),
    "selection": TakesAll(),
    "composite": OwnShares(),
    "lookup": Summed(),
}
"""Rules of the families that have one, by `Layer.kind`."""


def _of_linear(node: NodeLike, pairs: Pairs) -> RelevanceRule | None:
    if node.tokens or node.layer.core.moves:
        return Moved()
    if node.layer.has_kernel:
        return _chosen(node, pairs)
    return next((rule for selects, rule in pairs if selects.names(node)), None)


def _adding(pairs: Pairs, adding: Epsilon) -> RelevanceRule:
    """The rule of what adds without a kernel: in proportion, or as the default looks at no input.

    Relevance by coefficients alone comes to zeros as well, which have no proportion.
    """
    default = next((rule for selects, rule in pairs if selects.key == "default"), adding)
    return default if isinstance(default, ByCoefficients) else adding


def _chosen(node: NodeLike, pairs: Pairs) -> RelevanceRule:
    """The rule of a kernel."""
    for selects, rule in pairs:
        if selects(node):
            return rule
    raise RuleError(f"No rule for {node.name} ({node.class_name}): end with ('default', rule).")


def _unrolled(layer: Recurrence, rule: RelevanceRule, adding: Epsilon) -> Unrolled:
    """The walk through a cell, all of whose kernels have one rule."""
    nodes = layer.cell.nodes
    pairs = _selected([("default", rule)], nodes)
    inner = {node.name: _rule(node, nodes, pairs, adding) for node in nodes.values() if node.inputs}
    return Unrolled(rule.name, inner, rule.of(layer.entry))


def _gates(node: NodeLike, nodes: Nodes) -> tuple[int, ...]:
    """Which factors of a product are gates; none where all are."""
    gates = [number for number, name in enumerate(node.inputs) if _is_gate(name, nodes)]
    return tuple(gates) if len(gates) < len(node.inputs) else ()


def _is_gate(name: str, nodes: Nodes) -> bool:
    """Whether a node holds shares, from 0 to 1: of a sigmoid, a softmax, a mask."""
    node = nodes[name]
    layer = node.layer.core
    if not node.inputs:
        return name == MASK
    return layer.is_gate or (
        layer.keeps_gates and all(_is_gate(source, nodes) for source in node.inputs)
    )


def _depths(nodes: Nodes) -> dict[str, int]:
    """Number of kernels on the longest path to each node, its own included."""
    depths: dict[str, int] = {}
    for node in nodes.values():
        before = max((depths[name] for name in node.inputs), default=0)
        depths[node.name] = before + node.layer.has_kernel
    return depths
