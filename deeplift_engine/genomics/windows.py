"""Windows of a genome around regions, as an input of a network."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.genome import Genome
from deeplift_engine.genomics.nucleotides import LETTERS, complement_bytes
from deeplift_engine.genomics.record_table import ABSENT, DUPLICATE, EDGE, RecordTable
from deeplift_engine.genomics.region_files import Region, RegionFile, read_regions
from deeplift_engine.genomics.sequence_input import (
    InputForm,
    SequenceInput,
    input_form,
    unknown_letter,
)
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.network import Network


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a chromosome, 0-based and half-open, read on one of its strands."""

    chrom: str
    start: int
    end: int
    strand: str

    def __str__(self) -> str:
        return f"{self.chrom}:{self.start}-{self.end}"

    @property
    def reverse(self) -> bool:
        """Whether the model sees the reverse complement."""
        return self.strand == "-"


@dataclass(frozen=True)
class GenomeWindows:
    """The letters of windows of one length, read from the genome when they are asked for.

    Attributes
    ----------
    genome
        The sequences.
    windows
        N of them.
    length
        L.
    """

    genome: Genome
    windows: tuple[Window, ...]
    length: int

    def __len__(self) -> int:
        """N."""
        return len(self.windows)

    def read(self, numbers: Array) -> Array:
        """The letters of some windows (n, L), as the model sees them."""
        texts = [window_letters(self.genome, self.windows[number]) for number in numbers]
        return np.frombuffer(b"".join(texts), np.uint8).reshape(len(texts), self.length)


def window_letters(genome: Genome, window: Window) -> bytes:
    """The letters of a window on its strand."""
    letters = genome.fetch_bytes(window.chrom, window.start, window.end)
    return complement_bytes(letters) if window.reverse else letters


def regions(
    regions: str | os.PathLike[str] | Iterable[str],
    genome: Genome | str | os.PathLike[str],
    length: int | None = None,
    *,
    network: Network | None = None,
    letters: str = LETTERS,
    unknown: str = "zeros",
    axes: str | None = None,
    input: str | None = None,
    first_code: int = 0,
    stranded: bool = True,
    strict: bool = False,
) -> SequenceInput:
    """Windows around the regions of a file as an input of a network, read when asked for.

    A window of L positions is ``[c - L // 2, c - L // 2 + L)`` for the centre c of its region:
    start + summit of a narrowPeak, else (start + end) // 2. Windows that go over the edge of their
    chromosome, that another record has too, or that are on no chromosome of the genome are left
    out, each with its reason in ``records`` and in ``constants``.

    Parameters
    ----------
    regions
        A BED or narrowPeak file, a file of lines ``chr:start-end[:strand]``, plain or gzip; or
        such strings. All are 0-based, the end not included.
    genome
        The genome, or its FASTA file.
    length
        L, where the network leaves it free or none is named; by default that of the regions, if
        all have the same.
    network
        The network whose length and axes are taken.
    letters
        The letters in the order of the network's channels.
    unknown
        What N and other IUPAC codes of several letters are: ``"zeros"``, ``"uniform"`` (shares of
        the letters that they stand for), or ``"refuse"``: the window is left out.
    axes
        The axes of the array where the network's shape does not tell: ``"NLC"`` (the default
        without a network), ``"NCL"``, ``"NLC1"`` …; ``"NL"`` for whole numbers.
    input
        The name of the network's input that reads the sequences, where several may.
    first_code
        The number of the first letter, where letters are whole numbers.
    stranded
        Whether windows of regions on the strand ``-`` are reverse complements.
    strict
        Whether a record that is left out is an error.

    Raises
    ------
    InputError
        If a file cannot be read, a record is no region or ends beyond its chromosome, or nothing
        is left to score; if strict, naming the first record that is left out.
    """
    form = input_form(
        network, input=input, length=length, letters=letters, unknown=unknown, axes=axes,
        first_code=first_code,
    )  # fmt: skip
    file = read_regions(regions)
    genome = genome if isinstance(genome, Genome) else Genome(genome)
    size = form.length or _common_length(file)
    _refuse_records_beyond(file, genome)
    windows = [_window(record, size, stranded=stranded) for record in file.records]
    records = RecordTable(_reasons(file, windows, genome, form))
    records.check(file.locate, strict=strict)
    scored = tuple(windows[number] for number in records.numbers)
    names = [file.records[number].name for number in records.numbers]
    return SequenceInput(
        GenomeWindows(genome, scored, size),
        form,
        records,
        {
            "sample": [name or str(window) for name, window in zip(names, scored, strict=True)],
            "chrom": [window.chrom for window in scored],
            "start": np.array([window.start for window in scored], np.int64),
            "end": np.array([window.end for window in scored], np.int64),
            "strand": [window.strand for window in scored],
        },
        {"regions": file.path, "genome": str(genome.path)},
        file.missing_summits,
    )


def _common_length(file: RegionFile) -> int:
    lengths = {record.end - record.start for record in file.records}
    if len(lengths) > 1:
        raise InputError(
            f"{file.path}: regions of {min(lengths)} to {max(lengths)} positions; say how long "
            "windows are, length= (--length)."
        )
    return lengths.pop()


def _refuse_records_beyond(file: RegionFile, genome: Genome) -> None:
    """Refuse records that are not within their chromosome: of another assembly.

    Raises
    ------
    InputError
        Naming the first one.
    """
    for number, record in enumerate(file.records):
        size = genome.sizes.get(record.chrom, record.end)
        if record.end > size:
            raise InputError(
                f"{file.locate(number)}: {record} ends beyond {record.chrom}, which has {size} "
                f"positions in {genome.path}. Is that the assembly of the regions?"
            )


def _window(record: Region, length: int, *, stranded: bool) -> Window:
    start = record.centre - length // 2
    strand = record.strand if stranded else "."
    return Window(record.chrom, start, start + length, strand)


def _reasons(file: RegionFile, windows: list[Window], genome: Genome, form: InputForm) -> list[str]:
    """Why each window is left out; empty where it is not."""
    reasons: list[str] = []
    first_of: dict[tuple[str, int, bool], int] = {}
    for number, window in enumerate(windows):
        reason = _misfit(window, genome) or (
            unknown_letter(window_letters(genome, window), form) if form.refuses_unknown else ""
        )
        first = first_of.setdefault((window.chrom, window.start, window.reverse), number)
        if first != number and not reason:
            reason = f"{DUPLICATE}: the window of record {first}, line {file.records[first].line}"
        reasons.append(reason)
    return reasons


def _misfit(window: Window, genome: Genome) -> str:
    """Why a window is not within the genome; empty where it is."""
    size = genome.sizes.get(window.chrom)
    if size is None:
        near = suggest(window.chrom, genome.sizes, "")
        return f"{ABSENT}: {genome.path.name} has no {window.chrom}. {near}".rstrip(". ")
    if window.start < 0 or window.end > size:
        return f"{EDGE}: the window {window} is not within 0-{size}"
    return ""


__all__ = ["GenomeWindows", "Window", "regions", "window_letters"]
