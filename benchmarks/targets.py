"""What many targets cost: ``python -m benchmarks.targets``.

1,000 outputs behind a dense layer of 128 units, beside 128 of these outputs, each of which takes a
walk of its own; on the convolutions of the genomics model.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from benchmarks.architectures import GENOMICS, LETTERS
from benchmarks.turns import timed

OUTPUTS, UNITS = 1000, 128
INPUTS, REFERENCES = 8, 10
POOL = 36
"""Positions of a mean, of which five are left: more units than those of the dense layer."""
RULES = ("rescale", "genomics_default")
BAR = 1.5
NOTES = """\
All outputs go back by way of the dense layer: a walk for each of its units, and products of
matrices. Seconds are those of the processor, all threads together, the least of samples taken in
turns, which other processes disturb less than the clock."""


def main(arguments: list[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.targets", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run?")
    options = parser.parse_args(arguments)
    print("\n".join([*table(options), "", NOTES]))


def table(options: argparse.Namespace) -> list[str]:
    """A row for each of the rules."""
    inputs, references = (2, 2) if options.quick else (INPUTS, REFERENCES)
    outputs, units = (12, 4) if options.quick else (OUTPUTS, UNITS)
    network, random = _network(outputs, units), np.random.default_rng(0)
    letters = random.integers(0, LETTERS, (inputs, 1 + references, GENOMICS.length))
    data = np.eye(LETTERS, dtype=np.float32)[letters]
    lines = [
        f"{inputs} inputs, {references} references of each, {outputs} outputs behind {units} units",
        "",
        f"| rules | {units} outputs | all {outputs} | quotient | a walk for each | bar |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for rules in RULES:
        explainer = network.explainer(rules=rules)

        def run(target: Any, explainer: Any = explainer) -> Any:
            return explainer.run(data[:, 0], target=target, references=data[:, 1:], progress=False)

        few, every = timed(
            [lambda run=run: run(list(range(units))), lambda run=run: run("all")],  # type: ignore[misc]
            options.repeats,
        )
        quotient = every.processor / few.processor
        met = "" if options.quick else f"at most {BAR:g}: {'met' if quotient <= BAR else 'missed'}"
        lines.append(
            f"| {rules} | {few.processor:.2f} s | {every.processor:.2f} s | {quotient:.2f} | about "
            f"{few.processor * outputs / units:.1f} s | {met} |"
        )
    return lines


def _network(outputs: int, units: int) -> Any:
    """The convolutions of the genomics model, a dense layer and outputs, weights at random."""
    import keras

    import deeplift_engine as de

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((GENOMICS.length, LETTERS)),
            *(layers.Conv1D(c.filters, c.width, activation="relu") for c in GENOMICS.convolutions),
            layers.AveragePooling1D(POOL),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dense(outputs),
        ]
    )
    return de.convert(model)


if __name__ == "__main__":
    main()
