"""Simulate a genome with planted motifs: FASTA, narrowPeak, and the truth as BED.

    python simulate.py DIR        writes genome.fa, peaks.narrowPeak and planted.bed to DIR

A cell of 10,000 bases has one peak, 50 Mb have 5,000. The 200 bases around its summit hold sites of
one to four motifs, on either strand and without overlaps, and no other strong match of any, so
that the planted sites are all the truth there is. Each motif that is there adds 1 to the logarithm
of the peak's reads, however many sites it has: a second site changes nothing.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ALPHABET = "ACGT"
BYTES = np.frombuffer(ALPHABET.encode(), np.uint8)
BACKGROUND = np.array([0.3, 0.2, 0.2, 0.3])
LENGTH = 200
"""Bases around a summit that hold sites, and that the model reads."""
CELL = 10_000
CHROMOSOMES = {"chr1": 2400, "chr2": 1600, "chr3": 1000}
"""Cells of each; a peak each."""
PRESENT, MOST_SITES = 0.4, 3
BASE, NOISE = 2.0, 0.3
"""Log reads without a motif, and the standard deviation of what is measured."""
UNKNOWN, REPEAT = 1_000, 3_000
"""N at the start of each chromosome, and bases of a cell in lower case, as repeats are."""
LOWER = 0x20
"""The bit that tells lower case."""
CODES = {"A": "A", "C": "C", "G": "G", "T": "T", "W": "AT", "R": "AG", "Y": "CT", "S": "CG"}
MOTIFS = {"GATA1": "WGATAAGR", "AP-1": "RTGASTCAY", "SPI1": "RGAGGAAGTR", "NRF1": "GCGCATGCGC"}
CONSERVED = 0.94
"""Share of the letters that a motif names at a position."""
PLANTED, ABSENT = 0.75, 0.65
"""Shares of a motif's largest log-odds: planted sites exceed the first, all else the second not."""


def frequencies(motif: str) -> np.ndarray:
    """``(width, 4)`` frequencies of letters at the positions of a motif."""
    named = np.array([[letter in CODES[code] for letter in ALPHABET] for code in MOTIFS[motif]])
    count = named.sum(axis=1, keepdims=True)
    return np.where(named, CONSERVED / count, (1 - CONSERVED) / (4 - count))


@dataclass(frozen=True)
class Simulation:
    """Sequences and what was planted in them.

    Attributes
    ----------
    codes
        ``(n, 200)`` letters as positions in `ALPHABET`.
    sites
        ``(m, 4)`` planted sites: sample, motif (position in `MOTIFS`), start, and strand (1, -1).
    reads
        ``(n,)`` logarithms of reads as they are measured.
    """

    codes: np.ndarray
    sites: np.ndarray
    reads: np.ndarray


def simulate(count: int, rng: np.random.Generator, empty: float = 0.0) -> Simulation:
    """Windows of which a share is empty, and all others hold one motif at least."""
    codes = _background(count, rng)
    has = _subsets(count, rng)
    has[rng.random(count) < empty] = False
    numbers = has * rng.integers(1, MOST_SITES + 1, has.shape)
    drawn = [
        iter(_draw_sites(motif, total, rng))
        for motif, total in zip(MOTIFS, numbers.sum(axis=0).tolist(), strict=True)
    ]
    sites = []
    for sample, of_motifs in enumerate(numbers.tolist()):
        taken = np.zeros(LENGTH, bool)
        for motif in (motif for motif, times in enumerate(of_motifs) for _ in range(times)):
            site = next(drawn[motif])
            start, strand = _free_start(taken, len(site), rng), 1 if rng.random() < 0.5 else -1
            taken[max(0, start - 2) : start + len(site) + 2] = True
            codes[sample, start : start + len(site)] = site if strand == 1 else 3 - site[::-1]
            sites.append((sample, motif, start, strand))
    reads = BASE + has.sum(axis=1) + rng.normal(0, NOISE, count)
    return Simulation(codes, np.array(sites, int).reshape(-1, 4), reads.astype(np.float32))


def one_hot(codes: np.ndarray) -> np.ndarray:
    """``(n, 200, 4)``, float32."""
    return np.eye(4, dtype=np.float32)[codes]


def _subsets(count: int, rng: np.random.Generator) -> np.ndarray:
    """Which motifs each window has: one at least."""
    has = rng.random((count, len(MOTIFS))) < PRESENT
    while not has.any(axis=1).all():
        without = ~has.any(axis=1)
        has[without] = rng.random((int(without.sum()), len(MOTIFS))) < PRESENT
    return has


def _odds(motif: str) -> np.ndarray:
    """Log-odds as shares of the largest that a site can have."""
    odds = np.log(frequencies(motif) / BACKGROUND)
    return np.asarray(odds / odds.max(axis=1).sum())


