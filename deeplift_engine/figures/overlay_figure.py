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
Stops = tuple[tuple[float, str], ...]
CONVENTIONS: Mapping[str, str | Stops] = {
    "seismic": "seismic",
    "bwr": "bwr",
    "jet": "jet",
    "coldnhot": (
        *((0, "cyan"), (1 / 4, "blue"), (1 / 2, "black")),
        *((2 / 3, "red"), (5 / 6, "yellow"), (1, "white")),
    ),
}
"""Colours of other packages, from the largest size below 0 to the same above 0."""
STYLES = {"heat": 99.5, "blend": 99.5, "alpha": 99.5, "mask": 90.0}
"""How scores and picture lie together, and the percentile of each where none is named."""
COLOURS = ("default", *CONVENTIONS)
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
        pixels are below it. None is 99.5, of masks 90, of other packages' colours 100.
    colours
        Of heat maps, and of those that are blended: ``"default"``, red and blue for both signs; or
        those of another package, symmetric about 0 and up to the largest size: ``"seismic"`` of
        iNNvestigate, ``"bwr"`` and ``"coldnhot"``, which is black at 0, of zennit, and ``"jet"``
        of the LRP toolbox.

    Raises
    ------
    InputError
        For other values.
    """

    style: str = "blend"
    sign: str = "both"
    percentile: float | None = None
    colours: str = "default"

    def __post_init__(self) -> None:
        if self.style not in STYLES or self.sign not in SIGNS:
            raise InputError(
                f"style={self.style!r}, sign={self.sign!r}: choose a style of {', '.join(STYLES)} "
                f"and a sign of {', '.join(SIGNS)}."
            )
        if self.colours not in COLOURS:
            raise InputError(f"colours={self.colours!r}: choose one of {', '.join(COLOURS)}.")
        if self.percentile is not None and not 0 < self.percentile <= 100:
            raise InputError(f"percentile={self.percentile!r}: give a number above 0, up to 100.")

    @property
    def share(self) -> float:
        """The percentile."""
        if self.percentile is not None:
            return self.percentile
        heat = self.style in ("heat", "blend")
        return 100.0 if heat and self.colours in CONVENTIONS else STYLES[self.style]

    def scale(self, level: float) -> tuple[Any, float, float]:
        """The colour map of a heat map, and the scores at its two ends."""
        if self.colours in CONVENTIONS:
            return _colour_map(CONVENTIONS[self.colours], self.colours), -level, level
        lowest = 0.0 if self.sign in ("positive", "absolute") else -level
        highest = 0.0 if self.sign == "negative" else level
        colours = DIVERGING if self.sign == "both" else ONE_SIGN
        return f"{colours}_r" if self.sign == "negative" else colours, lowest, highest

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
    if segments is not None and np.shape(segments) not in (shown.shape[:3], shown.shape[1:3]):
        raise InputError(
            f"segments of shape {np.shape(segments)}: expected labels of shape {shown.shape[1:3]}, "
            f"or {shown.shape[:3]} of each picture."
        )
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
    colours, lowest, highest = style.scale(level)
    image = panel.imshow(
        selected, vmin=lowest, vmax=highest, cmap=colours, alpha=OPACITY if blended else 1.0
    )
    ends = {(False, True): "max", (True, False): "min", (True, True): "both"}
    extend = ends.get((bool(selected.min() < lowest), bool(selected.max() > highest)), "neither")
    _bar(panel, image, unit, extend)


def _colour_map(colours: str | Stops, name: str) -> Any:
    """A colour map of matplotlib, or one through colours at positions from 0 to 1."""
    if isinstance(colours, str):
        return colours
    maps: Any = optional("matplotlib.colors", "matplotlib", "plot")
    return maps.LinearSegmentedColormap.from_list(name, colours)


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


__all__ = ["COLOURS", "SIGNS", "STYLES", "OverlayStyle", "draw_overlays"]
