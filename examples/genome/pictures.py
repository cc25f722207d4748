"""The example's pictures: precision-recall curves, and logos with the planted sites shaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from judge import Curve, Truth, Windows

from deeplift_engine.figures import draw_logo

POINTS = 400
"""Points of a curve that are drawn."""


def draw_curves(curves: Mapping[str, Curve], base_rate: float, path: Path) -> None:
    """One line for each method; the dashed one is that of random contributions."""
    figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
    for name, curve in curves.items():
        points = np.unique(np.geomspace(1, len(curve.recall), POINTS).astype(int)) - 1
        ax.plot(
            curve.recall[points],
            curve.precision[points],
            linewidth=1.8,
            label=f"{name} ({curve.area:.3f})",
        )
    ax.axhline(base_rate, color="#8a8f99", linestyle="--", linewidth=1, label="at random")
    ax.set_xlabel("recall: share of the bases in planted sites", fontsize=10)
    ax.set_ylabel("precision", fontsize=10)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(title="area under the curve", loc="lower left", fontsize=9, frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_logos(
    contributions: Mapping[str, np.ndarray], windows: Windows, row: int, truth: Truth, path: Path
) -> None:
    """The same window by each method."""
    sites = windows.sites(row, truth)
    first = int(windows.start[row])
    last = first + windows.contributions.shape[1]
    figure, axes = plt.subplots(
        len(contributions), 1, figsize=(17, 1.9 * len(contributions)), layout="constrained"
    )
    for ax, (name, values) in zip(axes, contributions.items(), strict=True):
        draw_logo(values[row][:, np.newaxis] * windows.one_hot[row], ax, highlight=sites)
        ax.set_title(name, loc="left", fontsize=11, fontweight="bold", pad=14)
    figure.supylabel("contribution to the log reads", fontsize=10)
    axes[-1].set_xlabel(
        f"position in {windows.chrom[row]}:{first:,}-{last:,}; shaded: planted sites", fontsize=10
    )
    figure.savefig(path, dpi=80)
    plt.close(figure)
