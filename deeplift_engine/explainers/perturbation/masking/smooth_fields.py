"""Smooth random masks: coarse grids of zeros and ones, shifted and interpolated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeplift_engine.util.typing import Array

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Fields:
    """D random masks of an input of shape S.

    Attributes
    ----------
    shape
        S.
    axes
        Those of S along which there are cells; what is along the others stays together.
    grids
        Zeros and ones (D, G_1, G_2, …) at the corners of cells along these axes.
    shifts
        How many elements each mask is shifted by, (D, axes).
    lengths
        How many elements a cell has along each axis.
    smooth
        Whether masks lie between the corners; else each element is the nearest corner's.
    """

    shape: Shape
    axes: Shape
    grids: Array
    shifts: Array
    lengths: Shape
    smooth: bool

    def masks(self, draws: slice) -> Array:
        """Those of a slice, (d, *S)."""
        field = self.grids[draws].astype(np.float32)
        for axis, length in enumerate(self.lengths):
            elements = np.arange(self.shape[self.axes[axis]])
            position = (elements + self.shifts[draws, axis, np.newaxis]) / length
            sizes = [len(field), *[1] * axis, -1, *[1] * (len(self.lengths) - axis - 1)]
            corner = position.astype(int).reshape(sizes)
            share = position.reshape(sizes).astype(np.float32) - corner.astype(np.float32)
            share = share if self.smooth else np.rint(share)
            below, above = (np.take_along_axis(field, corner + n, axis + 1) for n in (0, 1))
            field = (1 - share) * below + share * above
        beside = [axis + 1 for axis in range(len(self.shape)) if axis not in self.axes]
        masks = np.expand_dims(field, tuple(beside))
        return np.broadcast_to(masks, (len(field), *self.shape))


def fields(
    shape: Shape,
    axes: Shape,
    draws: int,
    cells: int,
    keep: float,
    generator: np.random.Generator,
    smooth: bool,
) -> Fields:
    """Draw masks that are 1 with a chance of ``keep`` at the corners of ``cells`` cells an axis.

    Elements along other axes than ``axes`` stay together.
    """
    sizes = [shape[axis] for axis in axes]
    counts = [min(cells, size) for size in sizes]
    lengths = tuple(-(-size // count) for size, count in zip(sizes, counts, strict=True))
    grids = generator.random((draws, *(count + 2 for count in counts))) < keep
    shifts = generator.integers(np.array(lengths, int), size=(draws, len(lengths)))
    return Fields(shape, axes, grids, shifts, lengths, smooth)
