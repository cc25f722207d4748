"""Motifs of a result of modisco-lite: their sites in the genome, sequences and matrices.

``modisco motifs`` crops windows to the middle ``-w`` bases, and the places of its seqlets are
within what it cropped. Here they are put back: the result's ``window_size`` and the length of the
rows tell how many bases were cut off, the regions of the rows where these lie.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.array_rows import ENTRY, open_rows
from deeplift_engine.genomics.exported import Exported
from deeplift_engine.genomics.located import Located, read_located
from deeplift_engine.genomics.motif_matches import match_lines, match_motifs
from deeplift_engine.genomics.nucleotides import LETTERS
from deeplift_engine.genomics.scored_windows import ScoredWindows
from deeplift_engine.util.durable import disk_errors
from deeplift_engine.util.output_file import output_file
from deeplift_engine.util.typing import Array

_GROUPS = ("pos_patterns", "neg_patterns")
_SEQLETS = ("start", "end", "example_idx", "is_revcomp", "sequence", "contrib_scores")
_PSEUDO = 0.25
_MOST_SCORE = 1000
_BLOCK = 256


@dataclass(frozen=True)
class Motif:
    """A motif of modisco-lite, and its seqlets.

    Attributes
    ----------
    name
        ``pos_patterns.pattern_0``, as modisco's own MEME files have it.
    probabilities
        ``(width, 4)``, the mean of its seqlets' letters.
    row
        The rows of the arrays that its seqlets are in, (seqlets,).
    start, end
        Of seqlets within these rows as they were scored, 0-based, half-open: not cropped.
    is_turned
        Whether a seqlet is the reverse complement of its row.
    letters
        ``(seqlets, width, 4)`` one-hot, turned as the motif is.
    contribution
        Of the letters of each seqlet, added.
    weights
        ``(width, 4)``, the mean of its seqlets' contributions.
    """

    name: str
    probabilities: Array
    row: Array
    start: Array
    end: Array
    is_turned: Array
    letters: Array
    contribution: Array
    weights: Array

    def __len__(self) -> int:
        """Number of seqlets."""
        return len(self.row)

    @property
    def consensus(self) -> str:
        """The most probable letter of each position, small where it is less than a half."""
        letters = [LETTERS[code] for code in self.probabilities.argmax(axis=1)]
        sure = self.probabilities.max(axis=1) >= 0.5
        return "".join(
            letter if high else letter.lower() for letter, high in zip(letters, sure, strict=True)
        )

    @property
    def sequences(self) -> list[str]:
        """The letters of its seqlets, turned as the motif is; N where none is known."""
        codes = np.where(self.letters.any(axis=2), self.letters.argmax(axis=2), len(LETTERS))
        alphabet = np.array([*f"{LETTERS}N"])
        return ["".join(row) for row in alphabet[codes]]


@dataclass(frozen=True)
class Sites:
    """Where the seqlets of a motif lie in the genome.

    Attributes
    ----------
    motif
        The motif.
    chrom, start, end, strand
        Of its seqlets, on the forward strand, 0-based, half-open.
    window
        The names of the windows that they are in.
    """

    motif: Motif
    chrom: Array
    start: Array
    end: Array
    strand: Array
    window: Array


def read_motifs(path: str | os.PathLike[str], length: int) -> list[Motif]:
    """Read the motifs of a result of ``modisco motifs``.

    Parameters
    ----------
    path
        Its HDF5 file.
    length
        L, the positions of the rows that it was given.

    Raises
    ------
    InputError
        If it is no such file, or of longer windows than the rows.
    """
    try:
        with h5py.File(path, "r") as file:
            if "window_size" not in file.attrs:
                raise InputError(
                    f"{path} does not say its window_size, as results of modisco-lite 3 do: "
                    "without it the places of seqlets are not known; run modisco motifs again"
                )
            window = int(file.attrs["window_size"])
            cropped = length // 2 - window // 2
            if cropped < 0:
                raise InputError(
                    f"{path} is of windows of {window} bases, and the rows have {length}: these "
                    "are not the rows that it was given"
                )
            return [
                _motif(f"{group}.{name}", file[group][name], cropped)
                for group in _GROUPS
                if group in file
                for name in sorted(file[group], key=_number)
            ]
    except (OSError, KeyError, RuntimeError) as error:
        raise InputError(f"{path} cannot be read as a result of modisco motifs: {error}") from error


def _number(name: str) -> tuple[int, str]:
    digits = name.rpartition("_")[2]
    return (int(digits) if digits.isdecimal() else 0, name)


def _motif(name: str, group: Any, cropped: int) -> Motif:
    seqlets = {each: np.asarray(group["seqlets"][each]) for each in _SEQLETS}
    letters = seqlets["sequence"]
    counts = letters.sum(axis=0, dtype=float)
    unknown = 1 - letters.any(axis=2).mean(axis=0)
    probabilities = counts / len(letters) + np.outer(unknown, np.full(4, _PSEUDO))
    return Motif(
        name,
        probabilities / probabilities.sum(axis=1, keepdims=True),
        seqlets["example_idx"].astype(np.int64),
        seqlets["start"].astype(np.int64) + cropped,
        seqlets["end"].astype(np.int64) + cropped,
        seqlets["is_revcomp"].astype(bool),
        letters,
        (seqlets["contrib_scores"] * letters).sum(axis=(1, 2), dtype=float),
        seqlets["contrib_scores"].mean(axis=0, dtype=float),
    )


def sites_of(motif: Motif, rows: Located) -> Sites:
    """The sites of a motif in the genome.

    Parameters
    ----------
    motif
        The motif.
    rows
        The windows of the rows that modisco was given, in their order.

    Raises
    ------
    InputError
        If there are fewer rows than seqlets name.
    """
    if len(motif) and motif.row.max() >= len(rows):
        raise InputError(
            f"{motif.name} has a seqlet in row {motif.row.max()}, and there are {len(rows)} rows: "
            "the motifs are of other rows"
        )
    start, end = rows.in_genome(motif.row, motif.start, motif.end)
    turned = motif.is_turned ^ (rows.strand[motif.row] == "-")
    return Sites(
        motif,
        rows.chrom[motif.row],
        start,
        end,
        np.where(turned, "-", "+"),
        rows.name[motif.row],
    )


def check_letters(motifs: list[Motif], blocks: Iterator[tuple[slice, Array]], source: str) -> None:
    """Check that seqlets hold the letters of their rows.

    Parameters
    ----------
    motifs
        The motifs.
    blocks
        Rows, and their one-hot letters ``(n, 4, L)``.
    source
        What the rows are called in the error.

    Raises
    ------
    InputError
        For the first seqlet that does not: rows are in another order, or others.
    """
    for rows, one_hot in blocks:
        for motif in motifs:
            for number in np.flatnonzero((motif.row >= rows.start) & (motif.row < rows.stop)):
                row, start, end = motif.row[number], motif.start[number], motif.end[number]
                letters = one_hot[row - rows.start, :, start:end].T
                letters = letters[::-1, ::-1] if motif.is_turned[number] else letters
                if not np.array_equal(letters, motif.letters[number]):
                    raise InputError(
                        f"seqlet {number} of {motif.name} holds other letters than row {row} of "
                        f"{source} at {start} to {end}: the motifs are of other rows, or of rows "
                        "in another order; give the regions file that was written with the arrays "
                        "(--regions PREFIX.regions.bed), and the store of these"
                    )


def export_motifs(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    store: str | os.PathLike[str] | None = None,
    regions: str | os.PathLike[str] | None = None,
    sequences: str | os.PathLike[str] | None = None,
    names: str | os.PathLike[str] | None = None,
    prefix: str | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write the sites of motifs as BED, their sequences as FASTA, their matrices as MEME.

    Parameters
    ----------
    path
        The result of ``modisco motifs``.
    folder
        Where the files go; made where it is not there.
    store
        The store whose export modisco was given. Seqlets are compared with its sequences.
    regions
        The regions file of the rows that modisco was given, where there is no store or the rows
        are in another order than its samples.
    sequences
        The array that modisco was given (``-s``), to compare seqlets with, beside ``regions``.
    names
        A MEME file of known motifs: also writes which of them TOMTOM puts nearest to each.
    prefix
        What the files' names begin with; the result's name by default.
    overwrite
        Whether existing files may be replaced.

    Raises
    ------
    InputError
        If a file is not what it should be, or seqlets hold other letters than their rows.
    OutputError
        For existing files, and any error of the disk.
    """
    rows, length = _rows(store, regions)
    motifs = read_motifs(path, length)
    if not motifs:
        raise InputError(f"{path} has no motifs: nothing is there to export")
    sites = [sites_of(motif, rows) for motif in motifs]
    exported = Exported("motifs")
    if sequences is not None:
        check_letters(motifs, _array_blocks(sequences), str(sequences))
    elif store is not None and regions is None:
        check_letters(motifs, one_hot_blocks(ScoredWindows(store)), str(store))
    else:
        exported.notes.append("seqlets were not compared with sequences: no array of rows is given")
    target = Path(folder)
    with disk_errors(target, "written"):
        target.mkdir(parents=True, exist_ok=True)
    stem = prefix or Path(path).stem
    texts: dict[str, tuple[str, Iterator[str]]] = {
        "sites.bed": (
            "sites of seqlets: name, score of 1000, strand, row, window, contribution",
            bed_lines(sites),
        ),
        "sites.fa": ("the sequences of the sites, turned as the motif", fasta_lines(sites)),
        "meme": ("letter probabilities of the motifs, nsites their seqlets", meme_lines(motifs)),
    }
    if names is not None:
        nearest = match_lines(match_motifs(motifs, names))
        texts["matches.tsv"] = (f"nearest motifs of {names}, by TOMTOM", nearest)
    for name, (about, lines) in texts.items():
        file = target / f"{stem}.{name}"
        with output_file(file, overwrite=overwrite) as disk:
            for line in lines:
                disk.write(line.encode())
        exported.files[file] = about
    return exported


