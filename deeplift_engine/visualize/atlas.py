"""An activation atlas: what a layer makes of a data set, as a map of grown images.

Carter 2019 (doi:10.23915/distill.00015): activations of many samples are laid out in two
dimensions, averaged in the cells of a grid, and for each cell an input is grown that makes the
layer's activation large in that direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.engine import targets
from deeplift_engine.errors import InputError
from deeplift_engine.figures.atlas_figure import draw_atlas
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import Among, Integer, checked
from deeplift_engine.util.typing import Array
from deeplift_engine.visualize.maximize import Form, Maximised, maximize
from deeplift_engine.visualize.pixel_form import Pixels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deeplift_engine.network import Network

WITHIN = 1.0
"""Percent of the points that lie beyond the grid at each of its ends, and belong to its border."""


@dataclass(frozen=True)
class Atlas:
    """The result of `activation_atlas`: K cells of a grid with M activations.

    Attributes
    ----------
    layer
        Its name.
    grid
        Cells along each axis.
    cells
        Row and column of each cell that has activations enough, (K, 2).
    counts
        How many it has, (K,).
    activations
        Their mean, (K, channels).
    outputs
        The mean of the network's first output for the samples of a cell, (K, units).
    coordinates
        The activations in two dimensions, (M, 2).
    grown
        What makes the layer large in the direction of each mean: inputs (K, 1, *S).
    """

    layer: str
    grid: int
    cells: Array
    counts: Array
    activations: Array
    outputs: Array
    coordinates: Array
    grown: Maximised

    def figure(self, labels: bool = True) -> Figure:
        """The map of images, with the unit of the largest mean output in each.

        Raises
        ------
        InputError
            Where no images are grown.
        DeepliftEngineError
            If matplotlib is not installed.
        """
        names = [str(unit) for unit in self.outputs.argmax(axis=1)] if labels else None
        told = "; the unit of the largest mean output" if labels else ""
        title = f"{self.layer}: {self.counts.sum()} activations{told}"
        return draw_atlas(
            shown_images(self.grown), self.cells, self.grid, self.counts, names, title=title
        )


def activation_atlas(
    network: Network,
    x: Any,
    layer: str,
    *,
    grid: int = 8,
    least: int = 3,
    projection: str = "pca",
    form: Form | None = None,
    steps: int = 128,
    batch_size: int | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Atlas:
    """Make the activation atlas of a data set at a layer.

    Parameters
    ----------
    network
        From `load` or `convert`, of one input.
    x
        Samples (N, *S), as for `Network.predict`; hundreds or more.
    layer
        Its name. Of a layer with positions one position of each sample is drawn, and inputs are
        grown for the position in the middle.
    grid
        Cells along each axis.
    least
        Activations that a cell needs.
    projection
        To two dimensions: ``"pca"``, the two directions of the largest variance; ``"tsne"``, by
        scikit-learn, which keeps what is near together.
    form, steps, batch_size, progress
        As for `maximize`.
    seed
        Of positions, projection and growing.

    Raises
    ------
    InputError
        For several inputs, too few samples, and as for `maximize`.
    DeepliftEngineError
        For ``"tsne"`` where scikit-learn is not installed.
    """
    grid = checked("grid", grid, Integer(1), InputError)
    least = checked("least", least, Integer(1), InputError)
    checked("projection", projection, Among(("pca", "tsne")), InputError)
    if len(network.inputs) != 1:
        raise InputError(f"An atlas is one of a single input, not of {len(network.inputs)}.")
    point = network.task(layers=[layer]).attribution_points[0]
    activations = network.activations(x, [point.node, *network.outputs[:1]], batch_size, False)
    at_layer = activations[point.node]
    if len(at_layer) < 3:
        raise InputError(f"{len(at_layer)} samples: an atlas is one of many.")
    rows = at_layer.reshape(len(at_layer), -1, at_layer.shape[-1]).astype(float)
    drawn = np.random.default_rng(seed).integers(rows.shape[1], size=len(rows))
    rows = rows[np.arange(len(rows)), drawn]
    coordinates = projected(rows, projection, seed)
    low, high = np.percentile(coordinates, [WITHIN, 100 - WITHIN], axis=0)
    share = (coordinates - low) / np.where(high > low, high - low, 1)
    number = np.clip((share * grid).astype(int), 0, grid - 1) @ [1, grid]  # column, then row
    kinds, inverse, counts = np.unique(number, return_inverse=True, return_counts=True)
    chosen = np.flatnonzero(counts >= least)
    if not chosen.size:
        raise InputError(f"No cell has {least} activations: take more samples, or a smaller grid.")
    members = [inverse.ravel() == cell for cell in chosen]
    means = np.stack([rows[own].mean(axis=0) for own in members])
    outputs = activations[network.outputs[0]].reshape(len(rows), -1)
    grown = grown_along(
        network,
        layer,
        means,
        at_layer.shape[1:],
        form=form,
        steps=steps,
        batch_size=batch_size,
        seed=seed,
        progress=progress,
    )
    return Atlas(
        layer,
        grid,
        np.stack([kinds[chosen] // grid, kinds[chosen] % grid], axis=1),
        counts[chosen],
        means,
        np.stack([outputs[own].mean(axis=0) for own in members]),
        coordinates,
        grown,
    )


def grown_along(
    network: Network, layer: str, rows: Array, shape: tuple[int, ...], **options: Any
) -> Maximised:
    """Inputs (K, 1, *S) that make a layer large in directions (K, C) at its middle position.

    ``shape`` is that of one sample's activations there, channels last; options are those of
    `maximize`.
    """
    point = network.task(layers=[layer]).attribution_points[0]
    directions = [_at_the_middle(row, shape) for row in rows]
    if point.name != point.node:
        directions = [np.moveaxis(direction, -1, 0) for direction in directions]
    units = [targets.weights(direction) for direction in directions]
    return maximize(network, layer, units=units, **options)


def shown_images(grown: Maximised) -> Array:
    """Grown images (K, 1, *S) as (K, height, width, channels) of values from 0 to 1.

    Raises
    ------
    InputError
        Where no images are grown.
    """
    form, images = grown.form, grown.inputs[:, 0]
    if not isinstance(form, Pixels) or images.ndim != 4:
        raise InputError("Only images are drawn in cells; `grown` has what was grown here.")
    if grown.info.channels != -1:
        images = np.moveaxis(images, grown.info.channels, -1)
    low, high = (images.min(), images.max()) if form.low is None else (form.low, form.high)
    return np.asarray(np.clip((images - low) / np.subtract(high, low), 0, 1))


def projected(rows: Array, projection: str, seed: int) -> Array:
    """Rows (M, C) in two dimensions, (M, 2)."""
    centred = rows - rows.mean(axis=0)
    if projection == "tsne":
        manifold = optional("sklearn.manifold", "scikit-learn")
        near = min(30.0, (len(rows) - 1) / 3)
        model = manifold.TSNE(2, perplexity=near, init="pca", random_state=seed)
        return np.asarray(model.fit_transform(centred), float)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    coordinates = centred @ axes[:2].T
    return np.pad(coordinates, ((0, 0), (0, 2 - coordinates.shape[1])))


def _at_the_middle(mean: Array, shape: tuple[int, ...]) -> Array:
    """The direction of a mean activation at the middle position of a layer, 0 elsewhere."""
    direction = np.zeros(shape)
    direction[tuple(size // 2 for size in shape[:-1])] = mean / (np.linalg.norm(mean) or 1.0)
    return direction


__all__ = ["Atlas", "activation_atlas"]
