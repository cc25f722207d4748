"""Cuts: nodes by way of which many targets are sent back for the price of few.

Multipliers compose. With a cut, a node that every way from the target to the attribution points
goes through, those of target t at a point are the sum over the cut's units u of

    m(t → u) · m(u → point),

so that T targets cost as many walks below the cut as it has units, and one product of matrices.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from deeplift_engine.engine.block_sizes import TYPICAL_LENGTH
from deeplift_engine.engine.task import Task
from deeplift_engine.graph.graph import Graph
from deeplift_engine.graph.join_chains import joining
from deeplift_engine.layers.layer import ELEMENT_WORK

PRODUCTS = 2
"""Of matrices: for scores, and for multipliers."""


@dataclass(frozen=True)
class Cut:
    """A node that every way from the target to the attribution points goes through.

    Attributes
    ----------
    node
        Its name.
    units
        Their number.
    work
        Of one walk from there to the points, in multiply-adds a pair.
    features
        Number of elements of the points.
    constant
        Whether what arrives there is the same for all pairs: nothing but linear maps is behind.
    """

    node: str
    units: int
    work: float
    features: int
    constant: bool

    def saved(self, targets: int, pairs: int) -> float:
        """Multiply-adds a pair that it saves, of products that ``pairs`` of them share."""
        products = PRODUCTS * targets * self.units * self.features / pairs
        return (targets - self.units) * self.work - products


def cheapest(
    cuts: Iterable[Cut], targets: int, references: int, *, averaged: bool, by_pair: bool
) -> Cut | None:
    """The cut by way of which ``targets`` cost least; None where they cost less as they are.

    Parameters
    ----------
    cuts
        Those that there are.
    targets
        T.
    references
        Of each sample.
    averaged
        Whether scores are averaged over them: what arrives at the cut then multiplies the means,
        if it is the same for all pairs.
    by_pair
        Whether each pair weighs the target's units by itself.
    """
    fewer = [
        replace(cut, constant=cut.constant and averaged and not by_pair)
        for cut in cuts
        if cut.units < targets
    ]

    def saved(cut: Cut) -> float:
        return cut.saved(targets, references if cut.constant else 1)

    best = max(fewer, key=saved, default=None)
    return best if best is not None and saved(best) > 0 else None


def cuts(task: Task) -> list[Cut]:
    """The cuts of a task's graph, its chains joined, from the points to the target.

    There are none where a rule is not additive, or where a slope may be infinite: what a multiplier
    of zero hides in one walk would be a part of a sum.
    """
    graph, points = task.graph, task.attribution_nodes
    on_paths = graph.on_paths(points, [task.target])
    names = [name for name in graph.nodes if name in on_paths]
    crossed = [graph.nodes[name] for name in names if name in task.rules]
    if any(node.layer.core.singular for node in crossed):
        return []
    if not all(task.rules[node.name].rule.additive for node in crossed):
        return []
    features = sum(_units(graph, point) for point in points)
    work = itertools.accumulate(0.0 if n in points else _work(graph, n) for n in names)
    work_to = dict(zip(names, work, strict=True))
    bends = [n for n in names if n in points or graph.nodes[n].layer.kind != "linear"]
    constant = set(names[names.index(bends[-1]) :]) if bends else set()
    return [
        Cut(
            name,
            _units(graph, name),
            ELEMENT_WORK * features + work_to[name],
            features,
            name in constant,
        )
        for name in _on_every_way(graph, names, points)
        if None not in graph.nodes[name].shape and not graph.nodes[name].tokens
    ]


def _on_every_way(graph: Graph, names: Sequence[str], points: Sequence[str]) -> Iterator[str]:
    """Those of ``names``, in order, behind all the points, over which no reader reaches back."""
    number = {name: place for place, name in enumerate(names)}
    readers, furthest = graph.readers(), 0
    last = max((number[point] for point in points if point in number), default=0)
    for name in names:
        if furthest <= number[name] > last:
            yield name
        behind = [number[each.name] for each in readers[name] if each.name in number]
        furthest = max(furthest, *behind, 0)


def joined(task: Task, nodes: Sequence[str]) -> Task:
    """The task with chains joined, but for what ``nodes`` are read by others."""
    seen = {*task.attribution_nodes, *task.explained, *nodes}
    return replace(task, graph=joining(task.graph, task.rules, seen))


def _work(graph: Graph, name: str) -> float:
    node = graph.nodes[name]
    sources = [_sizes(graph, source) for source in node.inputs]
    return node.layer.core.work(sources, _sizes(graph, name))


def _units(graph: Graph, name: str) -> int:
    return math.prod(_sizes(graph, name))


def _sizes(graph: Graph, name: str) -> list[int]:
    shape = graph.nodes[name].shape
    return [TYPICAL_LENGTH if size is None else size for size in shape]
