"""Saturation mutagenesis by what a mutation can change alone, beside whole forward passes.

Both ways are run in one process in turns, through the whole method, and must agree.
``python -m benchmarks.mutagenesis`` prints a Markdown table.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.architectures import DILATED, GENOMICS, LETTERS, Architecture, opened
from benchmarks.turns import Taken, timed

Array = NDArray[Any]
BAR = 5.0
REPEATS = 5
TOLERANCE = 1e-4  # of the largest prediction, whose float32 rounding whole passes are left with
NOTES = """\
Every letter at every position: by whole forward passes of all the mutants, and as the method does
it by itself, by what a mutation can change alone; through the whole method, in turns: the fastest
time of each, and the median over the turns of how many times faster."""
HEADER = "| network | sequences | mutations | whole | incremental | faster | differ | bar |"


@dataclass(frozen=True)
class Work:
    """Every mutation of so many random sequences, on a network with seeded weights."""

    architecture: Architecture
    sequences: int

    def data(self) -> Array:
        """One-hot sequences (N, L, 4)."""
        random = np.random.default_rng(0)
        letters = random.integers(0, LETTERS, (self.sequences, self.architecture.length))
        return np.eye(LETTERS, dtype=np.float32)[letters]


WORK = (Work(DILATED, 1), Work(GENOMICS, 1), Work(GENOMICS, 16))


@dataclass(frozen=True)
class Measured:
    """What each way takes, and how far they differ."""

    work: Work
    whole: Taken
    incremental: Taken
    difference: float

    @property
    def faster(self) -> float:
        """How many times."""
        return self.whole.over(self.incremental)

    def line(self) -> str:
        """Of the table."""
        work = self.work
        mutations = work.sequences * work.architecture.length * (LETTERS - 1)
        verdict = "met" if self.faster >= BAR else "**missed**"
        cells = [
            work.architecture.title,
            str(work.sequences),
            f"{mutations:,}",
            f"{self.whole.seconds * 1e3:.0f} ms",
            f"{self.incremental.seconds * 1e3:.0f} ms",
            f"{self.faster:.1f} x",
            f"{self.difference:.0e}",
            f"at least {BAR:.0f} x: {verdict}",
        ]
        return f"| {' | '.join(cells)} |"


def measured(work: Work, repeats: int = REPEATS) -> Measured:
    """Both ways in turns, each once before that does not count."""
    network, x = opened(work.architecture), work.data()
    ways = {way: network.explainer("saturation_mutagenesis", way=way) for way in ("whole", "auto")}
    found = {}

    def running(way: str) -> Callable[[], None]:
        def run() -> None:
            found[way] = ways[way].run(x, target=0, progress=False)

        return run

    whole, incremental = timed([running(way) for way in ways], repeats)
    scale = np.abs(network.activations(x, [network.target_node()])[network.target_node()]).max()
    difference = float(np.abs(found["whole"].scores - found["auto"].scores).max() / scale)
    if not difference <= TOLERANCE:
        raise ValueError(f"the two ways differ by {difference:.1e} of the prediction: not timed")
    return Measured(work, whole, incremental, difference)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutagenesis", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS, help="timed runs of each way")
    options = parser.parse_args(arguments)
    print(table(options.repeats))
    return 0


def table(repeats: int = REPEATS) -> str:
    """A Markdown table, a line for each network and number of sequences."""
    head = [HEADER, f"|{' --- |' * (HEADER.count('|') - 1)}"]
    return "\n".join([*head, *(measured(work, repeats).line() for work in WORK)])


if __name__ == "__main__":
    raise SystemExit(main())
