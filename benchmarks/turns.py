"""Several pieces of work timed in turns in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

SAMPLE = 0.25
"""Seconds of a sample, of as many runs as it takes: see `benchmarks.process.SAMPLE`."""


@dataclass(frozen=True)
class Taken:
    """Seconds of a run, and of the processor, all threads together, sample by sample."""

    every: Sequence[tuple[float, float]]

    @property
    def seconds(self) -> float:
        """Of the fastest sample."""
        return min(seconds for seconds, _ in self.every)

    @property
    def processor(self) -> float:
        """Of the sample that took least of it."""
        return min(processor for _, processor in self.every)

    def over(self, other: Taken) -> float:
        """How many times as long: the median over the turns.

        The two samples of a turn follow each other, and a machine that changes its speed every
        few seconds mostly gave both the same one; their minima may be of different speeds.
        """
        turns = zip(self.every, other.every, strict=True)
        return median(mine / its for (mine, _), (its, _) in turns)


def timed(works: Sequence[Callable[[], Any]], repeats: int) -> list[Taken]:
    """Each in so many samples, taken in turns after one run that warms up."""
    counts = []
    for work in works:
        work()
        counts.append(max(1, round(SAMPLE / _sample(work, 1)[0])))
    found: list[list[tuple[float, float]]] = [[] for _ in works]
    for _ in range(repeats):
        for work, count, samples in zip(works, counts, found, strict=True):
            samples.append(_sample(work, count))
    return [Taken(samples) for samples in found]


def _sample(work: Callable[[], Any], count: int) -> tuple[float, float]:
    processor, start = time.process_time(), time.perf_counter()
    for _ in range(count):
        work()
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    return seconds / count, processor / count
