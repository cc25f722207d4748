"""Simulate regulatory sequences: random background with planted GATA and TAL1-like motifs.

    python simulate.py            prints a few sequences with their planted motifs in upper case

Every sequence is 200 bases of background (A and T more frequent) that holds no strong match of
either motif. A quarter of them stay so; a quarter get one to three GATA sites, a quarter TAL1
sites, a quarter both, on either strand and without overlaps. So the planted sites are all the
truth there is, and a model's contributions can be held against them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ALPHABET = "ACGT"
BACKGROUND = np.array([0.3, 0.2, 0.2, 0.3])
LENGTH = 200
TASKS = ("GATA and TAL1", "GATA", "TAL1")
MOST_SITES = 3
PLANTED, ABSENT = 6.0, 5.0
"""Log-odds (nats) that every planted site exceeds, and that nothing in the background does."""

# Rough consensus frequencies, one row per position: A, C, G, T.
MOTIFS = {
    "GATA": np.array(
        [
            [0.40, 0.15, 0.15, 0.30],
            [0.62, 0.08, 0.05, 0.25],
            [0.02, 0.02, 0.94, 0.02],
            [0.95, 0.01, 0.02, 0.02],
            [0.02, 0.02, 0.02, 0.94],
            [0.94, 0.02, 0.02, 0.02],
            [0.84, 0.03, 0.08, 0.05],
            [0.26, 0.05, 0.64, 0.05],
            [0.28, 0.14, 0.44, 0.14],
        ]
    ),
    "TAL1": np.array(
        [
            [0.42, 0.18, 0.30, 0.10],
            [0.70, 0.14, 0.12, 0.04],
            [0.02, 0.94, 0.02, 0.02],
            [0.93, 0.03, 0.02, 0.02],
            [0.04, 0.12, 0.78, 0.06],
            [0.66, 0.20, 0.06, 0.08],
            [0.02, 0.02, 0.02, 0.94],
            [0.02, 0.02, 0.94, 0.02],
            [0.08, 0.10, 0.64, 0.18],
            [0.10, 0.26, 0.14, 0.50],
        ]
    ),
}


@dataclass(frozen=True)
class Simulation:
    """Sequences and what was planted in them.

    Attributes
    ----------
    codes
        ``(n, 200)`` letters as positions in `ALPHABET`.
    labels
        ``(n, 3)`` zeros and ones, a column for each of `TASKS`.
    sites
        ``(m, 4)`` planted sites: sample, motif (position in `MOTIFS`), start, and strand (1 or
        -1).
    """

    codes: np.ndarray
    labels: np.ndarray
    sites: np.ndarray

    @property
    def one_hot(self) -> np.ndarray:
        """``(n, 200, 4)``, float32."""
        return np.eye(4, dtype=np.float32)[self.codes]


def simulate(n: int, seed: int) -> Simulation:
    """Simulate ``n`` sequences; the same for the same seed."""
    rng = np.random.default_rng(seed)
    codes = _background(n, rng)
    has = np.stack(np.unravel_index(rng.permutation(n) % 4, (2, 2)), axis=1).astype(bool)
    sites = []
    for sample in range(n):
        taken = np.zeros(LENGTH, bool)
        for motif, frequencies in enumerate(MOTIFS.values()):
            width = len(frequencies)
            for _ in range(rng.integers(1, MOST_SITES + 1) if has[sample, motif] else 0):
                start = _free_start(taken, width, rng)
                taken[max(0, start - 2) : start + width + 2] = True
                strand = int(rng.choice([1, -1]))
                site = _draw_site(frequencies, rng)
                codes[sample, start : start + width] = site if strand == 1 else 3 - site[::-1]
                sites.append((sample, motif, start, strand))
    labels = np.column_stack([has.all(axis=1), has]).astype(np.float32)
    return Simulation(codes, labels, np.array(sites))


def best_match(codes: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Highest log-odds of a motif in each of ``codes`` ``(n, length)``, on either strand."""
    odds = np.log(frequencies / BACKGROUND)
    width = len(odds)
    windows = np.lib.stride_tricks.sliding_window_view(codes, width, axis=1)
    forward = sum(odds[i, windows[..., i]] for i in range(width))
    reverse = sum(odds[width - 1 - i, 3 - windows[..., i]] for i in range(width))
    return np.maximum(forward, reverse).max(axis=1)


def _background(n: int, rng: np.random.Generator) -> np.ndarray:
    codes = rng.choice(4, (n, LENGTH), p=BACKGROUND).astype(np.uint8)
    while True:
        again = np.zeros(n, bool)
        for frequencies in MOTIFS.values():
            again |= best_match(codes, frequencies) > ABSENT
        if not again.any():
            return codes
        codes[again] = rng.choice(4, (int(again.sum()), LENGTH), p=BACKGROUND)


def _draw_site(frequencies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    while True:
        site = np.array([rng.choice(4, p=row / row.sum()) for row in frequencies], np.uint8)
        if best_match(site[None], frequencies)[0] > PLANTED:
            return site


def _free_start(taken: np.ndarray, width: int, rng: np.random.Generator) -> int:
    while True:
        start = int(rng.integers(0, LENGTH - width + 1))
        if not taken[start : start + width].any():
            return start


def main() -> None:
    data = simulate(8, seed=0)
    for sample, (codes, labels) in enumerate(zip(data.codes, data.labels, strict=True)):
        text = "".join(ALPHABET[code] for code in codes).lower()
        for _, motif, start, _ in data.sites[data.sites[:, 0] == sample]:
            stop = start + len(list(MOTIFS.values())[motif])
            text = text[:start] + text[start:stop].upper() + text[stop:]
        positive = [task for task, label in zip(TASKS, labels, strict=True) if label]
        print(f"{text}  {', '.join(positive) or 'nothing planted'}")


if __name__ == "__main__":
    main()
