"""FASTA files: sequences of chromosomes by coordinates, and whole files of short sequences.

A file is mapped bytes, and an index says where in them the lines of each record begin. The index is
the ``.fai`` beside the file, checked against it, or made here; none is written. A compressed file
is unpacked into a scratch file before, unless it is bgzip and both of its indexes are there.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.bgzip_content import BgzipContent, bgzip_content
from deeplift_engine.genomics.nucleotides import first_unreadable
from deeplift_engine.genomics.packed_files import is_packed, read_errors
from deeplift_engine.genomics.unpacked import unpacked
from deeplift_engine.util.suggestions import suggest

Content: TypeAlias = bytes | mmap.mmap
Readable: TypeAlias = Content | BgzipContent

_BLOCK = 1 << 24
"""Bytes that are looked at together."""
_SPACE = ord(" ")


@dataclass(frozen=True)
class Record:
    """Where the letters of one sequence are.

    Attributes
    ----------
    content
        What they are in.
    length
        How many there are.
    offset
        Of the first one.
    bases, width
        Letters of a line, and its bytes with the end of line.
    """

    content: Readable
    length: int
    offset: int
    bases: int
    width: int

    def position(self, index: int) -> int:
        """Offset of a letter."""
        return self.offset + index // self.bases * self.width + index % self.bases

    @property
    def end(self) -> int:
        """Offset behind the last letter."""
        return self.position(self.length - 1) + 1 if self.length else self.offset

    def letters(self, start: int, end: int) -> bytes:
        """The letters from ``start`` up to ``end``."""
        if start == end:
            return b""
        lines = self.content[self.position(start) : self.position(end - 1) + 1]
        return lines.translate(None, b"\r\n")


class Genome:
    """The sequences of a FASTA file, by coordinates.

    Objects are pickled by their path, and may be used in any number of threads and processes.

    Parameters
    ----------
    path
        A FASTA file: plain, gzip or bgzip. A ``.fai`` beside it saves reading it whole once. bgzip
        with ``.fai`` and ``.gzi`` is read in place; any other compressed file is unpacked into the
        folder for temporary files, once for all processes that read it meanwhile.

    Raises
    ------
    InputError
        If it cannot be read, is no FASTA, has no records or two of one name; if an index is older
        than the file or does not fit it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        _ = self.sizes  # a bad file is refused here and not at the first fetch

    def __reduce__(self) -> tuple[Any, ...]:
        return _unopened, (self.path.absolute(),)

    def __repr__(self) -> str:
        return f"Genome({str(self.path)!r})"

    def __contains__(self, chrom: str) -> bool:
        """Whether there is a sequence of this name."""
        return chrom in self._records

    @property
    def sizes(self) -> Mapping[str, int]:
        """Lengths of the sequences by name, in the file's order."""
        return self._sizes

    def fetch(self, chrom: str, start: int, end: int) -> str:
        """The letters of a region as they stand in the file, 0-based and half-open.

        Raises
        ------
        InputError
            If the region is not within the sequence, or has what is no IUPAC letter.
        """
        return self.fetch_bytes(chrom, start, end).decode("ascii")

    def fetch_bytes(self, chrom: str, start: int, end: int) -> bytes:
        """`fetch`, as bytes."""
        record = self._records.get(chrom)
        if record is None:
            raise InputError(
                f"{self.path} has no sequence {chrom!r}. "
                + suggest(chrom, self._records, f"It has {_some(self._records)}.")
            )
        if not 0 <= start <= end <= record.length:
            raise InputError(
                f"{self.path}: {chrom}:{start}-{end} is no region of {chrom}, which has the "
                f"positions 0 to {record.length} (0-based, the end not included)."
            )
        letters = record.letters(start, end)
        if len(letters) != end - start:
            raise InputError(
                f"{self.path}: {chrom}:{start}-{end} has {len(letters)} letters where "
                f"{end - start} were expected: the file changed since it was opened."
            )
        if unreadable := first_unreadable(letters):
            index, text = unreadable
            raise InputError(
                f"{self.path}: {chrom}:{start}-{end} has {text} at position {start + index} "
                "(0-based), which is no IUPAC letter."
            )
        return letters

    @cached_property
    def _records(self) -> Mapping[str, Record]:
        index = Path(f"{self.path}.fai")
        if not index.is_file():
            return _scanned(self.path, _content(self.path))
        content = bgzip_content(self.path) or _content(self.path)
        return _indexed(self.path, content, index)

    @cached_property
    def _sizes(self) -> Mapping[str, int]:
        sizes = {name: record.length for name, record in self._records.items()}
        return MappingProxyType(sizes)


def read_fasta(path: str | os.PathLike[str]) -> dict[str, str]:
    """All sequences of a FASTA file by name, in the file's order, as they stand there.

    A name is the first word of a header line.

    Raises
    ------
    InputError
        As for `Genome`, and for what is no IUPAC letter.
    """
    path = Path(path)
    genome = _unopened(path)
    genome.__dict__["_records"] = _scanned(path, _content(path))
    return {name: genome.fetch(name, 0, size) for name, size in genome.sizes.items()}


def _unopened(path: Path) -> Genome:
    """A genome that is opened when it is first read: of another process."""
    genome = Genome.__new__(Genome)
    genome.path = path
    return genome


def _some(names: Mapping[str, Any], most: int = 5) -> str:
    first = ", ".join(list(names)[:most])
    return first if len(names) <= most else f"{len(names)} of them: {first} …"


