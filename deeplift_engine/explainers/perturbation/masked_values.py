"""The target's values where samples are replaced by their references, element by element.

Perturbation methods read nothing else of a network: f(m·x + (1 - m)·r) of many masks m.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from deeplift_engine.engine.blocks import Block, even_slices, slices
from deeplift_engine.engine.finite import ADVICE, finite_values
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.samples import Samples, samples_of
from deeplift_engine.engine.target_weights import repeated
from deeplift_engine.graph.inputs import block_size
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array

Masks = Callable[[slice], list[Array]]
"""Masks of the draws in a slice: of each input (1 or n, d, *S), True or 1 where it stays."""


TOGETHER = 32
"""So many samples share the making of masks, even where one would fill up what is evaluated."""

MOST_VALUES = 1 << 24
"""Values that are held for them at most."""


class Evaluate(Protocol):
    """Values (T, M) at points (M, ...) of each input; weights over the units (T, M or 1, ...)."""

    def __call__(self, points: Sequence[Array], weights: Array, batch_size: int | None) -> Array:
        """Evaluate so many points together."""
        ...


def sample_blocks(
    request: Request, most: int, draws: int, alone: bool = False, rounds: int = 1
) -> Iterator[Samples]:
    """The samples of a run, in blocks that fit into memory, with a bar.

    Parameters
    ----------
    request
        The run.
    most
        How many points to evaluate together, if the request does not say.
    draws
        How many masks of each sample are evaluated together: more of them, fewer samples.
    alone
        Whether to give one sample at a time.
    rounds
        How often, at most; for the bar.
    """
    most = request.batch_size or most
    points = max(1, draws) * request.count
    values = points * len(request.weights)
    sharing = min(TOGETHER, most // request.count, MOST_VALUES // values)
    rows = 1 if alone else block_size(request.samples, max(1, most // points, sharing))
    with bar(request.samples * draws * rounds, request.progress, " masks") as tick:
        for samples in samples_of(request, map(Block, slices(request.samples, rows))):
            yield replace(samples, tick=tick)


def target_values(forward: ForwardPass, samples: Samples) -> Array:
    """The target's values on the samples themselves, (T, n, 1)."""
    most = samples.request.batch_size or forward.most
    values = forward(samples.data, samples.weights, min(samples.count, most))
    return finite_values(values[..., np.newaxis].astype(float), where_replaced(samples))


def where_replaced(samples: Samples) -> Callable[[int], str]:
    """A clause on a sample's number, for errors where elements of it are replaced."""
    return lambda sample: (
        f"where elements of sample {samples.number(sample)} are replaced by those of its "
        f"references. {ADVICE}"
    )


def masked_values(
    forward: ForwardPass,
    samples: Samples,
    draws: int,
    masks: Masks,
    choice: Array | None = None,
) -> Array:
    """The target's values under ``draws`` masks, (T, n, k, D).

    Parameters
    ----------
    forward
        The forward pass to the target.
    samples
        And their references. Values are means over these if the run averages: k is 1 then.
    draws
        D.
    masks
        Function of a slice of them. Between 0 and 1 masks mix sample and reference; tokens are
        the reference's below 1/2.
    choice
        The number of the one reference for each draw (D,), instead of all of them.
    """
    average, most = samples.request.average, samples.request.batch_size or forward.most
    count = samples.references[0].shape[1] if choice is None else 1
    shape = (len(samples.weights), samples.count, 1 if average else count, draws)
    result = np.zeros(shape)
    for block in even_slices(draws, max(1, most // (samples.count * count))):
        size = block.stop - block.start
        points = [
            mixed(
                x[:, np.newaxis, np.newaxis],
                r[:, np.newaxis] if choice is None else r[:, choice[block], np.newaxis],
                mask[:, :, np.newaxis],
            ).reshape(-1, *x.shape[1:])
            for x, r, mask in zip(samples.data, samples.references, masks(block), strict=True)
        ]
        weights = repeated(samples.weights, size * count)
        values = forward(points, weights, min(len(points[0]), most)).astype(float)
        values = values.reshape(-1, samples.count, size, count)
        if average:
            values = values.mean(axis=-1, keepdims=True)
        result[..., block] = np.moveaxis(values, -1, 2)
        finite_values(result[..., block], where_replaced(samples))
        samples.tick(samples.count * size)
    return result


def mixed(x: Array, reference: Array, mask: Array) -> Array:
    """m·x + (1 - m)·r with axes broadcast; a mask of booleans, or one on tokens, chooses."""
    if mask.dtype != bool and x.dtype.kind == "f":
        mixture = mask.astype(x.dtype, copy=False) * (x - reference)
        mixture += reference
        return np.asarray(mixture)
    return np.where(mask if mask.dtype == bool else mask >= 0.5, x, reference)
