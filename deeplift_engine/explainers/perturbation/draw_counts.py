"""How many draws determine what a method computes from them; fewer are refused.

A regression on fewer independent draws than unknowns has any number of solutions, and the one that
is returned looks like every other: a sum that is held is still right. Means over draws (of
permutations, of noise, of Sobol designs) are free of bias from the first draw on, and standard
errors say how far off they may be, so these methods have no such number.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.perturbation.masking import coalitions
from deeplift_engine.explainers.perturbation.masking.smooth_fields import Fields
from deeplift_engine.util.typing import Array

TOGETHER = 64
"""Masks that are looked at together."""
MOST_TRIED = 1 << 16
"""Draws beyond which no number is looked for that suffices."""


def enough(samples: int, suffices: Callable[[int], bool]) -> int | None:
    """The number from ``samples`` on, doubled and then halved, that suffices; None beyond reach."""
    low, high = samples, 2 * samples
    while not suffices(high):
        low, high = high, 2 * high
        if high > MOST_TRIED:
            return None
    while high - low > max(1, low // 8):
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high


@functools.lru_cache(maxsize=64)
def check_kernel_draws(players: int, samples: int, seed: int) -> None:
    """Refuse drawn coalitions that do not determine the Shapley values of ``players``.

    Raises
    ------
    RuleError
        If the rank of the regression is below its ``players - 1`` unknowns.
    """
    everything = (1 << players) - 2

    def rank(count: int) -> int:
        if count >= everything:
            return players - 1
        # what a coalition leaves out has the same row but for its sign
        half = coalitions.drawn_by_kernel(players, -(-count // 2), seed)[::2].astype(float)
        return int(np.linalg.matrix_rank(half[:, :-1] - half[:, -1:]))

    met = rank(samples)
    if met < players - 1:
        number = enough(samples, lambda count: rank(count) == players - 1)
        raise RuleError(
            f"samples={samples}: the coalitions drawn have rank {met}, and the values of {players} "
            f"groups have {players - 1} unknowns, so that they are not determined; "
            f"samples={number} suffice, or say fewer groups=."
        )


@functools.lru_cache(maxsize=64)
def check_even_draws(players: int, samples: int, seed: int, width: float) -> None:
    """Refuse draws that do not determine a linear model of ``players`` with an intercept.

    Raises
    ------
    RuleError
        If the rank of the regression is below its ``players + 1`` unknowns, or would be without
        draws of next to no weight.
    """

    def rank(stays: Array, weights: Array) -> int:
        design = np.concatenate([np.ones((len(stays), 1)), stays], axis=1)
        return int(np.linalg.matrix_rank(design * np.sqrt(weights)[:, np.newaxis]))

    def rank_of(count: int) -> int:
        return rank(coalitions.drawn_evenly(players, count, seed), np.ones(count))

    met = rank_of(samples)
    if met < players + 1:
        number = enough(samples, lambda count: rank_of(count) == players + 1)
        raise RuleError(
            f"samples={samples}: the draws have rank {met}, and a linear model of {players} groups "
            f"has {players + 1} unknowns, so that it is not determined; samples={number} suffice, "
            "or say fewer groups=."
        )
    stays = coalitions.drawn_evenly(players, samples, seed)
    weighted = rank(stays, coalitions.cosine_weights(stays, width))
    if weighted < players + 1:
        raise RuleError(
            f"kernel_width={width:g}: only draws of rank {weighted} have any weight, and a linear "
            f"model of {players} groups has {players + 1} unknowns; give a larger kernel_width, "
            "the default is 0.25."
        )


def check_fields(name: str, samples: int, draw: Callable[[int], Fields]) -> None:
    """Refuse masks that leave an element of the input called ``name`` as it is in all draws.

    Raises
    ------
    RuleError
        If there is such an element, whose score would not depend on what it does.
    """
    met = _constant(draw(samples))
    if met:
        number = enough(samples, lambda count: not _constant(draw(count)))
        advice = f"samples={number} suffice" if number else "give a keep= nearer to 0.5"
        raise RuleError(
            f"samples={samples}: {met} elements of the input {name!r} are masked alike in all "
            f"draws, so that nothing is learned of them; {advice}, or fewer cells=."
        )


def _constant(field: Fields) -> int:
    """How many elements have the same value in every mask."""
    first = field.masks(slice(0, 1))[0]
    varies = np.zeros(first.shape, bool)
    for start in range(0, len(field.grids), TOGETHER):
        masks = field.masks(slice(start, start + TOGETHER))
        varies |= (masks != first).any(axis=0)
        if varies.all():
            break
    return int((~varies).sum())
