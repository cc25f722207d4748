"""Contributions along the genome as bigWig files: one value a base, for genome browsers.

What a base has is hypothetical x one-hot, added over letters: the contribution of the letter that
is there, and 0 where no letter is known. Windows on "-" are turned to the forward strand.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.genomics.exported import PROJECTED, Choices, Exported, Exporter
from deeplift_engine.genomics.genome import Genome
from deeplift_engine.genomics.located import Located
from deeplift_engine.genomics.order_statistics import OrderStatistics
from deeplift_engine.genomics.overlaps import OVERLAPS, Overlap, covered
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
"""Values of windows that are held together."""
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

    def batches(self) -> Iterator[tuple[str, Array, Array]]:
        """The bases that windows cover, in the order of the file, as many as `BATCH` bounds.

        Yields
        ------
        str, array, array
            Chromosome, the places of bases in rising order, and their float32 values.
        """
        chrom_of = self.located.chrom.astype(str)
        rows = np.lexsort((self.located.start, chrom_of))
        names, firsts = np.unique(chrom_of[rows], return_index=True)
        of_name = dict(zip(names.tolist(), np.split(rows, firsts[1:]), strict=True))
        for chrom in (each for each in self.sizes if each in of_name):
            for places, values in self._of_chromosome(of_name[chrom]):
                yield chrom, places, values

    def _of_chromosome(self, rows: Array) -> Iterator[tuple[Array, Array]]:
        """Places and values, of rows sorted by start."""
        start = self.located.start[rows]
        begin, stop = self.overlap.cut(start, self.located.end[rows])
        counts = begin < stop
        rows, start, segments = rows[counts], start[counts], covered(begin[counts], stop[counts])
        length = int(self.located.end[0] - self.located.start[0])
        for batch in segments.batches(length, BATCH):
            low, high = batch.windows
            in_file = np.argsort(rows[low:high])
            values = self.values.read(rows[low:high][in_file])
            yield batch.combined(values, start[low:high], in_file, self.overlap.combine)


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
                for start, _, some in stretches(places, values):
                    file.addEntries(chrom, start, values=some, span=1, step=1)
                statistics.count(values)
                total += float(values.sum(dtype=np.float64))
        with library.open(os.fspath(disk.name)) as file:
            if list(file.chroms().items()) != list(track.sizes.items()):
                raise _differs(path, "its header")
            for chrom, places, values in track.batches():
                for start, end, some in stretches(places, values):
                    if not np.array_equal(file.values(chrom, start, end, numpy=True), some):
                        raise _differs(path, f"{chrom}:{start}-{end}")
                statistics.refine(values)
    lines = dict(zip(QUANTILES, statistics.quantiles().tolist(), strict=True))
    lines |= {"Sum": total, "Bases": statistics.values}
    return "".join(f"{name}\t{value:.9g}\n" for name, value in lines.items())


def stretches(places: Array, values: Array) -> Iterator[tuple[int, int, Array]]:
    """Starts and ends of stretches of neighbouring places, and the values of each."""
    edges = np.flatnonzero(np.diff(places) != 1) + 1
    firsts = places[np.append(0, edges)].tolist()
    for first, some in zip(firsts, np.split(values, edges), strict=True):
        yield first, first + len(some), some


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

__all__ = ["BIGWIG", "QUANTILES", "Track", "check_ends", "forward", "read_sizes"]
