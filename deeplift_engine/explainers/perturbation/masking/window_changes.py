"""The target's change under windows of one input: by masks, or by what can change alone."""

from __future__ import annotations

import numpy as np

from deeplift_engine.engine.blocks import even_slices
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.samples import Samples
from deeplift_engine.explainers.perturbation.incremental.incremental_forward import Incremental
from deeplift_engine.explainers.perturbation.masked_values import Masks, masked_values
from deeplift_engine.explainers.perturbation.masking.sliding_windows import Windows
from deeplift_engine.util.typing import Array

PREPARED = 1 << 22
"""How many elements of windows are prepared together."""


def changes(
    values: ForwardPass,
    level: Array,
    samples: Samples,
    number: int,
    windows: Windows,
    choice: Array | None,
    forward: Incremental | None,
) -> Array:
    """The target's change (T, n, k, W) for each window.

    Parameters
    ----------
    values
        The forward pass to the target.
    level
        The target's values on the samples (T, n, 1), which masks are compared with.
    samples
        And their references.
    number
        The number of the input that the windows are over.
    windows
        W of them.
    choice
        The number of the one reference for each window, (W,), instead of all of them.
    forward
        A pass that computes only what a window changes: for windows as long as these along one
        axis, over all that is beside them. None: full forward passes of masked samples.
    """
    if forward is not None:
        return _incremental(samples, number, windows, choice, forward)
    masks = _beside(samples, number, windows)
    masked = masked_values(values, samples, windows.number, masks, choice)
    return np.asarray(masked - level[..., np.newaxis])


def _beside(samples: Samples, number: int, windows: Windows) -> Masks:
    """Masks of what no window is over; of the other inputs all stays."""

    def masks(draws: slice) -> list[Array]:
        drawn = np.arange(draws.start, draws.stop)
        stays = [np.ones((1, len(drawn), *[1] * (array.ndim - 1)), bool) for array in samples.data]
        stays[number] = ~windows.over(drawn)[np.newaxis]
        return stays

    return masks


def _incremental(
    samples: Samples,
    number: int,
    windows: Windows,
    choice: Array | None,
    forward: Incremental,
) -> Array:
    """The same by ``forward``."""
    axis, width = forward.patches.axis, forward.patches.width
    x = np.moveaxis(samples.data[number], axis + 1, 1)
    r = np.moveaxis(samples.references[number], axis + 2, 2)
    count = r.shape[1] if choice is None else 1
    average = samples.request.average
    shape = (len(samples.weights), samples.count, count)
    result = np.zeros((*shape[:2], 1 if average else count, windows.number))
    each = samples.count * count * width * max(1, x[0, :1].size)
    for block in even_slices(windows.number, max(1, PREPARED // each)):
        numbers = np.arange(block.start, block.stop)
        starts = windows.starts(axis)[np.unravel_index(numbers, windows.counts)[axis]]
        positions = starts[:, np.newaxis] + np.arange(width)
        over = np.moveaxis(windows.over(numbers), axis + 1, 1)
        under = over[np.arange(len(numbers))[:, np.newaxis], positions]
        new = (
            r[:, :, positions]
            if choice is None
            else r[:, choice[block, np.newaxis], positions][:, np.newaxis]
        )
        put = np.where(under, new, x[:, np.newaxis, positions])
        change = forward(
            samples.data,
            np.repeat(np.arange(samples.count), count * len(numbers)),
            np.tile(starts, samples.count * count),
            np.moveaxis(put.reshape(-1, *put.shape[3:]), 1, axis + 1),
            samples.weights,
            samples.request.batch_size,
        ).reshape(*shape, len(numbers))
        result[..., block] = change.mean(axis=2, keepdims=True) if average else change
        samples.tick(samples.count * len(numbers))
    return result
