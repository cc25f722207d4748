"""How alike layers are, as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.optional import optional
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, COLOURS = "#20242c", "magma"
MOST_NUMBERS = 16
"""The largest number of layers with values written into the panel."""


def draw_similarity(
    values: Any, rows: Sequence[str], columns: Sequence[str], *, measure: str = "cka"
) -> Figure:
    """Draw the similarity of every two layers, 0 to 1.

    Parameters
    ----------
    values
        (rows, columns); NaN is left blank.
    rows, columns
        Names of layers.
    measure
        What the values are, beside the colour bar.

    Raises
    ------
    InputError
        If names do not fit the values.
    DeepliftEngineError
        If matplotlib is not installed.
    """
    array: Array = np.asarray(values, float)
    if array.shape != (len(rows), len(columns)):
        raise InputError(
            f"values of shape {array.shape}: expected ({len(rows)}, {len(columns)}), one for each "
            "row and column."
        )
    width, height = (float(np.clip(0.5 * count, 2.5, 14)) for count in (len(columns), len(rows)))
    figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure(
        figsize=(width + 3.2, height + 1.6), layout="constrained"
    )
    panel = figure.subplots()
    image = panel.imshow(array, vmin=0, vmax=1, cmap=COLOURS, aspect="auto")
    if max(array.shape) <= MOST_NUMBERS:
        for row, column in np.argwhere(np.isfinite(array)):
            value = array[row, column]
            colour = INK if value > 0.6 else "white"
            panel.text(
                column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=colour
            )
    panel.set_xticks(range(len(columns)), columns, rotation=60, ha="right", fontsize=8)
    panel.set_yticks(range(len(rows)), rows, fontsize=8)
    panel.set_xlabel("layer", fontsize=9, color=INK)
    panel.set_ylabel("layer", fontsize=9, color=INK)
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0, colors=INK)
    bar = figure.colorbar(image, ax=panel, shrink=0.8)
    bar.set_label(f"{measure} (1: the same up to a rotation)", fontsize=8, color=INK)
    return figure


__all__ = ["draw_similarity"]
