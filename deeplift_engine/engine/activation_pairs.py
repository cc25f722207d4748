"""Activations of inputs beside those of their references, as rules ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.rules.rule import Rule, collapsed, features, pairwise
from deeplift_engine.util.typing import Tensor

AT_INPUT, AT_REFERENCE = "input", "reference"


class Stored(Mapping[str, Tensor]):
    """Activations by node name, each ``shaped`` when first asked for; knows which were.

    ``asked`` holds those.
    """

    def __init__(self, given: Mapping[str, Tensor], shaped: Callable[[Tensor], Tensor]) -> None:
        self.given, self.shaped = given, shaped
        self.asked: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        if name not in self.asked:
            self.asked[name] = self.shaped(self.given[name])
        return self.asked[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.given)

    def __len__(self) -> int:
        return len(self.given)


@dataclass
class Comparison:
    """Both ends of every node, and the spreads between them, computed when asked for.

    ``at_input`` holds tensors (inputs, 1, ...), ``at_reference`` (inputs or 1, references, ...).
    What is cheap to make again (an elementwise function, a reshape) is made again here rather
    than handed over from the forward walk: memory costs more than a multiplication. Nothing is
    made again where the activations of the ``whole`` graph are given.
    """

    graph: Graph
    rules: Mapping[str, Rule]
    at_input: Mapping[str, Tensor]
    at_reference: Mapping[str, Tensor]
    dtype: str
    fused: bool = True
    whole: bool = False
    _made: dict[tuple[str, str], Tensor] = field(default_factory=dict)

    def value(self, name: str, end: str) -> Tensor:
        """Activation of a node at one end."""
        node = self.graph.nodes[name]
        if self.whole or not remade(node):
            return (self.at_input if end == AT_INPUT else self.at_reference)[name]
        if (name, end) not in self._made:
            inputs = [self.value(source, end) for source in node.inputs]
            self._made[name, end] = pairwise(node.layer.forward, inputs)
        return self._made[name, end]

    def delta(self, name: str) -> Tensor:
        """Difference-from-reference of a node (inputs, references, ...); 1 for tokens."""
        x, x0 = self.value(name, AT_INPUT), self.value(name, AT_REFERENCE)
        if not self.graph.nodes[name].tokens:
            return x - x0
        axes = tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(x0))
        ones = tf.ones(axes, self.dtype)
        ones.set_shape([None, None, *x.shape[2:]])
        return ones

    def spread(self, name: str) -> Tensor:
        """Δ⁺ - Δ⁻ of a node (inputs, references, ...)."""
        if (name, "spread") not in self._made:
            node = self.graph.nodes[name]
            ends = NodeEnds(self, node)
            self._made[name, "spread"] = (
                self.rules[name].spread(node.layer, ends) if node.inputs else collapsed(ends)
            )
        return self._made[name, "spread"]

    def ends(self, node: Node) -> NodeEnds:
        """What a rule may ask of ``node``."""
        return NodeEnds(self, node)

    def fuse(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, compiled into one kernel where that pays."""
        if not self.fused:
            return function
        compiled = tf.function(function, jit_compile=True, autograph=False)
        return lambda *tensors: compiled.get_concrete_function(*tensors)(*tensors)


def remade(node: Node) -> bool:
    """Whether a node's activation is made again for the backward walk."""
    cheap = node.layer.kind in ("elementwise", "linear") and not node.layer.has_kernel
    return cheap and len(node.inputs) == 1


@dataclass(frozen=True)
class NodeEnds:
    """One node of a comparison; see `deeplift_engine.rules.rule.Ends`."""

    comparison: Comparison
    node: Node

    def inputs(self) -> list[Tensor]:
        """Activations that the node reads, at the input."""
        return [self.comparison.value(name, AT_INPUT) for name in self.node.inputs]

    def references(self) -> list[Tensor]:
        """Activations that the node reads, at the reference."""
        return [self.comparison.value(name, AT_REFERENCE) for name in self.node.inputs]

    def output(self) -> Tensor:
        """The node's activation at the input."""
        return self.comparison.value(self.node.name, AT_INPUT)

    def output_reference(self) -> Tensor:
        """The node's activation at the reference."""
        return self.comparison.value(self.node.name, AT_REFERENCE)

    def known(self) -> bool:
        """Whether the output is there anyway, and need not be computed again."""
        return self.comparison.whole

    def delta(self) -> Tensor:
        """The output's difference-from-reference (inputs, references, ...)."""
        return self.comparison.delta(self.node.name)

    def spreads(self) -> list[Tensor]:
        """Spread of each tensor that the node reads."""
        return [self.comparison.spread(name) for name in self.node.inputs]

    def shapes(self) -> list[Sequence[Any]]:
        """Feature shapes of the tensors that the node reads."""
        return [self._shape_of(name) for name in self.node.inputs]

    def shape(self) -> Sequence[Any]:
        """Feature shape of the node's output."""
        return self._shape_of(self.node.name)

    def _shape_of(self, name: str) -> Sequence[Any]:
        shape = self.comparison.graph.nodes[name].shape
        if None not in shape:
            return shape
        return features(self.comparison.value(name, AT_INPUT), 2)

    def inner(
        self,
        graph: Graph,
        rules: Mapping[str, Rule],
        at_input: Mapping[str, Tensor],
        at_reference: Mapping[str, Tensor],
    ) -> Comparison:
        """The comparison of a graph within the layer, all of whose activations are given."""
        dtype = self.comparison.dtype
        return Comparison(graph, rules, at_input, at_reference, dtype, fused=False, whole=True)

    def fuse(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, compiled into one kernel where that pays."""
        return self.comparison.fuse(function)
