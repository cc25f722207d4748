"""bigWig files and the tables of their statistics, whoever wrote them: what can be told of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.verdicts import DOUBTFUL, RIGHT, WRONG, Verdict
from deeplift_engine.util.optional import optional

TRACKS = (".bw", ".bigwig")
STATISTICS = ".stats.tsv"
"""What a table of statistics has behind the name of its bigWig file."""
_WINDOW = 1 << 20
_ROUNDING = 1e-5


def check_track(path: Path) -> Verdict:
    """Whether a bigWig file has entries, all of them within their chromosomes, not all zeros.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    check, largest, bases = "track", 0.0, 0
    with _opened(path) as file:
        sizes: Mapping[str, int] = file.chroms()
        for chrom, start, end, value in _entries(file, sizes):
            if end > sizes[chrom]:
                text = f"{path}: {chrom}:{start}-{end} ends past {sizes[chrom]}"
                return Verdict(WRONG, check, text)
            largest = max(largest, abs(value))
            bases += end - start
    if not bases:
        return Verdict(WRONG, check, f"{path} has no entries")
    if largest == 0:
        return Verdict(WRONG, check, f"{path} is all zeros")
    return Verdict(RIGHT, check, f"{path}: {bases} bases, values up to {largest:.3g}")


def check_statistics(path: Path) -> Verdict:
    """Whether a table of statistics has the bases and the sum of the bigWig file beside it.

    Raises
    ------
    InputError
        If it is no table of names and numbers with ``Sum`` and ``Bases``.
    """
    table = _table(path)
    track = Path(os.fspath(path)[: -len(STATISTICS)])
    if not track.exists():
        return Verdict(DOUBTFUL, "statistics", f"{path}: {track} is not there to compare with")
    total, bases, size = 0.0, 0, 0.0
    with _opened(track) as file:
        for _, start, end, value in _entries(file, file.chroms()):
            total += (end - start) * value
            size += (end - start) * abs(value)
            bases += end - start
    if bases == table["Bases"] and np.isclose(total, table["Sum"], rtol=0, atol=_ROUNDING * size):
        return Verdict(RIGHT, "statistics", f"{path}: those of {track}")
    return Verdict(
        WRONG,
        "statistics",
        f"{path} tells of {table['Bases']:.0f} bases that add up to {table['Sum']:.6g}, and "
        f"{track} has {bases} that add up to {total:.6g}: they are of different exports",
    )


def _table(path: Path) -> dict[str, float]:
    try:
        cells = [line.split("\t") for line in path.read_text().splitlines()]
        table = {name: float(value) for name, value in cells}
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as statistics of a bigWig: {error}") from error
    if not {"Sum", "Bases"} <= {*table}:
        raise InputError(f"{path} has {', '.join(table)}: expected Sum and Bases among them")
    return table


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    library = optional("pyBigWig", "pyBigWig", "genomics")
    try:
        with library.open(os.fspath(path)) as file:
            yield file
    except RuntimeError as error:
        raise InputError(f"{path} cannot be read as bigWig: {error}") from error


def _entries(file: Any, sizes: Mapping[str, int]) -> Iterator[tuple[str, int, int, float]]:
    """Entries chromosome by chromosome; one that reaches into two windows is met once."""
    for chrom, size in sizes.items():
        for first in range(0, size, _WINDOW):
            for start, end, value in file.intervals(chrom, first, min(first + _WINDOW, size)) or ():
                if start >= first:
                    yield chrom, start, end, value


__all__ = ["STATISTICS", "TRACKS", "check_statistics", "check_track"]
