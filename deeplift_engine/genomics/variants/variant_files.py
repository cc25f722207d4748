"""Files of variants: VCF, and the table without a header of the field's variant-scorer."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.packed_files import opened
from deeplift_engine.genomics.variants.variant import EMPTY, Record

_COLUMNS = 8
"""Columns of a VCF, at the least: CHROM to INFO."""


class VariantFile(ABC):
    """A file of variants, whose records are read one by one.

    Attributes
    ----------
    path
        The file, plain or compressed by gzip or bgzip.
    header
        The lines in front of the records, without their ends.
    """

    def __init__(self, path: Path, header: tuple[str, ...]) -> None:
        self.path, self.header = path, header

    def __iter__(self) -> Iterator[Record]:
        """The records, in the file's order.

        Raises
        ------
        InputError
            For a line that is no record, naming it, and where the file cannot be read on.
        """
        number = 0
        for line, text in enumerate(_lines(self.path), 1):
            if line > len(self.header) and text.strip() and not text.startswith("#"):
                yield self._record(line, number, text)
                number += 1

    @abstractmethod
    def _cells(self, line: int, number: int, text: str) -> tuple[str, str, str, str, list[str]]:
        """Chromosome, position, identifier, REF and the ALT alleles of a line."""

    def _record(self, line: int, number: int, text: str) -> Record:
        chrom, position, name, ref, alternatives = self._cells(line, number, text)
        if not (position.isascii() and position.isdigit()):
            raise self._error(
                line, number, f"POS is {position!r}; expected a whole number, from 1 on"
            )
        return Record(
            str(self.path),
            line,
            number,
            chrom,
            int(position),
            name or ".",
            ref,
            tuple(alternatives),
            text,
        )

    def _error(self, line: int, number: int, text: str) -> InputError:
        return InputError(f"{self.path}, line {line}, record {number}: {text}.")


class Vcf(VariantFile):
    """A VCF of eight columns or more."""

    def _cells(self, line: int, number: int, text: str) -> tuple[str, str, str, str, list[str]]:
        cells = text.split("\t")
        if len(cells) < _COLUMNS:
            raise self._error(
                line,
                number,
                f"{len(cells)} columns; a VCF has {_COLUMNS} or more, with tabs between them",
            )
        chrom, position, name, ref, alt = cells[:5]
        if ref in ("", ".") or not all(alt.split(",")):
            raise self._error(line, number, f"REF is {ref!r} and ALT {alt!r}; expected alleles")
        return chrom, position, name, ref, alt.split(",")


class VariantTable(VariantFile):
    """Columns chr, pos (1-based), allele1, allele2, id, with tabs; ``-`` is an empty allele."""

    def _cells(self, line: int, number: int, text: str) -> tuple[str, str, str, str, list[str]]:
        cells = [cell.strip() for cell in text.split("\t")]
        if len(cells) != 5:
            raise self._error(
                line,
                number,
                f"{len(cells)} columns; expected chr, pos, allele1, allele2 and id with tabs "
                "between them, or a VCF with its header",
            )
        chrom, position, *alleles, name = cells
        ref, alt = ("" if allele == EMPTY else allele for allele in alleles)
        if not (ref + alt).isalpha():
            raise self._error(
                line,
                number,
                f"the alleles are {alleles[0]!r} and {alleles[1]!r}; expected letters, or "
                f"{EMPTY!r} for one of them",
            )
        return chrom, position, name, ref, [alt]


def open_variants(path: str | os.PathLike[str]) -> VariantFile:
    """A VCF, or a table of variants, whichever it begins as.

    Raises
    ------
    InputError
        If it cannot be read, or is neither.
    """
    path = Path(path)
    header = []
    for text in _lines(path):
        if not text.startswith("#"):
            break
        header.append(text)
        if text.startswith("#CHROM"):
            return Vcf(path, tuple(header))
    if header and header[0].startswith("##fileformat=VCF"):
        raise InputError(
            f"{path}, line {len(header) + 1}: a VCF without the line that begins with '#CHROM'."
        )
    return VariantTable(path, tuple(header))


def _lines(path: Path) -> Iterator[str]:
    """The lines of a text file, unpacked, without their ends; bytes that are no UTF-8 survive."""
    with opened(path) as file:
        for number, line in enumerate(file):
            if number == 0 and line.startswith(b"BCF"):
                raise InputError(f"{path} is a BCF; make a VCF of it: bcftools view -O z {path}")
            yield line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")


__all__ = ["VariantFile", "VariantTable", "Vcf", "open_variants"]
