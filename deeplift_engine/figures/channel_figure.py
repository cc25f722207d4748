"""Maps of channels, layer by layer: kernels and activations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.optional import optional
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

INK = "#20242c"
DIVERGING, ONE_SIGN = "RdBu_r", "viridis"
COLUMNS = 8
WIDE = 3.0
"""Maps this many times as wide as high, or more, have a row each."""
PANEL = 1.15
"""Inches of a small map."""


@dataclass(frozen=True)
class ChannelMaps:
    """The maps of one layer.

    Attributes
    ----------
    title
        What they are.
    maps
        (M, height, width), or (M, height, width, 3), each of which is drawn in colours.
    names
        Of the maps.
    axes
        What lies along their width and their height; empty for nothing.
    rows
        Names of the rows of a map, if they have such.
    signed
        Whether colours are symmetric about 0.
    """

    title: str
    maps: Array
    names: Sequence[str]
    axes: tuple[str, str]
    rows: Sequence[str] = ()
    signed: bool = False

    @property
    def columns(self) -> int:
        """Maps side by side."""
        height, width = self.maps.shape[1:3]
        return 1 if width >= WIDE * height or len(self.rows) else min(COLUMNS, len(self.maps))

    @property
    def inches(self) -> tuple[float, float]:
        """Width and height of all of them."""
        height, width = self.maps.shape[1:3]
        rows = -(-len(self.maps) // self.columns)
        if self.columns == 1:
            return 8.0, 0.7 + rows * float(np.clip(0.16 * height, 0.5, 3.0))
        return self.columns * PANEL + 1.0, 0.7 + rows * (PANEL * min(2.0, height / width) + 0.25)


def draw_channels(layers: Sequence[ChannelMaps]) -> Figure:
    """Draw the maps of layers, a block for each, with one scale of colours for all of its maps.

    Raises
    ------
    InputError
        If there is nothing to draw, or values are not finite.
    DeepliftEngineError
        If matplotlib is not installed.
    """
    if not layers or any(
        layer.maps.ndim not in (3, 4) or not layer.maps.size or not np.isfinite(layer.maps).all()
        for layer in layers
    ):
        raise InputError("expected maps (M, height, width), finite, of one layer or more.")
    sizes = [layer.inches for layer in layers]
    figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure(
        figsize=(max(width for width, _ in sizes), sum(height for _, height in sizes)),
        layout="constrained",
    )
    parts: Any = figure.subfigures(len(layers), 1, height_ratios=[height for _, height in sizes])
    for part, layer in zip(np.ravel(np.array(parts)), layers, strict=True):
        _draw_layer(part, layer)
    return figure


def _draw_layer(figure: SubFigure, layer: ChannelMaps) -> None:
    columns = layer.columns
    rows = -(-len(layer.maps) // columns)
    panels: Any = np.ravel(figure.subplots(rows, columns, squeeze=False))
    figure.suptitle(layer.title, fontsize=9, color=INK, x=0.01, ha="left")
    largest = float(np.abs(layer.maps).max()) or 1.0
    low = -largest if layer.signed else min(0.0, float(layer.maps.min()))
    high = largest if layer.signed else float(layer.maps.max())
    high = high if high > low else low + 1
    in_colours = layer.maps.ndim == 4
    image: Any = None
    for number, (panel, values) in enumerate(zip(panels, layer.maps, strict=False)):
        shown = (values - low) / (high - low) if in_colours else values
        image = panel.imshow(
            shown,
            vmin=low,
            vmax=high,
            cmap=DIVERGING if layer.signed else ONE_SIGN,
            aspect="auto" if columns == 1 else "equal",
            interpolation="nearest",
        )
        panel.set_title(layer.names[number], fontsize=7, color=INK, pad=2)
        panel.tick_params(labelsize=7, length=0, colors=INK)
        panel.spines[:].set_visible(False)
        panel.set_yticks(range(len(layer.rows)), layer.rows)
        if columns > 1 or number < len(layer.maps) - 1:
            panel.set_xticks([])
        else:
            panel.set_xlabel(layer.axes[0], fontsize=8, color=INK)
        if layer.rows:
            panel.set_ylabel(layer.axes[1], fontsize=8, color=INK)
    for panel in panels[len(layer.maps) :]:
        panel.set_axis_off()
    if not in_colours:
        bar = figure.colorbar(image, ax=list(panels), shrink=0.8, aspect=20, pad=0.02)
        bar.ax.tick_params(labelsize=7, colors=INK)
        bar.set_label("weight" if layer.signed else "activation", fontsize=8, color=INK)
        bar.outline.set_visible(False)


__all__ = ["ChannelMaps", "draw_channels"]
