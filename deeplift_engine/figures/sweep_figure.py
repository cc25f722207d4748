"""The figure of a sweep: agreement of settings, and the differences that they explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deeplift_engine.errors import DeepliftEngineError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from deeplift_engine.results.sweep_result import Sweep

INK, GRID, FILL = "#20242c", "#e6e9ee", "#3b6fb6"
MOST_NUMBERS = 16
"""The largest number of settings with correlations written into the panel."""


def draw_sweep(sweep: Sweep, *, letters: int | None = None) -> Figure:
    """Draw the mean rank correlation of every two settings, and the target's differences.

    Parameters
    ----------
    sweep
        What `Network.sweep` found.
    letters
        As for `Sweep.agreement`.

    Raises
    ------
    DeepliftEngineError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DeepliftEngineError(
            "sweeps are drawn with matplotlib, which is not installed: "
            "pip install 'deeplift_engine[plot]'"
        ) from error
    size = float(np.clip(0.45 * len(sweep.results), 3.2, 14))
    figure = Figure(figsize=(size + 7, size + 0.9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(size, 3.6))
    _draw_agreement(left, sweep, letters)
    _draw_deltas(right, sweep)
    return figure


def _title(panel: Axes, text: str) -> None:
    panel.set_title(text, fontsize=11, weight="bold", color=INK, loc="left")


def _draw_agreement(panel: Axes, sweep: Sweep, letters: int | None) -> None:
    panels = sweep.agreement(letters=letters)
    means = panels.reshape(*panels.shape[:2], -1).mean(axis=2)
    image = panel.imshow(means, vmin=-1, vmax=1, cmap="RdBu_r", aspect="auto")
    if len(means) <= MOST_NUMBERS:
        for row, column in np.ndindex(*means.shape):
            value = means[row, column]
            colour = "white" if abs(value) > 0.6 else INK
            panel.text(
                column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=colour
            )
    positions = range(len(means))
    panel.set_yticks(positions, sweep.labels, fontsize=9)
    panel.set_xticks(positions, [str(position + 1) for position in positions], fontsize=8)
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0, colors=INK)
    panel.set_xlabel("setting, by its row", fontsize=9, color=INK)
    panel.set_ylabel("references and rules", fontsize=9, color=INK)
    bar = panel.figure.colorbar(image, ax=panel, shrink=0.6, aspect=30, pad=0.02)
    bar.set_label("Spearman's correlation (1: the same order)", fontsize=8, color=INK)
    _title(panel, "rank correlation of scores, mean over samples")


def _draw_deltas(panel: Axes, sweep: Sweep) -> None:
    """Mean and standard deviation over samples, each beside its row of the correlations."""
    deltas = [np.asarray(result.target_delta) for result in sweep.results.values()]
    means, spreads = [each.mean() for each in deltas], [each.std() for each in deltas]
    positions = np.arange(len(deltas))
    panel.barh(positions, means, color=FILL, height=0.62, alpha=0.85)
    panel.errorbar(
        means, positions, xerr=spreads, fmt="none", ecolor=INK, elinewidth=1.0, capsize=2.5
    )
    panel.axvline(0, color=INK, linewidth=0.8)
    panel.set_ylim(len(deltas) - 0.5, -0.5)
    panel.set_yticks(positions, [str(position + 1) for position in positions], fontsize=8)
    panel.grid(axis="x", color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(colors=INK, labelsize=8)
    panel.set_xlabel("input minus reference (units of the target)", fontsize=9, color=INK)
    panel.set_ylabel("setting, by its row", fontsize=9, color=INK)
    _title(panel, "target's difference, mean ± sd")
