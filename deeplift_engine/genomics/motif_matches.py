"""Motifs named after those of a MEME file that they resemble, by TOMTOM of memelite."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.nucleotides import LETTERS
from deeplift_engine.util.optional import optional
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.genomics.motifs import Motif

CORE = 0.3
"""A motif ends where weights fall below this share of its largest, as in modisco's report."""
NEAREST = 3
"""Targets that are listed for a motif."""
MOST_E_VALUE = 0.05
"""E-value up to which a motif takes its target's name."""
COLUMNS = ("Query_ID", "Target_ID", "p-value", "E-value", "Overlap", "Orientation")
_ROWS_SUM = 0.02


@dataclass(frozen=True)
class Match:
    """A motif of a database that one resembles.

    Attributes
    ----------
    motif, target
        Names.
    p
        TOMTOM's p-value of the best alignment, on either strand.
    e
        ``p`` times the number of targets.
    overlap
        Positions of the alignment.
    strand
        ``"-"`` where the target is turned.
    """

    motif: str
    target: str
    p: float
    e: float
    overlap: int
    strand: str

    @property
    def label(self) -> str:
        """The target's alternate name, or its only one."""
        return self.target.split()[-1]


def trimmed(motif: Motif, share: float = CORE) -> Motif:
    """A motif without flanks, its seqlets as short as it.

    Parameters
    ----------
    motif
        The motif.
    share
        Its first and last position have this share of the largest weight of a position.
    """
    sizes = np.abs(motif.weights).sum(axis=1)
    inside = np.flatnonzero(sizes >= share * sizes.max())
    before, behind = int(inside[0]), len(sizes) - 1 - int(inside[-1])
    core = slice(before, len(sizes) - behind)
    return replace(
        motif,
        probabilities=motif.probabilities[core],
        weights=motif.weights[core],
        letters=motif.letters[:, core],
        start=motif.start + np.where(motif.is_turned, behind, before),
        end=motif.end - np.where(motif.is_turned, before, behind),
    )


def match_motifs(
    motifs: Sequence[Motif], database: str | os.PathLike[str], nearest: int = NEAREST
) -> dict[str, list[Match]]:
    """Compare the cores of motifs with those of a MEME file, by TOMTOM.

    Parameters
    ----------
    motifs
        As `read_motifs` gives them.
    database
        A MEME file of motifs of nucleotides, such as JASPAR's. TOMTOM's p-values are relative to
        all of its columns: it should have 25 motifs or more.
    nearest
        How many targets to list for a motif.

    Returns
    -------
    dict
        By the motif's name, its matches by rising p-value.

    Raises
    ------
    InputError
        If the file is no MEME file of nucleotides.
    DeepliftEngineError
        If memelite is not installed.
    """
    targets = read_meme(database)
    tomtom = optional("memelite", "memelite", "motifs").tomtom
    names = list(targets)
    queries = [np.ascontiguousarray(trimmed(motif).probabilities.T) for motif in motifs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few targets, which the docstring tells
        p, _, _, overlap, strand, index = tomtom(
            queries, [matrix.T for matrix in targets.values()], n_nearest=min(nearest, len(names))
        )
    return {
        motif.name: [
            Match(
                motif.name,
                names[int(index[row, n])],
                float(p[row, n]),
                float(p[row, n]) * len(names),
                int(overlap[row, n]),
                "-" if strand[row, n] else "+",
            )
            for n in range(p.shape[1])
        ]
        for row, motif in enumerate(motifs)
    }


def labels_of(matches: Mapping[str, Sequence[Match]]) -> dict[str, str]:
    """What motifs are called: their best target's label, where its E-value is small enough."""
    return {
        name: f"{each[0].label} ({name.rpartition('_')[2]})"
        for name, each in matches.items()
        if each and each[0].e <= MOST_E_VALUE
    }


def match_lines(matches: Mapping[str, Sequence[Match]]) -> Iterator[str]:
    """A table of matches, tabs between, under the names of columns that TOMTOM has."""
    yield "\t".join(COLUMNS) + "\n"
    for each in matches.values():
        for match in each:
            yield (
                f"{match.motif}\t{match.target}\t{match.p:.3e}\t{match.e:.3e}\t{match.overlap}\t"
                f"{match.strand}\n"
            )


def read_meme(path: str | os.PathLike[str]) -> dict[str, Array]:
    """The motifs of a MEME file by their names, ``(width, 4)`` letter probabilities.

    Raises
    ------
    InputError
        If it cannot be read, is of other letters than ACGT, has no motifs or one twice, or a row
        is no four probabilities; the line is named.
    """
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as MEME: {error}") from error
    motifs: dict[str, Array] = {}
    name, rows, left = "", [], 0
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        if line.startswith("ALPHABET") and line.partition("=")[2].strip() not in ("", LETTERS):
            raise InputError(f"{where}: the letters are {line.partition('=')[2].strip()}, not ACGT")
        if left:
            rows.append(_row(line, where))
            left -= 1
            if not left:
                motifs[name] = np.array(rows)
        elif line.startswith("MOTIF"):
            name = " ".join(line.split()[1:])
            if not name or name in motifs:
                raise InputError(
                    f"{where}: a motif {'twice' if name else 'without a name'}: {name}"
                )
        elif line.startswith("letter-probability matrix"):
            width = re.search(r"\bw=\s*(\d+)", line)
            if width is None or not name:
                raise InputError(f"{where}: a matrix without its width (w=) or its MOTIF line")
            rows, left = [], int(width[1])
    if left or not motifs:
        raise InputError(f"{path} has {'a matrix that ends early' if left else 'no motifs'}")
    return motifs


def _row(line: str, where: str) -> list[float]:
    try:
        values = [float(cell) for cell in line.split()]
    except ValueError:
        values = []
    if len(values) != len(LETTERS) or min(values) < 0 or abs(sum(values) - 1) > _ROWS_SUM:
        raise InputError(f"{where}: expected four probabilities that add up to 1, not {line!r}")
    return values


__all__ = [
    "COLUMNS",
    "Match",
    "labels_of",
    "match_lines",
    "match_motifs",
    "read_meme",
    "trimmed",
]
