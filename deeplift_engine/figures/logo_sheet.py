"""A figure that shows one page of logos after the other.

Axes, their ticks and their text are most of the time of a picture. A sheet has none: it is a few
collections in inches, of all letters, lines, boxes and words, and a page puts others in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.figures.glyphs import letter_paths
from deeplift_engine.figures.lettering import Words, width_of, words_path
from deeplift_engine.figures.logo import COLOURS, HIGHLIGHT, OTHER_COLOUR
from deeplift_engine.figures.logo_page import Box, HeatTrack, LogoPage, LogoTrack, lanes
from deeplift_engine.util.optional import optional
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, BOX = "#20242c", "#5b6b95"
WIDTH, LEFT, RIGHT = 12.0, 0.95, 0.75
"""Inches of a sheet, and beside its tracks."""
ACROSS = WIDTH - LEFT - RIGHT
TRACK, GAP, TOP, BOTTOM, LANE = 1.15, 0.16, 0.36, 0.5, 0.19
"""Inches of a track, between two, above and below all, of a lane of boxes."""
TICK, TICKS_ACROSS, TICKS_UP = 0.04, 8, 4
SMALL, MEDIUM, LARGE = 7.5, 8.5, 10.0
"""Points of names of boxes and letters, of other words, of the title."""
_TIP = 0.05
"""Inches that a box's arrow takes."""
_SCALE_WIDTH, _SCALE_STEPS = 0.09, 32
"""Of the scale beside a heat map."""


@dataclass
class Marks:
    """What a page puts on a sheet, in inches.

    Attributes
    ----------
    letters, letter_colours
        A path of all occurrences of a letter in a track, and its colour.
    areas, area_colours
        Corners (n, 2) of what is filled: shades, boxes, cells of heat maps.
    lines
        Ends (2, 2).
    dots
        Their places.
    words
        All text but the title.
    """

    letters: list[Any] = field(default_factory=list)
    letter_colours: list[str] = field(default_factory=list)
    areas: list[Array] = field(default_factory=list)
    area_colours: list[Any] = field(default_factory=list)
    lines: list[Any] = field(default_factory=list)
    dots: list[Any] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)


@dataclass(frozen=True)
class Frame:
    """Where a track lies.

    Attributes
    ----------
    bottom
        Inches from the sheet's lower edge; it is `TRACK` high.
    low, high
        The values there.
    positions
        L.
    """

    bottom: float
    low: float
    high: float
    positions: int

    def x(self, position: Any) -> Any:
        """Inches of positions counted from 0, whose middles are whole numbers."""
        return LEFT + (position + 0.5) * (ACROSS / self.positions)

    def y(self, value: Any) -> Any:
        """Inches of values."""
        return self.bottom + (value - self.low) * (TRACK / (self.high - self.low))


class LogoSheet:
    """A figure for any number of pages, one at a time."""

    def __init__(self) -> None:
        collections = optional("matplotlib.collections", "matplotlib", "plot")
        self.figure: Figure = optional("matplotlib.figure", "matplotlib", "plot").Figure()
        inches = self.figure.dpi_scale_trans

        def added(kind: str, *arguments: Any, **options: Any) -> Any:
            artist = getattr(collections, kind)(*arguments, transform=inches, **options)
            return self.figure.add_artist(artist)

        self._areas = added("PolyCollection", [], linewidths=0, antialiased=False, zorder=1)
        self._letters = added("PathCollection", [], linewidths=0, zorder=2)
        self._lines = added("LineCollection", [], colors=INK, linewidths=0.7, zorder=3)
        self._dots = added("PolyCollection", [], facecolors=INK, linewidths=0, zorder=4)
        self._words = added("PathCollection", [], facecolors=INK, linewidths=0, zorder=5)
        self._title = self.figure.text(
            LEFT, 0, "", transform=inches, va="top", fontsize=LARGE, weight="bold", color=INK
        )

    def show(self, page: LogoPage) -> Figure:
        """Show a page in place of the last one."""
        boxes = page.shown
        chosen = lanes(boxes, _label_width(page))
        above = TOP + LANE * (max(chosen, default=-1) + 1)
        height = above + len(page.tracks) * (TRACK + GAP) - GAP + BOTTOM
        self.figure.set_size_inches(WIDTH, height)
        self._title.set_text(page.title)
        self._title.set_y(height - 0.08)
        marks, length = Marks(), page.end - page.start
        for number, track in enumerate(page.tracks):
            bottom = height - above - number * (TRACK + GAP) - TRACK
            if isinstance(track, LogoTrack):
                frame = Frame(bottom, *page.limits(track), length)
                _shade(marks, frame, page, boxes)
                _draw_letters(marks, frame, page, track)
            else:
                frame = Frame(bottom, len(page.alphabet) - 0.5, -0.5, length)
                _draw_cells(marks, frame, page, track)
            _draw_label(marks, frame, track.label)
        _draw_positions(marks, Frame(BOTTOM, 0, 1, length), page)
        _draw_boxes(marks, page, boxes, chosen, height - TOP)
        return self._take(marks)

    def _take(self, marks: Marks) -> Figure:
        self._areas.set_verts(marks.areas)
        self._areas.set_facecolors(marks.area_colours)
        self._letters.set_paths(marks.letters)
        self._letters.set_facecolors(marks.letter_colours)
        self._lines.set_segments(marks.lines)
        self._dots.set_verts(marks.dots)
        self._words.set_paths([words_path(marks.words)])
        return self.figure


