"""Scores of named features: bars, swarms, waterfalls and heat maps.

Features stand at numbered positions with their names as labels, so that two of one name are two,
and no name is set as mathematics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, GRID = "#20242c", "#6b7484", "#e6e9ee"
FILL, MORE, LESS = "#3b6fb6", "#b2182b", "#2166ac"
"""Of sizes, and of positive and negative scores."""
VALUES, DIVERGING = "viridis", "RdBu_r"
NO_NUMBER = "#8e9ab8"
"""Of dots whose feature has no number."""
ROW = 0.34
"""Inches of a feature."""
SWARM = 0.38
"""How far dots go from the line of their feature."""
LABEL = 44
"""Characters of a label."""


def draw_bar(
    scores: Array, features: Sequence[str], *, unit: str = "score", most: int = 20
) -> Figure:
    """Draw mean sizes of the scores (N, F), the largest first, and below all others together.

    Raises
    ------
    InputError
        If shapes do not fit, or scores are not finite.
    DeepliftEngineError
        If matplotlib is not installed.
    """
    values = _checked(scores, features)
    sizes = np.abs(values).mean(axis=0)
    chosen = _largest(sizes, most)
    labels = [features[number] for number in chosen]
    lengths = [float(sizes[number]) for number in chosen]
    if len(chosen) < len(features):
        rest = np.setdiff1d(np.arange(len(features)), chosen)
        labels.append(_others(len(rest)))
        lengths.append(float(sizes[rest].sum()))
    figure, panel = _figure(len(labels))
    panel.barh(range(len(labels)), lengths, color=FILL, height=0.66)
    for row, length in enumerate(lengths):
        _write_beside(panel, f"{length:.3g}", length, row)
    panel.margins(x=0.12)
    panel.set_xlim(left=0)
    _finish(panel, labels, f"mean size over {_samples(values)}: |{unit}|")
    return figure


def draw_beeswarm(
    scores: Array,
    data: Array,
    features: Sequence[str],
    *,
    unit: str = "score",
    most: int = 20,
) -> Figure:
    """Draw a dot for each score (N, F), coloured by the rank of the feature's value.

    Values that are no numbers are grey.

    Raises
    ------
    InputError, DeepliftEngineError
        As for `draw_bar`.
    """
    values = _checked(scores, features)
    chosen = _largest(np.abs(values).mean(axis=0), most)
    figure, panel = _figure(len(chosen), width=8.2)
    note = ""
    for row, number in enumerate(chosen):
        offsets = swarm(values[:, number])
        ranks = _ranks(np.asarray(data)[:, number])
        colours: dict[str, Any] = {"color": NO_NUMBER}
        if ranks is not None:
            colours = {"c": ranks, "cmap": VALUES, "vmin": 0, "vmax": 1}
        else:
            note = "\n(grey: a word, no number)"
        panel.scatter(values[:, number], row + offsets, s=11, linewidths=0, zorder=3, **colours)
    panel.axvline(0, color=INK, linewidth=0.8)
    scale = optional("matplotlib.cm", "matplotlib", "plot").ScalarMappable(cmap=VALUES)
    scale.set_clim(0, 1)
    bar = figure.colorbar(scale, ax=panel, aspect=40, pad=0.02)
    bar.set_ticks([0, 1], labels=["lowest", "highest"])
    bar.set_label(f"value of the feature, by rank{note}", fontsize=9, color=INK)
    bar.outline.set_visible(False)
    _finish(panel, [features[number] for number in chosen], f"{unit}, of {_samples(values)}")
    return figure


def draw_waterfall(
    scores: Array,
    features: Sequence[str],
    *,
    base: float = 0.0,
    unit: str = "score",
    title: str = "",
    most: int = 12,
) -> Figure:
    """Draw how the scores (F,) of one sample lead from the base to their sum, the largest on top.

    Raises
    ------
    InputError, DeepliftEngineError
        As for `draw_bar`.
    """
    values = _checked(np.asarray(scores)[np.newaxis], features)[0]
    chosen = _largest(np.abs(values), most)
    labels = [features[number] for number in chosen]
    steps = [float(values[number]) for number in chosen]
    if len(chosen) < len(features):
        rest = np.setdiff1d(np.arange(len(features)), chosen)
        labels.append(_others(len(rest)))
        steps.append(float(values[rest].sum()))
    ends = base + np.cumsum(steps[::-1])[::-1]
    starts = np.append(ends[1:], base)
    figure, panel = _figure(len(labels))
    colours = [MORE if step >= 0 else LESS for step in steps]
    panel.barh(range(len(steps)), steps, left=starts, color=colours, height=0.62, zorder=2)
    for row, (start, end, step) in enumerate(zip(starts, ends, steps, strict=True)):
        _write_beside(panel, f"{step:+.3g}", max(start, end), row)
        if row:
            panel.plot([end, end], [row - 1, row], color=SOFT, linewidth=0.7, zorder=1)
    panel.axvline(base, color=SOFT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    panel.use_sticky_edges = False  # bars that reach below 0 keep their margin
    panel.margins(x=0.14)
    begins = "the references" if base == 0 else f"the references' {base:.4g}"
    _finish(panel, labels, f"from {begins} to {float(ends[0]):.4g}: {unit}")
    panel.set_title(_plain(title), fontsize=11, weight="bold", color=INK, loc="left")
    return figure


def draw_heat_map(
    scores: Array, features: Sequence[str], *, unit: str = "score", most: int = 20
) -> Figure:
    """Draw the scores (N, F) of all samples, in the order of their sums, with these sums above.

    Raises
    ------
    InputError, DeepliftEngineError
        As for `draw_bar`.
    """
    values = _checked(scores, features)
    order = np.argsort(values.sum(axis=1), kind="stable")
    chosen = _largest(np.abs(values).mean(axis=0), most)
    shown = values[order][:, chosen].T
    figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure(
        figsize=(8.2, 1.9 + ROW * len(chosen)), layout="constrained"
    )
    upper, lower = figure.subplots(
        2, 1, sharex=True, height_ratios=(0.9, max(1.0, ROW * len(chosen)))
    )
    upper.plot(np.arange(len(order)), values[order].sum(axis=1), color=INK, linewidth=1.2)
    upper.axhline(0, color=SOFT, linewidth=0.7)
    upper.set_ylabel("sum of\nscores", fontsize=9, color=INK)
    upper.spines[["top", "right"]].set_visible(False)
    upper.tick_params(colors=INK, labelsize=8)
    level = float(np.percentile(np.abs(shown), 99.5)) or 1.0
    image = lower.imshow(
        shown, aspect="auto", cmap=DIVERGING, vmin=-level, vmax=level, interpolation="nearest"
    )
    _finish(lower, [features[number] for number in chosen], "sample, in the order of sums")
    lower.grid(visible=False)
    bar = figure.colorbar(image, ax=(upper, lower), aspect=40, pad=0.02, extend="both")
    label = f"{unit.replace(' (', chr(10) + '(')}\ncolours end at the 99.5th percentile"
    bar.set_label(label, fontsize=8, color=INK)  # a map of few features is low
    bar.outline.set_visible(False)
    return figure


def swarm(values: Array, bins: int = 60) -> Array:
    """Offsets (N,) that keep dots of similar values apart, within `SWARM` of their line.

    The dots of each of ``bins`` equal steps are spread evenly, as wide as the step is full.
    """
    low, high = float(values.min()), float(values.max())
    step = np.floor((values - low) / ((high - low) or 1.0) * (bins - 1)).astype(int)
    counts = np.bincount(step)
    order = np.argsort(step, kind="stable")
    firsts = np.cumsum(counts) - counts
    place = np.empty(len(values), int)
    place[order] = np.arange(len(values)) - firsts[step[order]]
    alternating = (place + 1) // 2 * np.where(place % 2, 1, -1)
    return np.asarray(alternating * (2 * SWARM / max(counts.max(), 9)))


def _checked(scores: Array, features: Sequence[str]) -> Array:
    values = np.asarray(scores, float)
    if values.ndim != 2 or values.shape[1] != len(features) or not values.size:
        raise InputError(
            f"scores of shape {values.shape} for {len(features)} features: expected "
            "(samples, features)."
        )
    if not np.isfinite(values).all():
        raise InputError("scores are not all finite: there is nothing to draw of NaN.")
    return values


def _largest(sizes: Array, most: int) -> Array:
    """Numbers of the largest, first the largest; those that tie in their own order."""
    count = checked("most", most, Integer(1), InputError)
    return np.argsort(-sizes, kind="stable")[:count]


def _ranks(values: Array) -> Array | None:
    """Shares of the values that are lower or, by half, equal; None of what is no number."""
    try:
        numbers = values.astype(float)
    except (TypeError, ValueError):
        return None
    ordered = np.sort(numbers)
    below = np.searchsorted(ordered, numbers, "left") + np.searchsorted(ordered, numbers, "right")
    spread = below.max() - below.min()
    return np.asarray((below - below.min()) / (spread or 1) if spread else np.full(len(below), 0.5))


def _figure(rows: int, width: float = 7.4) -> tuple[Figure, Any]:
    figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure(
        figsize=(width, 1.1 + ROW * rows), layout="constrained"
    )
    return figure, figure.subplots()


def _write_beside(panel: Axes, text: str, end: float, row: int) -> None:
    """Write a number to the right of a bar."""
    panel.annotate(
        text, (end, row), (4, 0), textcoords="offset points", va="center", fontsize=8, color=INK
    )


def _samples(values: Array) -> str:
    return f"{len(values)} samples" if len(values) > 1 else "1 sample"


def _others(count: int) -> str:
    return f"{count} others together" if count > 1 else "1 other"


def _plain(text: str) -> str:
    """Text of which matplotlib sets nothing as mathematics, at most `LABEL` characters."""
    short = text if len(text) <= LABEL else f"{text[: LABEL - 1]}…"
    return short.replace("$", "\\$")


def _finish(panel: Axes, labels: Sequence[str], axis: str) -> None:
    panel.set_yticks(range(len(labels)), [_plain(label) for label in labels], fontsize=9)
    panel.set_ylim(len(labels) - 0.5, -0.5)
    panel.set_xlabel(axis, fontsize=9, color=INK)
    panel.set_ylabel("feature", fontsize=9, color=INK)
    panel.grid(axis="x", color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(axis="y", length=0)
    panel.tick_params(colors=INK, labelsize=9)


__all__ = ["draw_bar", "draw_beeswarm", "draw_heat_map", "draw_waterfall", "swarm"]
