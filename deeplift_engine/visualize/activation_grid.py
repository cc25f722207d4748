"""An activation grid: what a layer makes of one image, position by position, as grown images.

Olah 2018 (doi:10.23915/distill.00010): for each position of a layer an image is grown that makes
the layer large in the direction of its activations there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.figures.atlas_figure import draw_atlas
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.typing import Array
from deeplift_engine.visualize.atlas import grown_along, shown_images
from deeplift_engine.visualize.maximize import Form, Maximised

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deeplift_engine.network import Network


@dataclass(frozen=True)
class ActivationGrid:
    """The result of `activation_grid`: K cells of a layer's positions.

    Attributes
    ----------
    layer
        Its name.
    grid
        Cells along the longer axis.
    cells
        Row and column of each, (K, 2).
    activations
        The means of the layer there, (K, channels).
    grown
        What makes the layer large in the direction of each: inputs (K, 1, *S).
    """

    layer: str
    grid: int
    cells: Array
    activations: Array
    grown: Maximised

    def figure(self) -> Figure:
        """The images in their places, the larger the larger the activations are.

        Raises
        ------
        InputError
            Where no images are grown.
        DeepliftEngineError
            If matplotlib is not installed.
        """
        sizes = np.linalg.norm(self.activations, axis=1)
        images = shown_images(self.grown)
        return draw_atlas(images, self.cells, self.grid, sizes, title=self.layer)


def activation_grid(
    network: Network,
    x: Any,
    layer: str,
    *,
    grid: int = 8,
    form: Form | None = None,
    steps: int = 128,
    batch_size: int | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> ActivationGrid:
    """Grow images for what a layer does at each position of one image.

    Parameters
    ----------
    network
        From `load` or `convert`, of one input.
    x
        One sample (1, *S), as for `Network.predict`.
    layer
        The name of a layer with two axes of positions.
    grid
        Cells along its axes at most; activations are averaged within a cell.
    form, steps, batch_size, seed, progress
        As for `maximize`.

    Raises
    ------
    InputError
        For several samples, a layer without such positions, or one that is 0 everywhere, and as
        for `maximize`.
    """
    grid = checked("grid", grid, Integer(1), InputError)
    node = network.task(layers=[layer]).attribution_points[0].node
    activations = network.activations(x, node, batch_size, False)[node]
    if len(activations) != 1 or activations.ndim != 4:
        raise InputError(
            f"{layer!r} gives {activations.shape} for x; a grid is one of a single sample and a "
            "layer with two axes of positions: (1, height, width, channels)."
        )
    sizes = np.minimum(activations.shape[1:3], grid)
    cells = np.array(list(np.ndindex(*sizes)))
    means = np.stack([_mean(activations[0], cell, sizes) for cell in cells])
    chosen = np.flatnonzero(means.any(axis=1))
    if not chosen.size:
        raise InputError(f"{layer!r} is 0 everywhere for x: there is nothing to grow.")
    options: dict[str, Any] = {"form": form, "steps": steps, "batch_size": batch_size}
    options |= {"seed": seed, "progress": progress}
    grown = grown_along(network, layer, means[chosen], activations.shape[1:], **options)
    return ActivationGrid(layer, int(sizes.max()), cells[chosen], means[chosen], grown)


def _mean(activations: Array, cell: Array, sizes: Array) -> Array:
    """The mean (channels,) of activations (height, width, channels) in a cell of a grid."""
    rows, columns = (
        slice(length * at // size, length * (at + 1) // size)
        for length, at, size in zip(activations.shape, cell, sizes, strict=False)
    )
    return np.asarray(activations[rows, columns].astype(float).mean(axis=(0, 1)))


__all__ = ["ActivationGrid", "activation_grid"]