def draw_logos(page: LogoPage) -> Figure:
    """Draw a page of logos as a figure of its own.

    Raises
    ------
    DeepliftEngineError
        If matplotlib is not installed.
    """
    return LogoSheet().show(page)


def _label_width(page: LogoPage) -> Callable[[str], float]:
    """Tells how many positions the name of a box takes, with a space on either side."""
    length = page.end - page.start

    def positions(name: str) -> float:
        return width_of(f" {name} ", SMALL) * length / ACROSS

    return positions


def _shade(marks: Marks, frame: Frame, page: LogoPage, boxes: Sequence[Box]) -> None:
    for box in boxes:
        left, right = frame.x(box.start - page.start - 0.5), frame.x(box.end - page.start - 0.5)
        marks.areas.append(_rectangle(left, right, frame.bottom, frame.bottom + TRACK))
        marks.area_colours.append(_rgba(HIGHLIGHT, 0.22))


def _draw_letters(marks: Marks, frame: Frame, page: LogoPage, track: LogoTrack) -> None:
    for letter, path in letter_paths(np.asarray(track.scores, float), page.alphabet).items():
        across, up = np.asarray(path.vertices).T
        path.vertices = np.stack([frame.x(across), frame.y(up)], axis=1)
        marks.letters.append(path)
        marks.letter_colours.append(COLOURS.get(letter, OTHER_COLOUR))
    marks.lines.append([(LEFT, frame.y(0)), (LEFT + ACROSS, frame.y(0))])
    marks.lines.append([(LEFT, frame.bottom), (LEFT, frame.bottom + TRACK)])
    for value in _ticks(frame.low, frame.high, TICKS_UP):
        up = float(frame.y(value))
        marks.lines.append([(LEFT - TICK, up), (LEFT, up)])
        marks.words.append(Words(f"{value:.6g}", LEFT - 1.6 * TICK, up, SMALL, "right"))


def _draw_cells(marks: Marks, frame: Frame, page: LogoPage, track: HeatTrack) -> None:
    colour = optional("matplotlib", "matplotlib", "plot").colormaps["RdBu_r"]
    most = float(np.abs(track.values).max(initial=0)) or 1.0
    for (position, letter), value in np.ndenumerate(track.values):
        left, right = frame.x(position - 0.5), frame.x(position + 0.5)
        marks.areas.append(_rectangle(left, right, frame.y(letter + 0.5), frame.y(letter - 0.5)))
        marks.area_colours.append(colour(0.5 + 0.5 * value / most))
    for position, letter in np.argwhere(track.present == 1):
        marks.dots.append(_dot(frame.x(position), frame.y(letter)))
    for number, letter in enumerate(page.alphabet):
        marks.words.append(Words(letter, LEFT - 2 * TICK, frame.y(number), SMALL, "right"))
    _draw_scale(marks, frame, colour, most)


