"""Letters as outlines that fill a unit square, put where a logo has them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.path import Path

SIDE_GAP = 0.04
"""Free space on either side of a letter, as a share of a position's width."""


def stack(scores: Array) -> tuple[Array, Array, Array, Array]:
    """The position and height of each letter.

    Returns
    -------
    positions, letters, bottoms, heights
        One entry per letter drawn: row and column of ``scores`` ``(L, A)``, where its foot
        stands, and its height; the height is negative for a letter that hangs head down.
    """
    order = np.argsort(np.abs(scores), axis=1, kind="stable")
    sizes = np.take_along_axis(scores, order, axis=1)
    up, down = np.clip(sizes, 0, None), np.clip(sizes, None, 0)
    tops = np.where(sizes > 0, up.cumsum(axis=1), down.cumsum(axis=1))
    positions, ranks = np.nonzero(sizes)
    heights = sizes[positions, ranks]
    return positions, order[positions, ranks], tops[positions, ranks] - heights, heights


def letter_paths(scores: Array, alphabet: str, start: int = 0) -> dict[str, Path]:
    """All occurrences of each letter as one path, so that a logo is drawn in A strokes.

    Parameters
    ----------
    scores
        ``(L, A)``, a column per letter of ``alphabet``.
    alphabet
        The letters.
    start
        Coordinate of the first position.

    Returns
    -------
    dict
        By letter, of those that occur.
    """
    from matplotlib.path import Path

    positions, letters, bottoms, heights = stack(scores)
    width = 1 - 2 * SIDE_GAP
    paths = {}
    for number, letter in enumerate(alphabet):
        own = letters == number
        count = int(own.sum())
        if not count:
            continue
        vertices, codes = outline(letter)
        corners = np.stack([positions[own] + (start - width / 2), bottoms[own]], axis=1)
        sizes = np.stack([np.full(count, width), heights[own]], axis=1)
        moved = vertices * sizes[:, np.newaxis] + corners[:, np.newaxis]
        paths[letter] = Path(moved.reshape(-1, 2), np.tile(codes, count))
    return paths


@lru_cache(maxsize=256)
def outline(letter: str) -> tuple[Array, Array]:
    """Vertices and path codes of a letter that fills the unit square."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), letter, size=100, prop=FontProperties(family="DejaVu Sans", weight=700))
    vertices = np.asarray(path.vertices, dtype=float)
    drawn = vertices[path.codes != path.CLOSEPOLY] if len(vertices) else np.zeros((1, 2))
    low, high = drawn.min(axis=0), drawn.max(axis=0)
    size = np.where(high > low, high - low, 1)
    unit = np.clip((vertices - low) / size, 0, 1)
    if letter == "I":  # a bar as wide as a letter would look like a block
        unit[:, 0] = 0.5 + (unit[:, 0] - 0.5) * 0.3
    return unit, np.asarray(path.codes)


__all__ = ["letter_paths", "outline", "stack"]
