"""Files of regions: BED, narrowPeak, and lines ``chr:start-end[:strand]``; plain or gzip.

Coordinates are those of BED in all of them: 0-based, the end not included.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.packed_files import opened
from deeplift_engine.util.options import shown
from deeplift_engine.util.utf8_text import decoded

SUFFIXES = (".bed", ".narrowpeak", ".broadpeak", ".regions")
"""Of files of regions, which may be followed by ``.gz``."""

_NARROW_PEAK = 10
_NO_SUMMIT = -1
_STRANDS = ("+", "-", ".")
_PASSED_OVER = re.compile(r"\s*(#|(track|browser)(\s|$)|$)")
_REGION = re.compile(r"(?P<chrom>\S+):(?P<start>\d+)-(?P<end>\d+)(?::(?P<strand>[-+.]))?")


@dataclass(frozen=True, slots=True)
class Region:
    """One record.

    Attributes
    ----------
    chrom, start, end
        0-based, half-open.
    strand
        ``"+"``, ``"-"`` or ``"."``.
    name
        As in the file; empty where it has none.
    centre
        What a window is laid around: start + summit of a narrowPeak that has one, else the middle,
        (start + end) // 2.
    line
        Its number in the file, from 1.
    summit
        Whether the centre is a summit.
    """

    chrom: str
    start: int
    end: int
    strand: str
    name: str
    centre: int
    line: int
    summit: bool = False

    def __str__(self) -> str:
        return f"{self.chrom}:{self.start}-{self.end}"


@dataclass(frozen=True)
class RegionFile:
    """The records of one file.

    Attributes
    ----------
    path
        What messages call it.
    records
        In its order.
    has_summits
        Whether it is a narrowPeak.
    """

    path: str
    records: Sequence[Region]
    has_summits: bool = False

    @property
    def missing_summits(self) -> int:
        """How many records of a narrowPeak have no summit, so that their middle is the centre."""
        return self.has_summits * sum(not record.summit for record in self.records)

    def locate(self, number: int) -> str:
        """A record's file, line and number, for messages."""
        return f"{self.path}, line {self.records[number].line} (record {number})"


def is_region_file(path: Path) -> bool:
    """Whether a file holds regions, by its name."""
    return _suffix(path) in SUFFIXES


def read_regions(regions: str | os.PathLike[str] | Iterable[str]) -> RegionFile:
    """Read regions.

    Parameters
    ----------
    regions
        A file of 3 to 12 columns (BED; of 10 columns narrowPeak, whose last one is the summit,
        counted from the start, -1 where there is none), or of lines ``chr:start-end[:strand]``;
        or such strings. Blank lines, a line of column names at the top, and lines that begin with
        ``#``, ``track`` or ``browser`` are passed over.

    Raises
    ------
    InputError
        If the file cannot be read or has no records; for a record that is none, the line.
    """
    if isinstance(regions, str | os.PathLike):
        path, lines = str(regions), _lines(Path(regions))
    else:
        path, lines = "regions", enumerate(map(str, regions), 1)
    records: list[Region] = []
    columns = 0
    narrow = _suffix(Path(path)) == ".narrowpeak"
    for number, line in lines:
        fields = line.split("\t") if "\t" in line else line.split()
        where = f"{path}, line {number} (record {len(records)})"
        if not records and _are_names(fields):
            continue
        columns = columns or len(fields)
        if len(fields) != columns:
            raise InputError(
                f"{where} has {len(fields)} columns, and the first record has {columns}."
            )
        if narrow and columns != _NARROW_PEAK:
            raise InputError(f"{where} has {columns} columns: a narrowPeak has {_NARROW_PEAK}.")
        records.append(_region(fields, number, where))
    if not records:
        raise InputError(
            f"{path} has no regions: expected lines of BED, of narrowPeak, or chr:start-end."
        )
    return RegionFile(path, records, columns == _NARROW_PEAK)


def _suffix(path: Path) -> str:
    """The suffix before ``.gz``, in lower case."""
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines with content and their numbers from 1."""
    with opened(path) as file:
        text = decoded(file.read(), path)
    for number, line in enumerate(text.split("\n"), 1):
        if not _PASSED_OVER.match(line):
            yield number, line.strip(" \r")


def _are_names(fields: Sequence[str]) -> bool:
    """Whether these are names of columns: the second and third of three have no digits first."""
    return len(fields) >= 3 and not any(field.lstrip("-+")[:1].isdigit() for field in fields[1:3])


def _region(fields: Sequence[str], number: int, where: str) -> Region:
    """The record of a line."""
    if len(fields) == 1 and (match := _REGION.fullmatch(fields[0])):
        name, summit = "", _NO_SUMMIT
        chrom, start, end = match["chrom"], int(match["start"]), int(match["end"])
        strand = match["strand"] or "."
    elif len(fields) >= 3:
        chrom, name = fields[0], fields[3] if len(fields) > 3 else ""
        start, end = (_whole(fields[column], where) for column in (1, 2))
        strand = fields[5] if len(fields) > 5 else "."
        summit = _whole(fields[9], where) if len(fields) == _NARROW_PEAK else _NO_SUMMIT
        name = "" if name == "." else name
    else:
        raise InputError(
            f"{where}: expected the columns chrom, start and end, or chr:start-end[:strand], not "
            f"{shown(' '.join(fields))}."
        )
    if not 0 <= start < end:
        raise InputError(
            f"{where}: {chrom}:{start}-{end} is no region: expected 0 <= start < end, as in BED."
        )
    if strand not in _STRANDS:
        raise InputError(f"{where}: the strand is {shown(strand)}; expected +, - or '.'.")
    has_summit = summit != _NO_SUMMIT
    if has_summit and not 0 <= summit < end - start:
        raise InputError(
            f"{where}: the summit {summit} is not within {chrom}:{start}-{end}; it is counted from "
            "the start, and -1 where there is none."
        )
    centre = start + summit if has_summit else (start + end) // 2
    return Region(chrom, start, end, strand, name, centre, number, has_summit)


def _whole(text: str, where: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{where}: expected a whole number, not {shown(text)}.") from None


__all__ = ["SUFFIXES", "Region", "RegionFile", "is_region_file", "read_regions"]
