"""Scores of pixels over their pictures, several methods side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.optional import optional
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, EDGE = "#20242c", "#6b7484", "#f2e205"
DIVERGING, ONE_SIGN = "RdBu_r", "viridis"
STYLES = {"heat": 99.5, "blend": 99.5, "alpha": 99.5, "mask": 90.0}
"""How scores and picture lie together, and the percentile of each where none is named."""
SIGNS = ("both", "positive", "negative", "absolute")
OPACITY = 0.62
"""Of the heat map that is blended."""
DIMMED = 0.15
"""What is left of a picture's contrast where it is masked."""
PANEL = 2.6
"""Inches of a panel."""


@dataclass(frozen=True)
class OverlayStyle:
    """How scores lie over a picture.

    Attributes
    ----------
    style
        ``"heat"``, the scores alone; ``"blend"``, over the picture in grey; ``"alpha"``, the
        picture, opaque where scores are large; ``"mask"``, the pixels of the largest scores.
    sign
        Which scores are shown: ``"both"``, on colours symmetric about 0; ``"positive"`` or
        ``"negative"`` alone; ``"absolute"`` values.
    percentile
        Of the sizes of the scores that are shown: where colours, or opacity, end; of a mask, which
        pixels are below it. None is 99.5, of masks 90.

    Raises
    ------
    InputError
        For other values.
    """

    style: str = "blend"
    sign: str = "both"
    percentile: float | None = None

    def __post_init__(self) -> None:
        if self.style not in STYLES or self.sign not in SIGNS:
            raise InputError(
                f"style={self.style!r}, sign={self.sign!r}: choose a style of {', '.join(STYLES)} "
                f"and a sign of {', '.join(SIGNS)}."
            )
        if self.percentile is not None and not 0 < self.percentile <= 100:
            raise InputError(f"percentile={self.percentile!r}: give a number above 0, up to 100.")

    @property
    def share(self) -> float:
        """The percentile."""
        return STYLES[self.style] if self.percentile is None else self.percentile

    def selected(self, scores: Array) -> Array:
        """The scores that are shown; others are 0."""
        if self.sign == "absolute":
            return np.abs(scores)
        low = 0 if self.sign == "positive" else None
        high = 0 if self.sign == "negative" else None
        return scores if low is high is None else np.clip(scores, low, high)

    def level(self, selected: Array) -> float:
        """Where colours end; 1 where all scores are 0."""
        return float(np.percentile(np.abs(selected), self.share)) or float(
            np.abs(selected).max(initial=0) or 1.0
        )

    @property
    def in_words(self) -> str:
        """What is shown of the scores."""
        which = {"both": "both signs", "absolute": "absolute values"}.get(
            self.sign, f"{self.sign} scores alone"
        )
        if self.style == "mask":
            return f"{which}; pixels from the {self.share:g}th percentile of sizes on are shown"
        what = "opacity ends" if self.style == "alpha" else "colours end"
        return f"{which}; {what} at the {self.share:g}th percentile of sizes"


def draw_overlays(
    pictures: Array,
    maps: Mapping[str, Array],
    *,
    names: Sequence[str] = (),
    style: OverlayStyle | None = None,
    unit: str | Mapping[str, str] = "score",
    segments: Array | None = None,
) -> Figure:
    """Draw a row for each picture: the picture, and its scores by each method.

    Parameters
    ----------
    pictures
        (N, H, W), (N, H, W, 1) or (N, H, W, 3), 0 to 1.
    maps
        Scores (N, H, W) by the names of methods.
    names
        Of the pictures.
    style
        See `OverlayStyle`.
    unit
        What a score is, with its unit, beside the colour bars; of each method, where they differ.
    segments
        Labels (N, H, W) or (H, W), whose borders are drawn.

    Raises
    ------
    InputError
        If shapes do not fit, or values are not finite or not within 0 to 1.
    DeepliftEngineError
        If matplotlib is not installed.
    """
    style = style or OverlayStyle()
    shown = _checked_pictures(pictures)
    _check_maps(maps, shown.shape[:3])
    rows, height, width = shown.shape[:3]
    tall = PANEL * float(np.clip(height / width, 0.3, 3.0))
    figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure(
        figsize=(PANEL + (PANEL + 0.9) * len(maps) + 0.4, rows * (tall + 0.3) + 0.9),
        layout="constrained",
    )
    grid: Any = figure.subplots(rows, 1 + len(maps), squeeze=False)
    for row, panels in enumerate(grid):
        panels[0].imshow(shown[row], vmin=0, vmax=1)
        _name_axes(panels[0], last=row == rows - 1)
        panels[0].set_title(names[row] if names else "picture", fontsize=9, color=INK, loc="left")
        for panel, (method, scores) in zip(panels[1:], maps.items(), strict=True):
            own = unit if isinstance(unit, str) else unit[method]
            _draw_map(panel, shown[row], np.asarray(scores[row], float), style, own)
            _bare(panel)
            if row == 0:
                panel.set_title(method, fontsize=10, weight="bold", color=INK, loc="left")
        if segments is not None:
            labels = np.broadcast_to(segments, shown.shape[:3])[row]
            for panel in panels:
                _draw_borders(panel, labels)
    figure.supxlabel(style.in_words, fontsize=8, color=SOFT, x=0.99, ha="right")
    return figure


