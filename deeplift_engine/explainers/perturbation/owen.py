"""Owen values: Shapley values where groups enter and leave by a hierarchy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.blocks import slices
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.task import Task
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.perturbation.masked_values import (
    MOST_VALUES,
    Masks,
    masked_values,
    target_values,
)
from deeplift_engine.explainers.perturbation.masking import coalitions
from deeplift_engine.explainers.perturbation.masking.groups import Groups
from deeplift_engine.explainers.perturbation.masking.hierarchies import Hierarchy, hierarchy
from deeplift_engine.explainers.perturbation.perturbation_explainer import Grouped, group_scores
from deeplift_engine.explainers.perturbation.shapley import of_rows
from deeplift_engine.util.options import TwoOrMore
from deeplift_engine.util.typing import Array

TOGETHER = 16
"""How many nodes of a game are opened before the next are chosen, where all are too many."""
RANK_BITS = 20
"""Of a gain that order nodes, so that rounding decides nothing."""

Evaluate = Callable[[Array, Array], Array]
"""The target's values (M, V) under coalitions (M, P), each in the game (M,) of its number."""


@dataclass(frozen=True)
class Contexts:
    """C nodes of the hierarchy, each beside what else is there.

    Attributes
    ----------
    game
        The number of the game that each is of (C,).
    node
        Numbers of the nodes (C,).
    present
        The other groups that stay (C, P), in the order of the hierarchy.
    weight
        The share of the orders in which a node meets these (C,).
    without, within
        The target's values (C, V) without the node and with it.
    """

    game: Array
    node: Array
    present: Array
    weight: Array
    without: Array
    within: Array

    @property
    def gain(self) -> Array:
        """What each node adds, times the weight (C, V)."""
        return np.asarray(self.weight[:, np.newaxis] * (self.within - self.without))

    @property
    def rank(self) -> Array:
        """The size of the mean gain (C,), to `RANK_BITS` bits."""
        mantissa, exponent = np.frexp(np.abs(self.gain.mean(axis=-1)))
        return np.asarray(np.ldexp(np.round(np.ldexp(mantissa, RANK_BITS)), exponent))

    @property
    def _arrays(self) -> list[Array]:
        return [getattr(self, each.name) for each in fields(self)]

    def __len__(self) -> int:
        """How many there are, C."""
        return len(self.game)

    def only(self, which: Array) -> Contexts:
        """Some of them, by number or by truth values."""
        return Contexts(*(array[which] for array in self._arrays))

    @classmethod
    def joined(cls, several: Iterable[Contexts]) -> Contexts:
        """One behind the other."""
        return cls(*map(np.concatenate, zip(*(each._arrays for each in several), strict=True)))


@lru_cache(maxsize=16)
def additions(parts: int) -> tuple[Array, ...]:
    """What each of C parts may join: coalitions (2^C, C), players, rows, joined rows and weights.

    The last four are (C·2^(C-1),): a player, the coalition's row without it, that with it, and the
    share of the orders of the parts in which the player meets the others.
    """
    every = coalitions.every(parts)
    players, rows = np.nonzero(~every.T)
    joined = rows + (1 << players)
    return every, players, rows, joined, coalitions.shapley_weights(every)[joined, players]


