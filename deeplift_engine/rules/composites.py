"""Which layer gets which relevance rule: by its position, family, class or name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deeplift_engine.errors import RuleError
from deeplift_engine.layers import (
    Activation,
    Composite,
    Concatenate,
    Crop,
    Dense,
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
from deeplift_engine.layers.einsum import EinsumKernel
from deeplift_engine.layers.functions import COMPARISONS, Function
from deeplift_engine.layers.operations import BroadcastLike, BroadcastTo, PadWith
from deeplift_engine.layers.recurrence import MASK
from deeplift_engine.layers.sparsemax import Sparsemax
from deeplift_engine.rules.assign import CONVOLUTIONS, Assigned, NodeLike, unknown_name
from deeplift_engine.rules.base import Rule
from deeplift_engine.rules.recurrence import Unrolled
from deeplift_engine.rules.relevance import ByCoefficients, Epsilon, RelevanceRule
from deeplift_engine.rules.sharing import Moved, OwnShares, Passed, Signals, Summed, TakesAll

MOVING = (
    *(BroadcastLike, BroadcastTo, Concatenate, Crop, Element, Identity, NewAxes, Pad, PadWith),
    *(Part, Repeat, Reshape, Reverse, Transpose),
)
"""Layers each of whose outputs is one input, or a constant."""
GATES = {"hard_sigmoid", "hard_sigmoid_keras2", "nonzero", "sigmoid", "sparse_sigmoid"}
GATES |= set(COMPARISONS)
"""Functions of one element whose values are shares, from 0 to 1."""
FAMILIES = {"convolution": CONVOLUTIONS, "dense": (Dense, EinsumKernel)}

IN_PROPORTION = Epsilon(0.0)

Nodes = Mapping[str, NodeLike]
Pairs = Sequence[tuple[str, RelevanceRule]]


def assign_relevance(
    nodes: Nodes, pairs: Pairs, adding: Epsilon = IN_PROPORTION
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
    _check([which for which, _ in pairs], nodes)
    depths = _depths(nodes)
    return {
        node.name: Assigned(_rule(node, nodes, pairs, depths, adding))
        for node in nodes.values()
        if node.inputs
    }


def _rule(
    node: NodeLike, nodes: Nodes, pairs: Pairs, depths: Mapping[str, int], adding: Epsilon
) -> Rule:
    layer = node.layer
    if isinstance(layer, Recurrence):
        return _unrolled(layer, _chosen(node, pairs, depths), adding)
    rule: RelevanceRule
    if isinstance(layer, Linear):
        rule = _of_linear(node, pairs, depths) or _adding(pairs, adding)
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


def _of_linear(node: NodeLike, pairs: Pairs, depths: Mapping[str, int]) -> RelevanceRule | None:
    if node.tokens or isinstance(node.layer.core, MOVING):
        return Moved()
    if isinstance(node.layer, Linear) and node.layer.folds:
        return _chosen(node, pairs, depths)
    return next((rule for which, rule in pairs if _names(which, node)), None)


def _adding(pairs: Pairs, adding: Epsilon) -> RelevanceRule:
    """The rule of what adds without a kernel: in proportion, or as the default looks at no input.

    Relevance by coefficients alone comes to zeros as well, which have no proportion.
    """
    default = dict(pairs).get("default")
    return default if isinstance(default, ByCoefficients) else adding


def _chosen(node: NodeLike, pairs: Pairs, depths: Mapping[str, int]) -> RelevanceRule:
    """The rule of a kernel."""
    for which, rule in pairs:
        if _matches(which, node, depths):
            return rule
    raise RuleError(f"No rule for {node.name} ({node.class_name}): end with ('default', rule).")


def _matches(which: str, node: NodeLike, depths: Mapping[str, int]) -> bool:
    if which == "default" or _names(which, node):
        return True
    word, _, count = which.partition(":")
    layer = node.layer.entry if isinstance(node.layer, Recurrence) else node.layer
    if word == "first":
        return layer is node.layer and depths[node.name] <= int(count or 1)
    return isinstance(layer.core, FAMILIES.get(word, ()))


def _names(which: str, node: NodeLike) -> bool:
    return which in (node.name, node.keras_layer, f"class:{node.class_name}")


def _unrolled(layer: Recurrence, rule: RelevanceRule, adding: Epsilon) -> Unrolled:
    """The walk through a cell, all of whose kernels have one rule."""
    nodes = layer.cell.nodes
    pairs = [("default", rule)]
    inner = {
        node.name: _rule(node, nodes, pairs, {}, adding) for node in nodes.values() if node.inputs
    }
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
        kernel = isinstance(layer, Recurrence | Embedding) or (
            isinstance(layer, Linear) and layer.folds
        )
        found[node.name] = max((found[name] for name in node.inputs), default=0) + kernel
    return found


def _check(keys: Sequence[str], nodes: Nodes) -> None:
    layers = {node.keras_layer for node in nodes.values()} | set(nodes)
    classes = {node.class_name for node in nodes.values()}
    for key in keys:
        word, colon, rest = key.partition(":")
        if word == "class" and colon and rest not in classes:
            raise RuleError(unknown_name("layer class in this model", rest, sorted(classes)))
        if word == "first" and colon and not (rest.isdecimal() and int(rest)):
            raise RuleError(f"{key!r}: the number of lowest kernels is 1 or more, as in 'first:2'.")
        if key not in layers and word not in ("class", "first", "default", *FAMILIES):
            known = [*FAMILIES, "first", "default", *sorted(layers)]
            raise RuleError(unknown_name("layer of this model", key, known))
