"""What the way from a genome to a track and motifs' arrays costs beside scoring alone.

    python -m benchmarks.genome_way

scores the same pairs twice in one process, in turns: from an array in memory, and from FASTA and
regions into a store, exported as bigWig and as modisco-lite's files. It prints a line for each
network; ``--row NAME`` measures one, ``--windows N`` so many windows.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.process import BenchmarkError
from benchmarks.scale import arguments, save_model
from benchmarks.turns import Taken, timed
from deeplift_engine.util.onednn import prefer_onednn

TURNS = 3
REFERENCES = 20
SPACE = 10_000
"""Bases between the centres of windows."""
BAR = 0.9
TOLERANCE = 1e-5
"""Of the largest contribution."""


@dataclass(frozen=True)
class Row:
    """A network of `benchmarks.scale`, the length of its windows, and how many are scored."""

    network: str
    length: int
    windows: int


ROWS: Mapping[str, Row] = {
    "genomics": Row("genomics", 200, 1024),
    "dilated": Row("dilated", 2114, 32),
}


def write_genome(folder: Path, windows: int) -> None:
    """``genome.fa`` of one chromosome, and ``regions.bed``."""
    random = np.random.default_rng(0)
    letters = np.frombuffer(b"ACGTacgt", np.uint8)[random.integers(0, 8, windows * SPACE)]
    lines = np.hstack([letters.reshape(-1, 100), np.full((len(letters) // 100, 1), 10, np.uint8)])
    (folder / "genome.fa").write_bytes(b">chr1\n" + lines.tobytes())
    starts = SPACE * np.arange(windows) + SPACE // 2
    regions = (f"chr1\t{start}\t{start + 100}\n" for start in starts)
    (folder / "regions.bed").write_text("".join(regions))


class Ways:
    """Both ways over the same windows and references."""

    def __init__(self, folder: Path) -> None:
        import deeplift_engine as de

        self.folder, self.numbers = folder, itertools.count()
        self.network = de.load(folder / "model.h5")
        self.explainer = self.network.explainer("deeplift", target="logits")
        self.array = self._regions()[:]

    def in_memory(self) -> Any:
        """Scores of an array, as `run` gives them."""
        return self.explainer.run(self.array, progress=False, **arguments(REFERENCES))

    def from_genome(self) -> None:
        """From FASTA and regions to the files; the folder goes when they are there."""
        folder = self.folder / str(next(self.numbers))
        self.write(folder)
        shutil.rmtree(folder)

    def write(self, folder: Path) -> None:
        """Score into a store in a folder, and export it there."""
        import deeplift_engine as de

        folder.mkdir()
        regions = self._regions()
        job = de.Job(
            self.explainer,
            regions,
            arrays=("hypothetical", "inputs"),
            constants=regions.constants,
            dimensions=regions.dimensions,
            **arguments(REFERENCES),
        )
        store = folder / "run.zarr"
        job.run(job.create(store))
        sizes = self.folder / "genome.fa"
        de.genomics.export(store, folder, ["modisco", "bigwig"], sizes=sizes)

    def check(self) -> None:
        """Refuse to time what is not the same work.

        Raises
        ------
        BenchmarkError
            If hypothetical contributions differ.
        """
        folder = self.folder / "check"
        self.write(folder)
        exported = np.load(folder / "run.attr.npz")["arr_0"].transpose(0, 2, 1)
        expected = self.in_memory().hypothetical
        difference = np.abs(exported - expected).max() / np.abs(expected).max()
        if not difference <= TOLERANCE:
            raise BenchmarkError(
                f"the files and the run in memory differ by {difference:.1e} of the largest value "
                f"(at most {TOLERANCE:.0e}): not the same work, not timed"
            )

    def _regions(self) -> Any:
        import deeplift_engine as de

        files = (self.folder / "regions.bed", self.folder / "genome.fa")
        return de.genomics.regions(*files, network=self.network)


def measured(row: Row) -> tuple[Taken, Taken]:
    """What both ways take, in turns."""
    with tempfile.TemporaryDirectory(prefix="deeplift-genome-") as name:
        folder = Path(name)
        save_model(folder, row.network, row.length)
        write_genome(folder, row.windows)
        ways = Ways(folder)
        ways.check()
        memory, genome = timed([ways.in_memory, ways.from_genome], TURNS)
    return memory, genome


def line(name: str, row: Row, memory: Taken, genome: Taken) -> str:
    """What was measured, in a line of Markdown."""
    ratio = memory.seconds / genome.seconds
    pairs = row.windows * REFERENCES
    return (
        f"- {name}: {row.windows:,} windows of {row.length:,} bp x {REFERENCES} references, from "
        f"FASTA and regions to bigWig and modisco's files at {ratio:.2f} x the speed of an array "
        f"in memory ({genome.seconds:.2f} and {memory.seconds:.2f} s; "
        f"{memory.processor / genome.processor:.2f} x by time of the processor; "
        f"{pairs / genome.seconds:,.0f} pairs a second; at least {BAR} x: "
        f"{'met' if ratio >= BAR else '**missed**'})"
    )


def main() -> int:
    """Print a line for each row."""
    prefer_onednn()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.genome_way", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--row", choices=ROWS, action="append")
    parser.add_argument("--windows", type=int, help="how many are scored")
    options = parser.parse_args()
    for name in options.row or ROWS:
        row = replace(ROWS[name], windows=options.windows or ROWS[name].windows)
        print(line(name, row, *measured(row)), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
