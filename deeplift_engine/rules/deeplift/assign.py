"""Which rule each layer gets: a method is an ordered list of (which layers, rule)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from deeplift_engine.errors import RuleError
from deeplift_engine.layers import Elementwise, Layer, Recurrence
from deeplift_engine.rules.deeplift.elementwise import (
    Deconvolution,
    ElementwiseRule,
    Factor,
    RevealCancel,
)
from deeplift_engine.rules.deeplift.joint import FirstWinner, GradientAtInput, OwnRule, Path, Winner
from deeplift_engine.rules.deeplift.linear import Transposed
from deeplift_engine.rules.deeplift.tokens import Tokens
from deeplift_engine.rules.recurrence import Unrolled
from deeplift_engine.rules.rule import Rule
from deeplift_engine.rules.selecting import (
    FAMILIES,
    NodeLike,
    Nodes,
    Test,
    pairs_of,
    select,
    unknown_name,
)

logger = logging.getLogger("deeplift_engine")

_ELEMENTWISE: tuple[ElementwiseRule, ...] = (
    Factor("rescale", "slope"),
    RevealCancel(),
    Factor("gradient", "derivative"),
    Factor("guided_backprop", "derivative", True),
    Factor("guided_backprop_rescale", "slope", True),
    Deconvolution(),
    Factor("pass_through", "one"),
)
ELEMENTWISE: dict[str, ElementwiseRule] = {rule.name: rule for rule in _ELEMENTWISE}
"""Rules of nonlinear functions of one element, by name."""

COMPOSITES: dict[str, list[tuple[str, str]]] = {
    "genomics_default": [
        ("after:convolution", "rescale"),
        ("after:dense", "reveal_cancel"),
        ("default", "rescale"),
    ],
}
"""Named lists of (which layers, rule)."""

BY_KIND: Mapping[str, Rule] = {
    "linear": Transposed(),
    "lookup": Tokens(),
    "selection": Winner(),
    "joint": Path(),
    "composite": OwnRule(),
}
"""Rules of the other families, by `Layer.kind`."""

Rules = str | Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Assigned:
    """A node's rule, and why where there is something to say."""

    rule: Rule
    note: str = ""


def named_rules() -> list[str]:
    """Every name that ``rules=`` takes."""
    return [*ELEMENTWISE, *COMPOSITES]


def assign(
    nodes: Nodes, rules: Rules = "rescale", max_pooling: str = "exact"
) -> dict[str, Assigned]:
    """The rule of every node that has inputs.

    Parameters
    ----------
    nodes
        The network's nodes by name.
    rules
        A rule's or composite's name for all layers, or pairs of (which layers, such a name) as a
        mapping or a list, of which the first that matches wins. Which layers: a layer's name;
        ``"class:Conv1D"``, the Keras class; ``"after:dense"`` or ``"after:convolution"``,
        activations that such a layer feeds, looking through batch normalisation, dropout and
        reshapes; ``"default"``, all.
    max_pooling
        ``"exact"``, where winners that tie have equal shares, or ``"gradient"``, TensorFlow's as in
        the original implementation: all to the first winner of a window.

    Raises
    ------
    RuleError
        A name that is no rule, no layer, or no choice.
    """
    if max_pooling not in ("exact", "gradient"):
        raise RuleError(f"max_pooling is 'exact' or 'gradient', not {max_pooling!r}.")
    pairs = _selected(rules, nodes)
    assigned = {}
    for node in nodes.values():
        if not node.inputs:
            continue
        name = next((rule for selects, rule in pairs if selects(node)), "rescale")
        note = _why(node, nodes) if rules == "genomics_default" else ""
        if note:
            logger.info("genomics_default: %s gets %s: %s", node.name, name, note)
        assigned[node.name] = Assigned(_for_layer(node.layer, name, max_pooling), note)
    for name in _infinite(nodes, assigned):
        if assigned[name].rule == Transposed():
            assigned[name] = replace(assigned[name], rule=Transposed(infinite=True))
    return assigned


def _infinite(nodes: Nodes, assigned: Mapping[str, Assigned]) -> set[str]:
    """Nodes with inputs at which what arrives may be infinite: behind them a derivative may be."""
    reached: set[str] = set()
    for node in reversed(list(nodes.values())):
        singular = node.inputs and node.layer.core.singular
        if node.name in reached or (singular and _reads_input(assigned[node.name].rule)):
            reached.update(node.inputs)
    return reached & set(assigned)


def _reads_input(rule: Rule) -> bool:
    return isinstance(rule, GradientAtInput) or getattr(rule, "at_input", False)


def _selected(rules: Rules, nodes: Nodes) -> list[tuple[Test, str]]:
    """The pairs of ``rules``, read and checked; a composite is its own pairs among its layers."""
    pairs = pairs_of(rules, str, "[('conv1d_1', 'gradient'), ('default', 'rescale')]")
    for _, rule in pairs:
        if not isinstance(rule, str) or rule not in named_rules():
            raise RuleError(unknown_name("rule", str(rule), named_rules()))
    words: dict[str, Test] = {
        "default": lambda node: True,
        **{f"after:{family}": _behind(family, nodes) for family in FAMILIES},
    }
    return [
        (_both(select(which, nodes, words), select(inner, nodes, words)), name)
        for which, rule in pairs
        for inner, name in COMPOSITES.get(rule, [("default", rule)])
    ]


def _both(first: Test, second: Test) -> Test:
    return lambda node: first(node) and second(node)


def _behind(family: str, nodes: Nodes) -> Test:
    """Whether a node is an activation that layers of a family feed."""
    return lambda node: (
        node.layer.kind == "elementwise" and _source(node, nodes).layer.core.kernel_family == family
    )


def _source(node: NodeLike, nodes: Nodes) -> NodeLike:
    """The layer that feeds an activation, behind layers that are transparent."""
    source = nodes[node.inputs[0]]
    while source.layer.core.transparent:
        source = nodes[source.inputs[0]]
    return source


def _why(node: NodeLike, nodes: Nodes) -> str:
    """Note on an activation that neither convolution nor dense layer feeds."""
    if node.layer.kind != "elementwise":
        return ""
    source = _source(node, nodes)
    if source.layer.core.kernel_family is not None:
        return ""
    return f"fed by {source.name} ({source.class_name}), neither convolution nor dense"


def _for_layer(layer: Layer, name: str, max_pooling: str) -> Rule:
    if isinstance(layer, Elementwise):
        if name == "reveal_cancel" and not layer.everywhere:
            name = "rescale"
        return ELEMENTWISE[name]
    if isinstance(layer, Recurrence):
        cell = layer.cell.nodes.values()
        inner = {
            node.name: _for_layer(node.layer, name, max_pooling) for node in cell if node.inputs
        }
        return Unrolled(name, inner)
    if layer.pools and max_pooling == "gradient":
        return FirstWinner()
    if layer.kind in ("selection", "joint", "composite") and ELEMENTWISE[name].at_input:
        return GradientAtInput()
    if layer.kind not in BY_KIND:
        raise RuleError(f"No rule for layers of kind {layer.kind!r}.")
    return BY_KIND[layer.kind]
