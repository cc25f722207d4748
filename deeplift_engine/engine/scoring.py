"""Pairs of samples and references through the compiled passes, and their results put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.blocks import Block, put, slices
from deeplift_engine.engine.compiled import CompiledPasses
from deeplift_engine.engine.convergence import SUMS, Sums
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.running_mean import RunningMean
from deeplift_engine.engine.target_weights import filled
from deeplift_engine.graph.inputs import block_size, padded
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array

PER_FEATURE = ("scores", "multipliers")
Collect = Callable[[Block, Mapping[str, Any]], None]
"""Function of a block and its results, (t, n, k, ...), which may be filled up."""


@dataclass
class PairResults:
    """Results of pairs of sample and reference, put together as the request says.

    Where scores are ``averaged`` already they only add up; otherwise means over the references
    keep their standard errors.
    """

    request: Request
    averaged: bool = False
    arrays: dict[Any, Array] = field(default_factory=dict)
    means: dict[Any, RunningMean] = field(default_factory=dict)

    def add(self, block: Block, results: Mapping[str, Any]) -> None:
        """Add the results of a block, without what it is filled up with."""
        n, k = block.shape
        leading = (len(self.request.target.values), self.request.samples, self.request.count)
        where = (block.targets, block.rows, block.columns)
        for kind, values in results.items():
            for number, tensor in enumerate(values if isinstance(values, list) else [values]):
                key, array = (kind, number), np.asarray(tensor)[:, :n]
                if kind not in PER_FEATURE or not self.request.average:
                    put(self.arrays, key, leading, where, array[:, :, :k])
                elif self.averaged:
                    if key in self.arrays:
                        array = self.arrays[key][where[:2]] + array
                    put(self.arrays, key, leading[:2], where[:2], array)
                else:
                    mean = self.means.setdefault(key, RunningMean(leading[:2]))
                    mean.add(where[:2], array[:, :, :k])

    def result(self, *, complete: bool = True, **settings: Any) -> MethodResult:
        """All of it; sums are compared where they must be ``complete``."""
        errors = None
        if self.means and self.request.count > 1:
            errors = [m.standard_error for (kind, _), m in self.means.items() if kind == "scores"]
        sums = None
        if ("change", 0) in self.arrays:
            names = SUMS[: 4 if complete else 2]
            sums = Sums.from_arrays({name: self.arrays[name, 0] for name in names})
        return MethodResult(
            self._of("scores"),
            self._of("multipliers") or None,
            errors,
            sums=sums,
            per_reference=not self.request.average,
            settings=settings,
        )

    def _of(self, name: str) -> list[Array]:
        values = {**self.arrays, **{key: mean.mean for key, mean in self.means.items()}}
        return [value for (kind, _), value in values.items() if kind == name]


def score_pairs(
    request: Request,
    forward: tuple[ForwardPass, ForwardPass],
    passes: Sequence[tuple[CompiledPasses, Collect]],
) -> dict[str, Array]:
    """Send all pairs forward once, and back through each of the passes.

    Samples are the rows of blocks, each one's references the columns. Targets go back ``depth`` at
    a time over the same activations.

    Parameters
    ----------
    request
        The pairs.
    forward
        The forward passes of samples and of references.
    passes
        Backward passes that read their activations, and what collects the results of each.

    Returns
    -------
    dict
        The graph's outputs on the samples, (N, ...), by name.
    """
    pairs = passes[0][0].task.pairs
    most = request.batch_size or pairs
    columns = min(request.count, most)
    rows = block_size(request.samples, max(1, most // columns))
    depth = max(1, pairs // (rows * columns))
    outputs: dict[str, Array] = {}
    with bar(request.samples * request.count * len(passes), request.progress) as tick:
        for block, at_input, at_reference in _forwarded(request, forward, rows, columns, outputs):
            weights = filled(request.target.values, block.rows.start, rows)
            inside = np.arange(columns) < block.shape[1]
            shares = np.where(inside, 1.0 / request.count, 0.0)
            leading = 1 if request.shared else rows
            for compiled, collect in passes:
                for targets in slices(len(weights), depth):
                    results = compiled.backward(
                        at_input, at_reference, weights[targets], leading, shares
                    )
                    collect(replace(block, targets=targets), results)
                tick(block.shape[0] * block.shape[1])
    return outputs


def _forwarded(
    request: Request,
    forward: tuple[ForwardPass, ForwardPass],
    rows: int,
    columns: int,
    outputs: dict[str, Array],
) -> Iterator[tuple[Block, Mapping[str, Any], Mapping[str, Any]]]:
    """Blocks of ``rows`` x ``columns``, filled up, and activations of samples and references.

    A block of samples is sent forward once; so is a block of references that are shared, which
    are therefore the outer loop.
    """
    of_samples, of_references = forward

    def at_input(some: slice) -> Mapping[str, Any]:
        data = [padded(array, some.start, rows) for array in request.data]
        activations = of_samples.tensors(data)
        for name in of_samples.task.graph.outputs:
            array = np.asarray(activations[name])[: some.stop - some.start]
            put(outputs, name, (request.samples,), (some,), array)
        return activations

    if request.shared:
        references = request.shared_references()
        for drawn in slices(request.count, columns):
            at_reference = of_references.tensors(
                [padded(array, drawn.start, columns) for array in references]
            )
            for some in slices(request.samples, rows):
                yield Block(some, drawn), at_input(some), at_reference
        return
    for some in slices(request.samples, rows):
        activations = at_input(some)
        references = request.block_references(some.start, rows)
        for drawn in slices(request.count, columns):
            numbers = np.minimum(np.arange(columns) + drawn.start, request.count - 1)
            at_reference = of_references.tensors(
                [
                    (array if columns == request.count else array[:, numbers]).reshape(
                        -1, *array.shape[2:]
                    )
                    for array in references
                ]
            )
            yield Block(some, drawn), activations, at_reference
