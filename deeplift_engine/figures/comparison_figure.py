"""The figure of a comparison of methods: metrics, their curves, and rank correlations."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import DeepliftEngineError
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from deeplift_engine.results.measured import Measured

PALETTE = (
    "#3b6fb6",
    "#e0803a",
    "#69c3b4",
    "#2d4b2d",
    "#874b0f",
    "#87b4e1",
    "#2d2d96",
    "#5a9669",
    "#2d3c5a",
    "#3c7878",
)
"""Of methods: ten that also stay apart for who sees no red or no green."""
INK, SOFT, GRID = "#20242c", "#6b7484", "#e6e9ee"
BETTER = {"high": "higher is better", "low": "lower is better", "": ""}
ACROSS, CURVES_ACROSS = 4, 5
"""Panels in a row."""
WIDTHS = (3.6, 1.4)
"""Line widths of the first and the last curve, so that overlapping ones remain visible."""
LABEL = 26
"""Characters of a label on one line."""


@dataclass(frozen=True)
class ComparisonData:
    """The data of the figure.

    Attributes
    ----------
    measured
        Results of each metric for each method, by the method's label and the metric's.
    better
        Of each metric, by label: whether ``"high"`` or ``"low"`` is better, ``""`` if neither.
    agreement
        Rank correlation of every two methods, (M, M), in the order of ``measured``.
    """

    measured: Mapping[str, Mapping[str, Measured]]
    better: Mapping[str, str]
    agreement: Array

    @property
    def labels(self) -> list[str]:
        """The labels of the methods."""
        return list(self.measured)


def draw_comparison(comparison: ComparisonData) -> Figure:
    """Draw a panel for each metric, for each curve, and for the rank correlations.

    Whiskers are 95 % intervals of the mean over samples, by Student's t.

    Raises
    ------
    DeepliftEngineError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
    except ImportError as error:
        raise DeepliftEngineError(
            "comparisons are drawn with matplotlib, which is not installed: "
            "pip install 'deeplift_engine[plot]'"
        ) from error
    labels = comparison.labels
    curves = [
        name
        for name, measured in next(iter(comparison.measured.values())).items()
        if measured.curve is not None and len(measured.positions) > 1
    ]
    scalars = list(comparison.better)
    rows = -(-len(scalars) // ACROSS), -(-(len(curves) + 1) // CURVES_ACROSS)
    height = max(2.1, 0.9 + 0.36 * len(labels))
    figure = Figure(figsize=(16, rows[0] * height + rows[1] * 3.9 + 0.5), layout="constrained")
    heights = [rows[0] * height, rows[1] * 3.9 + 0.5]
    subfigures: Any = figure.subfigures(2, 1, height_ratios=heights)
    colours = [PALETTE[number % len(PALETTE)] for number in range(len(labels))]
    for panel, name in _panels(subfigures[0], rows[0], ACROSS, scalars, sharey=True):
        _draw_metric(panel, comparison, name, colours)
    for panel, name in _panels(subfigures[1], rows[1], CURVES_ACROSS, [*curves, ""]):
        if name:
            _draw_curve(panel, comparison, name, colours)
        else:
            _draw_agreement(panel, comparison)
    subfigures[0].supxlabel(
        "mean over samples, whiskers: its 95 % interval by Student's t",
        x=0.99,
        ha="right",
        fontsize=9,
        color=SOFT,
    )
    if curves:
        lines = [
            Line2D([], [], color=colour, linewidth=width)
            for colour, width in zip(colours, np.linspace(*WIDTHS, len(colours)), strict=True)
        ]
        subfigures[1].legend(
            lines, labels, loc="outside lower left", ncols=min(6, len(labels)), frameon=False
        )
    return figure


def _panels(
    subfigure: Any, rows: int, most: int, names: list[str], **options: Any
) -> list[tuple[Axes, str]]:
    """A panel for each name; surplus panels are hidden."""
    across = min(most, len(names))
    grid = subfigure.subplots(rows, across, squeeze=False, **options).ravel()
    for spare in grid[len(names) :]:
        spare.set_visible(False)
    return list(zip(grid, names, strict=False))


def _title(panel: Axes, name: str, best: str = "") -> None:
    panel.set_title(name.replace("_", " "), fontsize=12, weight="bold", color=INK, loc="left")
    if BETTER[best]:
        panel.text(
            1, 1.02, BETTER[best], transform=panel.transAxes, ha="right", fontsize=9, color=SOFT
        )


def _bare(panel: Axes, axis: str) -> None:
    panel.grid(axis=axis, color=GRID, linewidth=0.8)  # type: ignore[arg-type]
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(colors=INK, labelsize=9)


def _draw_metric(panel: Axes, comparison: ComparisonData, name: str, colours: list[str]) -> None:
    labels = comparison.labels
    measures = [comparison.measured[label][name] for label in labels]
    means = np.array([each.mean for each in measures])
    errors = np.nan_to_num(np.array([each.half_width for each in measures]))
    positions = np.arange(len(labels))
    panel.barh(positions, means, color=colours, height=0.66, alpha=0.9)
    panel.errorbar(
        means, positions, xerr=errors, fmt="none", ecolor=INK, elinewidth=1.1, capsize=2.5
    )
    panel.set_yticks(
        positions, [textwrap.fill(label, LABEL, break_long_words=False) for label in labels]
    )
    panel.set_ylim(len(labels) - 0.4, -0.6)
    panel.axvline(0, color=INK, linewidth=0.8)
    if (
        (known := means[means > 0]).size
        and known.max() > 300 * known.min()
        and not (means < 0).any()
    ):
        panel.set_xscale("symlog", linthresh=float(10 ** np.floor(np.log10(known.min()))))
    _bare(panel, "x")
    panel.set_xlabel(name.replace("_", " "), fontsize=10, color=INK)
    cell = panel.get_subplotspec()
    panel.set_ylabel("method" if cell is None or cell.is_first_col() else "", fontsize=10)
    _title(panel, name, comparison.better[name])


def _draw_curve(panel: Axes, comparison: ComparisonData, name: str, colours: list[str]) -> None:
    widths = np.linspace(*WIDTHS, len(colours))
    for number, measured in enumerate(comparison.measured.values()):
        curve = measured[name]
        numbers = all(isinstance(position, int | float) for position in curve.positions)
        positions = curve.positions if numbers else range(len(curve.positions))
        panel.plot(
            positions,
            np.asarray(curve.mean_curve),
            color=colours[number],
            linewidth=widths[number],
        )
    panel.set_xlabel(curve.axis, fontsize=10, color=INK)
    panel.set_ylabel(name.replace("_", " "), fontsize=10, color=INK)
    if not numbers:
        panel.set_xticks(
            list(positions), [str(position) for position in curve.positions], rotation=30
        )
    elif curve.positions[0] > 0 and curve.positions[-1] > 20 * curve.positions[0]:
        panel.set_xscale("log")
    _bare(panel, "both")
    _title(panel, name, comparison.better[name])


def _draw_agreement(panel: Axes, comparison: ComparisonData) -> None:
    values = comparison.agreement
    labels = [
        textwrap.fill(f"{number} {label}", LABEL, break_long_words=False)
        for number, label in enumerate(comparison.labels, 1)
    ]
    panel.imshow(values, vmin=-1, vmax=1, cmap="RdBu_r")
    for row, column in np.ndindex(*values.shape):
        value = values[row, column]
        colour = "white" if abs(value) > 0.6 else INK
        panel.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=9, color=colour)
    positions = range(len(labels))
    panel.set_yticks(positions, labels, fontsize=9)
    panel.set_xticks(positions, [str(number + 1) for number in positions], fontsize=9)
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0, colors=INK)
    panel.set_xlabel("method, by its number", fontsize=10, color=INK)
    panel.set_ylabel("method", fontsize=10, color=INK)
    _title(panel, "rank correlation")