def _best_match(codes: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Largest log-odds in each of ``codes`` ``(n, length)``, on either strand."""
    width = len(odds)
    places = codes.shape[1] - width + 1
    both = np.zeros((2, len(codes), places))
    for i, (row, turned) in enumerate(zip(odds, odds[::-1, ::-1], strict=True)):
        both += np.stack([row, turned])[:, codes[:, i : i + places]]
    return np.asarray(both.max(axis=(0, 2)))


def _background(count: int, rng: np.random.Generator) -> np.ndarray:
    codes = _letters(count * LENGTH, rng).reshape(count, LENGTH)
    left = np.arange(count)
    while len(left):
        matched = [_best_match(codes[left], _odds(motif)) > ABSENT for motif in MOTIFS]
        left = left[np.any(matched, axis=0)]
        codes[left] = _letters(len(left) * LENGTH, rng).reshape(-1, LENGTH)
    return codes


def _letters(count: int, rng: np.random.Generator) -> np.ndarray:
    """Letters as positions in `ALPHABET`, as frequent as in `BACKGROUND`."""
    tenths = np.repeat(np.arange(4, dtype=np.uint8), np.rint(10 * BACKGROUND).astype(int))
    return tenths[rng.integers(0, 10, count, np.uint8)]


def _draw_sites(motif: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """``(count, width)`` letters of sites that exceed `PLANTED`."""
    bounds, drawn = frequencies(motif).cumsum(axis=1)[:, :-1], np.empty((0, len(MOTIFS[motif])))
    while len(drawn) < count:
        letters = (rng.random((count, len(bounds), 1)) > bounds).sum(axis=2)
        strong = letters[_best_match(letters, _odds(motif)) > PLANTED]
        drawn = np.concatenate([drawn, strong]).astype(np.uint8)
    return drawn[:count]


def _free_start(taken: np.ndarray, width: int, rng: np.random.Generator) -> int:
    while True:
        start = int(rng.integers(0, LENGTH - width + 1))
        if not taken[start : start + width].any():
            return start


# ---------------------------------------------------------------- the genome


@dataclass(frozen=True)
class Summary:
    """What was written: bases, peaks, records that cannot be scored, planted sites."""

    bases: int
    peaks: int
    unfit: int
    sites: int


def write_genome(folder: Path, share: float = 1.0, seed: int = 0) -> Summary:
    """Write the genome, its peaks and the planted sites; the same for the same seed.

    Parameters
    ----------
    folder
        Where ``genome.fa``, ``peaks.narrowPeak`` and ``planted.bed`` go.
    share
        Of the 50 Mb.
    seed
        Of all random numbers.
    """
    rng = np.random.default_rng(seed)
    bases = peaks = unfit = sites = 0
    with (
        (folder / "genome.fa").open("wb") as fasta,
        (folder / "peaks.narrowPeak").open("w") as peak_file,
        (folder / "planted.bed").open("w") as planted,
    ):
        for chrom, full in CHROMOSOMES.items():
            cells = max(1, round(full * share))
            inside = simulate(cells, rng)
            middle = np.arange(cells) * CELL + rng.integers(2_000, CELL - 2_000, cells)
            text = _chromosome(cells * CELL, rng)
            for start, codes in zip(middle - LENGTH // 2, inside.codes, strict=True):
                text[start : start + LENGTH] &= LOWER  # the case stays
                text[start : start + LENGTH] |= BYTES[codes]
            fasta.write(f">{chrom}\n".encode())
            fasta.write(_lines(text))
            lines = [
                _narrow_peak(chrom, int(at), float(reads), number, rng)
                for number, (at, reads) in enumerate(zip(middle, inside.reads, strict=True))
            ]
            edge = f"{chrom}\t0\t150\t{chrom}_edge\t0\t.\t0\t-1\t-1\t40\n"
            peak_file.writelines([edge, *lines, lines[0]])
            for sample, motif, start, strand in inside.sites:
                first = int(middle[sample]) - LENGTH // 2 + start
                name = list(MOTIFS)[motif]
                end = first + len(MOTIFS[name])
                planted.write(f"{chrom}\t{first}\t{end}\t{name}\t0\t{'+' if strand > 0 else '-'}\n")
            bases, peaks = bases + len(text), peaks + cells
            unfit, sites = unfit + 2, sites + len(inside.sites)
    return Summary(bases, peaks, unfit, sites)


def _chromosome(length: int, rng: np.random.Generator) -> np.ndarray:
    """Letters as bytes: N at the start, a stretch of each cell in lower case."""
    text = BYTES[_letters(length, rng)]
    for first in range(0, length, CELL) + rng.integers(0, CELL - REPEAT, length // CELL):
        text[first : first + REPEAT] |= LOWER
    text[:UNKNOWN] = ord("N")
    return text


def _lines(text: np.ndarray, width: int = 100) -> bytes:
    """Lines of letters; the length is a multiple of their width."""
    ends = np.full((len(text) // width, 1), ord("\n"), np.uint8)
    return np.hstack([text.reshape(-1, width), ends]).tobytes()


def _narrow_peak(
    chrom: str, summit: int, reads: float, number: int, rng: np.random.Generator
) -> str:
    left, right = (int(side) for side in rng.integers(80, 400, 2))
    return (
        f"{chrom}\t{summit - left}\t{summit + right}\t{chrom}_peak_{number}\t"
        f"{min(1000, round(100 * reads))}\t.\t{np.exp(reads):.2f}\t-1\t-1\t{left}\n"
    )


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    folder.mkdir(parents=True, exist_ok=True)
    print(write_genome(folder))


if __name__ == "__main__":
    main()
