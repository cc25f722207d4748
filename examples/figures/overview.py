"""Draw the README's picture: how scores are made, and real ones under three rules.

python overview.py [--out FILE]    a quarter of a minute; writes overview.png
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon

import deeplift_engine as de
from deeplift_engine.figures import draw_logo

ROOT = Path(__file__).resolve().parents[2]
GENOMICS = ROOT / "examples" / "genomics"
SAMPLE, FIRST, END = 19, 24, 64
"""A test sequence with one TAL1 and one GATA site, and the bases that are drawn."""

INK, SOFT = "#1f2a44", "#66708a"
INPUT, INPUT_FILL = "#2f6fb5", "#e3eefa"
REFERENCE, REFERENCE_FILL = "#7c8597", "#eef0f4"
BACK, BACK_FILL = "#d9641e", "#fdeee3"
CHANGE, CHANGE_FILL = "#2b8a57", "#e2f4ea"

COLUMNS = (23.5, 43.0, 62.0, 80.0)
LAYERS = ("sequence", "convolution", "ReLU", "dense: the logit")
SYMBOLS = ("x", "z", "a", "y")
TOP, MIDDLE, LOW, BACKWARD, SUM = 52.0, 42.5, 33.0, 17.0, 4.2
WIDTHS = (14.6, 10.6, 10.6, 10.6)
HEIGHT = 5.8
UNITS_HIGH, INCHES = 67.0, (18.0, 7.2)


def box(ax: Axes, x: float, y: float, text: str, width: float, edge: str, fill: str) -> None:
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - HEIGHT / 2),
            width,
            HEIGHT,
            boxstyle="round,pad=0,rounding_size=1.3",
            facecolor=fill,
            edgecolor=edge,
            linewidth=1.6,
            zorder=3,
        )
    )
    ax.text(x, y - 0.1, text, ha="center", va="center", fontsize=13, color=INK, zorder=4)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], **style: Any) -> None:
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=15,
            linewidth=style.pop("linewidth", 1.8),
            shrinkA=0,
            shrinkB=0,
            zorder=2,
            **style,
        )
    )


def step(ax: Axes, x: float, y: float, number: str, text: str, colour: str) -> None:
    ax.add_patch(Circle((x, y), 1.75, facecolor=colour, edgecolor="none", zorder=4))
    ax.text(x, y - 0.1, number, ha="center", va="center", color="white", fontsize=12, weight="bold")
    ax.texts[-1].set_zorder(5)
    ax.text(
        x + 2.8, y - 0.1, text, ha="left", va="center", color=colour, fontsize=13.5, weight="bold"
    )


def draw_file(ax: Axes) -> None:
    x, y, width, height, fold = 1.9, 36.9, 8.8, 11.2, 2.6
    right, top = x + width, y + height
    outline = [(x, y), (right, y), (right, top - fold), (right - fold, top), (x, top)]
    ax.add_patch(Polygon(outline, facecolor="white", edgecolor=INK, linewidth=1.7, zorder=3))
    corner = [(right - fold, top), (right - fold, top - fold), (right, top - fold)]
    ax.add_patch(Polygon(corner, facecolor="#d5daE6", edgecolor=INK, linewidth=1.3, zorder=3))
    for line, text in enumerate((".h5", ".keras")):
        ax.text(
            x + width / 2,
            y + 5.9 - 3.1 * line,
            text,
            ha="center",
            va="center",
            fontsize=12,
            color=INK,
            zorder=4,
            weight="bold",
        )
    ax.text(
        x + width / 2, y - 2.2, "Keras 1, 2, 3", ha="center", va="center", fontsize=11, color=SOFT
    )
    for target in (TOP, LOW):
        end = (COLUMNS[0] - WIDTHS[0] / 2 - 0.8, target)
        arrow(ax, (right + 0.9, y + height / 2), end, color=INK)


def draw_forward(ax: Axes) -> None:
    for column, (x, symbol, width) in enumerate(zip(COLUMNS, SYMBOLS, WIDTHS, strict=True)):
        ax.text(x, TOP + 5.4, LAYERS[column], ha="center", va="center", fontsize=12, color=SOFT)
        first = column == 0
        box(ax, x, TOP, rf"${symbol}$" + " = CAGATG" * first, width, INPUT, INPUT_FILL)
        below = rf"${symbol}_0$" + " = CATGAG" * first
        box(ax, x, LOW, below, width, REFERENCE, REFERENCE_FILL)
        ax.plot([x, x], [LOW + HEIGHT / 2, TOP - HEIGHT / 2], color=CHANGE, linewidth=1.2, zorder=1)
        ax.add_patch(
            FancyBboxPatch(
                (x - 3.6, MIDDLE - 2.3),
                7.2,
                4.6,
                boxstyle="round,pad=0,rounding_size=2.2",
                facecolor=CHANGE_FILL,
                edgecolor=CHANGE,
                linewidth=1.5,
                zorder=3,
            )
        )
        ax.text(
            x,
            MIDDLE - 0.1,
            rf"$\Delta {symbol}$",
            ha="center",
            va="center",
            fontsize=13,
            color=INK,
            zorder=4,
        )
        if column:
            for y, colour in ((TOP, INPUT), (LOW, REFERENCE)):
                arrow(ax, *gap(column, y), color=colour)


def draw_backward(ax: Axes) -> None:
    rules = ("transposed kernel", r"Rescale: $\Delta a\,/\,\Delta z$", "transposed kernel")
    for column, (x, symbol, width) in enumerate(zip(COLUMNS, SYMBOLS, WIDTHS, strict=True)):
        multiplier = rf"$m_{symbol}$" + " = 1" * (column == 3)
        box(ax, x, BACKWARD, multiplier, width, BACK, BACK_FILL)
        if column:
            further, nearer = gap(column, BACKWARD)
            arrow(ax, nearer, further, color=BACK, linewidth=2.4)
            ax.text(
                (nearer[0] + further[0]) / 2,
                BACKWARD - HEIGHT / 2 - 0.7,
                rules[column - 1],
                ha="center",
                va="top",
                fontsize=11,
                color=BACK,
            )
    x, width = COLUMNS[0], WIDTHS[0]
    arrow(
        ax, (x, BACKWARD - HEIGHT / 2 - 0.6), (x, SUM + HEIGHT / 2 + 0.6), color=BACK, linewidth=2.4
    )
    box(ax, x, SUM, r"$C = m_x\,\Delta x$", width, CHANGE, CHANGE_FILL)
    ax.text(
        x + width / 2 + 1.6,
        SUM - 0.1,
        r"contributions, which sum to $\Delta y$: "
        "checked for every sample",
        ha="left",
        va="center",
        fontsize=12.5,
        color=CHANGE,
    )


def gap(column: int, y: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ends of the arrow between a column and the one before it."""
    left = COLUMNS[column - 1] + WIDTHS[column - 1] / 2
    return (left + 0.7, y), (COLUMNS[column] - WIDTHS[column] / 2 - 0.7, y)


