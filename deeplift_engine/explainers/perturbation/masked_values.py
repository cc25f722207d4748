"""The target's values where parts of the samples are replaced by their references.

All that a perturbation method asks of a network is asked here: f(m·x + (1 - m)·r) of many masks m.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np

from deeplift_engine.engine.request import Request
from deeplift_engine.engine.target_weights import of_samples, repeated
from deeplift_engine.graph.inputs import block_size
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array

Masks = Callable[[slice], list[Array]]
"""Masks of the draws in a slice: of each input (1 or n, d, *S), True or 1 where it stays."""


TOGETHER = 32
"""So many samples share the making of masks, even where one would fill up what is evaluated."""

MOST_VALUES = 1 << 24
"""Values that are held for them at most."""


class Evaluate(Protocol):
    """The target's values (T, M) at points (M, ...) of each input, under seeds (T, M or 1, ...)."""

    def __call__(self, points: Sequence[Array], seeds: Array, batch_size: int | None) -> Array:
        """Evaluate so many points together."""
        ...


@dataclass(frozen=True)
class Samples:
    """Some samples of a run, any parts of which can be replaced by their references.

    Attributes
    ----------
    evaluate
        The target's values.
    data
        Of each input (n, *S).
    references
        Of each input (n, K, *S).
    seeds
        Weights over the target's units (T, n or 1, *shape).
    average
        Whether values are means over the references: k is 1 below, else K.
    most
        How many points to evaluate together.
    tick
        Told how many masked samples were evaluated.
    """

    evaluate: Evaluate
    data: list[Array]
    references: list[Array]
    seeds: Array
    average: bool
    most: int
    tick: Callable[[int], object]

    @property
    def count(self) -> int:
        """How many samples there are."""
        return len(self.data[0])

    def only(self, which: Array) -> Samples:
        """Some of them, by their numbers."""
        return replace(
            self,
            data=[array[which] for array in self.data],
            references=[array[which] for array in self.references],
            seeds=of_samples(self.seeds, which),
        )

    @cached_property
    def whole(self) -> Array:
        """The values of the samples themselves, (T, n, 1)."""
        values = self.evaluate(self.data, self.seeds, min(self.count, self.most))
        return values[..., np.newaxis].astype(float)

    def replaced(self) -> Array:
        """The values of their references, (T, n, k)."""
        nothing = [np.zeros((1, 1, *array.shape[1:]), bool) for array in self.data]
        return self.masked(1, lambda draws: nothing)[..., 0]

    def masked(self, draws: int, masks: Masks, choice: Array | None = None) -> Array:
        """The values under ``draws`` masks, (T, n, k, D).

        Parameters
        ----------
        draws
            D.
        masks
            Gives those of a slice of them. Between 0 and 1 they mix sample and reference; tokens
            are the reference's below 1/2.
        choice
            The number of the one reference for each draw (D,), instead of all of them.
        """
        count = self.references[0].shape[1] if choice is None else 1
        apart = 1 if self.average else count
        found = np.zeros((len(self.seeds), self.count, apart, draws))
        for block in even(draws, max(1, self.most // (self.count * count))):
            size = block.stop - block.start
            points = [
                mixed(
                    x[:, np.newaxis, np.newaxis],
                    r[:, np.newaxis] if choice is None else r[:, choice[block], np.newaxis],
                    mask[:, :, np.newaxis],
                ).reshape(-1, *x.shape[1:])
                for x, r, mask in zip(self.data, self.references, masks(block), strict=True)
            ]
            seeds = repeated(self.seeds, size * count)
            values = self.evaluate(points, seeds, min(len(points[0]), self.most)).astype(float)
            values = values.reshape(-1, self.count, size, count)
            if self.average:
                values = values.mean(axis=-1, keepdims=True)
            found[..., block] = np.moveaxis(values, -1, 2)
            self.tick(self.count * size)
        return found


@dataclass(frozen=True)
class Perturbed:
    """The samples of a run, in blocks that fit into memory.

    Attributes
    ----------
    request
        The run.
    evaluate
        The target's values.
    most
        How many points to evaluate together, if the request does not say.
    """

    request: Request
    evaluate: Evaluate
    most: int

    def blocks(
        self, draws: int, alone: bool = False, rounds: int = 1
    ) -> Iterator[tuple[slice, Samples]]:
        """Rows, and the samples there.

        Parameters
        ----------
        draws
            How many masks of each sample are evaluated together: more of them, fewer samples.
        alone
            Whether to give one sample at a time.
        rounds
            How often, at most; for the bar.
        """
        request = self.request
        most, weights = request.batch_size or self.most, request.seeds.values
        points = max(1, draws) * request.count
        sharing = min(TOGETHER, most // request.count, MOST_VALUES // (points * len(weights)))
        rows = 1 if alone else block_size(request.samples, max(1, most // points, sharing))
        with bar(request.samples * draws * rounds, request.progress, " masks") as tick:
            for row in range(0, request.samples, rows):
                block = slice(row, min(row + rows, request.samples))
                yield (
                    block,
                    Samples(
                        self.evaluate,
                        [array[block] for array in request.data],
                        request.own(row, block.stop - row),
                        of_samples(weights, block),
                        request.average,
                        most,
                        tick,
                    ),
                )


def mixed(x: Array, reference: Array, mask: Array) -> Array:
    """m·x + (1 - m)·r with axes broadcast; a mask of booleans, or one on tokens, chooses."""
    if mask.dtype != bool and x.dtype.kind == "f":
        found = mask.astype(x.dtype, copy=False) * (x - reference)
        found += reference
        return np.asarray(found)
    return np.where(mask if mask.dtype == bool else mask >= 0.5, x, reference)


def even(count: int, most: int) -> Iterator[slice]:
    """Slices of ``count``, at most ``most`` long and of nearly one length."""
    parts = -(-count // most)
    edges = [count * part // max(1, parts) for part in range(parts + 1)]
    for start, stop in pairwise(edges):
        yield slice(start, stop)
