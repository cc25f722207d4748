"""Owen values: Shapley values where groups enter and leave by a hierarchy."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.task import Task
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.perturbation.masked_values import target_values
from deeplift_engine.explainers.perturbation.masking import coalitions
from deeplift_engine.explainers.perturbation.masking.groups import Groups
from deeplift_engine.explainers.perturbation.masking.hierarchies import Hierarchy, hierarchy
from deeplift_engine.explainers.perturbation.perturbation_explainer import Grouped, group_scores
from deeplift_engine.explainers.perturbation.shapley import of_rows
from deeplift_engine.util.options import TwoOrMore
from deeplift_engine.util.typing import Array

TOGETHER = 16
"""How many nodes are opened before the next are chosen, where there are too many to open all."""


@dataclass(frozen=True)
class Context:
    """A node of the hierarchy beside what else is there.

    Attributes
    ----------
    node
        Its number.
    present
        The other groups that stay (P,), in the order of the hierarchy.
    weight
        The share of the orders in which the node meets these.
    without, within
        The target's values (T, n, k) without the node and with it.
    """

    node: int
    present: Array
    weight: float
    without: Array
    within: Array

    @property
    def gain(self) -> Array:
        """What the node adds here, times the weight."""
        return self.weight * (self.within - self.without)

    @property
    def rank(self) -> float:
        """The largest gain, negative, to six digits, so that rounding decides nothing."""
        return -float(f"{np.abs(self.gain.mean(axis=-1)).max():.6g}")


class OwenValues:
    """Owen values of the leaves of a hierarchy, node by node.

    A node's gain is shared by its parts as the Shapley value of a game among them, in each context
    of its own (Owen 1977; of more levels Winter 1989). `choose` says which coalitions are needed
    next and `add` takes their values, until none are needed. Where ``most`` coalitions do not
    suffice, the nodes of the largest gains are opened first, and what is not opened shares equally.

    Parameters
    ----------
    tree
        The hierarchy.
    ends
        Values (T, n, k) with all of the groups and with none.
    most
        How many coalitions may be evaluated.
    """

    def __init__(self, tree: Hierarchy, ends: tuple[Array, Array], most: int) -> None:
        within, without = np.broadcast_arrays(*ends)
        self.tree, self.most = tree, most
        self.together = len(tree.order) ** 2 if most >= tree.masks else TOGETHER
        self.leaves = np.zeros((*within.shape, len(tree.order)))
        self.waiting: list[tuple[float, int, Context]] = []
        self.turns = itertools.count()
        self.opened: list[Context] = []
        nobody = np.zeros(len(tree.order), bool)
        self._enter(Context(0, nobody, 1.0, without, within))

    @property
    def values(self) -> Array:
        """The values (T, n, k, P) by number of the group."""
        values = self.leaves.copy()
        for _, _, context in self.waiting:
            start, stop = self.tree.spans[context.node]
            values[..., start:stop] += context.gain[..., np.newaxis] / (stop - start)
        return values[..., self._places]

    def choose(self) -> Array:
        """The coalitions (D, P) that are needed next; none at the end."""
        self.opened = []
        while self.waiting and len(self.opened) < self.together:
            cost = self.tree.openings(self.waiting[0][2].node)
            if cost > self.most:
                break
            self.most -= cost
            self.opened.append(heapq.heappop(self.waiting)[2])
        rows = [self._present(context)[1:-1] for context in self.opened]
        nothing = np.zeros((0, len(self.tree.order)), bool)
        return np.concatenate([nothing, *rows])[:, self._places]

    def add(self, values: Array) -> None:
        """Take the target's values (T, n, k, D) under these coalitions."""
        first = 0
        for context in self.opened:
            last = first + self.tree.openings(context.node)
            ends = context.without[..., np.newaxis], context.within[..., np.newaxis]
            self._open(context, np.concatenate([ends[0], values[..., first:last], ends[1]], -1))
            first = last

    def _open(self, context: Context, values: Array) -> None:
        """The parts of a node, each beside each coalition of the others; values (T, n, k, 2^C)."""
        parts, present = self.tree.children[context.node], self._present(context)
        game = coalitions.every(len(parts))
        weights = coalitions.shapley_weights(game)
        for player, child in enumerate(parts):
            for row in np.flatnonzero(~game[:, player]):
                joined = row + (1 << player)
                weight = context.weight * float(weights[joined, player])
                ends = values[..., row], values[..., joined]
                self._enter(Context(child, present[row], weight, *ends))

    def _enter(self, context: Context) -> None:
        """A leaf takes its gain, another node waits to be opened."""
        if self.tree.children[context.node]:
            heapq.heappush(self.waiting, (context.rank, next(self.turns), context))
        else:
            self.leaves[..., self.tree.spans[context.node][0]] += context.gain

    def _present(self, context: Context) -> Array:
        """The groups that stay (2^C, P) under all coalitions of a node's C parts."""
        parts = self.tree.children[context.node]
        game = coalitions.every(len(parts))
        present = np.repeat(context.present[np.newaxis], len(game), axis=0)
        for player, child in enumerate(parts):
            present[:, slice(*self.tree.spans[child])] = game[:, player, np.newaxis]
        return present

    @property
    def _places(self) -> Array:
        """Where each group is in the order of the tree."""
        return np.argsort(self.tree.order)


