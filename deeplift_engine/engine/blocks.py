"""Blocks that fit into memory: every loop over samples, draws or targets goes through here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from deeplift_engine.engine.request import Request
from deeplift_engine.graph.inputs import block_starts
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array

EVERY = slice(None)


@dataclass(frozen=True)
class Block:
    """Samples ``rows`` of a run, draws (references, steps, windows) ``columns``, some targets."""

    rows: slice
    columns: slice = field(default_factory=lambda: EVERY)
    targets: slice = field(default_factory=lambda: EVERY)

    @property
    def shape(self) -> tuple[int, int]:
        """How many samples, and how many draws of each."""
        return (self.rows.stop - self.rows.start, self.columns.stop - self.columns.start)


def slices(count: int, most: int) -> Iterator[slice]:
    """Slices of ``count``, each of ``most`` but for the last."""
    for start in range(0, count, most):
        yield slice(start, min(start + most, count))


def even_size(count: int, most: int) -> int:
    """The least size of which as few slices hold ``count`` as of ``most``."""
    return -(-count // -(-count // most))


def even_slices(count: int, most: int) -> Iterator[slice]:
    """Slices of ``count``, at most ``most`` long and of nearly one length."""
    pieces = -(-count // most)
    edges = [count * piece // max(1, pieces) for piece in range(pieces + 1)]
    for start, stop in pairwise(edges):
        yield slice(start, stop)


def exact_slices(count: int, most: int) -> Iterator[slice]:
    """Slices of ``count`` of few lengths: as many of ``most`` as there are, then powers of two."""
    start = 0
    while start < count:
        left = count - start
        stop = start + (most if left >= most else 1 << (left.bit_length() - 1))
        yield slice(start, stop)
        start = stop


def padded_slices(count: int, most: int) -> Iterator[tuple[slice, int]]:
    """Slices of ``count``, and the size that each is filled up to; few sizes in all."""
    for start, size in block_starts(count, most):
        yield slice(start, min(start + size, count)), size


def blocks(request: Request, draws: int, pairs: int, unit: str = " points") -> Iterator[Block]:
    """Walk over all samples, ``draws`` points of each, ``pairs`` points at a time, with a bar."""
    columns = even_size(draws, pairs)
    with bar(request.samples * draws, request.progress, unit) as tick:
        for rows in exact_slices(request.samples, max(1, pairs // columns)):
            for drawn in slices(draws, columns):
                block = Block(rows, drawn)
                yield block
                tick(block.shape[0] * block.shape[1])


def put(
    arrays: dict[Any, Array],
    key: Any,
    totals: tuple[int, ...],
    where: tuple[slice, ...],
    values: Array,
) -> None:
    """Write a block into the array called ``key``, which its first block creates.

    ``totals`` are the sizes of its leading axes, of which the block is at ``where``.
    """
    if key not in arrays:
        arrays[key] = np.zeros((*totals, *values.shape[len(totals) :]), values.dtype)
    arrays[key][where] = values
