"""Progress bars, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

DELAY = 1.0
"""Seconds before a bar appears: short work needs none."""


@contextmanager
def bar(
    total: int, progress: bool | None, unit: str = " pairs"
) -> Iterator[Callable[[int], object]]:
    """A bar of ``total`` steps, on a terminal only for None, always for True, never for False."""
    disable = None if progress is None else not progress
    delay = 0.0 if progress else DELAY
    with tqdm(total=total, unit=unit, disable=disable, delay=delay, leave=False) as shown:
        yield shown.update
