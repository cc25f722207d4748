"""Windows of one size that hold a group of elements each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class GroupWindows:
    """Windows of one size along some axes, each over the elements of one of P groups.

    Attributes
    ----------
    labels
        The number of each element's group (*S), -1 for what is never replaced.
    axes
        The axes that windows lie along; along the others they are as long as the input.
    widths
        Their lengths along each of the axes.
    starts
        Where they begin, (P, A).
    """

    labels: Array
    axes: tuple[int, ...]
    widths: tuple[int, ...]
    starts: Array

    @classmethod
    def of(cls, labels: Array, count: int, axes: Sequence[int]) -> GroupWindows:
        """The smallest windows that hold ``count`` groups."""
        firsts, lengths = [], []
        for axis in axes:
            lines = np.moveaxis(labels, axis, 0).reshape(labels.shape[axis], -1)
            held = np.zeros((len(lines), count + 1), bool)
            held[np.arange(len(lines))[:, np.newaxis], lines] = True
            held = held[:, :count]
            firsts.append(held.argmax(axis=0))
            lengths.append(len(held) - held[::-1].argmax(axis=0) - firsts[-1])
        widths = tuple(int(length.max()) for length in lengths)
        sizes = [labels.shape[axis] for axis in axes]
        starts = [
            np.minimum(first, size - width)
            for first, size, width in zip(firsts, sizes, widths, strict=True)
        ]
        return cls(labels, tuple(axes), widths, np.stack(starts, axis=1))

    def under(self, numbers: Array, index: Sequence[Array]) -> Array:
        """Where windows with these numbers (d,) hold their groups, (d, *widths, *others).

        ``index`` are the positions of their elements along the axes.
        """
        fronts = list(range(len(self.axes)))
        labels = np.moveaxis(self.labels, self.axes, fronts)[tuple(index)]
        return np.asarray(labels == numbers.reshape(-1, *[1] * (labels.ndim - 1)))
