"""Cuts: nodes by way of which many targets are sent back for the price of few.

Multipliers compose. With a cut, a node that every way from the target to the attribution points
goes through, those of target t at a point are the sum over the cut's units u of

    m(t → u) · m(u → point),

so that T targets cost as many walks below the cut as it has units, and one product of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
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
    """The cuts of a task's graph (its chains joined), of any number of units.

    None where a rule is not additive, or a slope may be infinite: what a multiplier of zero hides
    would then be a part of a sum.
    """
    graph, points = task.graph, task.attribution_nodes
    on_paths = graph.on_paths(points, [task.target])
    names = [name for name in graph.nodes if name in on_paths]
    crossed = [name for name in names if name in task.rules]
    if not names or not all(task.rules[name].rule.additive for name in crossed):
        return []
    if any(graph.nodes[name].layer.core.singular for name in crossed):
        return []
    number = {name: place for place, name in enumerate(names)}
    features = sum(math.prod(_sizes(graph, point)) for point in points)
    last_point = max(number[name] for name in points if name in number)
    last_slope = max(number[n] for n in names if graph.nodes[n].layer.kind != "linear" or n in points)
    # a node is a cut where nothing before it is read behind it
    read, work, readers, result = 0, float(ELEMENT_WORK * features), graph.readers(), []
    for name in names:
        node, here = graph.nodes[name], number[name]
        if name not in points:
            sources = [_sizes(graph, source) for source in node.inputs]
            work += node.layer.core.work(sources, _sizes(graph, name))
        if last_point < here and read <= here and None not in node.shape and not node.tokens:
            units = math.prod(_sizes(graph, name))
            result.append(Cut(name, units, work, features, here >= last_slope))
        read = max([read, *(number[each.name] for each in readers[name] if each.name in number)])
    return result


def joined(task: Task, nodes: Sequence[str]) -> Task:
    """The task with chains joined, but for what ``nodes`` are read by others."""
    seen = {*task.attribution_nodes, *task.explained, *nodes}
    return replace(task, graph=joining(task.graph, task.rules, seen))


def _sizes(graph: Graph, name: str) -> list[int]:
    shape = graph.nodes[name].shape
    return [TYPICAL_LENGTH if size is None else size for size in shape]
