"""Activations of inputs beside those of their references, as rules read them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.rules.rule import Rule, collapsed, features, pairwise
from deeplift_engine.util.typing import Tensor

AT_INPUT, AT_REFERENCE = "input", "reference"
LONG = 1024
"""Elements of a sample from which functions of many steps are compiled in small networks, too."""


class RecordedActivations(Mapping[str, Tensor]):
    """Activations by node name, each ``shaped`` when it is first read.

    ``read`` holds those that were.
    """

    def __init__(self, tensors: Mapping[str, Tensor], shaped: Callable[[Tensor], Tensor]) -> None:
        self.tensors, self.shaped = tensors, shaped
        self.read: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        if name not in self.read:
            self.read[name] = self.shaped(self.tensors[name])
        return self.read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)


@dataclass
class ActivationPairs:
    """Both ends of every node, and the spreads between them, computed when they are read.

    ``at_input`` holds tensors (inputs, 1, ...), ``at_reference`` (inputs or 1, references, ...).
    Cheap activations (of an elementwise function, a reshape) are computed again here rather than
    handed over from the forward pass: memory costs more than a multiplication. Nothing
    is computed again where both hold the activations of ``every_node``. Where this is not
    ``fused`` but ``compiles``, functions of many steps are compiled all the same. What arrives at
    the graph's end is ``bounded`` where it is finite.
    """

    graph: Graph
    rules: Mapping[str, Rule]
    at_input: Mapping[str, Tensor]
    at_reference: Mapping[str, Tensor]
    dtype: str
    fused: bool = True
    every_node: bool = False
    compiles: bool = False
    bounded: bool = True
    _cache: dict[tuple[str, str], Tensor] = field(default_factory=dict)

    def value(self, name: str, end: str) -> Tensor:
        """Activation of a node at one end."""
        node = self.graph.nodes[name]
        if self.every_node or not recomputed(node):
            return (self.at_input if end == AT_INPUT else self.at_reference)[name]
        if (name, end) not in self._cache:
            inputs = [self.value(source, end) for source in node.inputs]
            forward = node.layer.forward
            self._cache[name, end] = (
                forward(*inputs) if node.layer.any_rank else pairwise(forward, inputs)
            )
        return self._cache[name, end]

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
        if (name, "spread") not in self._cache:
            node = self.graph.nodes[name]
            ends = NodeEnds(self, node)
            self._cache[name, "spread"] = (
                self.rules[name].spread(node.layer, ends) if node.inputs else collapsed(ends)
            )
        return self._cache[name, "spread"]

    def ends(self, node: Node) -> NodeEnds:
        """The ends of ``node``, for its rule."""
        return NodeEnds(self, node)

    @functools.cached_property
    def before_poles(self) -> set[str]:
        """The nodes in front of a function whose slope may be infinite."""
        return self.graph.ancestors(name for node in self.graph.poles for name in node.inputs)

    def fuse(self, function: Callable[..., Any], many_steps: bool = False) -> Callable[..., Any]:
        """The function, compiled into one kernel where that pays."""
        if not self.fused and not (many_steps and self.compiles):
            return function
        compiled = tf.function(function, jit_compile=True, autograph=False)
        return lambda *tensors: compiled.get_concrete_function(*tensors)(*tensors)


def recomputed(node: Node) -> bool:
    """Whether a node's activation is computed again for the backward pass."""
    cheap = node.layer.kind in ("elementwise", "linear") and not node.layer.has_kernel
    return cheap and len(node.inputs) == 1


@dataclass(frozen=True)
class NodeEnds:
    """Both ends of one node; see `deeplift_engine.rules.rule.Ends`."""

    pairs: ActivationPairs
    node: Node

    def inputs(self) -> list[Tensor]:
        """Activations that the node reads, at the input."""
        return [self.pairs.value(name, AT_INPUT) for name in self.node.inputs]

    def references(self) -> list[Tensor]:
        """Activations that the node reads, at the reference."""
        return [self.pairs.value(name, AT_REFERENCE) for name in self.node.inputs]

    def output(self) -> Tensor:
        """The node's activation at the input."""
        return self.pairs.value(self.node.name, AT_INPUT)

    def output_reference(self) -> Tensor:
        """The node's activation at the reference."""
        return self.pairs.value(self.node.name, AT_REFERENCE)

    def known(self) -> bool:
        """Whether the output is known, and need not be computed again."""
        return self.pairs.every_node

    def bounded(self) -> bool:
        """Whether the multiplier that arrives is finite: no function with a pole is ahead."""
        return self.pairs.bounded and self.node.name not in self.pairs.before_poles

    def delta(self) -> Tensor:
        """The output's difference-from-reference (inputs, references, ...)."""
        return self.pairs.delta(self.node.name)

    def spreads(self) -> list[Tensor]:
        """Spread of each tensor that the node reads."""
        return [self.pairs.spread(name) for name in self.node.inputs]

    def shapes(self) -> list[Sequence[Any]]:
        """Feature shapes of the tensors that the node reads."""
        return [self._shape_of(name) for name in self.node.inputs]

    def shape(self) -> Sequence[Any]:
        """Feature shape of the node's output."""
        return self._shape_of(self.node.name)

    def _shape_of(self, name: str) -> Sequence[Any]:
        shape = self.pairs.graph.nodes[name].shape
        if None not in shape:
            return shape
        return features(self.pairs.value(name, AT_INPUT), 2)

    def inner(
        self,
        graph: Graph,
        rules: Mapping[str, Rule],
        at_input: Mapping[str, Tensor],
        at_reference: Mapping[str, Tensor],
    ) -> ActivationPairs:
        """The pairs of a graph within the layer, from the activations of all its nodes."""
        return ActivationPairs(
            graph,
            rules,
            at_input,
            at_reference,
            self.pairs.dtype,
            fused=False,
            every_node=True,
            bounded=self.bounded(),
        )

    def fuse(self, function: Callable[..., Any], many_steps: bool = False) -> Callable[..., Any]:
        """The function, compiled into one kernel where that pays."""
        return self.pairs.fuse(function, many_steps and self._is_long())

    def _is_long(self) -> bool:
        """Whether a sample has enough elements here for a kernel to be worth its compilation."""
        sizes = [size for shape in self.shapes() for size in shape]
        return any(not isinstance(size, int) for size in sizes) or math.prod(sizes) > LONG
