"""What masks leave of the crops that tiles read, each pattern of a tile once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_engine.layers.spans import Box
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Patterns:
    """P patterns of D masks in the crops of tiles.

    Attributes
    ----------
    tiles
        Of each pattern the number of its tile along each axis, (P, A).
    masks
        A mask that holds each, (P,).
    numbers
        The pattern of each mask in each tile, (D, tiles).
    """

    tiles: Array
    masks: Array
    numbers: Array


def patterns_of(masks: Array, box: Box, tiles: Array) -> Patterns:
    """The patterns of masks (D, *S) in the crops of ``tiles`` (tiles, A)."""
    firsts, numbers, count = [], [], 0
    for tile in tiles:
        crop = masks
        for span, positions in zip(box, positions_of(box, tile[np.newaxis]), strict=True):
            crop = crop.take(positions[0], axis=span.axis + 1)
        first, number = distinct(crop.reshape(len(masks), -1))
        firsts.append(first)
        numbers.append(number + count)
        count += len(first)
    lengths = [len(first) for first in firsts]
    return Patterns(
        np.repeat(tiles, lengths, axis=0), np.concatenate(firsts), np.stack(numbers, axis=1)
    )


def every_tile(counts: Sequence[int]) -> Array:
    """Numbers of all tiles along each axis, (tiles, A)."""
    return np.array(list(itertools.product(*map(range, counts))), int)


def positions_of(box: Box, tiles: Array) -> list[Array]:
    """Positions (P, width) along each axis that P tiles read, those at the ends beyond them."""
    positions = []
    for number, span in enumerate(box):
        first = tiles[:, number, np.newaxis] * span.step + span.start
        positions.append(np.clip(first + np.arange(span.width), 0, span.length - 1))
    return positions


def crop_index(box: Box, tiles: Array) -> list[Array]:
    """An index of the axes of a box, with which a sample (*S) gives crops (P, *box) of P tiles."""
    rank = len(box)
    return [
        positions.reshape(len(positions), *(-1 if own == axis else 1 for own in range(rank)))
        for axis, positions in enumerate(positions_of(box, tiles))
    ]


def distinct(rows: Array) -> tuple[Array, Array]:
    """The first of each of the rows (D, F) that are equal, (P,), and the number of each in these.

    Bytes are compared.
    """
    packed = np.packbits(rows, axis=1) if rows.dtype == bool else np.ascontiguousarray(rows)
    keys = packed.view(np.dtype((np.void, packed.itemsize * packed.shape[1]))).reshape(-1)
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    return first, number.reshape(-1)
