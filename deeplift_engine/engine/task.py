"""The task of a method: the target, the attribution points and the rules, before compiling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deeplift_engine.engine.block_sizes import is_large, pairs_per_block
from deeplift_engine.engine.head_rows import units_of_heads
from deeplift_engine.engine.located_targets import located
from deeplift_engine.errors import InputError, TargetError
from deeplift_engine.graph.graph import Graph
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.graph.layouts import channels_axis
from deeplift_engine.rules import Assigned, Rules
from deeplift_engine.rules.deeplift.assign import assign


@dataclass(frozen=True)
class AttributionPoint:
    """Where to score: a layer's ``name``, and the ``node`` that holds its activation.

    They differ for a channels-first layer, whose node has its channels last.
    """

    name: str
    node: str


def attribution_point(graph: Graph, name: str) -> AttributionPoint:
    """The point at the output of the layer called ``name``.

    Layers behind a channels-first convolution may read it before its channels are moved back, so
    that only its inner node is on every way.
    """
    node = graph.nodes[name]
    if node.layer.permutation is not None and node.inputs:
        inner = graph.nodes[node.inputs[0]]
        if inner.keras_layer == node.keras_layer and inner.name.startswith(name):
            return AttributionPoint(name, inner.name)
    return AttributionPoint(name, name)


@dataclass(frozen=True)
class Task:
    """The target that is explained, the points to score at, and the rules.

    Attributes
    ----------
    graph
        The attribution layers.
    inputs
        The inputs of the graph.
    target
        The node that is explained.
    attribution_points
        Where to score.
    dtype
        ``"float32"`` or ``"float64"``.
    create_method
        ``create_method(name, task, options)`` creates any method, for methods that wrap one.
    settings
        The task in a result's settings.
    fused
        Whether to compile elementwise work into single kernels; None decides by size.
    rules
        Of every node; none where a method only needs forward passes.
    relevance
        Whether the rules send relevance back instead of multipliers: the backward pass starts
        with relevance in place of weights, and what arrives are the scores.
    outputs
        The graph's outputs: the names that results call them by, and their nodes.
    units
        Of the target, where a run does not say; None: its only one.
    node_of
        Returns the node of a layer that a run's target names.
    heads
        The tasks of several heads by name, where the target holds the outputs of all; none where
        it is one layer.
    """

    graph: Graph
    inputs: tuple[InputInfo, ...]
    target: str
    attribution_points: tuple[AttributionPoint, ...]
    dtype: str
    create_method: Callable[[str, Task, Mapping[str, Any]], Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    fused: bool | None = None
    rules: Mapping[str, Assigned] = field(default_factory=dict)
    relevance: bool = False
    outputs: Mapping[str, str] = field(default_factory=dict)
    units: Any = None
    node_of: Callable[[str], str] = str
    heads: Mapping[str, Task] = field(default_factory=dict)

    @property
    def explained(self) -> tuple[str, ...]:
        """The nodes of the layers that are explained: of each head, or the target."""
        return tuple(head.target for head in self.heads.values()) or (self.target,)

    @property
    def attribution_nodes(self) -> tuple[str, ...]:
        """The nodes to score at."""
        return tuple(point.node for point in self.attribution_points)

    @property
    def token_inputs(self) -> tuple[str, ...]:
        """The inputs that hold tokens, whole numbers of any dtype that are looked up."""
        return tuple(
            info.name
            for info in self.inputs
            if info.table is not None or not info.dtype.startswith("float")
        )

    @property
    def at_inputs(self) -> bool:
        """Whether scores are those of all the inputs."""
        return self.attribution_nodes == self.graph.inputs

    @property
    def pairs(self) -> int:
        """How many samples, or pairs of sample and reference, to compute together by default."""
        return pairs_per_block(self.graph, [self.target], self.dtype)

    @property
    def fuses(self) -> bool:
        """Whether to compile elementwise work: it costs a moment once and pays on large nets."""
        if self.fused is not None:
            return self.fused
        return is_large(self.graph, [self.target])

    def units_of(self, target: Any) -> Any:
        """The units of a run's ``target``, which may name this task's layer too.

        Those of each head where there are several.

        Raises
        ------
        TargetError
            If it names another layer, or heads that are not there.
        """
        if self.heads:
            heads = {name: head.units_of for name, head in self.heads.items()}
            return units_of_heads(heads, target)
        if isinstance(target, Mapping):
            raise TargetError(
                f"target= is a mapping of the heads {', '.join(map(repr, target))}, and this "
                f"explains {self.target!r} alone: name them earlier, network.explainer(target=...)."
            )
        layer, units = located(target, self.node_of)
        if layer is not None and self.node_of(layer) != self.target:
            raise TargetError(
                f"target={target!r} is of the layer {layer!r}, and this explains {self.target!r}: "
                f"name the layer earlier, network.explainer(target={target!r})."
            )
        return self.units if units is None else units

    # ------------------------------------------------------------ rules

    def assigned(
        self, rules: Rules = "gradient", max_pooling: str = "exact"
    ) -> dict[str, Assigned]:
        """The rule of every node; see `assign`."""
        return assign(self.graph.nodes, rules, max_pooling)

    def under(self, rules: Mapping[str, Assigned], *, relevance: bool = False) -> Task:
        """The same task with a rule for every node."""
        return replace(self, rules=rules, relevance=relevance)

    @property
    def crossed(self) -> list[str]:
        """The nodes that multipliers cross, in order."""
        on_paths = self.graph.on_paths(self.attribution_nodes, [self.target])
        return [name for name in self.graph.nodes if name in on_paths and name in self.rules]

    @property
    def complete(self) -> bool:
        """Whether contributions at the points must sum to the target's difference."""
        inside = [name for name in self.crossed if name not in self.attribution_nodes]
        return self.separates and all(self.rules[name].rule.complete for name in inside)

    @property
    def separates(self) -> bool:
        """Whether every way from the inputs to the target crosses exactly one point."""
        nodes = set(self.attribution_nodes)
        if any(not self.graph.ancestors([node]).isdisjoint(nodes - {node}) for node in nodes):
            return False
        open_ways = set(self.graph.inputs) - nodes
        for node in self.graph.nodes.values():
            if node.name not in nodes and not open_ways.isdisjoint(node.inputs):
                open_ways.add(node.name)
        return self.target not in open_ways

    # ------------------------------------------------------------ layers as inputs

    def starting_at_points(self, *, holds_masks: bool = False) -> Task:
        """The same task with the points as inputs: what of the graph is in front of them is gone.

        With ``holds_masks`` the masks that the target reads beside them are inputs and points
        too, marked as held.

        Raises
        ------
        InputError
            If the target depends on inputs that no point is in front of.
        """
        nodes = self.attribution_nodes
        graph = self.graph.starting_at(nodes, [self.target])
        beside = [name for name in graph.inputs if name not in nodes]
        masks, others = graph.masks_beside(nodes) if beside else ([], [])
        if beside and (others or not (masks and holds_masks)):
            through = others if holds_masks else sorted([*masks, *others])
            raise InputError(
                f"The target {self.target!r} depends on {beside} beside the layers "
                f"{[point.name for point in self.attribution_points]}, through {through}: give "
                "these as layers= too."
            )
        graph = self.graph.starting_at((*nodes, *masks), [self.target])
        infos = tuple(
            InputInfo(
                name,
                graph.nodes[name].shape,
                graph.nodes[name].dtype,
                channels=channels_axis(self.graph, name),
                held=name in masks,
            )
            for name in graph.inputs
        )
        held = (AttributionPoint(name, name) for name in masks)
        points = (*self.attribution_points, *held)
        return replace(self, graph=graph, inputs=infos, attribution_points=points)
