"""What references and sweeps cost: ``python -m benchmarks.references``.

Shuffles of 1,000 sequences of 2,114 letters, 20 of each; and sweeps of 20 references under several
rules on the network with dilated convolutions, beside the runs that they stand for.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.process import save_model
from benchmarks.turns import timed
from benchmarks.work import PROBLEMS, QUICK, Data, Problem, make_data, save

SEQUENCES, LENGTH, COUNT = 1000, 2114, 20
SWEEPS: dict[str, list[str]] = {
    "the rules of DeepLIFT, of which two are alike here": [
        "rescale",
        "reveal_cancel",
        "genomics_default",
    ],
    "three rules, of which two are gradients": ["rescale", "gradient", "guided_backprop"],
    "three rules, each with slopes of its own": [
        "rescale",
        "reveal_cancel",
        "guided_backprop_rescale",
    ],
}
SWEEP_BAR, SHUFFLE_BAR = 1.5, 1.0
NOTES = """\
Times are minima over repeats taken in turns, quotients medians over the turns; CPU is the processor
time of the same run, all threads together, which other processes on the machine disturb less. A
sweep is given beside the longest of its rules run alone with the same references, beside all of
them one after the other, and beside its own walks back, the longest part of any sweep: what is
above 1 there are the shared forward passes, means and tables."""


def main(arguments: list[str] | None = None) -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.references", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run?")
    options = parser.parse_args(arguments)
    print("\n".join([*shuffle_table(options), "", *sweep_table(options), "", NOTES]))


def shuffle_table(options: argparse.Namespace) -> list[str]:
    """A row for each kind of references."""
    from deeplift_engine import references

    n, length = (20, 200) if options.quick else (SEQUENCES, LENGTH)
    letters = np.random.default_rng(0).integers(0, 4, (n, length))
    inputs, indices = np.eye(4, dtype=np.float32)[letters], np.arange(n)
    kinds = {
        "positions": references.shuffle(COUNT),
        "dinucleotides": references.dinucleotide_shuffle(COUNT),
        "words of 3": references.kmer_shuffle(COUNT, k=3),
        "words of 4": references.kmer_shuffle(COUNT, k=4),
        "GC-matched": references.gc_matched(COUNT),
    }
    lines = [
        f"{n} sequences x {length} bases x {COUNT}, one-hot in float32",
        "",
        "| kept | time | CPU | bar |",
        "| --- | --- | --- | --- |",
    ]
    for name, kind in kinds.items():
        (taken,) = timed([partial(kind.make, inputs, indices)], options.repeats)
        bar = f"about {SHUFFLE_BAR:g} s: {taken.seconds:.2f} s" if name == "dinucleotides" else ""
        lines.append(f"| {name} | {taken.seconds:.2f} s | {taken.processor:.2f} s | {bar} |")
    return lines


def sweep_table(options: argparse.Namespace) -> list[str]:
    """A row for each sweep."""
    import deeplift_engine as de

    problem: Problem = (QUICK if options.quick else PROBLEMS)[1]
    data = make_data(problem)
    lines = [
        f"{problem.architecture.title}, {problem.inputs} inputs x {problem.references} references",
        "",
        "| sweep | references | time | CPU | ÷ longest run | ÷ all runs | ÷ walks back | bar |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as name:
        save(problem, data, Path(name))
        save_model(Path(name))
        network = de.load(Path(name) / "model.h5")
        for title, rules in SWEEPS.items():
            for shared in (False, True):
                lines.append(_sweep_row(network, data, title, rules, shared, options.repeats))
    return lines


def _sweep_row(
    network: Any, data: Data, title: str, rules: list[str], shared: bool, repeats: int
) -> str:
    import deeplift_engine as de

    kind = de.references.shared(data.shared) if shared else de.references.per_sample(data.own)
    sweeper = network.sweeper(rules)
    back = 0.0

    def walked(walk: Any) -> Callable[..., Any]:
        plain = walk.backward

        def backward(*given: Any) -> Any:
            nonlocal back
            start = time.perf_counter()
            found = plain(*given)
            for part in found.values():
                for tensor in part if isinstance(part, list) else [part]:
                    tensor.numpy()
            back += time.perf_counter() - start
            return found

        return backward

    for walk in sweeper.walks:
        walk.backward = walked(walk)
    shares: list[float] = []

    def sweep() -> None:
        nonlocal back
        back, start = 0.0, time.perf_counter()
        sweeper.run(data.inputs, {"references": kind}, target=0, progress=False)
        shares.append((time.perf_counter() - start) / back)

    explainers = [network.explainer(rules=rule) for rule in rules]
    runs = [
        lambda explainer=explainer: explainer.run(
            data.inputs, target=0, references=kind, progress=False
        )
        for explainer in explainers
    ]
    whole, *alone = timed([sweep, *runs], repeats)
    longest = max(alone, key=lambda run: run.seconds)
    cells = [
        f"{title}: {', '.join(rules)}",
        "shared" if shared else "own",
        f"{whole.seconds * 1e3:.0f} ms",
        f"{whole.processor * 1e3:.0f} ms",
        f"{whole.over(longest):.2f}",
        f"{1 / sum(run.over(whole) for run in alone):.2f}",
        f"{median(shares):.2f}",
        _verdict(whole.over(longest), median(shares)),
    ]
    return f"| {' | '.join(cells)} |"


def _verdict(by_run: float, by_walks: float) -> str:
    said = [
        f"{'met' if ratio <= SWEEP_BAR else '**missed**'} by {what}"
        for what, ratio in (("the longest run", by_run), ("walks back", by_walks))
    ]
    return f"at most {SWEEP_BAR:g}: {', '.join(said)}"


if __name__ == "__main__":
    main()
