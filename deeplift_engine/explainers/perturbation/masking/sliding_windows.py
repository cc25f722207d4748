"""Windows that slide over an input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_engine.errors import RuleError
from deeplift_engine.tensors.products import product
from deeplift_engine.util.options import Integer, Several, fits, shown
from deeplift_engine.util.typing import Array

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Windows:
    """All windows over an input of shape S, W_1 x W_2 x … of them along its axes.

    Attributes
    ----------
    covers
        Of each axis whether a window is over an element, (W_a, S_a).
    """

    covers: tuple[Array, ...]

    @property
    def counts(self) -> Shape:
        """How many there are along each axis."""
        return tuple(len(cover) for cover in self.covers)

    @property
    def number(self) -> int:
        """How many there are, W."""
        return math.prod(self.counts)

    @property
    def size(self) -> int:
        """How many elements each is over."""
        return math.prod(int(cover[0].sum()) for cover in self.covers)

    def starts(self, axis: int) -> Array:
        """Where they begin along an axis, (W_a,)."""
        return np.asarray(self.covers[axis].argmax(axis=1))

    def width(self, axis: int) -> int:
        """Length of each along an axis."""
        return int(self.covers[axis][0].sum())

    def over(self, numbers: Array) -> Array:
        """Where the windows with these numbers (d,) are, (d, *S)."""
        rank = len(self.covers)
        inside = np.ones((len(numbers), *[1] * rank), bool)
        coordinates = np.unravel_index(numbers, self.counts) if rank else ()
        for axis, (cover, index) in enumerate(zip(self.covers, coordinates, strict=True)):
            shape = [1] * axis + [-1] + [1] * (rank - axis - 1)
            inside = inside & cover[index].reshape(len(numbers), *shape)
        return inside

    def summed(self, values: Array) -> Array:
        """For each element the sum over the windows above it: (..., W) to (..., *S)."""
        leading = values.ndim - 1
        sums = values.reshape(*values.shape[:-1], *self.counts)
        for cover in self.covers:  # each takes the first axis of windows left, and goes behind
            sums = product(np.moveaxis(sums, leading, -1), cover.astype(values.dtype))
        return sums

    def shared(self, values: Array) -> Array:
        """Each window's value shared by its elements, and means over the windows above them."""
        above = self.summed(np.ones(self.number))
        return np.asarray(self.summed(values) / (self.size * above))


def windows(shape: Shape, window: int | Sequence[int], stride: int | Sequence[int]) -> Windows:
    """Windows of a size, every ``stride`` elements; the last along an axis ends at its end.

    Parameters
    ----------
    shape
        Of the input, without batch axis.
    window, stride
        One number for each axis, or one for all. Windows are at most as long as their axis.

    Raises
    ------
    RuleError
        If they do not fit the input, or leave elements between them.
    """
    sizes = np.minimum(_each(shape, window, "window"), np.array(shape, int)).tolist()
    strides = _each(shape, stride, "stride")
    covers = []
    for axis, size, step in zip(shape, sizes, strides, strict=True):
        if step > size and size < axis:
            raise RuleError(
                f"stride={stride!r} is wider than window={window!r}, so that some elements of an "
                f"input of shape {shape} are under no window; give a stride up to the window."
            )
        first = np.unique([*range(0, axis - size, step), axis - size])
        elements = np.arange(axis)
        covers.append((elements >= first[:, np.newaxis]) & (elements < first[:, np.newaxis] + size))
    return Windows(tuple(covers))


def _each(shape: Shape, sizes: int | Sequence[int], option: str) -> list[int]:
    """One whole number of 1 or more for each axis."""
    if not (fits(sizes, Integer(1)) or fits(sizes, Several(Integer(1), len(shape)))):
        raise RuleError(
            f"{option} is {shown(sizes)}: give a whole number of 1 or more, or one for each of the "
            f"{len(shape)} axes of an input of shape {shape}."
        )
    return [int(value) for value in np.broadcast_to(np.asarray(sizes), len(shape))]
