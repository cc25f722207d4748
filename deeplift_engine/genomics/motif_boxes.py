"""Sites of motifs that are drawn above logos: of a motifs file, a BED file, or finemo's hits."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.figures import Box
from deeplift_engine.genomics.located import Located, read_located
from deeplift_engine.genomics.motif_matches import trimmed
from deeplift_engine.genomics.motifs import check_letters, one_hot_blocks, read_motifs, sites_of
from deeplift_engine.genomics.scored_windows import ScoredWindows

_HITS = ("chr", "start", "end", "motif_name", "strand", "peak_name")
"""Columns of finemo's hits.tsv that are read."""
_OTHER = {"+": "-", "-": "+"}


@dataclass(frozen=True)
class SiteTable:
    """Named sites, by their chromosomes.

    Attributes
    ----------
    by_chrom
        The sites of each, in any order.
    names
        What motifs are called in place of their own names.
    """

    by_chrom: Mapping[str, Located]
    names: Mapping[str, str]

    def within(self, chrom: str, start: int, end: int) -> list[Box]:
        """The sites that meet a stretch of a chromosome."""
        if chrom not in self.by_chrom:
            return []
        sites = self.by_chrom[chrom]
        own = sites[np.flatnonzero((sites.start < end) & (sites.end > start))]
        return [
            Box(int(first), int(last), self.names.get(name, name), strand)
            for first, last, name, strand in zip(
                own.start, own.end, own.name, own.strand, strict=True
            )
        ]


def read_sites(
    path: str | os.PathLike[str], windows: ScoredWindows, names: Mapping[str, str] | None = None
) -> SiteTable:
    """Read sites of motifs.

    Parameters
    ----------
    path
        A result of ``modisco motifs`` on the windows' export (.h5), a BED file, or the hits.tsv of
        ``finemo call-hits``.
    windows
        The windows that are drawn.
    names
        What motifs are called in place of their own names.

    Raises
    ------
    InputError
        If the file cannot be read, or its motifs are of other rows than the windows.
    """
    suffix = Path(path).suffix.lower()
    if suffix in (".h5", ".hdf5"):
        sites = _of_motifs(path, windows)
    elif suffix == ".tsv":
        sites = _of_hits(path, windows)
    elif suffix == ".bed":
        sites = read_located(path)
    else:
        raise InputError(
            f"{path}: expected sites of motifs as .h5 (modisco motifs), .bed, or .tsv (finemo)"
        )
    by_chrom = {
        str(chrom): sites[np.flatnonzero(sites.chrom == chrom)] for chrom in set(sites.chrom)
    }
    return SiteTable(by_chrom, names or {})


def _of_motifs(path: str | os.PathLike[str], windows: ScoredWindows) -> Located:
    motifs = read_motifs(path, windows.length)
    check_letters(motifs, one_hot_blocks(windows), str(windows.run.store.path))
    rows = [
        (motif.name, *place)
        for motif in motifs
        for sites in [sites_of(trimmed(motif), windows.places)]
        for place in zip(sites.chrom, sites.start, sites.end, sites.strand, strict=True)
    ]
    return _located(rows, path)


def _of_hits(path: str | os.PathLike[str], windows: ScoredWindows) -> Located:
    """Hits where they lie: finemo takes rows of windows on "-" for forward."""
    places = windows.places
    turned = {
        str(places.name[row]): int(places.start[row] + places.end[row])
        for row in np.flatnonzero(places.strand == "-")
    }
    try:
        with Path(path).open(newline="") as file:
            table = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            missing = {*_HITS} - {*(table.fieldnames or ())}
            if missing:
                raise InputError(
                    f"{path} has no columns {', '.join(sorted(missing))}: expected hits.tsv "
                    "of finemo"
                )
            rows = []
            for number, row in enumerate(table, 2):
                if not row["chr"]:
                    raise InputError(
                        f"{path}, line {number}: a hit without a chromosome: give finemo the "
                        "regions of its rows (-p PREFIX.regions.bed)"
                    )
                start, end, strand = int(row["start"]), int(row["end"]), row["strand"]
                if row["peak_name"] in turned:
                    ends = turned[row["peak_name"]]
                    start, end, strand = ends - end, ends - start, _OTHER[strand]
                place = row["chr"], start, end, strand
                rows.append((row["motif_name"], *place))
    except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} cannot be read as finemo's hits.tsv: {error}") from error
    return _located(rows, path)


def _located(
    rows: Iterable[tuple[str, str, int, int, str]], path: str | os.PathLike[str]
) -> Located:
    columns = list(zip(*rows, strict=True))
    if not columns:
        raise InputError(f"{path} has no sites")
    name, chrom, start, end, strand = columns
    return Located(
        np.array(name, object),
        np.array(chrom, object),
        np.array(start, np.int64),
        np.array(end, np.int64),
        np.array(strand, object),
    )


__all__ = ["SiteTable", "read_sites"]
