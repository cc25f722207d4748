"""Lines of text on coloured ground: words as dark as their scores are large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deeplift_engine.util.optional import optional

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, MARGIN = 9.0, 0.35
"""Of the figure and of its free edge, in inches."""
SIZE, LINE = 11, 1.75
"""Of letters, in points, and the distance of lines, in sizes of letters."""
TAB = 4
POINTS, RESOLUTION = 72, 130
"""In an inch: points, and pixels of a picture."""
LOW, NONE, HIGH = (95, 155, 235), (255, 255, 255), (240, 140, 40)
"""Red, green and blue of the lowest, no and the highest score: black letters can be read on all,
and who is colour-blind tells blue from orange."""


class ColouredWord(NamedTuple):
    """Characters with a score; None where they have none. A line feed begins a new line."""

    text: str
    score: float | None


@dataclass(frozen=True)
class ColouredText:
    """A text to be drawn: what stands above it, and its words."""

    headline: str
    words: Sequence[ColouredWord]


class _Placed(NamedTuple):
    """Characters at their left end and line."""

    text: str
    score: float | None
    left: float
    width: float
    line: int


def draw_texts(texts: Sequence[ColouredText], *, scale: float, label: str = "score") -> Figure:
    """Draw texts below each other, with a colour bar.

    Parameters
    ----------
    texts
        The texts; characters are drawn as they are, dollar signs too.
    scale
        The score of the full colour; the bar goes from minus to plus this.
    label
        What the bar is of, with its unit.

    Raises
    ------
    DeepliftEngineError
        If matplotlib is not installed.
    """
    optional("matplotlib", "matplotlib", "plot")
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.figure import Figure

    grounds = np.array([LOW, NONE, HIGH]) / 255
    colours = LinearSegmentedColormap.from_list("scores", grounds.tolist())
    norm = Normalize(-scale, scale)
    placed: list[_Placed] = []
    heads: list[tuple[int, str]] = []
    line = 0
    for text in texts:
        heads.append((line, text.headline))
        own = list(_lines(text.words, (WIDTH - 2 * MARGIN) * POINTS, line + 1))
        placed += own
        line = max([line + 1, *(each.line for each in own)]) + 2
    inches = LINE * SIZE / POINTS
    height = 2 * MARGIN + line * inches + 0.8
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH * POINTS)
    axes.set_ylim(height * POINTS, 0)
    axes.axis("off")

    def write(left: float, number: int, text: str, **style: Any) -> None:
        y = MARGIN * POINTS + (number + 0.7) * SIZE * LINE
        axes.text(
            MARGIN * POINTS + left, y, text, fontsize=SIZE, va="baseline", parse_math=False, **style
        )

    for number, headline in heads:
        write(0, number, headline, weight="bold")
    for each in placed:
        if each.score is not None:
            top = MARGIN * POINTS + each.line * SIZE * LINE
            corner = (MARGIN * POINTS + each.left, top)
            patch = _rectangle(corner, each.width, SIZE * LINE * 0.92)
            patch.set_facecolor(colours(norm(each.score)))
            axes.add_patch(patch)
        write(each.left, each.line, each.text)
    bar = figure.add_axes((MARGIN / WIDTH, 0.6 / height, 0.35, 0.13 / height))
    from matplotlib.cm import ScalarMappable

    ticks = np.linspace(-scale, scale, 5)
    figure.colorbar(ScalarMappable(norm, colours), cax=bar, orientation="horizontal", label=label,
                    ticks=ticks.tolist(), format="{x:.2g}")  # fmt: skip
    return figure


def _rectangle(corner: tuple[float, float], width: float, height: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, width, height, linewidth=0)


def _lines(words: Sequence[ColouredWord], room: float, line: int) -> Iterator[_Placed]:
    """Words from left to right, in a new line where the room ends, or a word says so."""
    left = 0.0
    for word in words:
        for number, text in enumerate(word.text.expandtabs(TAB).split("\n")):
            if number:
                left, line = 0.0, line + 1
            for piece in _cut(text, room):
                width = _width(piece)
                if left + width > room and left:
                    left, line = 0.0, line + 1
                    piece = piece.lstrip(" ")
                    width = _width(piece)
                if piece:
                    yield _Placed(piece, word.score, left, width, line)
                    left += width


def _cut(text: str, room: float) -> Iterator[str]:
    """A text at its blanks, and what is wider than the room into pieces that are not."""
    start = 0
    for end in [*(i for i in range(1, len(text)) if text[i] == " " != text[i - 1]), len(text)]:
        piece = text[start:end]
        letters = max(1, int(len(piece) * room / max(_width(piece), 1e-9)))
        yield from (piece[i : i + letters] for i in range(0, len(piece), letters))
        start = end


def _width(text: str) -> float:
    """The width of a text in points."""
    renderer, font = _ruler()
    width, _, _ = renderer.get_text_width_height_descent(text, font, False)
    return float(width) * POINTS / RESOLUTION


@cache
def _ruler() -> tuple[Any, Any]:
    """What measures letters as they are drawn, and their font."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties

    renderer: Any = RendererAgg
    return renderer(1, 1, RESOLUTION), FontProperties(size=SIZE)


__all__ = ["ColouredText", "ColouredWord", "draw_texts"]
