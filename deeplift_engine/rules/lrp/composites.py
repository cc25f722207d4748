"""Which layer gets which relevance rule: by its position, family, class or name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deeplift_engine.errors import RuleError
from deeplift_engine.layers import (
    Activation,
    Composite,
    Concatenate,
    Crop,
    Element,
    Elementwise,
    Embedding,
    Identity,
    Input,
    Joint,
    Layer,
    Linear,
    Lookup,
    Pad,
    Part,
    Recurrence,
    Repeat,
    Reshape,
    Reverse,
    Scale,
    Selection,
    Softmax,
    Transpose,
    UsedSteps,
)
from deeplift_engine.layers.attention import MaskedSoftmax, NewAxes
from deeplift_engine.layers.functions import COMPARISONS, Function
from deeplift_engine.layers.operations import BroadcastLike, BroadcastTo, PadWith
from deeplift_engine.layers.recurrence import MASK
from deeplift_engine.layers.sparsemax import Sparsemax
from deeplift_engine.rules.deeplift.assign import Assigned
from deeplift_engine.rules.lrp.kernels import ByCoefficients, Epsilon, RelevanceRule
from deeplift_engine.rules.lrp.others import Moved, OwnShares, Passed, Signals, Summed, TakesAll
from deeplift_engine.rules.recurrence import Unrolled
from deeplift_engine.rules.rule import Rule
from deeplift_engine.rules.selecting import FAMILIES, NodeLike, Nodes, Selector, Test, select

MOVING = (
    *(BroadcastLike, BroadcastTo, Concatenate, Crop, Element, Identity, NewAxes, Pad, PadWith),
    *(Part, Repeat, Reshape, Reverse, Transpose),
)
"""Layers each of whose outputs is one input, or a constant."""
GATES = {"hard_sigmoid", "hard_sigmoid_keras2", "nonzero", "sigmoid", "sparse_sigmoid"}
GATES |= set(COMPARISONS)
"""Functions of one element whose values are shares, from 0 to 1."""

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
        ``"dense"`` and ``"convolution"``; ``"default"``, every kernel; a layer's name, or
        ``"class:Conv1D"``, the Keras class, and these also for linear layers without a kernel.
    adding
        The rule of linear layers without a kernel, its epsilon that of products too; where the
        default shares by coefficients alone, what adds does so instead.

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
    words: dict[str, Test] = {"default": lambda node: True}
    words |= {family: _of_family(kinds) for family, kinds in FAMILIES.items()}
    counted = {"first": lambda count: lambda node: _is_low(node, depths, count)}
    return [(select(which, nodes, words, counted), rule) for which, rule in pairs]


def _of_family(kinds: tuple[type[Layer], ...]) -> Test:
    """Whether a node, or what a recurrent one begins with, is of these classes."""

    def test(node: NodeLike) -> bool:
        layer = node.layer.entry if isinstance(node.layer, Recurrence) else node.layer
        return isinstance(layer.core, kinds)

    return test


def _is_low(node: NodeLike, depths: Mapping[str, int], count: int) -> bool:
    return not isinstance(node.layer, Recurrence) and depths[node.name] <= count


def _rule(node: NodeLike, nodes: Nodes, pairs: Pairs, adding: Epsilon) -> Rule:
    layer = node.layer
    if isinstance(layer, Recurrence):
        return _unrolled(layer, _chosen(node, pairs), adding)
    rule: RelevanceRule
    if isinstance(layer, Linear):
        rule = _of_linear(node, pairs) or _adding(pairs, adding)
    elif isinstance(layer, Joint):
        rule = Signals(_gates(node, nodes), adding.epsilon)
    else:
        rule = next(made for family, made in BY_FAMILY.items() if isinstance(layer, family))
    return rule.of(layer)


BY_FAMILY: Mapping[type[Layer], RelevanceRule] = {
    Elementwise: Passed(),
    Selection: TakesAll(),
    Composite: OwnShares(),
    Lookup: Summed(),
}


def _of_linear(node: NodeLike, pairs: Pairs) -> RelevanceRule | None:
    if node.tokens or isinstance(node.layer.core, MOVING):
        return Moved()
    if isinstance(node.layer, Linear) and node.layer.folds:
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
    found = [number for number, name in enumerate(node.inputs) if _is_gate(name, nodes)]
    return tuple(found) if len(found) < len(node.inputs) else ()


def _is_gate(name: str, nodes: Nodes) -> bool:
    """Whether a node holds shares, from 0 to 1: of a sigmoid, a softmax, a mask."""
    node = nodes[name]
    layer = node.layer.core
    if isinstance(layer, Input):
        return name == MASK
    if isinstance(layer, Activation | Function):
        return layer.name in GATES
    if isinstance(layer, Softmax):
        return not layer.logarithm
    if isinstance(layer, MaskedSoftmax | Sparsemax | UsedSteps):
        return True
    if isinstance(layer, Lookup):
        return not isinstance(layer, Embedding)
    through = isinstance(layer, (*MOVING, Scale, Joint, Selection))
    return through and all(_is_gate(source, nodes) for source in node.inputs)


def _depths(nodes: Nodes) -> dict[str, int]:
    """How many kernels are on the longest way to each node, its own included."""
    found: dict[str, int] = {}
    for node in nodes.values():
        layer = node.layer
        kernel = isinstance(layer, Recurrence) or (isinstance(layer, Linear) and layer.folds)
        found[node.name] = max((found[name] for name in node.inputs), default=0) + kernel
    return found
