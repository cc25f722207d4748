"""Pairs of samples and references through the compiled passes, and their results put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.blocks import Block, even_size, put, slices
from deeplift_engine.engine.compiled import CompiledPasses
from deeplift_engine.engine.convergence import SUMS, Sums
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.running_mean import RunningMean
from deeplift_engine.engine.target_weights import filled
from deeplift_engine.engine.through_cut import ThroughCut
from deeplift_engine.graph.inputs import block_size, padded
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array

PER_FEATURE = ("scores", "multipliers")
HELD = 2
"""Shared references whose activations are kept while samples pass, as multiples of the pairs of a
block: samples go forward once for so many."""


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
        leading = (len(self.request.weights), self.request.samples, self.request.count)
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
    requests: Sequence[Request],
    forward: tuple[ForwardPass, ForwardPass],
    passes: Sequence[tuple[CompiledPasses | ThroughCut, Sequence[PairResults]]],
) -> dict[str, Array]:
    """Send all pairs forward once, and back through each of the passes.

    Samples are the rows of blocks, each one's references the columns. Targets go back some at a
    time over the same activations.

    Parameters
    ----------
    requests
        Runs that differ in their references alone, and all share these or none does; the
        references of all are joined, in order.
    forward
        The forward passes of samples and of references.
    passes
        Backward passes that read their activations, and the results of each for every request.

    Returns
    -------
    dict
        The graph's outputs on the samples, (N, ...), by name.
    """
    request, first = requests[0], passes[0][0]
    count, most = sum(each.count for each in requests), request.batch_size or first.task.pairs
    per_pair = first.per_pair(len(request.weights))
    columns = even_size(count, max(1, most // per_pair))
    of_each = max(columns * per_pair, first.per_sample)
    rows = block_size(request.whole or request.samples, max(1, most // of_each))
    held = max(1, HELD * most // columns)
    outputs: dict[str, Array] = {}
    with bar(request.samples * count * len(passes), request.progress) as tick:
        forwarded = _forwarded(requests, forward, rows, columns, held, outputs)
        for block, at_input, at_reference in forwarded:
            weights = filled(request.weights, block.rows.start, rows)[:, :, np.newaxis]
            if request.reference_weights is not None:
                level = np.asarray(at_reference[first.task.target])
                by_pair = level.reshape(1 if request.shared else rows, columns, *level.shape[1:])
                weights = weights + request.reference_weights(by_pair)
            inside = np.arange(columns) < block.shape[1]
            shares = np.where(inside, 1.0 / count, 0.0)
            leading = 1 if request.shared else rows
            for compiled, results in passes:
                some = (at_input, at_reference, weights, leading, shares, rows * columns)
                for targets, values in compiled.blocks(*some):
                    _add(results, replace(block, targets=targets), values)
                tick(block.shape[0] * block.shape[1])
    return outputs


def _add(results: Sequence[PairResults], block: Block, values: Mapping[str, Any]) -> None:
    """Add to the results of each request the columns of its own references."""
    if len(results) == 1:
        results[0].add(block, values)
        return
    first, start, stop = 0, block.columns.start, block.columns.stop
    for each in results:
        begin, end = max(start, first), min(stop, first + each.request.count)
        if begin < end:
            of_request = {
                kind: [np.asarray(v)[:, :, begin - start : end - start] for v in value]
                if isinstance(value, list)
                else np.asarray(value)[:, :, begin - start : end - start]
                for kind, value in values.items()
            }
            each.add(replace(block, columns=slice(begin - first, end - first)), of_request)
        first += each.request.count


def _forwarded(
    requests: Sequence[Request],
    forward: tuple[ForwardPass, ForwardPass],
    rows: int,
    columns: int,
    held: int,
    outputs: dict[str, Array],
) -> Iterator[tuple[Block, Mapping[str, Any], Mapping[str, Any]]]:
    """Blocks of ``rows`` x ``columns``, filled up, and activations of samples and references.

    A block of samples is sent forward once; so is a block of references that are shared, which
    are therefore the outer loop, ``held`` blocks of them together.
    """
    request, (of_samples, of_references) = requests[0], forward
    count = sum(each.count for each in requests)

    def at_input(some: slice) -> Mapping[str, Any]:
        activations = of_samples.tensors([padded(x, some.start, rows) for x in request.data])
        for name in of_samples.task.graph.outputs:
            array = np.asarray(activations[name])[: some.stop - some.start]
            put(outputs, name, (request.samples,), (some,), array)
        return activations

    def at_reference(references: list[Array], drawn: slice, axis: int) -> Mapping[str, Any]:
        if columns < count:
            numbers = np.minimum(np.arange(columns) + drawn.start, count - 1)
            references = [array.take(numbers, axis) for array in references]
        return of_references.tensors([r.reshape(-1, *r.shape[axis + 1 :]) for r in references])

    if request.shared:
        references = _joined([each.shared_references() for each in requests], 0)
        every = list(slices(count, columns))
        for together in slices(len(every), held):
            kept = [(drawn, at_reference(references, drawn, 0)) for drawn in every[together]]
            for some in slices(request.samples, rows):
                activations = at_input(some)
                for drawn, compared in kept:
                    yield Block(some, drawn), activations, compared
        return
    for some in slices(request.samples, rows):
        activations = at_input(some)
        own = [each.block_references(some.start, rows) for each in requests]
        references = _joined(own, 1)
        for drawn in slices(count, columns):
            yield Block(some, drawn), activations, at_reference(references, drawn, 1)


def _joined(references: Sequence[list[Array]], axis: int) -> list[Array]:
    """References of each input, those of several requests one behind the other."""
    if len(references) == 1:
        return references[0]
    return [np.concatenate(arrays, axis=axis) for arrays in zip(*references, strict=True)]
