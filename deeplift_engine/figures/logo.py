"""Sequence logos: letters as tall as their contributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from deeplift_engine.errors import DeepliftEngineError, InputError
from deeplift_engine.figures.glyphs import letter_paths
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


COLOURS = {"A": "#00a65c", "C": "#205fa8", "G": "#e6a817", "T": "#c91b22", "U": "#c91b22"}
OTHER_COLOUR = "#4a4e57"
HIGHLIGHT = "#8e9ab8"
MARGIN = 0.06
"""Free space above and below all letters, as a share of their height."""


def draw_logo(
    scores: Array,
    ax: Axes | None = None,
    *,
    alphabet: str = "ACGT",
    start: int = 0,
    highlight: Sequence[tuple[float, float, str]] = (),
    colours: Mapping[str, str] | None = None,
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw contributions as a sequence logo.

    At each position the letters are stacked by size, the tallest outermost: those of positive
    scores upwards, those of negative scores downwards and upside down. All occurrences of a letter
    are one path, so thousands of positions are drawn in well under a second.

    Parameters
    ----------
    scores
        ``(L, A)``, a column per letter of ``alphabet``; zeros are not drawn.
    ax
        Where to draw; a new figure, with named axes, if not given.
    alphabet
        The letters, in the order of the columns.
    start
        Coordinate of the first position. Position i is drawn from ``start + i - 0.5`` to
        ``start + i + 0.5``.
    highlight
        ``(first, end, label)`` spans to be shaded, in the same coordinates, ``end`` excluded.
    colours
        Of letters, over the field's own: A green, C blue, G orange, T red.
    limits
        Of the vertical axis; found from the scores if not given.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    InputError
        If the scores are no finite ``(L, A)`` array.
    DeepliftEngineError
        If matplotlib is not installed.
    """
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 2 or scores.shape[1] != len(alphabet) or not np.isfinite(scores).all():
        raise InputError(
            f"a logo needs finite scores of shape (L, {len(alphabet)}), a column for each of "
            f"{alphabet!r}; these have shape {scores.shape}"
            + ("" if np.isfinite(scores).all() else " and are not all finite")
        )
    try:
        from matplotlib import pyplot as plt
        from matplotlib.collections import PathCollection
    except ImportError as error:
        raise DeepliftEngineError(
            "logos are drawn with matplotlib, which is not installed: "
            "pip install 'deeplift_engine[plot]'"
        ) from error
    if ax is None:
        _, ax = plt.subplots(figsize=(min(2 + len(scores) * 0.12, 30), 2), layout="constrained")
        ax.set_xlabel("position")
        ax.set_ylabel("score")
    paths = letter_paths(scores, alphabet, start)
    palette = COLOURS | dict(colours or {})
    faces = [palette.get(letter, OTHER_COLOUR) for letter in paths]
    ax.add_collection(
        PathCollection([*paths.values()], facecolors=faces, linewidths=0, zorder=2), autolim=False
    )
    ax.axhline(0, color="#30343c", linewidth=0.7, zorder=3)
    low, high = limits or limits_of(scores)
    ax.set_xlim(start - 0.5, start + len(scores) - 0.5)
    ax.set_ylim(low, high)
    for first, end, label in highlight:
        _shade(ax, first, end, label)
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.tick_params(axis="x", length=0)
    return ax


def limits_of(*scores: Array) -> tuple[float, float]:
    """The vertical axis that one or more logos need, (L, A) each, with a margin."""
    high = max(float(np.clip(each, 0, None).sum(axis=1).max(initial=0)) for each in scores)
    low = min(float(np.clip(each, None, 0).sum(axis=1).min(initial=0)) for each in scores)
    room = MARGIN * (high - low) or 1.0
    return low - room * (low < 0 or high == 0), high + room


def _shade(ax: Axes, first: float, end: float, label: str) -> None:
    ax.axvspan(first - 0.5, end - 0.5, color=HIGHLIGHT, alpha=0.22, linewidth=0, zorder=0)
    if label:
        ax.annotate(
            label,
            ((first + end - 1) / 2, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=9,
            color="#3b4565",
            annotation_clip=False,
        )
