"""The compiled walks that methods compute with, at any number of points.

`Walk` goes there and back and gives gradients, or relevance; `Values` only goes there. Points go
through in blocks, so neither loops over samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.engine.blocks import put
from deeplift_engine.engine.compiled import Arriving
from deeplift_engine.engine.forward import target_shape, traced
from deeplift_engine.engine.plan import Plan
from deeplift_engine.engine.setup import Setup
from deeplift_engine.engine.target_weights import of_samples, weighted
from deeplift_engine.graph.inputs import block_starts, padded
from deeplift_engine.rules.deeplift.tokens import Tokens
from deeplift_engine.util.typing import Array, Tensor


@dataclass(frozen=True)
class Walked:
    """What a walk found at M points.

    Attributes
    ----------
    multipliers
        By place, (T, M, *S): gradients under gradient rules, scores under those of relevance.
    values
        The target's (T, M).
    outputs
        Activations (M, ...) of the nodes that were asked for.
    """

    multipliers: list[Array]
    values: Array
    outputs: dict[str, Array]


@dataclass(frozen=True)
class Part:
    """What a walk found in one block, some of whose points may be filled up.

    Attributes
    ----------
    targets, points
        Which they are.
    multipliers
        By place, tensors (t, b, *S).
    values
        The target's (t, b).
    outputs
        Activations (b, ...) of nodes, tensors.
    """

    targets: slice
    points: slice
    multipliers: list[Tensor]
    values: Array
    outputs: Mapping[str, Tensor]

    @property
    def kept(self) -> int:
        """How many of its points are asked for: the first."""
        return int(self.points.stop - self.points.start)

    @property
    def leads(self) -> bool:
        """Whether it is the first of its points: others have the same outputs."""
        return bool(self.targets.start == 0)

    def cut(self, values: Any, axis: int = 1) -> Array:
        """Values without what the block was filled up with."""
        return np.asarray(values)[(slice(None),) * axis + (slice(self.kept),)]


class Walk:
    """The two walks at any number of points, under rules that read no reference.

    Compiled when made; points go through it in blocks, the last of which is filled up.
    """

    def __init__(self, plan: Plan, also: Sequence[str] = ()) -> None:
        rules = {
            name: replace(assigned, rule=replace(assigned.rule, compared=False))
            if isinstance(assigned.rule, Tokens)
            else assigned
            for name, assigned in plan.rules.items()
        }
        self.plan, self.also = replace(plan, rules=rules), tuple(also)
        self.compiled = Arriving(self.plan, (*also, plan.target))

    def __call__(
        self,
        points: Sequence[Array],
        seeds: Array,
        batch_size: int | None = None,
        *,
        given: bool = False,
    ) -> Walked:
        """Walk back from the target at ``points`` (M, ...) of each input.

        ``seeds`` (T, M or 1, *shape) weigh the target's units. Relevance starts as the units'
        values so weighted, or, if it is ``given``, as the seeds themselves.
        """
        totals = (len(seeds), len(points[0]))
        multipliers: dict[int, Array] = {}
        outputs: dict[str, Array] = {}
        values = np.zeros(totals, self.plan.dtype)
        for part in self.blocks(points, seeds, batch_size, given=given):
            where = (part.targets, part.points)
            values[where] = part.cut(part.values)
            for name in self.also if part.leads else ():
                put(outputs, name, totals[1:], where[1:], part.cut(part.outputs[name], 0))
            for number, tensor in enumerate(part.multipliers):
                put(multipliers, number, totals, where, part.cut(tensor))
        return Walked(list(multipliers.values()), values, outputs)

    def blocks(
        self,
        points: Sequence[Array],
        seeds: Array,
        batch_size: int | None = None,
        *,
        given: bool = False,
    ) -> Iterator[Part]:
        """The same, a block at a time."""
        count, most = len(points[0]), batch_size or self.plan.pairs
        for row, rows in block_starts(count, most):
            kept, depth = min(rows, count - row), max(1, self.plan.pairs // rows)
            at_input = self.compiled.forward([padded(array, row, rows) for array in points])
            level = np.asarray(at_input[self.plan.target])
            for first in range(0, len(seeds), depth):
                some = seeds[first : first + depth]
                if some.shape[1] > 1:
                    some = padded(some.swapaxes(0, 1), row, rows).swapaxes(0, 1)
                start = some * level if self.plan.relevance and not given else some
                yield Part(
                    slice(first, first + len(some)),
                    slice(row, row + kept),
                    self.compiled.arriving(at_input, start),
                    weighted(level, some),
                    at_input,
                )


class Values:
    """The target's values, and any activations, at any number of points.

    Compiled when made. A block is at most ``most`` points.
    """

    def __init__(self, setup: Setup, also: Sequence[str] = ()) -> None:
        self.setup, self.also = setup, tuple(also)
        self._forward = traced(setup.graph, (setup.target, *also))
        self.most = setup.pairs

    def __call__(
        self, points: Sequence[Array], seeds: Array, batch_size: int | None = None
    ) -> Array:
        """Values (T, M) at ``points`` (M, ...) of each input; ``seeds`` (T, M or 1, *shape)."""
        parts = [
            weighted(level, of_samples(seeds, rows))
            for rows, (level, *_) in self._blocks(points, batch_size)
        ]
        return np.concatenate(parts, axis=1)

    def target(self, points: Sequence[Array]) -> Array:
        """The target's activations (M, *shape), in one block."""
        return self.activations(points)[0]

    def target_shape(self, data: Sequence[Array]) -> tuple[int, ...]:
        """Shape of the target's layer without batch axis; a free one is that of the data."""
        return target_shape(self.setup.graph, self.setup.target, data, self.target)

    def activations(self, points: Sequence[Array]) -> list[Array]:
        """The target's and the other nodes' activations (M, ...), in one block."""
        return [np.asarray(tensor) for tensor in self._forward(*map(tf.constant, points))]

    def joined(
        self, points: Sequence[Array], names: Sequence[str], batch_size: int | None = None
    ) -> list[Array]:
        """The activations (M, ...) of some of the nodes, in blocks."""
        places = [(self.setup.target, *self.also).index(name) for name in names]
        parts = [
            [activations[place] for place in places]
            for _, activations in self._blocks(points, batch_size)
        ]
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    def _blocks(
        self, points: Sequence[Array], batch_size: int | None
    ) -> Iterator[tuple[slice, list[Array]]]:
        count = len(points[0])
        for row, rows in block_starts(count, batch_size or self.most):
            kept = slice(row, min(row + rows, count))
            found = self.activations([padded(array, row, rows) for array in points])
            yield kept, [part[: kept.stop - row] for part in found]
