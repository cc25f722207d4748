"""Rules that integrate along a path, and how more steps of each take up what fewer gave."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deeplift_engine.util.options import LARGEST, Integer, checked
from deeplift_engine.util.typing import Array

MOST_NODES = 5000
"""Nodes of Gauss and Legendre at most: they are the eigenvalues of so large a matrix."""


@dataclass(frozen=True)
class Rule:
    """A rule of quadrature, for any number of points.

    Attributes
    ----------
    points
        Function of a number of points to positions between 0 and 1, and weights that sum to 1.
    factor, added
        The next finer rule after n points has ``factor * n + added``.
    first
        The number, among the next finer rule's points, of the first that this one has, and then
        every ``factor``-th is; None where they have no points in common.
    fewest, most
        Points of the rule.
    """

    points: Callable[[int], tuple[Array, Array]]
    factor: int = 2
    added: int = 0
    first: int | None = None
    fewest: int = 1
    most: int = LARGEST


@dataclass(frozen=True)
class Refinement:
    """What makes of a mean over points the mean over more of them.

    Attributes
    ----------
    steps
        How many points these are.
    positions, weights
        The points that are new, and their weights.
    kept
        The share of the mean before in the new one: points in common keep their proportions.
    """

    steps: int
    positions: Array
    weights: Array
    kept: float


def quadrature(rule: str, steps: int) -> tuple[Array, Array]:
    """Positions between 0 and 1 and their weights, which sum to 1; ``steps`` of each.

    Raises
    ------
    RuleError
        For too few steps, and for too many of Gauss and Legendre's.
    """
    bounds = Integer(RULES[rule].fewest, RULES[rule].most)
    return _points(rule, checked("steps", steps, bounds))


def refinement(rule: str, steps: int, most: int) -> Refinement | None:
    """What the next finer rule adds to ``steps`` points; None if it had more than ``most``."""
    way = RULES[rule]
    finer, most = way.factor * steps + way.added, min(most, way.most)
    if way.first is None:
        finer = min(finer, most)
        return Refinement(finer, *_points(rule, finer), 0.0) if finer > steps else None
    if finer > most:
        return None
    positions, weights = _points(rule, finer)
    new = np.ones(finer, bool)
    new[way.first :: way.factor] = False
    kept = float(weights[~new].sum())
    return Refinement(finer, positions[new], weights[new], kept)


@functools.cache
def _points(rule: str, steps: int) -> tuple[Array, Array]:
    return RULES[rule].points(steps)


def _gauss_legendre(steps: int) -> tuple[Array, Array]:
    positions, weights = np.polynomial.legendre.leggauss(steps)
    return (positions + 1) / 2, weights / 2


def _nested(steps: int) -> tuple[Array, Array]:
    """The trapezoid rule after the substitution 10 t³ - 15 t⁴ + 6 t⁵ (Korobov 1963).

    Its derivative is zero at both ends, and so are the weights there. The error falls with the
    fourth power of the steps for what is smooth.
    """
    t = np.arange(1, steps + 1) / (steps + 1)
    weights = (t * (1 - t)) ** 2
    return t**3 * (10 + t * (6 * t - 15)), weights / weights.sum()


def _trapezoid(steps: int) -> tuple[Array, Array]:
    weights = np.full(steps, 1 / (steps - 1))
    weights[[0, -1]] /= 2
    return np.linspace(0, 1, steps), weights


def _even(shift: float) -> Callable[[int], tuple[Array, Array]]:
    """One point in each of equal intervals, ``shift`` of the interval from its left."""

    def points(steps: int) -> tuple[Array, Array]:
        return (np.arange(steps) + shift) / steps, np.full(steps, 1 / steps)

    return points


RULES = {
    "gauss_legendre": Rule(_gauss_legendre, most=MOST_NODES),
    "nested": Rule(_nested, added=1, first=1),
    "midpoint": Rule(_even(0.5), factor=3, first=1),
    "trapezoid": Rule(_trapezoid, added=-1, first=0, fewest=2),
    "left": Rule(_even(0.0), first=0),
    "right": Rule(_even(1.0), first=1),
}
"""Rules by name."""