class PartitionShap(Grouped):
    """Owen values of a hierarchy of the groups, as SHAP's Partition explainer.

    Shapley values of the orders in which the groups of each node of a tree enter one behind the
    other. They sum as Shapley values do, for about (2/3)·P² evaluations of P groups that are
    halved, in place of 2^P.

    Parameters
    ----------
    hierarchy
        The tree. None: inputs part first, then the longest axis of positions is halved again and
        again, as the positions of a sequence or the rectangles of an image, and channels part
        last. Lists within lists of the numbers of the groups, ``[[0, 1], [2, [3, 4]]]``, at most
        ten parts of a node; or an array, a linkage as scipy and SHAP have it. Groups are numbered
        as their elements lie in the input, those with labels of yours by these.
    samples
        How many coalitions to evaluate at most. Where the tree needs more, the nodes with the
        largest effect are opened first, for each target of a sample by itself, and the groups of
        a node that is not opened share its effect equally.
    """

    def __init__(
        self,
        task: Task,
        *,
        hierarchy: Any = None,
        samples: TwoOrMore = 2048,
        groups: Any = None,
        divide: bool = True,
    ) -> None:
        super().__init__(task, groups=groups, divide=divide)
        self.hierarchy, self.samples = hierarchy, samples

    def mask_count(self, count: int) -> int:
        """About those that a balanced tree needs, or the most that are allowed."""
        return min(self.samples, max(1, count * (count - 1)))

    def score_groups(self, samples: Samples, groups: Groups) -> MethodResult:
        """All targets and samples together, or each by itself where not all nodes are opened."""
        tree = hierarchy(self.hierarchy, groups, samples.request.inputs)
        ends = target_values(self.values, samples), self._without(samples, groups)
        if tree.masks <= self.samples:
            return group_scores(self._values(samples, groups, tree, ends), ends=ends)
        shape = np.broadcast_shapes(*(end.shape for end in ends))
        values = np.zeros((*shape, groups.count))
        for target, number in np.ndindex(shape[:2]):
            alone = samples.only(np.array([number]))
            one = slice(target, target + 1), slice(number, number + 1)
            values[one] = self._values(
                replace(alone, weights=alone.weights[one[0]]),
                groups,
                tree,
                (ends[0][one], ends[1][one]),
            )
        return group_scores(values, ends=ends)

    def _values(
        self, samples: Samples, groups: Groups, tree: Hierarchy, ends: tuple[Array, Array]
    ) -> Array:
        """Values of the groups (T, n, k, P)."""
        game = OwenValues(tree, ends, self.samples)
        while len(rows := game.choose()):
            game.add(self.masked(samples, len(rows), of_rows(groups, rows)))
        return game.values


METHODS = (
    Method(
        "partition_shap",
        "perturbation",
        PartitionShap,
        "Owen values: Shapley values where groups enter by a hierarchy.",
        "Owen 1977, doi:10.1007/978-3-642-45494-3_7; Winter 1989, doi:10.1007/BF01268162",
        "N + N·K·(1 + samples)",
        complete=True,
        aliases=("owen_values", "owen"),
    ),
)
