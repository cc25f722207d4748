"""Concepts of a layer: how important each is, and the crops that have most of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.figures.comparison_figure import PALETTE
from deeplift_engine.figures.logo import draw_logo
from deeplift_engine.util.optional import optional
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

INK, GRID = "#20242c", "#e4e7ee"
PANEL = 1.1
"""Inches of a crop."""
LETTERS = "ACGT"


def draw_concepts(
    importance: Any, errors: Any, names: Sequence[str], crops: Any, *, letters: str = LETTERS
) -> Figure:
    """Draw importances of R concepts, and crops of the first of them, a row each.

    Parameters
    ----------
    importance, errors
        (targets, R), in the order that is drawn.
    names
        Of the concepts.
    crops
        (rows, columns, *S) of values from 0 to 1: images (height, width, channels), or sequences
        (length, channels), which are drawn as letters where there is one for each channel, else as
        lines.
    letters
        Of sequences.

    Raises
    ------
    InputError
        If the shapes do not fit each other.
    DeepliftEngineError
        If matplotlib is not installed.
    """
    values, spreads, shown = (np.asarray(each, float) for each in (importance, errors, crops))
    if values.shape != spreads.shape or values.shape[1:] != (len(names),) or shown.ndim < 4:
        raise InputError(
            f"importances of shape {values.shape}, errors {spreads.shape}, crops {shown.shape}: "
            f"expected (targets, {len(names)}) twice, and (rows, columns, *positions, channels)."
        )
    rows, columns = shown.shape[:2]
    images = shown.ndim == 5
    width = columns * PANEL if images else 6.0
    height = max(2.2, rows * ((PANEL if images else 0.35 * columns) + 0.25) + 0.5)
    figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure(
        figsize=(2.8 + width, height), layout="constrained"
    )
    left, right = np.ravel(np.array(figure.subfigures(1, 2, width_ratios=[2.8, width])))
    _draw_importance(left.subplots(), values, spreads, names)
    parts: Sequence[SubFigure] = np.ravel(np.array(right.subfigures(rows, 1))).tolist()
    for part, name, own in zip(parts, names, shown, strict=False):
        part.suptitle(f"concept {name}", fontsize=8, color=INK, x=0.01, ha="left")
        shape = (1, columns) if images else (columns, 1)
        panels: list[Axes] = np.ravel(part.subplots(*shape, squeeze=False)).tolist()
        for panel, crop in zip(panels, own, strict=True):
            _draw_crop(panel, crop, letters)
    return figure


def _draw_importance(panel: Axes, values: Array, errors: Array, names: Sequence[str]) -> None:
    """Bars from the top down, those of several targets side by side."""
    places = np.arange(len(names))
    wide = 0.8 / len(values)
    for number, (own, spread) in enumerate(zip(values, errors, strict=True)):
        panel.barh(
            places + (number - (len(values) - 1) / 2) * wide,
            own,
            height=wide,
            xerr=np.nan_to_num(spread),
            color=PALETTE[number % len(PALETTE)],
            ecolor=INK,
            label=f"target {number}" if len(values) > 1 else None,
        )
    panel.set_yticks(places, names, fontsize=8)
    panel.invert_yaxis()
    panel.set_axisbelow(True)
    panel.grid(axis="x", color=GRID, linewidth=0.8)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(colors=INK, labelsize=8)
    panel.set_xlabel("total Sobol index of the target", fontsize=8, color=INK)
    panel.set_ylabel("concept", fontsize=9, color=INK)
    if len(values) > 1:
        panel.legend(fontsize=7, frameon=False)


def _draw_crop(panel: Axes, crop: Array, letters: str) -> None:
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set_visible(False)
    if crop.ndim == 3:
        grey = crop.shape[-1] != 3
        image = np.clip(crop.mean(-1) if grey else crop, 0, 1)
        panel.imshow(image, cmap="gray", vmin=0, vmax=1)
    elif crop.shape[-1] == len(letters):
        draw_logo(crop, panel, alphabet=letters, limits=(0, 1))
        panel.set_yticks([])
        panel.set_xticks([])
        panel.set_xlabel("")
        panel.set_ylabel("")
    else:
        panel.plot(crop, linewidth=1)


__all__ = ["draw_concepts"]
