"""What a method is made for: a graph, a target, and places to score at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deeplift_engine.engine.plan import Cut, Plan, pairs_per_block
from deeplift_engine.errors import InputError
from deeplift_engine.graph.graph import Graph
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.graph.layouts import channels_axis
from deeplift_engine.rules import Assigned, Rules
from deeplift_engine.rules.deeplift.assign import assign


def _no_methods(name: str, setup: Setup, options: Mapping[str, Any]) -> Any:
    raise InputError(f"There is no table of methods here to find {name!r} in.")


@dataclass(frozen=True)
class Setup:
    """What a method is made for.

    Attributes
    ----------
    graph
        The attribution layers.
    inputs
        What comes in.
    target
        The node that is explained.
    places
        Where to score.
    dtype
        What to compute in.
    settings
        How all this is said in a result.
    fused
        As in `Plan`.
    outputs
        The graph's outputs: names that results call them by, and their nodes.
    create_method
        ``create_method(name, setup, options)``: any other method for a setup, for methods that
        wrap one.
    """

    graph: Graph
    inputs: tuple[InputInfo, ...]
    target: str
    places: tuple[Cut, ...]
    dtype: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    fused: bool | None = None
    create_method: Callable[..., Any] = _no_methods
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def cuts(self) -> tuple[str, ...]:
        """The nodes to score at."""
        return tuple(place.node for place in self.places)

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
        return self.cuts == self.graph.inputs

    @property
    def pairs(self) -> int:
        """How many samples to walk together, if nothing else is asked."""
        return pairs_per_block(self.graph, [self.target], self.dtype)

    def assigned(
        self, rules: Rules = "gradient", max_pooling: str = "exact"
    ) -> dict[str, Assigned]:
        """The rule of every node; see `assign`."""
        return assign(self.graph.nodes, rules, max_pooling)

    def plan(self, rules: Mapping[str, Assigned], *, relevance: bool = False) -> Plan:
        """What to compile, with a rule for every node."""
        return Plan(self.graph, self.target, self.places, rules, self.dtype, self.fused, relevance)

    def starting_at(self) -> Setup:
        """The same with the places as inputs: what of the graph is in front of them is gone.

        Raises
        ------
        InputError
            If the target depends on inputs that no place is in front of.
        """
        graph = self.graph.starting_at(self.cuts, [self.target])
        beside = [name for name in graph.inputs if name not in self.cuts]
        if beside:
            behind = graph.descendants(self.cuts)
            read = {
                name for node in graph.nodes.values() if node.name in behind for name in node.inputs
            }
            raise InputError(
                f"The target {self.target!r} depends on {beside} beside the layers "
                f"{[place.name for place in self.places]}, through {sorted(read - behind)}: give "
                "these as layers= too."
            )
        infos = tuple(
            InputInfo(
                name,
                graph.nodes[name].shape,
                graph.nodes[name].dtype,
                channels=channels_axis(self.graph, name),
            )
            for name in graph.inputs
        )
        return replace(self, graph=graph, inputs=infos)
