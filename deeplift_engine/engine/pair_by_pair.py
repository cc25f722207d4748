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
    blocks = [
        _of_samples(score(_pairs(request, rows, level)), request)
        for rows in slices(request.samples, most)
    ]
    first = blocks[0]
    return replace(
        first,
        scores=_joined([block.scores for block in blocks]),
        multipliers=first.multipliers and _joined([block.multipliers or [] for block in blocks]),
        standard_errors=first.standard_errors
        and _joined([block.standard_errors or [] for block in blocks]),
        sums=first.sums and _joined_sums([block.sums for block in blocks if block.sums]),
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


def _of_samples(result: MethodResult, request: Request) -> MethodResult:
    """The result of pairs as that of their samples, averaged over references if the run is."""
    count = request.count
    scores = _by_sample(result.scores, count)
    errors = None
    if request.average and count > 1:
        errors = [values.std(axis=2, ddof=1) / np.sqrt(count) for values in scores]
    multipliers = result.multipliers and _by_sample(result.multipliers, count)
    if request.average:
        scores = [values.mean(axis=2) for values in scores]
        multipliers = multipliers and [values.mean(axis=2) for values in multipliers]
    return replace(
        result,
        scores=scores,
        multipliers=multipliers,
        standard_errors=errors,
        sums=result.sums and _sums_by_sample(result.sums, count),
        predictions=None,
        per_reference=not request.average,
    )


def _by_sample(arrays: list[Array], count: int) -> list[Array]:
    """Arrays (T, n, K, *S) of those of pairs, (T, n * K, *S)."""
    return [array.reshape(len(array), -1, count, *array.shape[2:]) for array in arrays]


def _sums_by_sample(sums: Sums, count: int) -> Sums:
    """The sums (T, n, K) of those of pairs, (T, n * K, 1)."""
    arrays = {name: getattr(sums, name) for name in SUMS if getattr(sums, name) is not None}
    shaped = {name: array.reshape(len(array), -1, count) for name, array in arrays.items()}
    return replace(Sums.from_arrays(shaped), promised=sums.promised)


def _joined(blocks: list[list[Array]]) -> list[Array]:
    """Arrays (T, N, ...) of those of blocks of samples."""
    return [np.concatenate(arrays, axis=1) for arrays in zip(*blocks, strict=True)]


def _joined_sums(blocks: list[Sums]) -> Sums:
    names = [name for name in SUMS if getattr(blocks[0], name) is not None]
    joined = {
        name: np.concatenate([getattr(block, name) for block in blocks], axis=1) for name in names
    }
    return replace(Sums.from_arrays(joined), promised=blocks[0].promised)


__all__ = ["pair_by_pair"]