def bed_lines(sites: list[Sites]) -> Iterator[str]:
    """Sites, nine columns: the six of BED, and the row, its window, and the contribution."""
    largest = max((np.abs(s.motif.contribution).max(initial=0) for s in sites), default=0) or 1.0
    for each in sites:
        scores = np.rint(_MOST_SCORE * np.abs(each.motif.contribution) / largest).astype(int)
        for n in range(len(each.motif)):
            yield (
                f"{each.chrom[n]}\t{each.start[n]}\t{each.end[n]}\t{each.motif.name}\t{scores[n]}\t"
                f"{each.strand[n]}\t{each.motif.row[n]}\t{each.window[n]}\t"
                f"{each.motif.contribution[n]:.6g}\n"
            )


def fasta_lines(sites: list[Sites]) -> Iterator[str]:
    """A record for each site: motif, number, place; its letters."""
    for each in sites:
        for n, letters in enumerate(each.motif.sequences):
            place = f"{each.chrom[n]}:{each.start[n]}-{each.end[n]}({each.strand[n]})"
            yield f">{each.motif.name}.{n} {place}\n{letters}\n"


def meme_lines(motifs: list[Motif]) -> Iterator[str]:
    """Motifs in MEME's minimal format, version 4; ``nsites`` is the number of seqlets."""
    yield f"MEME version 4\n\nALPHABET= {LETTERS}\n\nstrands: + -\n\n"
    yield "Background letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n\n"
    for motif in motifs:
        yield f"MOTIF {motif.name}\n"
        yield (
            f"letter-probability matrix: alength= 4 w= {len(motif.probabilities)} "
            f"nsites= {len(motif)} E= 0\n"
        )
        for row in motif.probabilities:
            yield " ".join(f"{value:.6f}" for value in row) + "\n"
        yield "\n"


