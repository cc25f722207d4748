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
from numpy.typing import NDArray

from deeplift_engine.comparison import AT_REFERENCE
from deeplift_engine.compiled import Compiled
from deeplift_engine.data import block_starts, padded
from deeplift_engine.explainers.setup import Setup
from deeplift_engine.forwarding import target_shape, traced
from deeplift_engine.plan import Plan
from deeplift_engine.rules.tokens import Tokens
from deeplift_engine.weights import of_samples, weighted

Array = NDArray[Any]


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
        self.compiled = Compiled(self.plan, (*also, plan.target))
        self._nothing: tuple[Any, Mapping[str, Any]] = (None, {})

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
        count, most = len(points[0]), batch_size or self.plan.pairs
        multipliers: list[Array] = []
        outputs: dict[str, Array] = {}
        values = np.zeros((len(seeds), count), self.plan.dtype)
        at_reference = self._at_nothing(points)
        for row, rows in block_starts(count, most):
            kept, depth = min(rows, count - row), max(1, self.plan.pairs // rows)
            at_input = self.compiled.forward([padded(array, row, rows) for array in points])
            level = at_input[self.plan.target].numpy()
            for name in self.also:
                block = at_input[name].numpy()[:kept]
                shape = (count, *block.shape[1:])
                outputs.setdefault(name, np.zeros(shape, block.dtype))[row : row + kept] = block
            for first in range(0, len(seeds), depth):
                part = seeds[first : first + depth]
                if part.shape[1] > 1:
                    part = padded(part.swapaxes(0, 1), row, rows).swapaxes(0, 1)
                start = part * level if self.plan.relevance and not given else part
                found = self.compiled.backward(at_input, at_reference, start, 1, [1.0])
                values[first : first + depth, row : row + kept] = weighted(level, part)[:, :kept]
                for number, tensor in enumerate(found["multipliers"]):
                    block = tensor.numpy()[:, :kept]
                    if number == len(multipliers):
                        shape = (len(seeds), count, *block.shape[2:])
                        multipliers.append(np.zeros(shape, block.dtype))
                    multipliers[number][first : first + depth, row : row + kept] = block
        return Walked(multipliers, values, outputs)

    def _at_nothing(self, points: Sequence[Array]) -> Mapping[str, Any]:
        """Activations of one reference of zeros, which the rules do not read."""
        key = tuple(array.shape[1:] for array in points)
        if self._nothing[0] != key:
            zeros = [np.zeros((1, *array.shape[1:]), array.dtype) for array in points]
            self._nothing = key, self.compiled.forward(zeros, AT_REFERENCE)
        return self._nothing[1]


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
        return [tensor.numpy() for tensor in self._forward(*map(tf.constant, points))]

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
