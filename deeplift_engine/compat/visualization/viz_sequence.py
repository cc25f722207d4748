"""Sequence logos under the original's names, drawn by `deeplift_engine.figures`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError

default_colors: Mapping[int, str] = {0: "green", 1: "blue", 2: "orange", 3: "red"}
"""The original's colours of A, C, G and T, ``plot_weights(scores, colors=default_colors)``."""


def plot_weights(
    array: Any,
    figsize: tuple[float, float] = (20, 2),
    height_padding_factor: float = 0.2,
    length_padding: float = 1.0,
    subticks_frequency: float = 1.0,
    colors: Mapping[int, str] | None = None,
    highlight: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    ylabel: str = "",
) -> None:
    """Draw scores ``(L, 4)`` or ``(4, L)`` as a logo in a new figure, and show it."""
    from matplotlib import pyplot

    ax = pyplot.figure(figsize=figsize).add_subplot(111)
    plot_weights_given_ax(
        ax,
        array,
        height_padding_factor,
        length_padding,
        subticks_frequency,
        highlight or {},
        colors,
        ylabel,
    )
    pyplot.show()


def plot_weights_given_ax(
    ax: Any,
    array: Any,
    height_padding_factor: float = 0.2,
    length_padding: float = 1.0,
    subticks_frequency: float = 1.0,
    highlight: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    colors: Mapping[int, str] | None = None,
    ylabel: str = "",
) -> None:
    """Draw scores as a logo on given axes.

    Parameters
    ----------
    ax
        Matplotlib axes.
    array
        Scores ``(L, 4)`` or ``(4, L)``, letters in the order ACGT; axes of size 1 are dropped.
    height_padding_factor
        Share of the height left free above and below.
    length_padding
        Positions left free on either side.
    subticks_frequency
        Positions between two ticks.
    highlight
        Spans of positions to be framed, by colour.
    colors
        Of the letters, by index; by default those of `deeplift_engine.figures.draw_logo`.
    ylabel
        Label of the vertical axis.

    Raises
    ------
    InputError
        For scores of another shape.
    """
    from matplotlib.patches import Rectangle

    from deeplift_engine.figures import draw_logo

    scores = np.squeeze(np.asarray(array, dtype=float))
    if scores.ndim == 2 and scores.shape[0] == 4 and scores.shape[1] != 4:
        scores = scores.T
    if scores.ndim != 2 or scores.shape[1] != 4:
        raise InputError(f"A logo takes scores (L, 4), not {np.shape(array)}.")
    low = float(np.minimum(scores, 0).sum(axis=1).min())
    high = float(np.maximum(scores, 0).sum(axis=1).max())
    margin = height_padding_factor * max(-low, high)
    colours = None if colors is None else {"ACGT"[i]: colour for i, colour in colors.items()}
    draw_logo(scores, ax, colours=colours, limits=(low - margin, high + margin))
    for colour, spans in (highlight or {}).items():
        for first, end in spans:
            frame = Rectangle((first - 0.5, low), end - first, high - low, ec=colour, fill=False)
            ax.add_patch(frame)
    ax.set_xlim(-0.5 - length_padding, len(scores) - 0.5 + length_padding)
    ax.set_xticks(np.arange(0, len(scores), subticks_frequency))
    ax.set_ylabel(ylabel)
