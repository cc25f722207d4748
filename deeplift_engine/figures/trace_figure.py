"""Traces of a recording, one panel for each channel, coloured by the scores of their steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.optional import optional
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, SOFT = "#20242c", "#6b7484"
ENDS = ("#0057b8", "#c9ccd2", "#c85000")
"""Colours of negative scores, of 0 and of positive ones: 0 is seen on white."""
PANEL, WIDTH = 1.05, 9.0
"""Inches of a panel's height, and of the figure's width."""
PERCENTILE = 99.5


def draw_traces(
    signal: Array,
    scores: Array,
    *,
    channels: Sequence[str],
    rate: float = 1.0,
    start: float = 0.0,
    value_unit: str | Sequence[str] = "",
    unit: str = "score",
    title: str = "",
) -> Figure:
    """Draw a recording (T, C) with the scores (T, C) of its steps as colours, symmetric about 0.

    Parameters
    ----------
    signal, scores
        Of one sample.
    channels
        C names.
    rate
        Steps a second (Hz).
    start
        Time of the first step, in seconds.
    value_unit
        Of the recorded values, such as ``"mV"``, or of those of each channel.
    unit
        What a score is, with its unit, beside the colour bar.
    title
        Such as the name of the sample.

    Raises
    ------
    InputError
        If shapes do not fit, or values are not finite.
    DeepliftEngineError
        If matplotlib is not installed.
    """
    values, heat = np.asarray(signal, float), np.asarray(scores, float)
    if values.ndim != 2 or values.shape != heat.shape or values.shape[1] != len(channels):
        raise InputError(
            f"a recording of shape {values.shape}, scores of shape {heat.shape} and "
            f"{len(channels)} channels: expected (time, channels) twice."
        )
    if not (np.isfinite(values).all() and np.isfinite(heat).all() and len(values) > 1):
        raise InputError("a recording and its scores have two steps or more, all finite.")
    level = float(np.percentile(np.abs(heat), PERCENTILE)) or float(np.abs(heat).max()) or 1.0
    figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure(
        figsize=(WIDTH, 0.9 + PANEL * len(channels)), layout="constrained"
    )
    panels: Any = figure.subplots(len(channels), 1, sharex=True, squeeze=False)[:, 0]
    colours = optional("matplotlib.colors", "matplotlib", "plot")
    scheme = colours.LinearSegmentedColormap.from_list("signed", ENDS)
    norm = colours.Normalize(-level, level)
    collections = optional("matplotlib.collections", "matplotlib", "plot")
    time = start + np.arange(len(values)) / rate
    units = [value_unit] * len(channels) if isinstance(value_unit, str) else value_unit
    for number, (panel, name, own) in enumerate(zip(panels, channels, units, strict=True)):
        lines = collections.LineCollection(
            _pieces(time, values[:, number]), cmap=scheme, norm=norm, linewidths=1.6
        )
        lines.set_array(heat[:, number])
        panel.add_collection(lines)
        panel.set_xlim(time[0], time[-1])
        low, high = values[:, number].min(), values[:, number].max()
        room = 0.08 * (high - low) or 1.0
        panel.set_ylim(low - room, high + room)
        label = f"{name}\n({own})" if own else name
        panel.set_ylabel(label.replace("$", "\\$"), fontsize=9, color=INK)
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(colors=INK, labelsize=8)
    panels[-1].set_xlabel("time (s)", fontsize=9, color=INK)
    panels[0].set_title(title.replace("$", "\\$"), fontsize=11, weight="bold", color=INK,
                        loc="left")  # fmt: skip
    extend = "both" if np.abs(heat).max() > level else "neither"
    bar = figure.colorbar(
        lines, ax=list(panels), aspect=max(30, 8 * len(panels)), pad=0.015, extend=extend
    )
    bar.set_label(f"{unit}\ncolours end at the {PERCENTILE:g}th percentile", fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=8, colors=INK)
    bar.outline.set_visible(False)
    return figure


def _pieces(time: Array, values: Array) -> Array:
    """A piece of the trace around each step (T, 3, 2), from half-way before to half-way after."""
    points = np.stack([time, values], axis=1)
    middles = (points[1:] + points[:-1]) / 2
    before = np.concatenate([points[:1], middles])
    after = np.concatenate([middles, points[-1:]])
    return np.stack([before, points, after], axis=1)


__all__ = ["draw_traces"]
