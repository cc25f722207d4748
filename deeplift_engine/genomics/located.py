"""Where rows of arrays lie in a genome, and the regions files that say so: ten columns."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.typing import Array

_NOT_A_ROW = ("#", "track", "browser")


@dataclass(frozen=True)
class Located:
    """Windows of a genome, one entry a row of some arrays.

    Attributes
    ----------
    name, chrom, strand
        Text; "-" where a row is the reverse complement of its window.
    start, end
        0-based, half-open.
    """

    name: Array
    chrom: Array
    start: Array
    end: Array
    strand: Array

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.start)

    def __getitem__(self, rows: Array | slice) -> Located:
        """Some of the rows, in any order."""
        return Located(*(getattr(self, each)[rows] for each in self.__dataclass_fields__))

    @property
    def centre(self) -> Array:
        """``start + (end - start) // 2``."""
        return np.asarray(self.start + (self.end - self.start) // 2)

    def check_length(self, length: int, source: str) -> None:
        """Check that all windows are as long as the rows.

        Raises
        ------
        InputError
            Naming the first that is not.
        """
        wrong = np.flatnonzero(self.end - self.start != length)
        if len(wrong):
            row = int(wrong[0])
            raise InputError(
                f"{source}: row {row}, {self.chrom[row]}:{self.start[row]}-{self.end[row]}, is "
                f"{self.end[row] - self.start[row]} bases long, and its scores {length}"
            )

    def in_genome(self, rows: Array, start: Array, end: Array) -> tuple[Array, Array]:
        """Ends of stretches of rows as places in the genome; rows on "-" are turned.

        Parameters
        ----------
        rows
            (n) numbers of rows.
        start, end
            (n) within the rows as they are, 0-based, half-open.
        """
        turned = self.strand[rows] == "-"
        first = np.where(turned, self.end[rows] - end, self.start[rows] + start)
        return first, first + (end - start)

    def lines(self) -> Iterator[str]:
        """Lines of a regions file: ten columns, the summit at the centre.

        ``start + summit`` and ``(start + end) // 2`` are both the centre, as some tools use the
        one and some the other.
        """
        summit = (self.end - self.start) // 2
        for row in range(len(self)):
            yield (
                f"{self.chrom[row]}\t{self.start[row]}\t{self.end[row]}\t{self.name[row]}\t0\t"
                f"{self.strand[row]}\t0\t-1\t-1\t{summit[row]}\n"
            )


def read_located(path: str | os.PathLike[str]) -> Located:
    """The rows of a regions file, three columns or more.

    Raises
    ------
    InputError
        If it cannot be read, has no rows, or a line is no region; the line is named.
    """
    try:
        text = Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a regions file: {error}") from error
    rows = list(_rows(str(path), text.splitlines()))
    if not rows:
        raise InputError(f"{path} has no regions")
    chrom, start, end, name, strand = zip(*rows, strict=True)
    return Located(
        np.array(name, object),
        np.array(chrom, object),
        np.array(start, np.int64),
        np.array(end, np.int64),
        np.array(strand, object),
    )


def _rows(path: str, lines: Iterable[str]) -> Iterator[tuple[str, int, int, str, str]]:
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith(_NOT_A_ROW):
            continue
        cells = line.split("\t")
        try:
            chrom, start, end = cells[0], int(cells[1]), int(cells[2])
        except (IndexError, ValueError):
            raise InputError(
                f"{path}, line {number}: expected chromosome, start and end with tabs between, "
                f"not {line[:80]!r}"
            ) from None
        if not 0 <= start < end:
            raise InputError(f"{path}, line {number}: {start} to {end} is no region")
        name = cells[3] if len(cells) > 3 else f"{chrom}:{start}-{end}"
        yield chrom, start, end, name, cells[5] if len(cells) > 5 else "."


__all__ = ["Located", "read_located"]
