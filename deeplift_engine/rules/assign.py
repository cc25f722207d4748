"""Which rule each layer gets: a method is an ordered list of (which layers, rule)."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from deeplift_engine.errors import RuleError
from deeplift_engine.layers import (
    Composite,
    Convolution,
    Dense,
    DepthwiseConvolution,
    Elementwise,
    Identity,
    Joint,
    Layer,
    Linear,
    LocallyConnected,
    Lookup,
    Recurrence,
    Reshape,
    Scale,
    Selection,
    Transpose,
    TransposedConvolution,
)
from deeplift_engine.layers.einsum import EinsumKernel
from deeplift_engine.rules.base import Rule
from deeplift_engine.rules.elementwise import Deconvolution, Factor, RevealCancel
from deeplift_engine.rules.joint import GradientAtInput, OwnRule, Path, Winner
from deeplift_engine.rules.linear import Transposed
from deeplift_engine.rules.recurrence import Unrolled
from deeplift_engine.rules.tokens import Tokens

logger = logging.getLogger("deeplift_engine")

ELEMENTWISE: dict[str, Factor | Deconvolution | RevealCancel] = {
    "rescale": Factor("rescale", "slope"),
    "reveal_cancel": RevealCancel(),
    "gradient": Factor("gradient", "derivative"),
    "guided_backprop": Factor("guided_backprop", "derivative", True),
    "guided_backprop_rescale": Factor("guided_backprop_rescale", "slope", True),
    "deconvnet": Deconvolution(),
    "pass_through": Factor("pass_through", "one"),
}
"""Rules of nonlinear functions of one element, by name."""

COMPOSITES: dict[str, list[tuple[str, str]]] = {
    "genomics_default": [
        ("after:convolution", "rescale"),
        ("after:dense", "reveal_cancel"),
        ("default", "rescale"),
    ],
}
"""Named lists of (which layers, rule)."""

GRADIENT_STYLE = ("gradient", "guided_backprop", "deconvnet", "pass_through")
CONVOLUTIONS = (Convolution, DepthwiseConvolution, LocallyConnected, TransposedConvolution)
TRANSPARENT = (Identity, Reshape, Scale, Transpose)
Rules = str | Mapping[str, str] | Sequence[tuple[str, str]]


class NodeLike(Protocol):
    """What is read of a node here."""

    @property
    def name(self) -> str:
        """Unique name."""

    @property
    def layer(self) -> Layer:
        """The attribution layer."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what it reads."""

    @property
    def tokens(self) -> bool:
        """Whether its output are integers or booleans."""

    @property
    def class_name(self) -> str:
        """Keras class."""

    @property
    def keras_layer(self) -> str:
        """Keras layer."""


@dataclass(frozen=True)
class Assigned:
    """A node's rule, and why where there is something to say."""

    rule: Rule
    note: str = ""


def named_rules() -> list[str]:
    """Every name that ``rules=`` takes."""
    return [*ELEMENTWISE, *COMPOSITES]


def assign(
    nodes: Mapping[str, NodeLike], rules: Rules = "rescale", max_pooling: str = "exact"
) -> dict[str, Assigned]:
    """The rule of every node that has inputs.

    Parameters
    ----------
    nodes
        The network's nodes by name.
    rules
        A rule's or composite's name for all layers, or (which layers, rule) pairs as a mapping
        or a list, of which the first that matches wins. Which layers: a layer's name;
        ``"class:Conv1D"``, the Keras class; ``"after:dense"`` or ``"after:convolution"``,
        activations that such a layer feeds, looking through batch normalisation, dropout and
        reshapes; ``"default"``, all.
    max_pooling
        ``"exact"`` or ``"gradient"``.

    Raises
    ------
    RuleError
        A name that is no rule, no layer, or no choice.
    """
    if max_pooling not in ("exact", "gradient"):
        raise RuleError(f"max_pooling is 'exact' or 'gradient', not {max_pooling!r}.")
    pairs = _pairs(rules)
    _check(pairs, nodes)
    assigned = {}
    for node in nodes.values():
        if not node.inputs:
            continue
        name = next((rule for key, rule in pairs if _matches(key, node, nodes)), "rescale")
        note = _why(node, nodes) if rules == "genomics_default" else ""
        if note:
            logger.info("genomics_default: %s gets %s: %s", node.name, name, note)
        assigned[node.name] = Assigned(_for_layer(node.layer, name, max_pooling), note)
    return assigned


