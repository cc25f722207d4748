"""Which groups stay together: coalitions of P players, as rows of booleans."""

from __future__ import annotations

import math

import numpy as np

from deeplift_engine.util.typing import Array


def every(players: int) -> Array:
    """All coalitions, (2^P, P): binary digits of the numbers; the first is empty, the last full."""
    numbers = np.arange(1 << players)[:, np.newaxis]
    return (numbers >> np.arange(players) & 1).astype(bool)


def shapley_weights(coalitions: Array) -> Array:
    """Shapley values from the values of all coalitions (2^P, P), as a linear map.

    |S|! (P - |S| - 1)! / P! for what a player adds to S (Shapley 1953).
    """
    players = coalitions.shape[1]
    size = coalitions.sum(axis=1, keepdims=True)
    adds = np.array([1 / (players * math.comb(players - 1, s)) for s in range(players)])
    with_it = adds[np.maximum(size - 1, 0)]
    without = adds[np.minimum(size, players - 1)]
    return np.asarray(np.where(coalitions, with_it, -without))


def interaction_weights(coalitions: Array, player: int, index: str = "shapley") -> Array:
    """Halves of a player's interactions with each other, as a linear map of all coalitions.

    |S|! (P - |S| - 2)! / (2 (P - 1)!), or for ``"taylor"`` |S|! (P - |S| - 1)! / P!, for what two
    players add to S together beyond what each adds; 0 for the player itself.
    """
    players = coalitions.shape[1]
    both = coalitions == coalitions[:, [player]]
    others = coalitions.sum(axis=1, keepdims=True) - coalitions - coalitions[:, [player]]
    if index == "taylor":
        shares = [1 / (players * math.comb(players - 1, s)) for s in range(players - 1)]
    else:
        shares = [1 / (2 * (players - 1) * math.comb(players - 2, s)) for s in range(players - 1)]
    adds = np.array(shares or [0.0])
    weights = np.where(both, 1.0, -1.0) * adds[np.clip(others, 0, len(adds) - 1)]
    weights[:, player] = 0
    return np.asarray(weights)


def kernel_weights(coalitions: Array) -> Array:
    """Weights of coalitions (D, P), neither empty nor full, in a regression to Shapley values.

    (P - 1) / (C(P, s) s (P - s)) of a coalition of s (Lundberg 2017, theorem 2).
    """
    players = coalitions.shape[1]
    weight = np.array(
        [0.0]
        + [
            (players - 1) / (math.comb(players, size) * size * (players - size))
            for size in range(1, players)
        ]
    )
    return np.asarray(weight[coalitions.sum(axis=1)])


def drawn_by_kernel(players: int, pairs: int, seed: int) -> Array:
    """Coalitions (2·pairs, P) drawn by those weights, each with what it leaves out.

    A size first, in proportion to 1 / (s (P - s)), then the players (Covert 2021, section 3).
    """
    generator = np.random.default_rng(seed)
    sizes = np.arange(1, players)
    share = 1 / (sizes * (players - sizes))
    size = generator.choice(sizes, size=pairs, p=share / share.sum())
    rank = np.argsort(np.argsort(generator.random((pairs, players)), axis=1), axis=1)
    first = rank < size[:, np.newaxis]
    return np.stack([first, ~first], axis=1).reshape(-1, players)


def drawn_evenly(players: int, count: int, seed: int) -> Array:
    """Coalitions (count, P) that each player is in with a chance of 1/2; the first is full."""
    drawn = np.random.default_rng(seed).random((count, players)) < 0.5
    drawn[0] = True
    return drawn


def cosine_weights(coalitions: Array, width: float) -> Array:
    """exp(-d² / 2w²) of the cosine distances d of coalitions (D, P) from the full one."""
    distance = 1 - np.sqrt(coalitions.mean(axis=1))
    return np.asarray(np.exp(-((distance / width) ** 2) / 2))


def orders(players: int, count: int, seed: int, antithetic: bool) -> Array:
    """Random orders of the players, (count, P); every second the reverse of the first of a pair.

    Drawn one after the other by numpy's first generator, whose numbers are frozen for ever: those
    of ``numpy.random.seed(seed)`` and ``numpy.random.permutation``.
    """
    generator = np.random.RandomState(seed)
    drawn = [generator.permutation(players) for _ in range(count // (1 + antithetic))]
    orders = np.array(drawn).reshape(-1, players)
    if antithetic:
        orders = np.stack([orders, orders[:, ::-1]], axis=1).reshape(-1, players)
    return orders