def _draw_scale(marks: Marks, frame: Frame, colour: Callable[[float], Any], most: float) -> None:
    left = LEFT + ACROSS + _SCALE_WIDTH
    edges = np.linspace(0, 1, _SCALE_STEPS + 1).tolist()
    for low, high in pairwise(edges):
        ends = frame.bottom + low * TRACK, frame.bottom + high * TRACK
        marks.areas.append(_rectangle(left, left + _SCALE_WIDTH, *ends))
        marks.area_colours.append(colour((low + high) / 2))
    for share, value in ((0.03, -most), (0.5, 0.0), (0.97, most)):
        up = frame.bottom + share * TRACK
        marks.words.append(Words(f"{value:.2g}", left + 1.4 * _SCALE_WIDTH, up, SMALL))


def _draw_label(marks: Marks, frame: Frame, label: str) -> None:
    lines = label.split("\n")
    for number, line in enumerate(lines):
        left = 0.3 + 0.15 * (number - (len(lines) - 1) / 2)
        size = min(MEDIUM, MEDIUM * (TRACK + GAP) / (width_of(line, MEDIUM) or 1))
        marks.words.append(
            Words(line, left, frame.bottom + TRACK / 2, size, "middle", upright=True)
        )


def _draw_positions(marks: Marks, frame: Frame, page: LogoPage) -> None:
    """The ticks of coordinates below the last track."""
    low = frame.bottom - TICK
    marks.lines.append([(LEFT, low), (LEFT + ACROSS, low)])
    for value in _ticks(page.start, page.end - 1, TICKS_ACROSS, integer=True):
        across = float(frame.x(value - page.start))
        marks.lines.append([(across, low), (across, low - TICK)])
        marks.words.append(Words(f"{value:,.0f}", across, low - 0.12, SMALL, "middle"))
    marks.words.append(Words(page.axis, LEFT + ACROSS / 2, 0.14, MEDIUM, "middle"))


def _draw_boxes(
    marks: Marks, page: LogoPage, boxes: Sequence[Box], chosen: Sequence[int], top: float
) -> None:
    frame = Frame(0, 0, 1, page.end - page.start)
    for box, lane in zip(boxes, chosen, strict=True):
        left, right = (float(frame.x(end - page.start - 0.5)) for end in (box.start, box.end))
        middle = top - (lane + 0.5) * LANE
        marks.areas.append(_outline(left, right, middle, box.strand))
        marks.area_colours.append(_rgba(BOX, 1))
        behind = right + width_of(" ", SMALL)
        if behind + width_of(box.name, SMALL) > WIDTH:
            marks.words.append(Words(box.name, left - width_of(" ", SMALL), middle, SMALL, "right"))
        else:
            marks.words.append(Words(box.name, behind, middle, SMALL))


def _outline(left: float, right: float, middle: float, strand: str) -> Array:
    """Corners (6, 2) of a box that points along its strand."""
    tip = min(_TIP, (right - left) / 2)
    first, last = left + tip * (strand == "-"), right - tip * (strand == "+")
    top, bottom = middle + 0.3 * LANE, middle - 0.3 * LANE
    upper, lower = [(first, top), (last, top)], [(last, bottom), (first, bottom)]
    return np.array([*upper, (right, middle), *lower, (left, middle)])


def _rectangle(left: float, right: float, bottom: float, top: float) -> Array:
    return np.array([(left, bottom), (right, bottom), (right, top), (left, top)])


def _dot(x: float, y: float, radius: float = 0.014) -> Array:
    angles = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)


def _ticks(low: float, high: float, most: int, *, integer: bool = False) -> Iterator[float]:
    locator = optional("matplotlib.ticker", "matplotlib", "plot").MaxNLocator
    values = locator(most, integer=integer).tick_values(low, high)
    return (float(value) + 0.0 for value in values if low <= value <= high)


def _rgba(colour: str, alpha: float) -> tuple[float, float, float, float]:
    rgba: tuple[float, float, float, float]
    rgba = optional("matplotlib.colors", "matplotlib", "plot").to_rgba(colour, alpha)
    return rgba


__all__ = ["LogoSheet", "draw_logos"]
