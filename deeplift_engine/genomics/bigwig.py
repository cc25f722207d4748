"""Contributions along the genome as bigWig files: one value a base, for genome browsers.

What a base has is hypothetical x one-hot, added over letters: the contribution of the letter that
is there, and 0 where no letter is known. Windows on "-" are turned to the forward strand.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.genomics.exported import PROJECTED, Choices, Exported, Exporter
from deeplift_engine.genomics.genome import Genome
from deeplift_engine.genomics.located import Located
from deeplift_engine.genomics.order_statistics import OrderStatistics
from deeplift_engine.genomics.overlaps import OVERLAPS, Overlap, segments
from deeplift_engine.genomics.scored_windows import ScoredWindows
from deeplift_engine.genomics.scratch import Scratch
from deeplift_engine.util.optional import optional
from deeplift_engine.util.output_file import output_file
from deeplift_engine.util.typing import Array

QUANTILES = {
    "Min": 0.0,
    ".1%": 0.001,
    "1%": 0.01,
    "50%": 0.5,
    "99%": 0.99,
    "99.9%": 0.999,
    "99.95%": 0.9995,
    "99.99%": 0.9999,
    "Max": 1.0,
}
"""The lines of a table of statistics, as chrombpnet names them."""
BATCH = 1 << 16
"""Bases that are written together: calls of the library cost as much as hundreds of bases."""
_Piece: TypeAlias = tuple[str, int, Array]
_FASTA = (".fa", ".fasta", ".fna")


@dataclass(frozen=True)
class Track:
    """Values of windows as one line of bases for each chromosome.

    Attributes
    ----------
    located
        The windows.
    sizes
        Of chromosomes, in the order of the file.
    values
        ``(rows, L)``, on the forward strand.
    overlap
        The rule for bases that several windows cover.
    """

    located: Located
    sizes: Mapping[str, int]
    values: Scratch
    overlap: Overlap

    def pieces(self) -> Iterator[_Piece]:
        """Stretches in the order of the file.

        Yields
        ------
        str, int, array
            Chromosome, start, and float32 values of the bases from there on.
        """
        present = set(self.located.chrom.tolist())
        for chrom in (each for each in self.sizes if each in present):
            rows = np.flatnonzero(self.located.chrom == chrom)
            rows = rows[np.argsort(self.located.start[rows], kind="stable")]
            for start, values in self._of_chromosome(rows):
                yield chrom, start, values

    def batches(self) -> Iterator[tuple[str, Array, Array]]:
        """Stretches of a chromosome together, about `BATCH` bases at a time.

        Yields
        ------
        str, array, array
            Chromosome, the places of bases in rising order, and their values.
        """
        for chrom, pieces in groupby(self.pieces(), key=itemgetter(0)):
            for batch in _batches(pieces):
                places = [np.arange(start, start + len(values)) for _, start, values in batch]
                yield (
                    chrom,
                    np.concatenate(places),
                    np.concatenate([values for *_, values in batch]),
                )

    def _of_chromosome(self, rows: Array) -> Iterator[tuple[int, Array]]:
        first = self.located.start[rows]
        held: dict[int, Array] = {}
        for start, end, numbers in segments(*self.overlap.cut(first, self.located.end[rows])):
            covering = sorted(numbers, key=lambda number: int(rows[number]))
            new = [number for number in covering if number not in held]
            read = dict(zip(new, self.values.read(rows[new]), strict=True))
            held = {number: held[number] if number in held else read[number] for number in covering}
            stack = [held[n][start - first[n] : end - first[n]] for n in covering]
            yield start, self.overlap.combine(np.stack(stack)).astype(np.float32, copy=False)


def write(windows: ScoredWindows, choices: Choices) -> Exported:
    """Write a bigWig file and a table of statistics for each head."""
    library, sizes = _ready(windows, choices)
    located = windows.located
    assert located is not None
    exported = Exported("bigwig")
    rule = OVERLAPS[choices.overlaps]
    for head, label in windows.labels.items():
        path = choices.file(f"{label}bw")
        with Scratch(choices.folder, (windows.length,), np.float32) as values:
            for rows, (projected,) in windows.blocks(head, ["projected"]):
                numbers = np.arange(rows.start, rows.stop)
                values.write(numbers, forward(projected.sum(axis=1), located.strand[numbers]))
            table = _write_track(library, Track(located, sizes, values, rule), path, choices)
        exported.files[path] = f"{PROJECTED}, added over letters; overlaps: {rule.about}"
        statistics = choices.file(f"{label}bw.stats.tsv")
        with output_file(statistics, overwrite=choices.overwrite) as disk:
            disk.write(table.encode())
        exported.files[statistics] = "quantiles, sum and number of the bases' values"
    return exported


def forward(values: Array, strand: Array) -> Array:
    """Values of bases ``(n, L)`` of windows as they were scored, on the forward strand."""
    return np.where((strand == "-")[:, np.newaxis], values[:, ::-1], values)


def check_ends(located: Located, sizes: Mapping[str, int]) -> None:
    """Check that all windows lie in chromosomes of these sizes.

    Raises
    ------
    InputError
        Naming the first that does not; a bigWig file takes any end without a word.
    """
    for row, (chrom, start, end) in enumerate(
        zip(located.chrom, located.start.tolist(), located.end.tolist(), strict=True)
    ):
        if chrom not in sizes:
            raise InputError(
                f"row {row} lies on {chrom}, which the chromosome sizes do not have: they have "
                f"{', '.join(list(sizes)[:5])} …"
            )
        if start < 0 or end > sizes[chrom]:
            raise InputError(
                f"row {row}, {chrom}:{start}-{end}, ends outside of its chromosome of "
                f"{sizes[chrom]} bases: take the sizes of the genome that was scored"
            )


def read_sizes(path: str | os.PathLike[str]) -> dict[str, int]:
    """The sizes of chromosomes, in order: of a FASTA file, or a table (name, size, tabs between).

    Raises
    ------
    InputError
        If there are none; the line is named.
    """
    name = str(path).removesuffix(".gz").removesuffix(".bgz")
    if name.lower().endswith(_FASTA):
        return dict(Genome(path).sizes)
    sizes: dict[str, int] = {}
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as chromosome sizes: {error}") from error
    for number, line in enumerate(lines, 1):
        cells = line.split("\t")
        if len(cells) < 2 or not cells[1].strip().isdecimal():
            raise InputError(
                f"{path}, line {number}: expected a name and a size with a tab between, "
                f"not {line[:80]!r}"
            )
        sizes[cells[0]] = int(cells[1])
    if not sizes:
        raise InputError(f"{path} has no chromosome sizes")
    return sizes


def _ready(windows: ScoredWindows, choices: Choices) -> tuple[Any, dict[str, int]]:
    """Give the library and the sizes of chromosomes, which all windows must fit."""
    library, sizes = optional("pyBigWig", "pyBigWig", "genomics"), _sizes(windows, choices)
    assert windows.located is not None
    check_ends(windows.located, sizes)
    return library, sizes


def _sizes(windows: ScoredWindows, choices: Choices) -> dict[str, int]:
    settings = windows.run.settings
    genome = settings.get("genome") or settings.get("run", {}).get("genome")
    if choices.sizes is None and genome is None:
        raise InputError(
            "a bigWig file has the sizes of all chromosomes, and the store names no genome: give "
            "them as sizes=, on the command line --sizes FILE: a table or the FASTA file"
        )
    return read_sizes(choices.sizes or genome)


def _write_track(library: Any, track: Track, path: Path, choices: Choices) -> str:
    """Write a track to its file, read it back, and give the table of its statistics."""
    statistics, total = OrderStatistics(list(QUANTILES.values())), 0.0
    with output_file(path, overwrite=choices.overwrite) as disk:
        with library.open(os.fspath(disk.name), "w") as file:
            file.addHeader(list(track.sizes.items()))
            for chrom, places, values in track.batches():
                first, last = runs(places, values)
                file.addEntries(
                    [chrom] * len(first),
                    places[first].tolist(),
                    ends=(places[last] + 1).tolist(),
                    values=values[first],
                )
                statistics.count(values)
                total += float(values.sum(dtype=np.float64))
        with library.open(os.fspath(disk.name)) as file:
            if list(file.chroms().items()) != list(track.sizes.items()):
                raise _differs(path, "its header")
            for chrom, places, values in track.batches():
                if not np.array_equal(_read(file, chrom, places), values):
                    raise _differs(path, f"{chrom}:{places[0]}-{places[-1] + 1}")
                statistics.refine(values)
    lines = dict(zip(QUANTILES, statistics.quantiles().tolist(), strict=True))
    lines |= {"Sum": total, "Bases": statistics.values}
    return "".join(f"{name}\t{value:.9g}\n" for name, value in lines.items())


def runs(places: Array, values: Array) -> tuple[Array, Array]:
    """The first and last entry of each run of neighbouring places with one value."""
    breaks = (values[1:] != values[:-1]) | (places[1:] != places[:-1] + 1)
    last = np.flatnonzero(np.append(breaks, True))
    return np.concatenate([[0], last[:-1] + 1]), last


def _read(file: Any, chrom: str, places: Array) -> Array:
    """The values of a file at places, stretch by stretch."""
    first, last = runs(places, np.zeros(len(places)))
    stretches = zip(places[first].tolist(), (places[last] + 1).tolist(), strict=True)
    return np.concatenate([file.values(chrom, *stretch, numpy=True) for stretch in stretches])


def _batches(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Pieces until they have `BATCH` bases."""
    batch, bases = list[_Piece](), 0
    for piece in pieces:
        batch.append(piece)
        bases += len(piece[2])
        if bases >= BATCH:
            yield batch
            batch, bases = [], 0
    if batch:
        yield batch


def _differs(path: Path, what: str) -> OutputError:
    return OutputError(
        f"{path} was not written: read back, {what} differs from the store. Check the disk"
    )


def _files(windows: ScoredWindows) -> list[str]:
    return [
        f"{label}{name}" for label in windows.labels.values() for name in ("bw", "bw.stats.tsv")
    ]


BIGWIG = Exporter(
    "a bigWig track of each head, with statistics", ("projected",), True, _files, write, _ready
)

__all__ = ["BIGWIG", "QUANTILES", "Track", "check_ends", "forward", "read_sizes", "runs"]
