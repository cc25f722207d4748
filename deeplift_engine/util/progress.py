"""Progress on stderr: bars, and lines for logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

DELAY = 1.0
"""Seconds before a bar appears: short work needs none."""
INTERVAL = 60.0
"""Seconds between the lines of a log."""


@contextmanager
def bar(
    total: int, progress: bool | None, unit: str = " pairs"
) -> Iterator[Callable[[int], object]]:
    """A bar of ``total`` steps, on a terminal only for None, always for True, never for False."""
    disable = None if progress is None else not progress
    delay = 0.0 if progress else DELAY
    with tqdm(total=total, unit=unit, disable=disable, delay=delay, leave=False) as shown:
        yield shown.update


@contextmanager
def lines(
    total: int, progress: bool | None = True, unit: str = " pairs"
) -> Iterator[Callable[[int], object]]:
    """The same for a log: a line a minute on stderr, with the rate and the time that remains."""
    began = shown = time.monotonic()
    done = 0

    def tick(count: int) -> None:
        nonlocal done, shown
        done += count
        now = time.monotonic()
        if progress and now - shown >= INTERVAL:
            shown = now
            rate = done / (now - began)
            sys.stderr.write(
                f"{done:,} of {total:,}{unit}, {rate:,.1f} a second, "
                f"{(total - done) / rate / 60:,.0f} minutes remain\n"
            )
            sys.stderr.flush()

    yield tick
