"""Windows that overlap as one line of bases: which windows a base hears, and what it takes of them.

A rule is two steps. The first may cut windows so that they overlap no more; the second makes one
number of all that cover a base.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from deeplift_engine.util.typing import Array

Cut = Callable[[Array, Array], tuple[Array, Array]]
Combine = Callable[[Array], Array]


@dataclass(frozen=True)
class Overlap:
    """A rule for bases that several windows cover.

    Attributes
    ----------
    about
        What it does.
    cut
        Gives starts and ends that count, of windows sorted by start.
    combine
        ``(windows, bases)`` to ``(bases)``, the windows in the order of their rows.
    """

    about: str
    cut: Cut
    combine: Combine


def half_way(start: Array, end: Array) -> tuple[Array, Array]:
    """Cut neighbours at ``(centre + next centre) // 2``, as chrombpnet does; sorted by start.

    Of windows at one place the first has all.
    """
    own = np.flatnonzero(np.append(True, start[1:] != start[:-1])[: len(start)])
    begin, stop = start[own], end[own]
    centre = begin + (stop - begin) // 2
    met = np.flatnonzero(begin[1:] < stop[:-1])
    middle = (centre[met] + centre[met + 1]) // 2
    stop[met] = middle
    begin[met + 1] = middle
    first, last = start.copy(), start.copy()
    first[own], last[own] = begin, stop
    return first, last


def uncut(start: Array, end: Array) -> tuple[Array, Array]:
    """Windows as they are."""
    return start, end


def first_of(values: Array) -> Array:
    """The values of the first row."""
    return np.asarray(values[0])


def mean_of(values: Array) -> Array:
    """The mean, added in float64."""
    return np.asarray(values.mean(axis=0, dtype=np.float64))


def largest_of(values: Array) -> Array:
    """The value of largest magnitude, with its sign; the first of equal ones."""
    chosen = np.abs(values).argmax(axis=0)
    return np.asarray(np.take_along_axis(values, chosen[np.newaxis], axis=0)[0])


OVERLAPS: Mapping[str, Overlap] = MappingProxyType(
    {
        "nearest": Overlap("cut half-way between the centres", half_way, first_of),
        "mean": Overlap("the mean of all windows", uncut, mean_of),
        "max_abs": Overlap("the value of largest magnitude", uncut, largest_of),
        "first": Overlap("the window that stands first in the regions file", uncut, first_of),
    }
)


@dataclass(frozen=True)
class Segments:
    """Stretches of a chromosome, each covered by the same windows, in rising order.

    Attributes
    ----------
    start, end
        (S,) 0-based, half-open.
    first, last
        (S,) numbers of the windows that cover a stretch, half-open; one at least.
    """

    start: Array
    end: Array
    first: Array
    last: Array

    @property
    def windows(self) -> tuple[int, int]:
        """All windows that cover any stretch, half-open."""
        return int(self.first[0]), int(self.last[-1])

    def batches(self, length: int, most: int) -> Iterator[Segments]:
        """The same, about ``most`` values of windows of some length at a time."""
        values = (self.last - self.first) * (self.end - self.start)
        read = length * np.diff(self.last, prepend=0)
        number = np.cumsum(values + read) // most
        columns = (self.start, self.end, self.first, self.last)
        edges = np.flatnonzero(np.diff(number)) + 1
        for some in zip(*(np.split(column, edges) for column in columns), strict=True):
            yield Segments(*some)

    def combined(
        self, values: Array, start: Array, order: Array, combine: Combine
    ) -> tuple[Array, Array]:
        """The places of all bases, and one float32 value of each.

        Parameters
        ----------
        values
            (W, L), of the windows that `windows` tells, in the order of their rows.
        start
            (W,) of the windows by number.
        order
            (W,) numbers of the windows in the order of their rows.
        combine
            Makes one value of those of all windows that cover a base.
        """
        size = self.end - self.start
        before = np.cumsum(size) - size
        places = np.arange(size.sum()) + np.repeat(self.start - before, size)
        depth = np.repeat(self.last - self.first, size)
        lowest = np.repeat(self.first - self.first[0], size)
        row_of, start_of_row = np.argsort(order), start[order]
        result = np.empty(len(places), np.float32)
        for count in np.unique(depth):
            here = np.flatnonzero(depth == count)
            rows = np.sort(row_of[lowest[here] + np.arange(count)[:, np.newaxis]], axis=0)
            result[here] = combine(values[rows, places[here] - start_of_row[rows]])
        return places, result


def covered(start: Array, end: Array) -> Segments:
    """Cut a chromosome where a window begins or ends, and leave out what none covers.

    Parameters
    ----------
    start, end
        Of windows, none empty; both rise, as those of windows of one length do.
    """
    edges = np.unique(np.concatenate([start, end]))
    first = np.searchsorted(end, edges[:-1], side="right")
    last = np.searchsorted(start, edges[:-1], side="right")
    some = first < last
    return Segments(edges[:-1][some], edges[1:][some], first[some], last[some])


__all__ = ["OVERLAPS", "Overlap", "Segments", "covered", "half_way"]
