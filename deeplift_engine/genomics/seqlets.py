"""Seqlets: spans of bases whose contributions add up to more than chance, by length.

The recursive rule of tangermeme: a span is a seqlet if it, and every span within it that is not
shorter than the shortest, has a small p-value. What chance gives a length is the distribution of
the sum of so many bases drawn from all, of integer codes of their values: a convolution.

References
----------
Schreiber, tangermeme: https://github.com/jmschrei/tangermeme, ``recursive_seqlets``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.exported import Choices, Exported, Exporter
from deeplift_engine.genomics.scored_windows import ScoredWindows
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.output_file import output_file
from deeplift_engine.util.typing import Array

THRESHOLD, SHORTEST, LONGEST = 0.01, 4, 25
_CODES = 1000
_MOST_SCORE = 1000

Blocks = Callable[[], Iterable[Array]]


class Seqlet(NamedTuple):
    """A span of a row.

    Attributes
    ----------
    row, start, end
        Where it is; 0-based, half-open, of the row as it was scored.
    contribution
        Of its bases, added.
    p
        The largest p-value of itself and of the spans within it.
    """

    row: int
    start: int
    end: int
    contribution: float
    p: float


@dataclass(frozen=True)
class Chance:
    """What sums of bases are by chance.

    Attributes
    ----------
    least, width
        Values are coded as ``floor((value - least) / width)``.
    tails
        By length: the probability that a sum of codes is that large or larger, for each sum.
    """

    least: float
    width: float
    tails: tuple[Array, ...]

    def codes(self, values: Array) -> Array:
        """Values as whole numbers from 0."""
        return np.floor((values - self.least) / self.width).astype(np.int64)


def chance(blocks: Blocks, longest: int = LONGEST, codes: int = _CODES) -> Chance:
    """The distributions of sums of 1 to ``longest`` bases drawn from all.

    Parameters
    ----------
    blocks
        Gives blocks of rows ``(n, L)``, each time it is called.
    longest
        Bases of the longest sum.
    codes
        Number of codes of a base.

    Raises
    ------
    InputError
        If all values are equal.
    """
    ends = np.array([(block.min(), block.max()) for block in blocks()], np.float64)
    least, most = float(ends[:, 0].min()), float(ends[:, 1].max())
    if not least < most:
        raise InputError(f"all contributions are {least}: there are no seqlets")
    scale = Chance(least, (most - least) / (codes - 1), ())
    counts = np.zeros(codes)
    for block in blocks():
        counts += np.bincount(scale.codes(block).ravel(), minlength=codes)[:codes]
    one = sums = counts / counts.sum()
    tails = [np.ones(1)]
    for _ in range(longest):
        tails.append(np.minimum(np.cumsum(sums[::-1])[::-1], 1))
        sums = np.convolve(sums, one)
    return Chance(least, scale.width, tuple(tails))


def seqlets_of_row(
    values: Array, null: Chance, threshold: float = THRESHOLD, shortest: int = SHORTEST
) -> list[tuple[int, int, float]]:
    """The seqlets of one row, ``(start, end, p)``, the longest first, none over another.

    Parameters
    ----------
    values
        Contributions of bases, ``(L,)``.
    null
        Of all rows; its longest sum is the longest seqlet.
    threshold
        What p-values are below.
    shortest
        Bases of the shortest seqlet.
    """
    sums = np.concatenate([[0], np.cumsum(null.codes(values))])
    worst: Array = np.zeros(len(values) + 2 - shortest)
    spans: list[tuple[int, float, int]] = []
    for length in range(shortest, min(len(null.tails) - 1, len(values)) + 1):
        own = null.tails[length][sums[length:] - sums[:-length]]
        worst = np.maximum(own, np.maximum(worst[:-1], worst[1:]))
        starts = np.flatnonzero(worst < threshold)
        if not len(starts):
            break
        spans += [(-length, float(worst[start]), int(start)) for start in starts]
    taken = np.zeros(len(values), bool)
    chosen = []
    for negative_length, p, start in sorted(spans):
        end = start - negative_length
        if not taken[start:end].any():
            taken[start:end] = True
            chosen.append((start, end, p))
    return chosen


def recursive_seqlets(
    blocks: Blocks,
    *,
    threshold: float = THRESHOLD,
    shortest: int = SHORTEST,
    longest: int = LONGEST,
) -> Iterator[Seqlet]:
    """Seqlets of positive and of negative contributions, row by row.

    Parameters
    ----------
    blocks
        Gives blocks of rows ``(n, L)`` of projected contributions added over letters, each time
        it is called.
    threshold
        What p-values are below, 0 to 1.
    shortest, longest
        Bases of a seqlet.

    Raises
    ------
    InputError
        For lengths or a threshold that cannot be so, and contributions that are all equal.
    """
    shortest = int(checked("shortest", shortest, Integer(1), InputError))
    longest = int(checked("longest", longest, Integer(shortest), InputError))
    if not 0 < threshold < 1:
        raise InputError(f"threshold={threshold!r}: expected a number between 0 and 1")

    def turned() -> Iterator[Array]:
        return (-block for block in blocks())

    nulls = chance(blocks, longest), chance(turned, longest)
    row = 0
    for block in blocks():
        for values in block:
            for sign, null in zip((1, -1), nulls, strict=True):
                for start, end, p in seqlets_of_row(sign * values, null, threshold, shortest):
                    total = float(values[start:end].sum(dtype=np.float64))
                    yield Seqlet(row, start, end, total, p)
            row += 1


def write(windows: ScoredWindows, choices: Choices) -> Exported:
    """Write the seqlets of each head as BED."""
    exported = Exported("seqlets")
    for head, label in windows.labels.items():
        path = choices.file(f"{label}seqlets.bed")
        _write_head(windows, head, path, choices)
        exported.files[path] = (
            "seqlets of projected contributions: window, score of 1000, row, contribution, p-value"
        )
    return exported


def _write_head(windows: ScoredWindows, head: str, path: Path, choices: Choices) -> None:
    def sums() -> Iterator[Array]:
        return (block.sum(axis=1) for _, (block,) in windows.blocks(head, ["projected"]))

    places = windows.places
    with output_file(path, overwrite=choices.overwrite) as disk:
        for seqlet in recursive_seqlets(sums):
            row = np.array([seqlet.row])
            start, end = places.in_genome(row, np.array([seqlet.start]), np.array([seqlet.end]))
            score = min(_MOST_SCORE, round(-100 * np.log10(max(seqlet.p, 1e-12))))
            disk.write(
                f"{places.chrom[seqlet.row]}\t{start[0]}\t{end[0]}\t{places.name[seqlet.row]}\t"
                f"{score}\t.\t{seqlet.row}\t{seqlet.contribution:.6g}\t{seqlet.p:.3g}\n".encode()
            )


def _files(windows: ScoredWindows) -> list[str]:
    return [f"{label}seqlets.bed" for label in windows.labels.values()]


SEQLETS = Exporter("recursive seqlets as BED", ("projected",), False, _files, write)

__all__ = ["SEQLETS", "Chance", "Seqlet", "chance", "recursive_seqlets", "seqlets_of_row"]
