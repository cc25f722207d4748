"""Figures of in-silico experiments: effects of motifs, of their distance, of spans, of steps."""

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

INK, GRID, FILL, OTHER = "#20242c", "#e6e9ee", "#3b6fb6", "#d9822b"
EFFECTS = (OTHER, "#8e9ab8", FILL)
"""Of what is put in: one motif, the other, both."""
CHANGE = "change of the target (its units)"
MOST_LOGO = 160
"""Positions of the longest sequence that is drawn as letters."""


def draw_effects(names: Sequence[str], effects: Array, *, unit: str = "background") -> Figure:
    """Draw the target's changes by motifs, or by shuffled spans, one row each.

    Parameters
    ----------
    names
        M rows.
    effects
        (M, N): a bar is their mean, a dot each of them.
    unit
        What the N are.

    Raises
    ------
    DeepliftEngineError
        If matplotlib is not installed.
    """
    figure, (panel,) = _figure(6.4, 1.2 + 0.42 * len(names), 1)
    rows = np.arange(len(names))
    panel.barh(rows, effects.mean(axis=1), color=FILL, height=0.62, alpha=0.85)
    spread = np.linspace(-0.2, 0.2, effects.shape[1]) if effects.shape[1] > 1 else np.zeros(1)
    for row, values in zip(rows, effects, strict=True):
        panel.plot(values, row + spread, ".", color=INK, markersize=3, alpha=0.6)
    panel.axvline(0, color=INK, linewidth=0.8)
    panel.set_yticks(rows, names, fontsize=9)
    panel.set_ylim(len(names) - 0.5, -0.5)
    panel.grid(axis="x", color=GRID, linewidth=0.8)
    _finish(panel, f"change of the target: mean, and each {unit}")
    _name_axes(panel, CHANGE, "what was put in")
    return figure


def draw_spacing(distances: Array, effects: dict[str, Array], cooperativity: Array) -> Figure:
    """Draw mean effects by distance, and below them what two motifs do beyond each alone.

    Parameters
    ----------
    distances
        (D,).
    effects
        (D, N) by what was put in.
    cooperativity
        (D, N); its band is the standard error.

    Raises
    ------
    DeepliftEngineError
        If matplotlib is not installed.
    """
    figure, (upper, lower) = _figure(6.4, 4.8, 2)
    order = np.argsort(distances)
    for (name, values), colour in zip(effects.items(), EFFECTS, strict=False):
        upper.plot(distances[order], values.mean(axis=1)[order], color=colour, label=name)
    upper.legend(fontsize=8, frameon=False)
    _finish(upper, "mean change of the target")
    mean = cooperativity.mean(axis=1)[order]
    count = cooperativity.shape[1]
    error = cooperativity.std(axis=1, ddof=1)[order] / count**0.5 if count > 1 else 0 * mean
    lower.fill_between(distances[order], mean - error, mean + error, color=FILL, alpha=0.22)
    lower.plot(distances[order], mean, color=FILL, marker=".")
    _finish(lower, "both beyond the sum of each alone, mean ± standard error")
    for panel in (upper, lower):
        _name_axes(panel, "letters between the motifs", CHANGE.replace(" (", "\n("))
        panel.axhline(0, color=INK, linewidth=0.8)
        panel.grid(color=GRID, linewidth=0.8)
    return figure


def draw_design(values: Array, sequence: Array, changed: Array, alphabet: str = "ACGT") -> Figure:
    """Draw the target by step, and a sequence with the changed positions shaded.

    Parameters
    ----------
    values
        (S + 1, N), a line each.
    sequence
        One-hot (L, A) of one of them; of more than `MOST_LOGO` positions the part with the changes.
    changed
        Its changed positions, from 0.
    alphabet
        Letters of the columns.

    Raises
    ------
    DeepliftEngineError
        If matplotlib is not installed.
    """
    figure, (upper, lower) = _figure(9, 4.2, 2)
    upper.plot(values, color=FILL, alpha=0.7, linewidth=1)
    upper.plot(values.mean(axis=1), color=INK, linewidth=1.8)
    _name_axes(upper, "letters changed", "target (its units)")
    upper.grid(color=GRID, linewidth=0.8)
    _finish(upper, "target, and the mean of all sequences")
    middle = int(np.median(changed)) if len(changed) else len(sequence) // 2
    first = int(np.clip(middle - MOST_LOGO // 2, 0, max(0, len(sequence) - MOST_LOGO)))
    shown = sequence[first : first + MOST_LOGO]
    spans = [
        (int(position), int(position) + 1, "")
        for position in changed
        if first <= position < first + len(shown)
    ]
    draw_logo(shown, lower, alphabet=alphabet, start=first, highlight=spans)
    lower.set_yticks([])
    lower.spines["left"].set_visible(False)
    _name_axes(lower, "position, from 0", "")
    _title(lower, "the first sequence; what was changed is shaded")
    return figure


def _figure(width: float, height: float, panels: int) -> tuple[Figure, Sequence[Axes]]:
    figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure(
        figsize=(width, height), layout="constrained"
    )
    return figure, list(np.ravel(figure.subplots(panels, 1)))


def _title(panel: Axes, text: str) -> None:
    panel.set_title(text, fontsize=11, weight="bold", color=INK, loc="left")


def _name_axes(panel: Axes, across: str, up: str) -> None:
    panel.set_xlabel(across, fontsize=9, color=INK)
    panel.set_ylabel(up, fontsize=9, color=INK)


def _finish(panel: Axes, title: str) -> None:
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(colors=INK, labelsize=9)
    _title(panel, title)


__all__ = ["draw_design", "draw_effects", "draw_spacing"]
