"""Windows that overlap as one line of bases: which windows a base hears, and what it takes of them.

A rule is two steps. The first may cut windows so that they overlap no more; the second makes one
number of all that cover a base.
"""

from __future__ import annotations

import heapq
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


def segments(start: Array, end: Array) -> Iterator[tuple[int, int, list[int]]]:
    """Cut a chromosome where a window begins or ends.

    Parameters
    ----------
    start, end
        Of windows sorted by start; empty ones are left out.

    Yields
    ------
    int, int, list
        Start, end, and the windows that cover all of it, by number, at least one.
    """
    active: list[tuple[int, int]] = []  # end, number: a heap
    at = 0
    numbers = [number for number in range(len(start)) if start[number] < end[number]]
    for number in numbers:
        begin = int(start[number])
        while active and active[0][0] <= begin:
            yield from _covered(at, active[0][0], active)
            at = heapq.heappop(active)[0]
        yield from _covered(at, begin, active)
        at = begin
        heapq.heappush(active, (int(end[number]), number))
    while active:
        yield from _covered(at, active[0][0], active)
        at = heapq.heappop(active)[0]


def _covered(
    start: int, end: int, active: list[tuple[int, int]]
) -> Iterator[tuple[int, int, list[int]]]:
    if active and start < end:
        yield start, end, [number for _, number in active]


__all__ = ["OVERLAPS", "Overlap", "half_way", "segments"]