def canvas(figure: Figure, left: float, right: float) -> Axes:
    """Axes without a frame, in which a unit is as wide as it is high."""
    low, high = 0.02, 0.98
    ax = figure.add_axes((left, low, right - left, high - low))
    inches_per_unit = (high - low) * INCHES[1] / UNITS_HIGH
    ax.set(xlim=(0, (right - left) * INCHES[0] / inches_per_unit), ylim=(0, UNITS_HIGH))
    ax.axis("off")
    return ax


def draw_diagram(ax: Axes) -> None:
    step(ax, 3.9, 64.2, "1", "read the saved model", INK)
    step(ax, 39.5, 64.2, "2", "walk forward, twice", INPUT)
    step(ax, COLUMNS[0] - WIDTHS[0] / 2 + 1.75, 24.3, "3", "walk back, rule by rule", BACK)
    draw_file(ax)
    draw_forward(ax)
    draw_backward(ax)
    for y, text, colour in (
        (TOP, "input", INPUT),
        (MIDDLE, "difference", CHANGE),
        (LOW, "reference", REFERENCE),
        (BACKWARD, "multipliers", BACK),
    ):
        ax.text(87, y - 0.1, text, ha="left", va="center", fontsize=12, color=colour, weight="bold")


def scores() -> tuple[list[tuple[str, np.ndarray, float]], float]:
    """Title, logo (bases, 4) and sum of contributions of each rule; and the logit's change."""
    with np.load(GENOMICS / "sequences.npz") as data:
        letters = data["sequences"].view("S1").reshape(len(data["sequences"]), -1)[[SAMPLE]]
        target = data["tasks"].tolist().index("GATA and TAL1")
    one_hot = (letters[..., None] == np.frombuffer(b"ACGT", "S1")).astype(np.float32)
    network = de.load(GENOMICS / "model.h5")
    rows = []
    for rule, title in (
        ("gradient", "gradient × difference"),
        ("rescale", "Rescale"),
        ("genomics_default", "RevealCancel on dense layers"),
    ):
        result = network.explainer(rules=rule).run(
            one_hot, target=target, references=de.references.dinucleotide_shuffle(100, seed=0)
        )
        per_base = result.scores[0].sum(axis=-1)
        rows.append(
            (
                title,
                (per_base[:, None] * one_hot[0])[FIRST:END],
                float(per_base.sum()),
            )
        )
    return rows, float(result.target_delta[0])


def draw_scores(axes: list[Axes]) -> None:
    with np.load(GENOMICS / "sequences.npz") as data:
        sites = data["sites"][data["sites"][:, 0] == SAMPLE]
        spans = [(s, s + data["widths"][m], str(data["motifs"][m])) for _, m, s, _ in sites]
    rows, change = scores()
    for ax, (title, logo, total) in zip(axes, rows, strict=True):
        draw_logo(logo, ax, start=FIRST, highlight=spans)
        ax.set_title(title, loc="left", fontsize=13, weight="bold", color=INK, pad=18)
        kept = abs(total - change) < 1e-3 * abs(change)
        ax.set_title(
            rf"$\Sigma$ contributions {total:.1f}   $\Delta$ logit {change:.1f}",
            loc="right",
            fontsize=11,
            color=CHANGE if kept else BACK,
            pad=18,
        )
        ax.locator_params(axis="y", nbins=4)
        ax.tick_params(labelsize=10, colors=SOFT)
        ax.set_xticks([])
        ax.spines["left"].set_color(SOFT)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "overview.png")
    out = parser.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    plt.rcParams["mathtext.fontset"] = "dejavusans"
    figure = plt.figure(figsize=INCHES)
    draw_diagram(canvas(figure, 0.005, 0.565))
    right = canvas(figure, 0.585, 0.995)
    step(right, 3.9, 64.2, "4", "see which bases make it say “GATA and TAL1”", CHANGE)
    right.text(
        5.2,
        0.4,
        f"{END - FIRST} bases of a simulated sequence; planted sites shaded; references: "
        "100 dinucleotide shuffles",
        fontsize=10,
        color=SOFT,
    )
    draw_scores([figure.add_axes((0.615, bottom, 0.375, 0.18)) for bottom in (0.635, 0.355, 0.075)])
    figure.savefig(out, dpi=100)
    print(f"wrote {out} ({out.stat().st_size / 1000:.0f} kB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
