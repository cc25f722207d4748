"""Words as outlines: all text of a picture in one path, of characters that are made once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.path import Path

_SIZE = 100.0
"""Points in which characters are made."""
_POINTS = 72
_FAMILY = "DejaVu Sans"
_HALF_HEIGHT = 0.36
"""Of a capital letter, as a share of the size."""


@dataclass(frozen=True)
class Words:
    """A line of text.

    Attributes
    ----------
    text
        The characters.
    x, y
        Inches of the anchor; the line's middle stands at ``y``.
    size
        Points.
    anchor
        Which end, or the middle, stands at ``x``.
    upright
        Whether it is turned to run upwards; ``anchor`` is then along ``y``.
    """

    text: str
    x: float
    y: float
    size: float
    anchor: Literal["left", "middle", "right"] = "left"
    upright: bool = False


def words_path(words: Iterable[Words]) -> Path:
    """All lines as one path, in inches."""
    from matplotlib.path import Path

    vertices, codes = [np.zeros((0, 2))], [np.zeros(0, np.uint8)]
    for each in words:
        scale = each.size / _SIZE / _POINTS
        along = (
            -width_of(each.text, each.size) * {"left": 0, "middle": 0.5, "right": 1}[each.anchor]
        )
        for character in each.text:
            outline, kinds, advance = _character(character)
            moved = outline * scale + [along, -_HALF_HEIGHT * each.size / _POINTS]
            if each.upright:
                moved = np.stack([-moved[:, 1], moved[:, 0]], axis=1)
            vertices.append(moved + np.array([each.x, each.y]))
            codes.append(kinds)
            along += advance * scale
    return Path(np.concatenate(vertices), np.concatenate(codes))


def width_of(text: str, size: float) -> float:
    """Inches that a line of text takes."""
    return sum(_character(character)[2] for character in text) * size / _SIZE / _POINTS


@lru_cache(maxsize=4096)
def _character(character: str) -> tuple[Array, Array, float]:
    """Vertices and codes of a character's outline, and how far the next one stands from it."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(family=_FAMILY)

    def path(text: str) -> Path:
        return TextPath((0, 0), text, size=_SIZE, prop=font)

    advance = float(path(f"|{character}|").get_extents().x1 - path("||").get_extents().x1)
    if character.isspace():  # of which matplotlib makes no path
        return np.zeros((0, 2)), np.zeros(0, np.uint8), advance
    shape = path(character)
    return np.asarray(shape.vertices, float), np.asarray(shape.codes, np.uint8), advance


__all__ = ["Words", "width_of", "words_path"]