def _rows(
    store: str | os.PathLike[str] | None, regions: str | os.PathLike[str] | None
) -> tuple[Located, int]:
    """The windows of the rows that modisco was given, and their length."""
    if regions is not None:
        rows = read_located(regions)
        length = int(rows.end[0] - rows.start[0])
        rows.check_length(length, str(regions))
        return rows, length
    if store is None:
        raise InputError(
            "the places of motifs need the rows that modisco was given: name their regions file, "
            "or the store that was exported"
        )
    windows = ScoredWindows(store)
    return windows.places, windows.length


def one_hot_blocks(windows: ScoredWindows) -> Iterator[tuple[slice, Array]]:
    """Rows of a store, and their one-hot letters ``(n, 4, L)``.

    Raises
    ------
    InputError
        If the store keeps no inputs.
    """
    windows.needed(["inputs"], "comparing seqlets")
    head = next(iter(windows.heads))
    for rows, (one_hot,) in windows.blocks(head, ["one_hot"]):
        yield rows, one_hot


def _array_blocks(path: str | os.PathLike[str]) -> Iterator[tuple[slice, Array]]:
    arrays = open_rows(path)
    rows = arrays.get(ENTRY, arrays.get(""))
    if rows is None:
        raise InputError(f"{path} has no array {ENTRY}")
    first = 0
    for block in rows.blocks(_BLOCK):
        yield slice(first, first + len(block)), block
        first += len(block)


__all__ = ["Motif", "Sites", "export_motifs", "one_hot_blocks", "read_motifs", "sites_of"]
