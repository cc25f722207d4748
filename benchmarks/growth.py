"""How the time of DeepLIFT grows with what it is asked for: ``python -m benchmarks.growth``.

One of five sizes is doubled at a time, and a power of it is fitted to the times of a run.
``--write docs/BENCHMARKS.md`` puts the table in its section there.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.architectures import DILATED, Architecture, Convolution, opened
from benchmarks.method_table import line
from benchmarks.run import GROWTH_HEADING, hand_out, machine
from benchmarks.turns import timed
from benchmarks.work import OWN, Problem, make_data
from deeplift_engine.util.onednn import prefer_onednn

NOTES = """\
`python -m benchmarks.growth`: DeepLIFT (Rescale, references of each sample's own) of {inputs}
samples x {references} references on one-hot sequences of {length}, a network of {depth}
convolutions of {filters} filters, one target; one of these sizes at a time is doubled. Times
are those of the fastest of {repeats} samples, taken in turns; the exponent is the slope of a
straight line through their logarithms, the residual the largest quotient of a time and that
line. An exponent below 1 is a size over which something is shared: samples and references fill
blocks, and all targets read the same activations."""


@dataclass(frozen=True)
class Sizes:
    """Of one run: N samples, K references of each, L positions, T targets, D convolutions."""

    inputs: int = 8
    references: int = 8
    length: int = 512
    targets: int = 1
    depth: int = 4

    @property
    def architecture(self) -> Architecture:
        """As many equal convolutions behind the first, an average, and ten outputs."""
        convolutions = (Convolution(FILTERS, 3),) * self.depth
        return replace(DILATED, length=self.length, convolutions=convolutions)

    def scoring(self) -> Callable[[], Any]:
        """A run of these sizes."""
        data = make_data(Problem("growth", self.architecture, self.inputs, self.references, (OWN,)))
        target = list(range(self.targets))
        explainer = opened(self.architecture).explainer(target=target)
        return lambda: explainer.run(data.inputs, references=data.own, progress=False)


FILTERS = 32
GROWING = {
    "inputs": ("samples N", (8, 16, 32, 64)),
    "references": ("references K", (8, 16, 32, 64)),
    "length": ("length L", (512, 1024, 2048, 4096)),
    "targets": ("targets T", (1, 2, 4, 8)),
    "depth": ("convolutions D", (2, 4, 8, 16)),
}
QUICK = {name: (title, sizes[:2]) for name, (title, sizes) in GROWING.items()}


def fitted(sizes: Sequence[int], seconds: Sequence[float]) -> tuple[float, float]:
    """The exponent of a power of the sizes, and the largest quotient of a time and the fit."""
    logarithms = np.log(sizes), np.log(seconds)
    exponent, level = np.polynomial.polynomial.polyfit(*logarithms, 1)[::-1]
    off = logarithms[1] - level - exponent * logarithms[0]
    return float(exponent), float(np.exp(np.abs(off).max()))


def table(
    growing: Iterable[tuple[str, tuple[str, Sequence[int]]]], base: Sizes, repeats: int
) -> Iterator[str]:
    """Lines of a Markdown table, one for what grows."""
    yield line(["what grows", "sizes", "times", "exponent", "residual"])
    yield line(["---"] * 5)
    for name, (title, sizes) in growing:
        works = [replace(base, **{name: size}).scoring() for size in sizes]
        seconds = [taken.seconds for taken in timed(works, repeats)]
        exponent, residual = fitted(sizes, seconds)
        times = ", ".join(f"{each * 1e3:.0f}" for each in seconds)
        cells = [title, ", ".join(map(str, sizes)), f"{times} ms"]
        yield line([*cells, f"{exponent:.2f}", f"{residual:.2f}"])


def section(quick: bool, repeats: int) -> str:
    """The page's section."""
    base = Sizes(2, 2, 32, 1, 2) if quick else Sizes()
    told = NOTES.format(**vars(base), filters=FILTERS, repeats=repeats)
    lines = table((QUICK if quick else GROWING).items(), base, repeats)
    conditions = f"Measured on {date.today()}: {machine()}."
    return "\n\n".join([GROWTH_HEADING, told, "\n".join(lines), conditions])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repeats", type=int, default=5, help="samples of each (default 5)")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run?")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it into this page")
    options = parser.parse_args(arguments)
    prefer_onednn()
    text = section(options.quick, options.repeats)
    hand_out(text, options.write)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
