"""What a scoring run is asked to do, before anything is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deeplift_engine.graph import Graph
from deeplift_engine.rules import Assigned

LARGE = 20_000
"""From so many elements per sample on, elementwise work is compiled into single kernels."""
TYPICAL_LENGTH = 1000
"""What a free axis counts as for that."""


@dataclass(frozen=True)
class Plan:
    """What is explained (``target``, a node), where (``cuts``, nodes) and by which rules."""

    graph: Graph
    target: str
    cuts: tuple[str, ...]
    rules: Mapping[str, Assigned]
    dtype: str
    fused: bool | None = None

    @property
    def fuses(self) -> bool:
        """Whether to compile elementwise work: it costs a moment once and pays on large nets."""
        if self.fused is not None:
            return self.fused
        total = 0
        for name in self.graph.before([self.target]):
            size = 1
            for length in self.graph.nodes[name].shape:
                size *= TYPICAL_LENGTH if length is None else length
            total += size
        return total >= LARGE

    @property
    def crossed(self) -> list[str]:
        """The nodes that multipliers cross, in order."""
        between = self.graph.before([self.target]) & self.graph.behind(self.cuts)
        return [name for name in self.graph.nodes if name in between and name in self.rules]

    @property
    def complete(self) -> bool:
        """Whether contributions at the cuts must sum to the target's difference."""
        rules = [self.rules[name].rule for name in self.crossed if name not in self.cuts]
        return self.separates and all(rule.complete for rule in rules)

    @property
    def separates(self) -> bool:
        """Whether every way from the inputs to the target crosses exactly one cut."""
        for cut in self.cuts:
            if not self.graph.before([cut]).isdisjoint(set(self.cuts) - {cut}):
                return False
        open_ways = set(self.graph.inputs) - set(self.cuts)
        for node in self.graph.nodes.values():
            if node.name not in self.cuts and not open_ways.isdisjoint(node.inputs):
                open_ways.add(node.name)
        return self.target not in open_ways
