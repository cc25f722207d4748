"""A record of a variants file, and the variants that it stands for: one for each ALT allele."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from deeplift_engine.errors import InputError

EMPTY = "-"
"""How an allele without letters is written."""


class Sequences(Protocol):
    """What variants ask of a genome; `deeplift_engine.genomics.Genome` is one."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Lengths of the sequences by name."""

    def fetch(self, chrom: str, start: int, end: int) -> str:
        """The letters of a region, 0-based and half-open."""


@dataclass(frozen=True)
class Record:
    """A line of a variants file.

    Attributes
    ----------
    path, line
        The file, and the number of the line in it, from 1.
    number
        The number among the records, from 0.
    chrom, position, name
        Where it is, 1-based, and its identifier, ``"."`` where it has none.
    ref, alternatives
        The alleles as the file has them; ``""`` for one without letters.
    text
        The line without its end.
    """

    path: str
    line: int
    number: int
    chrom: str
    position: int
    name: str
    ref: str
    alternatives: tuple[str, ...]
    text: str

    @property
    def where(self) -> str:
        """The record in words, for messages."""
        alleles = f"{self.ref or EMPTY}>{','.join(allele or EMPTY for allele in self.alternatives)}"
        return (
            f"{self.path}, line {self.line}, record {self.number} "
            f"({self.chrom}:{self.position} {alleles})"
        )


@dataclass(frozen=True)
class Reason:
    """Why a variant is not scored: a word, and a sentence."""

    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"

    @classmethod
    def of_text(cls, text: str) -> Reason | None:
        """The reason that `str` gave; None of an empty text."""
        code, _, rest = text.partition(": ")
        return cls(code, rest) if text else None


@dataclass(frozen=True)
class Variant:
    """One ALT allele of a record.

    Attributes
    ----------
    record
        Where it stands.
    ref, alt
        The alleles, upper case.
    reason
        Why it is not scored; None of one that is.
    """

    record: Record
    ref: str
    alt: str
    reason: Reason | None = None

    @property
    def start(self) -> int:
        """The 0-based position of the first letter of REF."""
        return self.record.position - 1

    @property
    def kind(self) -> str:
        """``SNV``, ``MNV``, ``insertion``, ``deletion``; ``other`` of what has no letters."""
        if self.reason is not None and self.reason.code in _NO_LETTERS:
            return "other"
        if len(self.ref) == len(self.alt):
            return "SNV" if len(self.ref) == 1 else "MNV"
        return "insertion" if len(self.alt) > len(self.ref) else "deletion"

    @property
    def label(self) -> str:
        """The identifier, or ``chrom:position:ref:alt`` of one without."""
        record = self.record
        if record.name != ".":
            return record.name
        return f"{record.chrom}:{record.position}:{self.ref or EMPTY}:{self.alt or EMPTY}"


_NO_LETTERS = ("no_alternative", "symbolic", "breakend", "overlapping_deletion")
_LETTERS = re.compile("[ACGT]*")


def split(record: Record, genome: Sequences, length: int) -> list[Variant]:
    """The variants of a record for windows of some length, one for each ALT allele.

    REF is compared with the genome whatever ALT is.
    """
    shared = _reason_of_record(record, genome)
    return [
        Variant(
            record,
            record.ref.upper(),
            alternative.upper() if _reason_of_text(alternative) is None else alternative,
            shared or _reason_of_allele(record, alternative, genome.sizes[record.chrom], length),
        )
        for alternative in record.alternatives
    ]


def refuse(variant: Variant) -> InputError:
    """The error for a variant that may not be skipped."""
    assert variant.reason is not None
    return InputError(f"{variant.record.where}: {variant.reason.text}.")


def _reason_of_record(record: Record, genome: Sequences) -> Reason | None:
    """Why no allele of a record is scored."""
    size = genome.sizes.get(record.chrom)
    if size is None:
        return Reason("no_chromosome", f"the genome has no chromosome {record.chrom!r}")
    start, end = record.position - 1, record.position - 1 + len(record.ref)
    if start < 0 or end > size:
        return Reason(
            "mismatch",
            f"REF is at the positions {start + 1} to {end}, and {record.chrom} has 1 to {size}: "
            "the variants are of another genome",
        )
    present, ref = genome.fetch(record.chrom, start, end).upper(), record.ref.upper()
    if present == ref:
        return None
    others = [alternative.upper() for alternative in record.alternatives]
    swapped = any(
        genome.fetch(record.chrom, start, min(size, start + len(other))).upper() == other
        for other in others
        if other and _reason_of_text(other) is None
    )
    return Reason(
        "mismatch",
        f"REF is {record.ref!r} and the genome has {present!r} there: "
        + (
            "ALT is what it has, so that the alleles are swapped"
            if swapped
            else "the variants are of another genome, or their positions are not 1-based"
        ),
    )


def _reason_of_text(alternative: str) -> Reason | None:
    """Why an ALT allele is no sequence of letters; None of one that is."""
    if alternative == ".":
        return Reason("no_alternative", "ALT is '.': there is no other allele")
    if alternative == "*":
        return Reason("overlapping_deletion", "ALT is '*', a deletion that another record has")
    if alternative.startswith("<"):
        return Reason("symbolic", f"ALT is {alternative}, which has no letters")
    if re.search(r"[][.]", alternative):
        return Reason("breakend", f"ALT is the breakend {alternative}")
    return None


def _reason_of_allele(record: Record, alternative: str, size: int, length: int) -> Reason | None:
    """Why one allele of a record that fits the genome is not scored."""
    ref, alt = record.ref.upper(), alternative.upper()
    if reason := _reason_of_text(alternative):
        return reason
    for name, letters in (("REF", ref), ("ALT", alt)):
        if not _LETTERS.fullmatch(letters):
            return Reason("letters", f"{name} is {letters!r}, with letters other than A, C, G, T")
    if ref == alt:
        return Reason("same", "ALT is REF")
    first, end = span(record.position - 1, ref, alt, length)
    if first < 0 or end > size:
        return Reason(
            "edge",
            f"windows of {length} need {record.chrom}:{first}-{end} (0-based, end excluded), and "
            f"{record.chrom} has 0 to {size}",
        )
    return None


def span(start: int, ref: str, alt: str, length: int) -> tuple[int, int]:
    """The region of the genome that the windows of both alleles are of, 0-based, half-open."""
    first = start - length // 2
    return first, first + length + max(0, len(ref) - len(alt))


__all__ = ["EMPTY", "Reason", "Record", "Sequences", "Variant", "refuse", "span", "split"]