def _checked_pictures(pictures: Array) -> Array:
    """Pictures as (N, H, W, 3)."""
    array = np.asarray(pictures, float)
    array = array[..., np.newaxis] if array.ndim == 3 else array
    if array.ndim != 4 or array.shape[3] not in (1, 3) or not len(array):
        raise InputError(
            f"pictures of shape {np.shape(pictures)}: expected (N, height, width), with 1 or 3 "
            "channels behind."
        )
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
        raise InputError(
            f"pictures have values of {array.min():g} to {array.max():g}: expected 0 to 1; undo "
            "the preprocessing, and divide by 255."
        )
    return np.broadcast_to(array, (*array.shape[:3], 3))


def _check_maps(maps: Mapping[str, Array], shape: tuple[int, ...]) -> None:
    for name, scores in maps.items():
        if np.shape(scores) != shape or not np.isfinite(scores).all():
            raise InputError(
                f"scores of {name!r} have shape {np.shape(scores)}: expected {shape}, all finite."
            )
    if not maps:
        raise InputError("no scores to draw: give those of one method or more.")


def _draw_map(panel: Axes, picture: Array, scores: Array, style: OverlayStyle, unit: str) -> None:
    selected = style.selected(scores)
    level = style.level(selected)
    if style.style == "mask":
        threshold = np.percentile(np.abs(selected), style.share)
        kept = (np.abs(selected) >= threshold) & (selected != 0)
        panel.imshow(np.where(kept[..., np.newaxis], picture, 1 - DIMMED * (1 - picture)))
        return
    if style.style == "alpha":
        opacity = np.clip(np.abs(selected) / level, 0, 1)
        panel.imshow(1 - opacity[..., np.newaxis] * (1 - picture))
        scale = _scale("Greys", 0.0, level)
        _bar(panel, scale, f"opacity: size of {unit}", extend="max")
        return
    blended = style.style == "blend"
    if blended:
        panel.imshow(picture.mean(axis=-1), vmin=0, vmax=1, cmap="gray")
    lowest = 0.0 if style.sign in ("positive", "absolute") else -level
    highest = 0.0 if style.sign == "negative" else level
    colours = DIVERGING if style.sign == "both" else ONE_SIGN
    colours = f"{colours}_r" if style.sign == "negative" else colours
    image = panel.imshow(
        selected, vmin=lowest, vmax=highest, cmap=colours, alpha=OPACITY if blended else 1.0
    )
    ends = {(False, True): "max", (True, False): "min", (True, True): "both"}
    extend = ends.get((bool(selected.min() < lowest), bool(selected.max() > highest)), "neither")
    _bar(panel, image, unit, extend)


def _scale(colours: str, lowest: float, highest: float) -> Any:
    cm = optional("matplotlib.cm", "matplotlib", "plot")
    scale = cm.ScalarMappable(cmap=colours)
    scale.set_clim(lowest, highest)
    return scale


def _bar(panel: Axes, scale: Any, label: str, extend: str) -> None:
    bar: Any = panel.figure.colorbar(scale, ax=panel, fraction=0.046, pad=0.03, extend=extend)
    bar.set_label(label.replace(" (", "\n("), fontsize=8, color=INK)  # a panel may be low
    bar.ax.tick_params(labelsize=7, colors=INK)
    bar.formatter.set_powerlimits((-2, 3))
    bar.outline.set_visible(False)


def _draw_borders(panel: Axes, labels: Array) -> None:
    """Lines between pixels of different segments."""
    if np.asarray(labels).dtype.kind not in "iu":
        raise InputError("segments are whole numbers, one for each pixel.")
    down, across = np.nonzero(labels[:, 1:] != labels[:, :-1])
    vertical = [((x + 0.5, y - 0.5), (x + 0.5, y + 0.5)) for y, x in zip(down, across, strict=True)]
    down, across = np.nonzero(labels[1:] != labels[:-1])
    level = [((x - 0.5, y + 0.5), (x + 0.5, y + 0.5)) for y, x in zip(down, across, strict=True)]
    lines = optional("matplotlib.collections", "matplotlib", "plot").LineCollection
    panel.add_collection(lines([*vertical, *level], colors=EDGE, linewidths=0.8), autolim=False)


def _bare(panel: Axes) -> None:
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set_visible(False)


def _name_axes(panel: Axes, *, last: bool) -> None:
    panel.tick_params(labelsize=7, colors=INK)
    panel.spines[:].set_visible(False)
    panel.set_ylabel("row (pixel)", fontsize=8, color=INK)
    if last:
        panel.set_xlabel("column (pixel)", fontsize=8, color=INK)


__all__ = ["SIGNS", "STYLES", "OverlayStyle", "draw_overlays"]
