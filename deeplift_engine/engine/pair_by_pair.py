"""Runs whose target differs from reference to reference, as runs of pairs of sample and reference.

Each pair is a sample of its own with one reference, so that a method needs to know nothing of such
targets; what it gives of the pairs of one sample is put together as for any references.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.blocks import slices
from deeplift_engine.engine.convergence import SUMS, Sums
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.target_weights import of_samples, repeated
from deeplift_engine.references.reference_set import References
from deeplift_engine.util.typing import Array

PAIRS = 256
"""Pairs that are scored in one go."""


def pair_by_pair(
    request: Request,
    level: Callable[[list[Array]], Array],
    score: Callable[[Request], MethodResult],
) -> MethodResult:
    """Score a request whose weights depend on references.

    Parameters
    ----------
    request
        With `Request.reference_weights`.
    level
        Gives the activations (n, *shape) of the target's layer on arrays (n, ...) of the inputs.
    score
        Gives the scores of a request with one reference for each sample.
    """
    most = max(1, PAIRS // request.count)
    results = [score(_pairs(request, rows, level)) for rows in slices(request.samples, most)]
    first = results[0]
    by_pair = _joined([result.scores for result in results], request.count)
    errors = None
    if request.average and request.count > 1:
        errors = [values.std(axis=2, ddof=1) / np.sqrt(request.count) for values in by_pair]
    multipliers = None
    if first.multipliers is not None:
        multipliers = _joined([result.multipliers or [] for result in results], request.count)
    return replace(
        first,
        scores=_averaged(by_pair, request),
        multipliers=None if multipliers is None else _averaged(multipliers, request),
        standard_errors=errors,
        sums=_sums(results, request.count),
        predictions=None,
        per_reference=not request.average,
    )


def _pairs(request: Request, rows: slice, level: Callable[[list[Array]], Array]) -> Request:
    """The pairs of some samples, a sample's in a row."""
    count, numbers = request.count, np.arange(rows.start, rows.stop)
    references = [
        array.reshape(-1, *array.shape[2:])
        for array in request.block_references(rows.start, len(numbers))
    ]
    assert request.reference_weights is not None
    weights = repeated(of_samples(request.weights, rows), count)
    content = request.data if request.content is None else request.content
    return request.replace(
        data=[np.repeat(array[rows], count, axis=0) for array in request.data],
        references=[
            References(reference.name, 1, False, _one_of(array))
            for reference, array in zip(request.references, references, strict=True)
        ],
        weights=weights + request.reference_weights(level(references)),
        reference_weights=None,
        average=True,
        standard_errors=False,
        numbers=np.repeat(request.numbers_of(numbers), count),
        content=[np.repeat(array[rows], count, axis=0) for array in content],
        whole=None,
        progress=False,
    )


def _one_of(array: Array) -> Callable[[Array, Array], Array]:
    """As `References.make`, of the only reference (n, ...) of each."""
    return lambda inputs, indices: np.asarray(array[indices][:, np.newaxis])


def _joined(blocks: list[list[Array]], count: int) -> list[Array]:
    """Arrays (T, N, K, *S) of those of blocks (T, n * K, *S)."""
    joined = (np.concatenate(arrays, axis=1) for arrays in zip(*blocks, strict=True))
    return [array.reshape(len(array), -1, count, *array.shape[2:]) for array in joined]


def _averaged(arrays: list[Array], request: Request) -> list[Array]:
    return [array.mean(axis=2) for array in arrays] if request.average else arrays


def _sums(results: list[MethodResult], count: int) -> Sums | None:
    """The sums of all pairs (T, N, K)."""
    sums = [result.sums for result in results if result.sums is not None]
    if not sums:
        return None
    known = SUMS if sums[0].total is not None else SUMS[:2]
    arrays = {
        name: np.concatenate([getattr(each, name) for each in sums], axis=1) for name in known
    }
    shaped = {name: array.reshape(len(array), -1, count) for name, array in arrays.items()}
    return replace(Sums.from_arrays(shaped), promised=sums[0].promised)


__all__ = ["pair_by_pair"]
