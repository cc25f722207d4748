"""Activation atlases and grids: images in the cells of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.optional import optional

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#20242c"
CELL = 0.75
"""Inches of a cell."""
SMALLEST = 0.45
"""The side of an image whose cell has least, as a share of the cell."""


def draw_atlas(
    images: Any,
    cells: Any,
    grid: int,
    counts: Any,
    names: Sequence[str] | None = None,
    *,
    title: str = "",
) -> Figure:
    """Draw images in their cells, the larger the more weight a cell has.

    Parameters
    ----------
    images
        (K, height, width, channels) of values from 0 to 1; grey but for three channels.
    cells
        Row and column of each, (K, 2).
    grid
        Cells along each axis.
    counts
        The weight of each cell, such as its activations, (K,).
    names
        Written into the images.
    title
        Above them.

    Raises
    ------
    InputError
        If the shapes do not fit each other.
    DeepliftEngineError
        If matplotlib is not installed.
    """
    shown, at, many = np.asarray(images, float), np.asarray(cells), np.asarray(counts, float)
    if shown.ndim != 4 or at.shape != (len(shown), 2) or many.shape != (len(shown),):
        raise InputError(
            f"images of shape {shown.shape}, cells {at.shape}, counts {many.shape}: expected "
            "(K, height, width, channels), (K, 2) and (K,)."
        )
    side = grid * CELL
    figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure(
        figsize=(max(3.0, side + 0.6), max(3.0, side + 0.8)), layout="constrained"
    )
    panel = figure.subplots()
    shares = SMALLEST + (1 - SMALLEST) * np.sqrt(many / many.max())
    for number, (image, (row, column), share) in enumerate(zip(shown, at, shares, strict=True)):
        grey = image.shape[-1] != 3
        half = share * 0.48
        panel.imshow(
            image.mean(axis=-1) if grey else image,
            extent=(column - half, column + half, row + half, row - half),
            cmap="gray",
            vmin=0,
            vmax=1,
        )
        if names is not None:
            panel.text(
                column, row + half, names[number], fontsize=7, color=INK, ha="center", va="top"
            )
    panel.set_xlim(-0.5, grid - 0.5)
    panel.set_ylim(grid - 0.5, -0.5)
    panel.set_aspect("equal")
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set_visible(False)
    panel.set_title(title, fontsize=9, color=INK)
    return figure


__all__ = ["draw_atlas"]