def _content(path: Path) -> Content:
    """The bytes of a file, unpacked.

    Raises
    ------
    InputError
        If it cannot be read, or is empty.
    """
    with read_errors(path), path.open("rb") as file:
        if is_packed(file):
            content: Content = unpacked(path)
        elif os.fstat(file.fileno()).st_size:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        else:
            content = b""
    if not content:
        raise InputError(f"{path} is empty: expected a FASTA file.")
    return content


# ------------------------------------------------------------ an index that is there


def _indexed(path: Path, content: Readable, index: Path) -> Mapping[str, Record]:
    """The records of a ``.fai``.

    Raises
    ------
    InputError
        If it is older than the file or does not fit it.
    """
    advice = f"Delete it, or make it again: samtools faidx {path}"
    if index.stat().st_mtime < path.stat().st_mtime:
        raise InputError(f"{index} is older than its FASTA file. {advice}")
    records: dict[str, Record] = {}
    for number, line in enumerate(index.read_text("utf-8", "replace").splitlines(), 1):
        name, *numbers = line.split("\t")
        try:
            length, offset, bases, width = map(int, numbers[:4])
            fits = length >= 0 and offset > 0 and 0 <= bases <= width <= bases + 2
        except ValueError:
            fits = False
        if not fits or (length and not bases) or name in records:
            raise InputError(f"{index}, line {number} is no line of an index. {advice}")
        records[name] = Record(content, length, offset, max(bases, 1), max(width, 1))
    if not _fits(content, records):
        raise InputError(f"{index} does not fit its FASTA file. {advice}")
    return dict(sorted(records.items(), key=lambda item: item[1].offset))


def _fits(content: Readable, records: Mapping[str, Record]) -> bool:
    """Whether nothing but each record's header stands between its letters and those before."""
    before = 0
    for name, record in sorted(records.items(), key=lambda item: item[1].offset):
        if not before <= record.offset <= record.end <= len(content):
            return False
        header = content[before : record.offset].strip()
        if _name(header) != name or b"\n" in header:
            return False
        before = record.end
    return bool(records) and not content[before : before + _BLOCK].strip()


def _name(header: bytes) -> str | None:
    """The first word of a header line, None of any other line."""
    words = header[1:].split(maxsplit=1)
    return words[0].decode("utf-8", "replace") if header[:1] == b">" and words else None


# ------------------------------------------------------------ an index that is made


def _scanned(path: Path, content: Content) -> Mapping[str, Record]:
    """The records of a file without an index.

    Raises
    ------
    InputError
        If it is no FASTA, has no records, or two of one name.
    """
    records: dict[str, Record] = {}
    for start, stop in _spans(path, content):
        line = content.find(b"\n", start, stop)
        offset = stop if line < 0 else line + 1
        header = content[start:offset].strip()
        name = _name(header)
        if name is None or b"\r" in header:
            raise InputError(
                f"{path}, line {_line(content, start)}: "
                + ("a header without a name." if name is None else "lines end in CR alone.")
            )
        if name in records:
            number = _line(content, start)
            raise InputError(
                f"{path}, line {number}: a second sequence {name!r}; give each a name of its own."
            )
        records[name] = _record(content, offset, stop)
    return records


def _spans(path: Path, content: Content) -> Iterator[tuple[int, int]]:
    """Starts and ends of the records, with their headers."""
    start = content.find(b">")
    if start < 0 or content[:start].strip():
        first = content[:80].split(b"\n")[0].decode("utf-8", "replace").strip()
        raise InputError(
            f"{path}, line 1: expected a FASTA file, which begins with '>NAME', not {first!r}."
        )
    while start < len(content):
        following = content.find(b"\n>", start)
        stop = len(content) if following < 0 else following + 1
        yield start, stop
        start = stop


def _line(content: Content, offset: int) -> int:
    """The number of the line at an offset, from 1."""
    return 1 + content[:offset].count(b"\n")


def _record(content: Content, offset: int, stop: int) -> Record:
    """The record of the lines in between; where they are not of one width, of a copy."""
    first = content.find(b"\n", offset, stop)
    width = (stop if first < 0 else first + 1) - offset
    bases = len(content[offset : offset + width].rstrip())
    end = stop
    while end > offset and content[end - 1 : end] in b"\r\n":
        end -= 1
    if bases and _are_lines(content, offset, end, bases, width):
        full, rest = divmod(end - offset, width)
        return Record(content, full * bases + rest, offset, bases, width)
    letters = content[offset:stop].translate(None, b" \t\r\n")
    return Record(letters, len(letters), 0, max(len(letters), 1), max(len(letters), 1))


def _are_lines(content: Content, offset: int, end: int, bases: int, width: int) -> bool:
    """Whether all lines have so many letters, the last one at most so many."""
    body = np.frombuffer(content, np.uint8)[offset:end]
    full = len(body) // width
    lines, rest = body[: full * width].reshape(full, width), body[full * width :]
    step = max(1, _BLOCK // width)
    blocks = (lines[start : start + step] for start in range(0, full, step))
    return (
        len(rest) <= bases
        and not (rest <= _SPACE).any()
        and all(
            bool((block[:, bases:] == lines[0, bases:]).all())
            and not (block[:, :bases] <= _SPACE).any()
            for block in blocks
        )
    )


__all__ = ["Genome", "read_fasta"]
