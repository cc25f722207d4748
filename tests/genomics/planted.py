"""A genome with planted motifs, windows of it on both strands, and contributions that answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.genomics import scored

MOTIF = "TGACTCAGCA"
SPACING = 400


@dataclass(frozen=True)
class Planted:
    """What was planted: a site in each window, and the store of these."""

    store: Path
    fasta: Path
    length: int
    start: np.ndarray
    """Of the site in the genome, (N)."""
    strand: np.ndarray
    """On which the motif reads, (N)."""


def plant(folder: Path, count: int, length: int, margin: int, seed: int = 0) -> Planted:
    """Sites at least ``margin`` bases from the ends of windows of ``length`` bases."""
    random = np.random.default_rng(seed)
    letters = random.choice(np.array(list("ACGT")), SPACING * (count + 1))
    start = SPACING * np.arange(1, count + 1) + random.integers(-20, 20, count)
    strand = random.choice(np.array(["+", "-"]), count)
    for place, turned in zip(start, strand == "-", strict=True):
        site = MOTIF[::-1].translate(scored.COMPLEMENT) if turned else MOTIF
        letters[place : place + len(MOTIF)] = list(site)
    first = start - random.integers(margin, length - margin - len(MOTIF), count)
    windows = random.choice(np.array(["+", "-", "."], object), count)
    genome = "".join(letters)
    rows, hypothetical = [], random.normal(0, 0.01, (count, length, 4)).astype(np.float32)
    profile = (scored.one_hot(MOTIF) - 0.25).astype(np.float32)
    for row in range(count):
        text = genome[first[row] : first[row] + length]
        site = start[row] - first[row]
        turned = windows[row] == "-"
        if turned:
            text = text[::-1].translate(scored.COMPLEMENT)
            site = length - site - len(MOTIF)
        as_is = (strand[row] == "-") == turned
        rows.append(scored.one_hot(text))
        hypothetical[row, site : site + len(MOTIF)] += profile if as_is else profile[::-1, ::-1]
    fasta = folder / "genome.fa"
    fasta.write_text(f">chr7\n{genome}\n")
    order = random.permutation(count)  # regions stand in no order
    known = {
        "sample": np.array([f"peak{row}" for row in range(count)], object),
        "chrom": np.array(["chr7"] * count, object),
        "start": first[order].astype(np.int64),
        "end": (first[order] + length).astype(np.int64),
        "strand": windows[order],
        "record": np.arange(count),
        "kept": np.ones(count, bool),
        "reason": np.array([""] * count, object),
        "letter": np.array(list("ACGT"), object),
    }
    arrays = {"inputs": np.stack(rows)[order], "hypothetical": hypothetical[order]}
    store = scored.fill(
        folder / "planted.zarr", arrays, shard=64, constants=known, settings={"genome": str(fasta)}
    )
    return Planted(store, fasta, length, start[order], strand[order])