def _pairs(rules: Rules) -> list[tuple[str, str]]:
    if isinstance(rules, str):
        return COMPOSITES.get(rules, [("default", rules)])
    return list(rules.items() if isinstance(rules, Mapping) else rules)


def _check(pairs: Sequence[tuple[str, str]], nodes: Mapping[str, NodeLike]) -> None:
    layers = {node.keras_layer for node in nodes.values()} | set(nodes)
    classes = {node.class_name for node in nodes.values()}
    for key, rule in pairs:
        if rule not in ELEMENTWISE:
            raise RuleError(unknown_name("rule", rule, list(ELEMENTWISE)))
        kind, _, name = key.partition(":")
        if kind == "class" and name and name not in classes:
            raise RuleError(unknown_name("layer class in this model", name, sorted(classes)))
        if kind == "after" and name and name not in ("dense", "convolution"):
            raise RuleError(f"Rules know 'after:dense' and 'after:convolution', not {key!r}.")
        if key != "default" and kind not in ("class", "after") and key not in layers:
            raise RuleError(unknown_name("layer of this model", key, sorted(layers)))


def unknown_name(what: str, name: str, known: list[str]) -> str:
    """What to say of a name that is none of those that are known."""
    near = difflib.get_close_matches(name, known, n=3) or known[:10]
    return f"{name!r} is no {what}. Near it: {', '.join(near)}."


def _matches(key: str, node: NodeLike, nodes: Mapping[str, NodeLike]) -> bool:
    kind, _, name = key.partition(":")
    if key in ("default", node.name, node.keras_layer):
        return True
    if kind == "class":
        return node.class_name == name
    return kind == "after" and isinstance(node.layer, Elementwise) and _family(node, nodes) == name


def _source(node: NodeLike, nodes: Mapping[str, NodeLike]) -> NodeLike:
    """The layer that feeds an activation, looking through what does not mix elements."""
    source = nodes[node.inputs[0]]
    while isinstance(source.layer.core, TRANSPARENT):
        source = nodes[source.inputs[0]]
    return source


def _family(node: NodeLike, nodes: Mapping[str, NodeLike]) -> str:
    layer = _source(node, nodes).layer.core
    if isinstance(layer, CONVOLUTIONS):
        return "convolution"
    return "dense" if isinstance(layer, Dense | EinsumKernel) else ""


def _why(node: NodeLike, nodes: Mapping[str, NodeLike]) -> str:
    if not isinstance(node.layer, Elementwise) or _family(node, nodes):
        return ""
    source = _source(node, nodes)
    return f"fed by {source.name} ({source.class_name}), neither convolution nor dense"


def _for_layer(layer: Layer, name: str, max_pooling: str) -> Rule:
    if isinstance(layer, Linear):
        return Transposed()
    if isinstance(layer, Elementwise):
        if name == "reveal_cancel" and not layer.everywhere:
            name = "rescale"
        return ELEMENTWISE[name]
    if isinstance(layer, Lookup):
        return Tokens()
    if name in GRADIENT_STYLE and not isinstance(layer, Recurrence):
        return GradientAtInput()
    if isinstance(layer, Selection):
        return GradientAtInput() if layer.pools and max_pooling == "gradient" else Winner()
    if isinstance(layer, Joint):
        return Path()
    if isinstance(layer, Composite):
        return OwnRule()
    if isinstance(layer, Recurrence):
        cell = layer.cell.nodes.values()
        inner = {
            node.name: _for_layer(node.layer, name, max_pooling) for node in cell if node.inputs
        }
        return Unrolled(name, inner)
    raise RuleError(f"No rule for layers of kind {layer.kind!r}.")
