"""Hold contributions, tracks and motifs against what was planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import deeplift_engine as de

WINDOW = 7
"""Bases that are added up where contributions are judged by stretches."""


@dataclass(frozen=True)
class Truth:
    """Planted sites, sorted by place.

    Attributes
    ----------
    chrom, start, end, motif
        ``(m,)`` each, 0-based, half-open.
    """

    chrom: np.ndarray
    start: np.ndarray
    end: np.ndarray
    motif: np.ndarray

    @classmethod
    def read(cls, path: Path) -> Truth:
        """Of a BED file."""
        chrom, start, end, motif = zip(
            *(line.split("\t")[:4] for line in path.read_text().splitlines()), strict=True
        )
        order = np.lexsort((np.array(start, int), np.array(chrom)))
        columns = (np.array(chrom), np.array(start, int), np.array(end, int), np.array(motif))
        return cls(*(column[order] for column in columns))

    def within(self, chrom: str, start: int, end: int) -> list[tuple[int, int, str]]:
        """Sites that overlap a stretch: first and end, counted from its start, and motif."""
        here = (self.chrom == chrom) & (self.start < end) & (self.end > start)
        return [
            (int(first) - start, int(last) - start, str(motif))
            for first, last, motif in zip(
                self.start[here], self.end[here], self.motif[here], strict=True
            )
        ]


@dataclass(frozen=True)
class Windows:
    """Windows of a store: where they are, their letters, and the contributions that it holds.

    Attributes
    ----------
    chrom, start
        ``(n,)`` each.
    one_hot
        ``(n, L, 4)``, int8.
    contributions
        ``(n, L)``: hypothetical contributions of the letters that are there.
    """

    chrom: np.ndarray
    start: np.ndarray
    one_hot: np.ndarray
    contributions: np.ndarray

    @classmethod
    def read(cls, path: Path) -> Windows:
        """Of a store."""
        run = de.open_store(path)
        one_hot = run["inputs"][:]
        projected = (run["hypothetical"][:] * one_hot).sum(axis=-1)
        return cls(run["chrom"][:], run["start"][:], one_hot, projected)

    def __len__(self) -> int:
        return len(self.start)

    def spread(self, count: int) -> Windows:
        """So many of the windows, evenly spread over all."""
        rows = np.linspace(0, len(self) - 1, count).astype(int)
        columns = (self.chrom, self.start, self.one_hot, self.contributions)
        return Windows(*(column[rows] for column in columns))

    def planted(self, truth: Truth) -> np.ndarray:
        """Which bases ``(n, L)`` lie in planted sites."""
        is_planted = np.zeros(self.contributions.shape, bool)
        for row in range(len(self)):
            for first, end, _ in self.sites(row, truth):
                is_planted[row, max(0, first) : end] = True
        return is_planted

    def sites(self, row: int, truth: Truth) -> list[tuple[int, int, str]]:
        """Planted sites of a window, counted from its start."""
        start = int(self.start[row])
        return truth.within(self.chrom[row], start, start + self.contributions.shape[1])


@dataclass(frozen=True)
class Curve:
    """Precision and recall at every threshold, and the area under the curve."""

    precision: np.ndarray
    recall: np.ndarray
    area: float

    @classmethod
    def of(cls, values: np.ndarray, is_planted: np.ndarray) -> Curve:
        """Of values of bases, the largest of which should lie in planted sites."""
        hit = is_planted.ravel()[np.lexsort((is_planted.ravel(), -values.ravel()))]
        precision = np.cumsum(hit) / np.arange(1, len(hit) + 1)
        return cls(precision, np.cumsum(hit) / hit.sum(), float(precision[hit].mean()))


def stretches(values: np.ndarray) -> np.ndarray:
    """Sums over `WINDOW` bases around each of ``(n, L)``."""
    padded = np.pad(values, ((0, 0), (WINDOW // 2, WINDOW // 2)))
    return np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=1).sum(axis=-1)


def compare_track(path: Path, windows: Windows) -> tuple[int, float, float, float]:
    """Read a bigWig file back: its bases with a value, the largest difference, and both sums."""
    import pyBigWig

    largest = total = 0.0
    with pyBigWig.open(str(path)) as file:
        for chrom, start, expected in zip(
            windows.chrom, windows.start.tolist(), windows.contributions, strict=True
        ):
            values = file.values(chrom, start, start + len(expected), numpy=True)
            largest = max(largest, float(np.abs(values - expected).max()))
            total += float(values.sum(dtype=np.float64))
        bases = file.header()["nBasesCovered"]
    return bases, largest, total, float(windows.contributions.sum(dtype=np.float64))


@dataclass(frozen=True)
class Pattern:
    """A motif that modisco-lite found, and the planted motif that most of its seqlets cover."""

    name: str
    seqlets: int
    motif: str
    share: float


def patterns(path: Path, truth: Truth) -> list[Pattern]:
    """The motifs whose sites a BED file holds."""
    covered: dict[str, list[Sequence[str]]] = {}
    for line in path.read_text().splitlines():
        chrom, start, end, name = line.split("\t")[:4]
        sites = truth.within(chrom, int(start), int(end))
        covered.setdefault(name, []).append([motif for _, _, motif in sites])
    return [_pattern(name, seqlets) for name, seqlets in covered.items()]


def _pattern(name: str, seqlets: list[Sequence[str]]) -> Pattern:
    counts: Mapping[str, int] = {
        motif: sum(motif in sites for sites in seqlets) for sites in seqlets for motif in sites
    }
    motif = max(counts, key=counts.__getitem__, default="none")
    return Pattern(name, len(seqlets), motif, counts.get(motif, 0) / len(seqlets))
