"""Straight paths from references to inputs, and what is found along them, pair by pair."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import Found
from deeplift_engine.engine.backward import Values
from deeplift_engine.engine.blocks import Block, blocks
from deeplift_engine.engine.convergence import Sums, summed
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.running_mean import Mean
from deeplift_engine.engine.setup import Setup
from deeplift_engine.engine.target_weights import of_samples, repeated
from deeplift_engine.errors import InputError
from deeplift_engine.util.options import LARGEST, Integer, checked
from deeplift_engine.util.typing import Array

WALKS = 4
"""How many blocks of a walk are made ready together."""
SUMS = ("at_input", "at_reference", "found", "size")
RULES = ("gauss_legendre", "midpoint", "trapezoid", "left", "right")
MOST_NODES = 5000
"""Nodes of Gauss and Legendre at most: they are the eigenvalues of so large a matrix."""


@functools.cache
def quadrature(rule: str, steps: int) -> tuple[Array, Array]:
    """Positions between 0 and 1 and their weights, which sum to 1; ``steps`` of each.

    Raises
    ------
    RuleError
        For too few steps, and for too many of Gauss and Legendre's.
    """
    fewest = 2 if rule == "trapezoid" else 1
    most = MOST_NODES if rule == "gauss_legendre" else LARGEST
    checked("steps", steps, Integer(fewest, most))
    if rule == "gauss_legendre":
        positions, weights = np.polynomial.legendre.leggauss(steps)
        return (positions + 1) / 2, weights / 2
    if rule == "trapezoid":
        weights = np.full(steps, 1 / (steps - 1))
        weights[[0, -1]] /= 2
        return np.linspace(0, 1, steps), weights
    shift = {"left": 0.0, "midpoint": 0.5, "right": 1.0}[rule]
    return (np.arange(steps) + shift) / steps, np.full(steps, 1 / steps)


def without_tokens(setup: Setup) -> None:
    """See that there are points between any two inputs.

    Raises
    ------
    InputError
        Where an input holds tokens.
    """
    tokens = list(setup.token_inputs)
    if tokens:
        readers = [
            node.name for node in setup.graph.nodes.values() if set(tokens) & set(node.inputs)
        ]
        raise InputError(
            f"The inputs {tokens} hold tokens, and there is nothing between two tokens: give "
            f"layers=, the embedding where they are looked up. They are read by {readers}."
        )


@dataclass(frozen=True)
class Paths:
    """P paths, each from a reference of a sample to the sample.

    Attributes
    ----------
    block
        Which n samples, and which k of their references; P = n · k, a sample's next to each other.
    data
        The samples (n, *S).
    starts, ends
        References and samples (P, *S).
    seeds
        Weights over the target's units (T, P or 1, *shape).
    """

    block: Block
    data: list[Array]
    starts: list[Array]
    ends: list[Array]
    seeds: Array

    @property
    def count(self) -> int:
        """P."""
        return len(self.starts[0])

    @property
    def differences(self) -> list[Array]:
        """Samples minus references (P, *S)."""
        return [end - start for start, end in zip(self.starts, self.ends, strict=True)]

    def chosen(self, numbers: Array) -> Paths:
        """Some of the paths, by their numbers."""
        return replace(
            self,
            starts=[array[numbers] for array in self.starts],
            ends=[array[numbers] for array in self.ends],
            seeds=of_samples(self.seeds, numbers),
        )

    def points(self, positions: Array) -> list[Array]:
        """Points (P · s, *S) at ``positions`` (s,) of each path, a path's next to each other."""
        found = []
        for start, end in zip(self.starts, self.ends, strict=True):
            at = positions.astype(start.dtype).reshape(-1, *[1] * (start.ndim - 1))
            points = start[:, np.newaxis] + at * (end - start)[:, np.newaxis]
            found.append(points.reshape(-1, *start.shape[1:]))
        return found


