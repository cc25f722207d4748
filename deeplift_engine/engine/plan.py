"""What a scoring run is asked to do, before anything is compiled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deeplift_engine.graph.graph import Graph
from deeplift_engine.rules import Assigned

LARGE = 20_000
"""From so many elements per sample on, elementwise work is compiled into single kernels."""
TYPICAL_LENGTH = 1000
"""What a free axis counts as for that."""
BLOCK_BYTES = 28 << 20
"""Size of the largest tensor of a block: glibc keeps what is below 32 MiB for the next one and
returns what is above to the system, which then has to clear its pages again each time."""
TOTAL_BYTES = 512 << 20
"""Size of all the activations of a block together."""
MOST_PAIRS = 4096
"""And never more pairs of input and reference than this."""


def pairs_per_block(graph: Graph, names: Iterable[str], dtype: str) -> int:
    """How many samples, or pairs of input and reference, to walk together up to ``names``."""
    sizes = _sizes(graph, names)
    largest = max(_size(graph.nodes[name].shape) for name in graph.ancestors(names))
    width = 8 if dtype == "float64" else 4
    by_largest = BLOCK_BYTES // max(1, largest * width)
    by_all = TOTAL_BYTES // max(1, sum(sizes) * width)
    return max(1, min(MOST_PAIRS, by_largest, by_all))


def _sizes(graph: Graph, names: Iterable[str]) -> list[int]:
    """Elements of each activation of one sample that ``names`` depend on."""
    sizes: list[int] = []
    for node in map(graph.nodes.__getitem__, graph.ancestors(names)):
        sizes += map(_size, (node.shape, *node.layer.inner_shapes(node.shape)))
    return sizes


def _size(shape: Iterable[int | None]) -> int:
    return math.prod(TYPICAL_LENGTH if length is None else length for length in shape)


@dataclass(frozen=True)
class Cut:
    """Where to score: a layer's ``name``, and the ``node`` that holds its activation.

    They differ for a channels-first layer, whose node has its channels last.
    """

    name: str
    node: str


def cut_at(graph: Graph, name: str) -> Cut:
    """The cut at the output of the layer called ``name``.

    What follows a channels-first convolution may read it before its channels are moved back,
    so that only the node behind both is on every way.
    """
    node = graph.nodes[name]
    if node.layer.permutation is not None and node.inputs:
        inner = graph.nodes[node.inputs[0]]
        if inner.keras_layer == node.keras_layer and inner.name.startswith(name):
            return Cut(name, inner.name)
    return Cut(name, name)


@dataclass(frozen=True)
class Plan:
    """What is explained (``target``, a node), where (``places``) and by which rules.

    Where ``relevance`` is said, rules send relevance back instead of multipliers: the walk starts
    with relevance in place of weights, and what arrives are the scores.
    """

    graph: Graph
    target: str
    places: tuple[Cut, ...]
    rules: Mapping[str, Assigned]
    dtype: str
    fused: bool | None = None
    relevance: bool = False

    @property
    def fuses(self) -> bool:
        """Whether to compile elementwise work: it costs a moment once and pays on large nets."""
        if self.fused is not None:
            return self.fused
        return sum(_sizes(self.graph, [self.target])) >= LARGE

    @property
    def cuts(self) -> tuple[str, ...]:
        """The nodes to score at."""
        return tuple(place.node for place in self.places)

    @property
    def pairs(self) -> int:
        """How many pairs of input and reference to walk together, if nothing else is asked."""
        return pairs_per_block(self.graph, [self.target], self.dtype)

    @property
    def crossed(self) -> list[str]:
        """The nodes that multipliers cross, in order."""
        between = self.graph.on_paths(self.cuts, [self.target])
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
            if not self.graph.ancestors([cut]).isdisjoint(set(self.cuts) - {cut}):
                return False
        open_ways = set(self.graph.inputs) - set(self.cuts)
        for node in self.graph.nodes.values():
            if node.name not in self.cuts and not open_ways.isdisjoint(node.inputs):
                open_ways.add(node.name)
        return self.target not in open_ways