class OwenValues:
    """Owen values of the leaves of a hierarchy, node by node, in G games at once.

    A node's gain is shared by its parts as the Shapley value of a game among them, in each context
    of its own (Owen 1977; of more levels Winter 1989). Where ``most`` coalitions of a game do not
    suffice, its nodes of the largest gains are opened first, and what is not opened shares equally.

    Parameters
    ----------
    tree
        The hierarchy.
    without, within
        Values (G, V) with none of the groups and with all.
    most
        How many coalitions of each game may be evaluated.
    """

    def __init__(self, tree: Hierarchy, without: Array, within: Array, most: int) -> None:
        games, groups = len(without), len(tree.order)
        self.tree = tree
        self.costs = np.array([tree.openings(node) for node in range(len(tree.spans))])
        self.starts, self.stops = np.array(tree.spans).T
        self.left = np.full(games, most)
        self.together = max(1, MOST_VALUES // groups) if most >= tree.masks else TOGETHER
        self.leaves = np.zeros((games, groups, without.shape[1]))
        first, nobody = np.zeros(games, int), np.zeros((games, groups), bool)
        root = Contexts(np.arange(games), first, nobody, np.ones(games), without, within)
        self.waiting = root.only(first[:0])
        self._enter([root])

    @property
    def values(self) -> Array:
        """The values (G, V, P) by number of the group."""
        values = self.leaves.copy()
        waiting = self.waiting
        for game, node, gain in zip(waiting.game, waiting.node, waiting.gain, strict=True):
            start, stop = self.tree.spans[node]
            values[game, start:stop] += gain / (stop - start)
        return np.moveaxis(values[:, np.argsort(self.tree.order)], 1, -1)

    def evaluate(self, evaluate: Evaluate) -> Array:
        """Open nodes until all are, or no more coalitions may be evaluated; then `values`."""
        while len(opened := self._choose()):
            parts = np.array([len(self.tree.children[node]) for node in opened.node])
            self._enter(
                [self._parts(opened.only(parts == each), evaluate) for each in np.unique(parts)]
            )
        return self.values

    def _choose(self) -> Contexts:
        """The contexts that are opened next, largest first; they wait no more."""
        waiting = self.waiting
        order = np.lexsort((-waiting.rank, waiting.game))
        game = waiting.game[order]
        cost = self.costs[waiting.node[order]]
        first = np.searchsorted(game, game)  # of the game, in this order
        total = np.cumsum(cost)
        total -= (total - cost)[first]
        affordable = total <= self.left[game]
        chosen = order[affordable & (np.arange(len(order)) - first < self.together)]
        opened = waiting.only(chosen)
        np.subtract.at(self.left, opened.game, self.costs[opened.node])
        stays = np.ones(len(order), bool)
        stays[chosen] = False
        self.waiting = waiting.only(stays)
        return opened

    def _parts(self, opened: Contexts, evaluate: Evaluate) -> Contexts:
        """The parts of nodes of C parts, each beside each coalition of the others."""
        children = np.array([self.tree.children[node] for node in opened.node])
        game, players, rows, joined, weights = additions(children.shape[1])
        place = np.arange(len(self.tree.order))
        starts, stops = (ends[children][..., np.newaxis] for ends in (self.starts, self.stops))
        inside = (starts <= place) & (place < stops)
        present = opened.present[:, np.newaxis] | (game @ inside)
        between = present[:, 1:-1].reshape(-1, len(place))
        games = np.repeat(opened.game, len(game) - 2)
        values = evaluate(games, between[:, np.argsort(self.tree.order)])
        values = np.concatenate(
            [
                opened.without[:, np.newaxis],
                values.reshape(len(children), -1, values.shape[-1]),
                opened.within[:, np.newaxis],
            ],
            axis=1,
        )
        return Contexts(
            np.repeat(opened.game, len(players)),
            children[:, players].reshape(-1),
            present[:, rows].reshape(-1, len(place)),
            (opened.weight[:, np.newaxis] * weights).reshape(-1),
            values[:, rows].reshape(-1, values.shape[-1]),
            values[:, joined].reshape(-1, values.shape[-1]),
        )

    def _enter(self, several: Sequence[Contexts]) -> None:
        """Leaves take their gains, other nodes wait to be opened."""
        contexts = Contexts.joined(several)
        inner = self.costs[contexts.node] > 0
        leaves = contexts.only(~inner)
        np.add.at(self.leaves, (leaves.game, self.starts[leaves.node]), leaves.gain)
        self.waiting = Contexts.joined([self.waiting, contexts.only(inner)])


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
        """One game for all where all nodes are opened, else one for each target of a sample."""
        tree = hierarchy(self.hierarchy, groups, samples.request.inputs)
        ends = target_values(self.values, samples), self._without(samples, groups)
        within, without = np.broadcast_arrays(*ends)
        if tree.masks <= self.samples:
            values = self._of_all(samples, groups, tree, without, within)
        else:
            values = self._of_each(samples, groups, tree, without, within)
        return group_scores(values.reshape(*within.shape, groups.count), ends=ends)

    def _of_all(
        self, samples: Samples, groups: Groups, tree: Hierarchy, without: Array, within: Array
    ) -> Array:
        """Values (1, T·n·k, P) of one game, ends (T, n, k)."""

        def evaluate(_: Array, rows: Array) -> Array:
            values = self.masked(samples, len(rows), of_rows(groups, rows))
            return np.asarray(values.reshape(-1, len(rows)).T)

        ends = without.reshape(1, -1), within.reshape(1, -1)
        return OwenValues(tree, *ends, self.samples).evaluate(evaluate)

    def _of_each(
        self, samples: Samples, groups: Groups, tree: Hierarchy, without: Array, within: Array
    ) -> Array:
        """Values (T·n, k, P) of a game for each target of a sample, ends (T, n, k)."""
        targets, numbers = np.indices(within.shape[:2]).reshape(2, -1)
        ends = [end.reshape(len(targets), -1) for end in (without, within)]

        def values(lot: slice) -> Array:
            def evaluate(games: Array, rows: Array) -> Array:
                owners = targets[lot][games], numbers[lot][games]
                return self._one_by_one(samples, groups, *owners, rows)

            game = OwenValues(tree, ends[0][lot], ends[1][lot], self.samples)
            return game.evaluate(evaluate)

        most = max(1, MOST_VALUES // (self.samples * groups.count))
        return np.concatenate([values(lot) for lot in slices(len(targets), most)])

    def _one_by_one(
        self, samples: Samples, groups: Groups, targets: Array, numbers: Array, rows: Array
    ) -> Array:
        """Values (M, k) of targets of samples, by number, each under a coalition of its own."""
        most = samples.request.batch_size or self.values.most
        blocks = []
        for block in slices(len(rows), max(1, most // samples.references[0].shape[1])):
            some = samples.only(numbers[block])
            weights = samples.weights[targets[block], numbers[block] % samples.weights.shape[1]]
            some = replace(some, weights=weights[np.newaxis])
            masks = of_each(groups, rows[block])
            blocks.append(masked_values(self.values, some, 1, masks))
        return np.concatenate(blocks, axis=1)[0, ..., 0]


def of_each(groups: Groups, rows: Array) -> Masks:
    """Masks of one coalition (M, P) for each of M samples."""
    return lambda draws: groups.masks(rows[:, np.newaxis][:, draws])


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
