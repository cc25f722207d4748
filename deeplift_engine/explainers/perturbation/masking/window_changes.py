"""The target's change under windows of one input: by masks, or by what can change alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from deeplift_engine.engine.blocks import even_slices
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.samples import Samples
from deeplift_engine.explainers.perturbation.incremental.incremental_forward import Incremental
from deeplift_engine.explainers.perturbation.masked_values import Masks, masked_values
from deeplift_engine.explainers.perturbation.masking.sliding_windows import Windows
from deeplift_engine.util.typing import Array

Under = Callable[[Array, Sequence[Array]], Array]
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
        A pass that computes only what a window changes: for windows as long as these along some
        axes, over all that is beside them. None: full forward passes of masked samples.
    """
    if forward is not None:
        axes = forward.patches.axes

        def under(numbers: Array, index: Sequence[Array]) -> Array:
            return _beside_axes(windows, axes, np.unravel_index(numbers, windows.counts))

        coordinates = np.unravel_index(np.arange(windows.number), windows.counts)
        starts = np.stack([windows.starts(axis)[coordinates[axis]] for axis in axes], axis=1)
        return changed(samples, number, starts, under, forward, choice)
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


def changed(
    samples: Samples,
    number: int,
    starts: Array,
    under: Under,
    forward: Incremental,
    choice: Array | None = None,
) -> Array:
    """The target's change (T, n, k, W) where windows of an input hold its references.

    Parameters
    ----------
    samples
        And their references.
    number
        The number of the input.
    starts
        Where windows begin along the axes of ``forward``, (W, A).
    under
        Function of numbers of windows (d,) and of positions of their elements along each axis,
        to where elements are replaced, (d, *widths, *others), any of these 1.
    forward
        The pass that computes only what a window changes.
    choice
        The number of the one reference for each window, (W,), instead of all of them.
    """
    axes, widths = forward.patches.axes, forward.patches.widths
    fronts = list(range(1, 1 + len(axes)))
    x = np.moveaxis(samples.data[number], [axis + 1 for axis in axes], fronts)
    r = np.moveaxis(
        samples.references[number], [axis + 2 for axis in axes], [front + 1 for front in fronts]
    )
    count = r.shape[1] if choice is None else 1
    average = samples.request.average
    shape = (len(samples.weights), samples.count, count)
    result = np.zeros((*shape[:2], 1 if average else count, len(starts)))
    of_window = math.prod(widths) * x[0].size // math.prod(x.shape[1 : 1 + len(axes)])
    each = samples.count * count * max(1, of_window)
    for block in even_slices(len(starts), max(1, PREPARED // each)):
        numbers, first = np.arange(block.start, block.stop), starts[block]
        index = tuple(
            (first[:, order, np.newaxis] + np.arange(width)).reshape(
                len(numbers), *(-1 if other == order else 1 for other in range(len(axes)))
            )
            for order, width in enumerate(widths)
        )
        drawn = slice(None) if choice is None else choice[block].reshape(-1, *[1] * len(axes))
        new = r[(slice(None), drawn, *index)]
        new = new if choice is None else new[:, np.newaxis]
        put = np.where(under(numbers, index), new, x[(slice(None), np.newaxis, *index)])
        change = forward(
            samples.data,
            np.repeat(np.arange(samples.count), count * len(numbers)),
            np.tile(first, (samples.count * count, 1)),
            np.moveaxis(put.reshape(-1, *put.shape[3:]), fronts, [axis + 1 for axis in axes]),
            samples.weights,
            samples.request.batch_size,
        ).reshape(*shape, len(numbers))
        result[..., block] = change.mean(axis=2, keepdims=True) if average else change
        samples.tick(samples.count * len(numbers))
    return result


def _beside_axes(windows: Windows, axes: Sequence[int], coordinates: Sequence[Array]) -> Array:
    """Where windows (d,) are over elements, (d, 1 of each of ``axes``, *others)."""
    others = [axis for axis in range(len(windows.covers)) if axis not in axes]
    over = np.ones((len(coordinates[0]), *[1] * len(windows.covers)), bool)
    for number, axis in enumerate(others):
        shape = [1] * len(windows.covers)
        shape[len(axes) + number] = -1
        over = over & windows.covers[axis][coordinates[axis]].reshape(len(over), *shape)
    return over
