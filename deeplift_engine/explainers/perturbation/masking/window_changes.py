"""What a target changes by under windows of one input: by masks, or by what can change alone."""

from __future__ import annotations

import numpy as np

from deeplift_engine.explainers.perturbation.incremental.incremental_forward import Incremental
from deeplift_engine.explainers.perturbation.masked_values import Masks, Samples, even
from deeplift_engine.explainers.perturbation.masking.sliding_windows import Windows
from deeplift_engine.util.typing import Array

PREPARED = 1 << 22
"""How many elements of windows are prepared together."""


def changes(
    samples: Samples,
    entered: int,
    windows: Windows,
    choice: Array | None,
    forward: Incremental | None,
    batch_size: int | None = None,
) -> Array:
    """The target's change (T, n, k, W) for each window.

    Parameters
    ----------
    samples
        And their references.
    entered
        The number of the input that the windows are over.
    windows
        W of them.
    choice
        The number of the one reference for each window, (W,), instead of all of them.
    forward
        What computes only what a window changes: for windows as long as these along one axis,
        over all that is beside them. None: whole forward passes of masked samples.
    batch_size
        At most so many windows together for ``forward``.
    """
    if forward is not None:
        return _alone(samples, entered, windows, choice, forward, batch_size)
    masked = samples.masked(windows.number, _beside(samples, entered, windows), choice)
    return np.asarray(masked - samples.whole[..., np.newaxis])


def _beside(samples: Samples, entered: int, windows: Windows) -> Masks:
    """Masks of what no window is over; of the other inputs all stays."""

    def masks(draws: slice) -> list[Array]:
        numbers = np.arange(draws.start, draws.stop)
        found = [
            np.ones((1, len(numbers), *[1] * (array.ndim - 1)), bool) for array in samples.data
        ]
        found[entered] = ~windows.over(numbers)[np.newaxis]
        return found

    return masks


def _alone(
    samples: Samples,
    entered: int,
    windows: Windows,
    choice: Array | None,
    forward: Incremental,
    batch_size: int | None,
) -> Array:
    """The same by ``forward``."""
    axis, width = forward.patches.axis, forward.patches.width
    x = np.moveaxis(samples.data[entered], axis + 1, 1)
    r = np.moveaxis(samples.references[entered], axis + 2, 2)
    count = r.shape[1] if choice is None else 1
    shape = (len(samples.seeds), samples.count, count)
    found = np.zeros((*shape[:2], 1 if samples.average else count, windows.number))
    each = samples.count * count * width * max(1, x[0, :1].size)
    for block in even(windows.number, max(1, PREPARED // each)):
        numbers = np.arange(block.start, block.stop)
        starts = windows.starts(axis)[np.unravel_index(numbers, windows.counts)[axis]]
        places = starts[:, np.newaxis] + np.arange(width)
        over = np.moveaxis(windows.over(numbers), axis + 1, 1)
        under = over[np.arange(len(numbers))[:, np.newaxis], places]
        new = (
            r[:, :, places]
            if choice is None
            else r[:, choice[block, np.newaxis], places][:, np.newaxis]
        )
        put = np.where(under, new, x[:, np.newaxis, places])
        change = forward(
            samples.data,
            np.repeat(np.arange(samples.count), count * len(numbers)),
            np.tile(starts, samples.count * count),
            np.moveaxis(put.reshape(-1, *put.shape[3:]), 1, axis + 1),
            samples.seeds,
            batch_size,
        ).reshape(*shape, len(numbers))
        found[..., block] = change.mean(axis=2, keepdims=True) if samples.average else change
        samples.tick(samples.count * len(numbers))
    return found
