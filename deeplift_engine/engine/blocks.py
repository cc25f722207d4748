"""Blocks of samples, and of several points of each, that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.engine.request import Request
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Block:
    """Samples ``rows`` of a run, and draws (references, steps, windows) ``columns`` of each."""

    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int]:
        """How many samples, and how many draws of each."""
        return (self.rows.stop - self.rows.start, self.columns.stop - self.columns.start)


def blocks(request: Request, draws: int, pairs: int, unit: str = " points") -> Iterator[Block]:
    """Walk over all samples, ``draws`` points of each, ``pairs`` points at a time, with a bar."""
    most = request.batch_size or pairs
    columns = min(draws, most)
    rows = max(1, most // columns)
    with bar(request.samples * draws, request.progress, unit) as tick:
        for row in range(0, request.samples, rows):
            last = min(row + rows, request.samples)
            for column in range(0, draws, columns):
                block = Block(slice(row, last), slice(column, min(column + columns, draws)))
                yield block
                tick(block.shape[0] * block.shape[1])


def put(
    arrays: dict[Any, Array],
    key: Any,
    totals: tuple[int, ...],
    where: tuple[slice, ...],
    values: Array,
) -> None:
    """Write a block into the array called ``key``, made when its first block is there.

    ``totals`` are the sizes of its leading axes, of which the block is at ``where``.
    """
    if key not in arrays:
        arrays[key] = np.zeros((*totals, *values.shape[len(totals) :]), values.dtype)
    arrays[key][where] = values
