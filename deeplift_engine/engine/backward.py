"""The backward pass at any number of points, under rules that compare with no reference.

It gives gradients, or relevance. Points go through in blocks, so that nothing loops over samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deeplift_engine.engine.activation_pairs import AT_INPUT
from deeplift_engine.engine.blocks import EVERY, Block, padded_slices, put, slices
from deeplift_engine.engine.compiled import CompiledPasses, arrivals
from deeplift_engine.engine.finite import at_a_point, finite_values
from deeplift_engine.engine.target_weights import filled, weighted
from deeplift_engine.engine.task import Task
from deeplift_engine.graph.inputs import padded
from deeplift_engine.rules.deeplift.tokens import Tokens
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class BackwardResult:
    """Results of a backward pass at M points.

    Attributes
    ----------
    multipliers
        By attribution point, (T, M, *S): gradients under gradient rules, scores under those of
        relevance.
    values
        The target's (T, M).
    outputs
        Activations (M, ...) of the nodes that the pass was compiled for.
    """

    multipliers: list[Any]
    values: Array
    outputs: Mapping[str, Any]


class BackwardPass:
    """Forward and backward pass at any number of points, under rules that read no reference.

    It is compiled when it is created. Points go through in blocks, the last of which is filled up.
    """

    def __init__(self, task: Task, nodes: Sequence[str] = ()) -> None:
        rules = {
            name: replace(assigned, rule=replace(assigned.rule, compared=False))
            if isinstance(assigned.rule, Tokens)
            else assigned
            for name, assigned in task.rules.items()
        }
        self.nodes = tuple(nodes)
        ends = (*nodes, task.target)
        passes = CompiledPasses(replace(task, rules=rules), ends, arrivals, compares=False)
        self.task, self._backward = passes.task, passes.backward
        self._forward = passes.forward_pass(AT_INPUT)

    def __call__(
        self,
        points: Sequence[Array],
        weights: Array,
        batch_size: int | None = None,
        *,
        direct: bool = False,
    ) -> BackwardResult:
        """Go back from the target at ``points`` (M, ...) of each input.

        ``weights`` (T, M or 1, *shape) are those of the target's units. Relevance starts as the
        units' values so weighted, or, if ``direct``, as the weights themselves.
        """
        totals = (len(weights), len(points[0]))
        multipliers: dict[int, Array] = {}
        outputs: dict[str, Array] = {}
        values = np.zeros(totals, self.task.dtype)
        for block, result in self.blocks(points, weights, batch_size, direct=direct):
            where, count = (block.targets, block.rows), block.rows.stop - block.rows.start
            values[where] = result.values[:, :count]
            for number, tensor in enumerate(result.multipliers):
                put(multipliers, number, totals, where, np.asarray(tensor)[:, :count])
            for name in self.nodes if block.targets.start == 0 else ():
                array = np.asarray(result.outputs[name])[:count]
                put(outputs, name, totals[1:], where[1:], array)
        return BackwardResult(list(multipliers.values()), values, outputs)

    def blocks(
        self,
        points: Sequence[Array],
        weights: Array,
        batch_size: int | None = None,
        *,
        direct: bool = False,
    ) -> Iterator[tuple[Block, BackwardResult]]:
        """The same, a block at a time: tensors, in which the points may be filled up."""
        for rows, size in padded_slices(len(points[0]), batch_size or self.task.pairs):
            at_input = self._forward.tensors([padded(array, rows.start, size) for array in points])
            level = np.asarray(at_input[self.task.target])
            of_rows = filled(weights, rows.start, size)
            for targets in slices(len(weights), max(1, self.task.pairs // size)):
                some = of_rows[targets]
                start = some * level if self.task.relevance and not direct else some
                values = weighted(level, some)
                finite_values(values[:, : rows.stop - rows.start], at_a_point)
                start = start[:, :, np.newaxis]
                arrived = self._backward(at_input, {}, start, size, [1.0])["multipliers"]
                yield (
                    Block(rows, EVERY, targets),
                    BackwardResult(arrived, values, at_input),
                )
