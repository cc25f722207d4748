"""Several pieces of work timed in turns in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

SAMPLE = 0.25
"""Seconds of a sample, of as many runs as it takes: see `benchmarks.process.SAMPLE`."""


@dataclass(frozen=True)
class Taken:
    """Seconds of one run, and seconds of the processor, all threads together."""

    seconds: float
    processor: float


def timed(works: Sequence[Callable[[], Any]], repeats: int) -> list[Taken]:
    """The best sample of each, by seconds and by the processor, after one run that warms up."""
    counts = []
    for work in works:
        work()
        counts.append(max(1, round(SAMPLE / _sample(work, 1).seconds)))
    found: list[list[Taken]] = [[] for _ in works]
    for _ in range(repeats):
        for work, count, samples in zip(works, counts, found, strict=True):
            samples.append(_sample(work, count))
    return [
        Taken(min(each.seconds for each in samples), min(each.processor for each in samples))
        for samples in found
    ]


def _sample(work: Callable[[], Any], count: int) -> Taken:
    processor, start = time.process_time(), time.perf_counter()
    for _ in range(count):
        work()
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    return Taken(seconds / count, processor / count)
