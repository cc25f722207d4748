"""How many steps integrated gradients take to a sum that is complete to 1e-3.

    python -m benchmarks.path_steps --models FOLDER

compares paths that all have as many points of Gauss and Legendre, the smallest number with which
every path meets it, with paths that get steps until each meets it (``tolerance=1e-3``).
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.architectures import GENOMICS, opened
from benchmarks.real_models import real_models
from benchmarks.run import STEPS_HEADING, hand_out, machine
from benchmarks.work import Array, Problem, make_data
from deeplift_engine.errors import ConvergenceWarning

TOLERANCE = 1e-3
FEWEST, MOST = 20, 2500
FINE = 2048
"""Midpoints whose scores stand for the truth."""
BAR = 2.0
NOTES = f"""\
`python -m benchmarks.path_steps --models FOLDER`: integrated gradients whose sums shall miss the
target's difference by at most {TOLERANCE:g}. "Fixed" is the smallest number of points of Gauss and
Legendre, to a tenth, with which as many paths meet it as with `tolerance={TOLERANCE:g}`,
"adaptive", which gives each path steps until it does. Scores are off from those of {FINE:,}
midpoints by the largest difference over the largest score, in the median of the paths; "as many" is
Gauss and Legendre with the mean number of steps of the adaptive rule: a tolerance buys sums, and
where the paths of easy sums stop, scores are no nearer than with as many steps for all."""


@dataclass(frozen=True)
class Work:
    """Pairs of a network: sequences (N, *S) with references (N, K, *S), and the target."""

    title: str
    references: str
    network: Any
    inputs: Array
    own: Array

    def run(self, explainer: Any, steps: int) -> tuple[Any, float]:
        """The result, each reference by itself, and how many points a path had in the mean."""
        import deeplift_engine as de

        explainer.steps, along, points = steps, type(explainer)._along, 0

        def counted(samples: Any, positions: Array, weights: Array) -> Any:
            nonlocal points
            points += samples.count * len(positions)
            return along(explainer, samples, positions, weights)

        explainer._along = counted
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            result = explainer.run(
                self.inputs,
                target=0,
                references=de.references.per_sample(self.own),
                average=False,
                progress=False,
            )
        return result, points / self.pairs

    @property
    def pairs(self) -> int:
        """How many paths there are."""
        return int(np.prod(self.own.shape[:2]))


@dataclass(frozen=True)
class Steps:
    """What a row of the table says; ``fixed`` is None where it is more than `MOST`."""

    work: Work
    fixed: int | None
    mean: float
    longest: int
    missed: int
    errors: dict[str, float]

    def line(self) -> str:
        """Of the table."""
        fewer = (self.fixed or MOST) / self.mean
        at_least = "" if self.fixed else "more than "
        cells = [
            f"{self.work.title}, {self.work.references}",
            str(self.work.pairs),
            f"{at_least}{self.fixed or MOST}",
            f"{self.mean:.0f} ({self.longest})",
            str(self.missed),
            f"{at_least}{fewer:.1f} x: {'met' if fewer >= BAR else '**missed**'}",
            *(f"{self.errors[name]:.1e}" for name in ("fixed", "adaptive", "as many")),
        ]
        return f"| {' | '.join(cells)} |"


def measured(work: Work, first: int, fine: int = FINE, most: int = MOST) -> Steps:
    """Both ways on the same paths."""
    method = partial(work.network.explainer, "integrated_gradients", fused=False)
    alike, adaptive_steps = method(), method(tolerance=TOLERANCE, most_steps=most)
    truth, _ = work.run(method(rule="midpoint"), fine)
    adaptive, mean = work.run(adaptive_steps, first)
    enough = int(met(adaptive).sum())
    fixed, result = smallest(lambda steps: work.run(alike, steps)[0], enough, most)
    as_many, _ = work.run(alike, round(mean))
    ways = {"fixed": result, "adaptive": adaptive, "as many": as_many}
    errors = {name: error_of(found.scores, truth.scores) for name, found in ways.items()}
    longest = adaptive.settings["most_steps_taken"]
    return Steps(work, fixed, mean, longest, int((~met(adaptive)).sum()), errors)


def smallest(run: Callable[[int], Any], enough: int, most: int) -> tuple[int | None, Any]:
    """The number of steps with which ``enough`` paths meet it, and what they give; None if none.

    Looked for among numbers that grow by three fifths, then among those that grow by a tenth.
    """
    below = FEWEST
    for steps in numbers(FEWEST, most, 1.6):
        found = run(steps)
        if met(found).sum() >= enough:
            break
        below = steps
    else:
        return None, found
    for between in numbers(below, steps, 1.1):
        if below < between < steps and met(nearer := run(between)).sum() >= enough:
            return between, nearer
    return steps, found


def numbers(first: int, most: int, growth: float) -> Iterator[int]:
    """Numbers of steps up to ``most``, each so many times the one before."""
    steps = first
    while steps <= most:
        yield steps
        steps = round(steps * growth)


def met(result: Any) -> Array:
    """Which of the paths are complete enough."""
    return np.asarray(result.relative_error <= TOLERANCE)


def error_of(scores: Array, truth: Array) -> float:
    """Median over the paths (N, K, *S) of the largest difference over the largest score."""
    flat, exact = (array.reshape(-1, array[0, 0].size) for array in (scores, truth))
    return float(np.median(np.abs(flat - exact).max(1) / np.abs(exact).max(1)))


def works(options: argparse.Namespace) -> Iterator[Work]:
    """Each network against zeros, and against shuffles."""
    from deeplift_engine import references

    architecture = GENOMICS.shortened(60) if options.quick else GENOMICS
    x = make_data(Problem("paths", architecture, 2 if options.quick else 4, 1, ())).inputs
    networks = [(architecture.title, opened(architecture), x), *real_models(options.models)]
    for title, network, x in networks:
        x = x.astype(np.float32)
        yield Work(title, "zeros", network, x, np.zeros_like(x)[:, np.newaxis])
        shuffled = references.dinucleotide_shuffle(1).make(x, np.arange(len(x)))
        yield Work(title, "shuffles", network, x, shuffled)


def table(options: argparse.Namespace) -> str:
    """A line for each network and kind of references."""
    head = [
        "network, references",
        "paths",
        "fixed",
        "adaptive, mean (most)",
        "not met",
        "fewer",
        "scores off: fixed",
        "adaptive",
        "as many",
    ]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    sizes = (64, 128) if options.quick else (FINE, MOST)
    for work in works(options):
        lines.append(measured(work, options.first, *sizes).line())
        print(lines[-1], flush=True)
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.path_steps", description=__doc__)
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="of the real networks")
    parser.add_argument("--first", type=int, default=50, help="steps that each path has first")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run?")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it in its section there")
    options = parser.parse_args(arguments)
    conditions = f"Counted on {date.today()}: {machine()}."
    text = "\n\n".join([STEPS_HEADING, NOTES, table(options), conditions])
    hand_out(text, options.write)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
