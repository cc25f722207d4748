"""Perturbation methods by what masks and windows change alone, beside whole forward passes.

Both ways are run in one process in turns, through the whole method, and must agree.
``python -m benchmarks.perturbation`` prints a Markdown table.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.architectures import GENOMICS, VGG, Architecture, opened
from benchmarks.turns import Taken, timed

Array = NDArray[Any]
REPEATS = 5
TOLERANCE = 1e-4  # of the largest score: of float32, and of what differences of passes leave
NOTES = """\
By whole forward passes of all that is replaced, and as the method does it by itself; through the
whole method, in turns: the least processor time of each, all threads together, and the median over
the turns of how many times less."""
HEADER = "| method | on | whole | now | less | differ | bar |"


@dataclass(frozen=True)
class Work:
    """A method on so many random samples, on a network with seeded weights.

    ``bar`` is the factor that is asked for.
    """

    title: str
    method: str
    architecture: Architecture
    samples: int
    options: Mapping[str, Any] = field(default_factory=dict)
    bar: float = 1.0

    def data(self) -> Array:
        """Samples (N, *S): one-hot sequences, or normal numbers."""
        random = np.random.default_rng(0)
        *sizes, channels = self.architecture.shape
        if len(sizes) > 1:
            drawn = random.standard_normal((self.samples, *sizes, channels))
            return np.asarray(drawn, np.float32)
        letters = random.integers(0, channels, (self.samples, *sizes))
        return np.eye(channels, dtype=np.float32)[letters]


WINDOWS = {"window": (10, 4), "stride": (5, 4)}
SQUARES = {"window": (8, 8, 3), "stride": (4, 4, 3)}
WORK = (
    Work("20 permutations of 10 stretches", "shapley_sampling", GENOMICS, 16, {"groups": 10}),
    Work(
        "20 permutations of the positions", "shapley_sampling", GENOMICS, 1, {"groups": "positions"}
    ),
    Work(
        "200 coalitions of 10 stretches",
        "kernel_shap",
        GENOMICS,
        16,
        {"groups": 10, "samples": 200},
    ),
    Work("20 stretches", "feature_ablation", GENOMICS, 16, {"groups": 20}),
    Work("windows of 10 by 5", "occlusion", GENOMICS, 16, WINDOWS),
    Work("windows of 8 x 8 by 4", "occlusion", VGG, 4, SQUARES, 4.0),
    Work("8 x 8 cells", "feature_ablation", VGG, 4, {"groups": 8}),
    Work("every letter", "saturation_mutagenesis", GENOMICS, 1, {}, 8.0),
)


@dataclass(frozen=True)
class Measured:
    """What each way takes, and how far they differ."""

    work: Work
    whole: Taken
    now: Taken
    difference: float

    @property
    def less(self) -> float:
        """How many times."""
        pairs = zip(self.whole.every, self.now.every, strict=True)
        return float(np.median([whole / now for (_, whole), (_, now) in pairs]))

    def line(self) -> str:
        """Of the table."""
        work = self.work
        verdict = "met" if self.less >= work.bar else "**missed**"
        cells = [
            f"`{work.method}`, {work.title}",
            f"{work.samples} of {work.architecture.title.partition(':')[0]}",
            f"{self.whole.processor * 1e3:.1f} ms",
            f"{self.now.processor * 1e3:.1f} ms",
            f"{self.less:.1f} x",
            f"{self.difference:.0e}",
            f"at least {work.bar:.0f} x: {verdict}" if work.bar > 1 else "",
        ]
        return f"| {' | '.join(cells)} |"


def measured(work: Work, repeats: int = REPEATS) -> Measured:
    """Both ways in turns, each once before that does not count."""
    network, x = opened(work.architecture), work.data()
    whole, now = (network.explainer(work.method, **work.options) for _ in range(2))
    if hasattr(whole, "way"):
        whole = network.explainer(work.method, **work.options, way="whole")
    else:
        whole.tiled = lambda *_: None
        if hasattr(whole, "forwards"):
            whole.forwards.way = "whole"
    scores = {}

    def running(name: str, explainer: Any) -> Callable[[], None]:
        def run() -> None:
            scores[name] = explainer.run(x, target=0, progress=False).scores

        return run

    taken = timed([running("whole", whole), running("now", now)], repeats)
    scale = np.abs(scores["whole"]).max()
    difference = float(np.abs(scores["whole"] - scores["now"]).max() / scale)
    if not difference <= TOLERANCE:
        raise ValueError(f"the two ways differ by {difference:.1e} of the largest: not timed")
    return Measured(work, *taken, difference)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.perturbation", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS, help="timed samples of each way")
    parser.add_argument("--rows", type=int, nargs="+", default=range(len(WORK)), help="only these")
    options = parser.parse_args(arguments)
    print(f"{HEADER}\n|{' --- |' * (HEADER.count('|') - 1)}")
    for number in options.rows:
        print(measured(WORK[number], options.repeats).line(), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
