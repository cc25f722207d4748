"""Inputs that make a target large: images side by side, or sequences, and the target by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deeplift_engine.figures.logo import draw_logo
from deeplift_engine.util.optional import optional
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FILL, GRID = "#20242c", "#4c66b5", "#e4e7ee"
PANEL = 2.2
"""Inches of an image."""
MOST_SEQUENCES = 12
MOST_POSITIONS = 120
"""Drawn at most: the first sequences, and the middle of longer ones."""


def draw_pictures(images: Array, values: Array, history: Array, columns: int = 6) -> Figure:
    """Draw images (M, H, W, C) of values from 0 to 1, the target of each, and it by step.

    Parameters
    ----------
    images
        Of three channels in colours, else their mean in grey. Those of width 1 are drawn as lines,
        one for each channel.
    values
        The target (M,).
    history
        The target by step (S + 1, M).
    columns
        Images in a row.

    Raises
    ------
    DeepliftEngineError
        If matplotlib is not installed.
    """
    count, lines = len(images), images.shape[2] == 1
    columns = min(columns, count)
    rows = -(-count // columns)
    height, width = (0.6, 1.6) if lines else (1.0, images.shape[2] / images.shape[1])
    size = (max(4.0, columns * PANEL * width), rows * (PANEL * height + 0.3) + 1.8)
    figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure(
        figsize=size, layout="constrained"
    )
    upper, lower = np.ravel(np.array(figure.subfigures(2, 1, height_ratios=[size[1] - 1.8, 1.8])))
    panels: Sequence[Axes] = list(np.ravel(upper.subplots(rows, columns, squeeze=False)))
    for panel in panels[count:]:
        panel.set_axis_off()
    for panel, image, value in zip(panels, np.clip(images, 0, 1), values, strict=False):
        panel.set_title(f"{value:.4g}", fontsize=9, color=INK)
        if lines:
            panel.plot(image[:, 0], linewidth=1)
            panel.tick_params(colors=INK, labelsize=8)
            panel.set_xlabel("position", fontsize=9, color=INK)
            panel.set_ylabel("input", fontsize=9, color=INK)
            continue
        grey = image.shape[-1] != 3
        panel.imshow(image.mean(-1) if grey else image, cmap="gray", vmin=0, vmax=1)
        panel.set_xticks([])
        panel.set_yticks([])
    _draw_history(lower.subplots(), history)
    return figure


def draw_sequences(rows: Array, values: Array, history: Array, letters: str = "ACGT") -> Figure:
    """Draw sequences (M, L, A) as letters, the target of each, and it by step.

    Parameters
    ----------
    rows
        One-hot; the first twelve, and of more than 120 positions the middle.
    values
        The target (M,).
    history
        The target by step (S + 1, M).
    letters
        Of the columns.

    Raises
    ------
    DeepliftEngineError
        If matplotlib is not installed.
    """
    shown = rows[:MOST_SEQUENCES]
    first = max(0, (rows.shape[1] - MOST_POSITIONS) // 2)
    shown = shown[:, first : first + MOST_POSITIONS]
    figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure(
        figsize=(max(5.0, 0.1 * shown.shape[1]), 0.55 * len(shown) + 2.2), layout="constrained"
    )
    heights = [0.55 * len(shown) + 0.3, 1.9]
    upper, lower = np.ravel(np.array(figure.subfigures(2, 1, height_ratios=heights)))
    panels: Sequence[Axes] = list(np.ravel(upper.subplots(len(shown), 1, squeeze=False)))
    for panel, sequence, value in zip(panels, shown, values, strict=False):
        draw_logo(sequence, panel, alphabet=letters, start=first, limits=(0, 1))
        panel.set_yticks([])
        panel.spines[:].set_visible(False)
        panel.set_ylabel(f"{value:.4g}", fontsize=8, color=INK, rotation=0, ha="right", va="center")
        panel.tick_params(labelbottom=panel is panels[-1], length=0, labelsize=8, colors=INK)
    panels[-1].set_xlabel("position", fontsize=9, color=INK)
    _draw_history(lower.subplots(), history)
    return figure


def draw_lines(texts: Sequence[str], values: Array, history: Array) -> Figure:
    """Draw texts (M,) a line each, the target of each, and it by step.

    Parameters
    ----------
    texts
        The first twelve, of which the first 120 characters.
    values
        The target (M,).
    history
        The target by step (S + 1, M).

    Raises
    ------
    DeepliftEngineError
        If matplotlib is not installed.
    """
    shown = [text[:MOST_POSITIONS] for text in texts[:MOST_SEQUENCES]]
    width = max(5.0, 0.09 * max(map(len, shown)) + 1.2)
    heights = [0.3 * len(shown) + 0.2, 1.9]
    figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure(
        figsize=(width, sum(heights)), layout="constrained"
    )
    upper, lower = np.ravel(np.array(figure.subfigures(2, 1, height_ratios=heights)))
    panel = upper.subplots()
    panel.set_axis_off()
    panel.set_ylim(len(shown) - 0.5, -0.5)
    for row, (text, value) in enumerate(zip(shown, values, strict=False)):
        panel.text(0.8 / width, row, text, color=INK, fontsize=9, va="center", family="monospace")
        panel.text(0, row, f"{value:.4g}", color=INK, fontsize=8, va="center")
    _draw_history(lower.subplots(), history)
    return figure


def _draw_history(panel: Axes, history: Array) -> None:
    panel.plot(history, color=FILL, alpha=0.6, linewidth=1)
    panel.set_axisbelow(True)
    panel.grid(color=GRID, linewidth=0.8)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(colors=INK, labelsize=8)
    panel.set_xlabel("step", fontsize=9, color=INK)
    panel.set_ylabel("target", fontsize=9, color=INK)


__all__ = ["draw_lines", "draw_pictures", "draw_sequences"]