def block_of(request: Request, pairs: int, points: int = 1) -> int:
    """How many paths of ``points`` points to take together, where ``pairs`` points are walked so.

    Several blocks of a walk: points are small beside what a walk makes of them.
    """
    targets = len(request.seeds.values)
    return max(1, WALKS * (request.batch_size or pairs) // (points * targets))


def with_references(request: Request, draws: int, most: int) -> Iterator[tuple[Block, list[Array]]]:
    """Blocks of samples and draws, and the references (n, K, *S) of their samples."""
    own: list[Array] = []
    rows = None
    for block in blocks(request.replace(batch_size=None), draws, most):
        if block.rows != rows:
            rows = block.rows
            own = request.own(rows.start, block.shape[0])
        yield block, own


def paths(request: Request, most: int) -> Iterator[Paths]:
    """All pairs of sample and reference, ``most`` at a time."""
    for block, own in with_references(request, request.count, most):
        count = block.shape[1]
        data = [array[block.rows] for array in request.data]
        yield Paths(
            block,
            data,
            [array[:, block.columns].reshape(-1, *array.shape[2:]) for array in own],
            [np.repeat(array, count, axis=0) for array in data],
            repeated(of_samples(request.seeds.values, block.rows), count),
        )


class Ends:
    """The target at samples and references, each of which is forwarded once."""

    def __init__(self, values: Values, request: Request) -> None:
        self.values, self.batch_size = values, request.batch_size
        seeds = request.seeds.values
        self._at_data = values(request.data, seeds, request.batch_size)
        self._at_shared = None
        if request.shared:
            each = seeds.reshape(-1, 1, *seeds.shape[2:])
            found = values(request.of_all(), each, request.batch_size)
            shape = (*self._at_data.shape, request.count)
            self._at_shared = np.broadcast_to(found.reshape(*seeds.shape[:2], -1), shape)

    def of(self, part: Paths) -> tuple[Array, Array]:
        """The target (T, P) at the samples and at the references."""
        rows, columns = part.block.rows, part.block.columns
        at_end = np.repeat(self._at_data[:, rows], part.block.shape[1], axis=1)
        if self._at_shared is None:
            return at_end, self.values(part.starts, part.seeds, self.batch_size)
        return at_end, self._at_shared[:, rows, columns].reshape(at_end.shape)


class Pairs:
    """What is found for each pair of sample and reference, put together as the request asks."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.leading = (len(request.seeds.values), request.samples)
        self._means: dict[tuple[str, int], Mean] = {}
        self._apart: dict[tuple[str, int], Array] = {}

    def add(
        self,
        block: Block,
        scores: Sequence[Array],
        multipliers: Sequence[Array] | None,
        ends: tuple[Array, Array] | None,
    ) -> None:
        """Add a block (T, P, *S), and the target (T, P) at both ends, if sums must meet it."""
        for number, values in enumerate(scores):
            self._add(block, "scores", number, values)
        for number, values in enumerate(multipliers or ()):
            self._add(block, "multipliers", number, values)
        if ends is not None:
            for name, values in zip(SUMS, (*ends, *summed(scores)), strict=True):
                self._keep(block, name, 0, values)

    def found(self, **settings: Any) -> Found:
        """All of it."""
        errors = None
        if self.request.average and self.request.count > 1:
            errors = [mean.standard_error for mean in self._all(self._means, "scores")]
        return Found(
            self._scored("scores") or [],
            self._scored("multipliers"),
            errors,
            sums=self._sums(),
            apart=not self.request.average,
            settings=settings,
        )

    def _sums(self) -> Sums | None:
        kept = [self._apart[name, 0] for name in SUMS if (name, 0) in self._apart]
        return Sums.between(*kept) if kept else None

    def _add(self, block: Block, name: str, number: int, values: Array) -> None:
        if not self.request.average:
            self._keep(block, name, number, values)
            return
        mean = self._means.setdefault((name, number), Mean(self.leading))
        whole = values.reshape(len(values), *block.shape, *values.shape[2:])
        mean.add((slice(None), block.rows), whole)

    def _keep(self, block: Block, name: str, number: int, values: Array) -> None:
        whole = values.reshape(len(values), *block.shape, *values.shape[2:])
        if (name, number) not in self._apart:
            shape = (*self.leading, self.request.count, *values.shape[2:])
            self._apart[name, number] = np.zeros(shape, values.dtype)
        self._apart[name, number][:, block.rows, block.columns] = whole

    def _scored(self, name: str) -> list[Array] | None:
        if self.request.average:
            return [mean.mean for mean in self._all(self._means, name)] or None
        return self._all(self._apart, name) or None

    def _all(self, held: dict[tuple[str, int], Any], name: str) -> list[Any]:
        return [value for (kind, _), value in held.items() if kind == name]


def mean_over(gradients: Array, weights: Array) -> Array:
    """Weighted sum (T, P, *S) over the points of each path of gradients (T, P, s, *S)."""
    return np.asarray(np.einsum("s,tps...->tp...", weights.astype(gradients.dtype), gradients))


def along(gradients: Array, points: Array) -> Array:
    """Integral (T, P, *S) over a path's points of gradients (T, P, s, *S), by trapezoids."""
    widths = np.empty_like(points)  # twice each, from the point before to the point behind
    np.subtract(points[:, 1], points[:, 0], out=widths[:, 0])
    np.subtract(points[:, 2:], points[:, :-2], out=widths[:, 1:-1])
    np.subtract(points[:, -1], points[:, -2], out=widths[:, -1])
    widths /= 2
    return np.asarray(np.einsum("tps...,ps...->tp...", gradients, widths))
