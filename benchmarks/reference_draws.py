"""How many references a given error takes: draws that depend on each other, and control variates.

    python -m benchmarks.reference_draws --models FOLDER

compares estimates of a sequence's mean DeepLIFT scores over its shuffles, on networks that others
trained, with the plain mean of independent shuffles. All of them are unbiased.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import numpy as np

from benchmarks.real_models import real_models
from benchmarks.run import DRAWS_HEADING, hand_out, machine
from benchmarks.work import Array

COUNT = 10
"""References of a set."""
BAR = 1.5
EXCHANGES = 8
"""How often the shuffles of a balanced set exchange letters with each other."""
NOTES = f"""\
`python -m benchmarks.reference_draws --models FOLDER`: how many times fewer references than
independent shuffles give the same error, that is the variance of the mean of {COUNT} independent
shuffles over that of each estimate, summed over the positions' contributions (DeepLIFT, Rescale);
geometric means over sequences. All estimates are unbiased; at least {BAR:g} was asked for."""
WHY = """\
None is built, because none reaches it on all three. Most of the variance is what letters do
together: a balanced set takes out all that they do one by one, anywhere in the sequence, and no
control by the letter at a position, whatever it is multiplied with, does better there than the
bound. Of shuffles that keep dinucleotides, which most users take, no balanced set is known that is
unbiased; and draws that depend on each other have no standard errors, by which `"auto"` stops.
Walks of similar sequences cannot be shared: multipliers depend on both ends of a pair."""


@dataclass(frozen=True)
class Scored:
    """A sequence (L, 4), K references of it (K, L, 4), their multipliers and scores, float64."""

    sequence: Array
    references: Array
    multipliers: Array

    @property
    def scores(self) -> Array:
        """Contributions (K, L) of the positions."""
        return np.asarray((self.multipliers * (self.sequence - self.references)).sum(-1))

    def only(self, numbers: Array) -> Scored:
        """Some of the references."""
        return Scored(self.sequence, self.references[numbers], self.multipliers[numbers])


# ------------------------------------------------------------- sets that depend on each other


def reversed_pairs(letters: Array, random: np.random.Generator) -> Array:
    """Shuffles (K, L) of positions, each beside its reverse."""
    halves = [random.permutation(letters) for _ in range(COUNT // 2)]
    return np.stack([each for half in halves for each in (half, half[::-1])])


def rotations(letters: Array, random: np.random.Generator) -> Array:
    """One shuffle of the positions, turned by a K-th of the length each time."""
    shuffled = random.permutation(letters)
    return np.stack([np.roll(shuffled, k * len(letters) // COUNT) for k in range(COUNT)])


def balanced(letters: Array, random: np.random.Generator) -> Array:
    """Shuffles of the positions which give each position each letter as often as the sequence has.

    Of letters in order, positions take one after the other a K-th of the length further on; then
    pairs of shuffles exchange at random what they hold the other way round (Strona 2014), which
    changes no count of a shuffle nor of a position.
    """
    order, sorted_letters = random.permutation(len(letters)), np.sort(letters)
    turns = np.arange(COUNT)[:, np.newaxis] * len(letters) // COUNT
    rows = sorted_letters[(order + turns) % len(letters)]
    for _ in range(EXCHANGES):
        for one, other in random.permutation(COUNT).reshape(-1, 2):
            _exchange(rows, one, other, random)
    return np.asarray(rows)


def _exchange(rows: Array, one: int, other: int, random: np.random.Generator) -> None:
    low, high = np.minimum(*rows[[one, other]]), np.maximum(*rows[[one, other]])
    for pair in np.unique(np.stack([low, high])[:, low != high], axis=1).T:
        where = np.flatnonzero((low == pair[0]) & (high == pair[1]))
        both = np.ix_(np.array([one, other]), where)
        rows[both] = random.permutation(rows[both], axis=1)


SETS: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "shuffles, each beside its reverse": reversed_pairs,
    "one shuffle, turned": rotations,
    "balanced shuffles: each position has each letter as often as the sequence": balanced,
}


# ------------------------------------------------------------------------- control variates


def background_walk(pool: Scored, background: Array) -> Array:
    """Scores (K, L) less what the multipliers (L, 4) against a constant background foresee."""
    apart = pool.references - pool.references.mean(0)
    return np.asarray(pool.scores + (background * apart).sum(-1))


def covariance_apart(some: Scored, mean: Array) -> Array:
    """Mean multiplier times the exact mean difference, less the covariance of what is multiplied.

    The covariance (over K - 1) is unbiased, and the mean reference (L, 4) is known, so that the
    chance in it is left out.
    """
    m, r = some.multipliers, some.references
    products = (m.mean(0) * (some.sequence - mean)).sum(-1)
    apart = ((m - m.mean(0)) * (r - r.mean(0))).sum((0, -1)) / (len(m) - 1)
    return np.asarray(products - apart)


def within_letters(pool: Scored) -> float:
    """The variance within the letters of each position: no control by these leaves less."""
    shares = pool.references.mean(0)
    sums = np.einsum("kl,kla->la", pool.scores, pool.references) / len(pool.references)
    means = np.divide(sums, shares, out=np.zeros_like(sums), where=shares > 0)
    left = pool.scores - (pool.references * means).sum(-1)
    return float(left.var(0).sum())


# --------------------------------------------------------------------------------- measuring


class Network:
    """A network's DeepLIFT of one sequence after the other."""

    def __init__(self, network: Any) -> None:
        self._explainer = network.explainer("deeplift")

    def scored(self, x: Array, references: Array) -> Scored:
        """A sequence (L, 4) against references (K, L, 4)."""
        import deeplift_engine as de

        found = self._explainer.run(
            x[np.newaxis],
            target=0,
            references=de.references.per_sample(references[np.newaxis].astype(x.dtype)),
            average=False,
            progress=False,
        )
        arrays = (x, references, found.multipliers[0])
        return Scored(*(np.asarray(array, float) for array in arrays))


def ratios(network: Network, x: Array, size: int, seed: int) -> dict[str, float]:
    """Of each way, times fewer references than independent shuffles, for one sequence (L, 4)."""
    from deeplift_engine import references

    random, letters = np.random.default_rng(seed), x.argmax(-1)
    found = {}
    for kind in (references.shuffle, references.dinucleotide_shuffle):
        drawn = kind(size, seed=seed).make(x[np.newaxis], np.arange(1))[0]
        pool = network.scored(x, drawn)
        variance, mean = pool.scores.var(0).sum(), pool.scores.mean(0)
        if kind is references.shuffle:
            for name, make in SETS.items():
                sets = np.concatenate([make(letters, random) for _ in range(size // COUNT)])
                scores = network.scored(x, np.eye(4)[sets]).scores.reshape(-1, COUNT, len(x))
                error = ((scores.mean(1) - mean) ** 2).sum(-1).mean() - variance / size
                found[name] = variance / COUNT / error
        flat = np.broadcast_to(pool.references.mean((0, 1)), x.shape)
        walk = network.scored(x, flat[np.newaxis]).multipliers[0]
        of = f"{kind.__name__}: "
        left = background_walk(pool, walk).var(0).sum()
        found[f"{of}less what a walk against the constant background foresees"] = variance / left
        errors = []
        for _ in range(size // COUNT):
            some = pool.only(random.choice(size, COUNT, replace=False))
            estimate = covariance_apart(some, pool.references.mean(0))
            errors.append(((estimate - mean) ** 2).sum())
        found[f"{of}mean multiplier times known mean difference, covariance apart"] = (
            variance * (1 / COUNT - 1 / size) / float(np.mean(errors))
        )
        found[f"{of}bound of any control by the position's own letter"] = variance / within_letters(
            pool
        )
    return found


def columns(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, float]]]:
    """For each network the ratios of each way."""
    for title, network, inputs in real_models(options.models):
        explained = Network(network)
        each = [
            ratios(explained, x.astype(np.float32), options.pool, number)
            for number, x in enumerate(inputs[: options.sequences])
        ]
        yield title, {name: geometric_mean(found[name] for found in each) for name in each[0]}


def table(options: argparse.Namespace) -> str:
    """A line for each way, a column for each network."""
    found = dict(columns(options))
    lines = [f"| estimate | {' | '.join(found)} | |", f"|{' --- |' * (len(found) + 2)}"]
    for name in next(iter(found.values()), {}):
        values = [each[name] for each in found.values()]
        verdict = "met" if min(values) >= BAR else "**missed**"
        lines.append(f"| {name} | {' | '.join(f'{value:.2f}' for value in values)} | {verdict} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reference_draws",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", type=Path, metavar="FOLDER", required=True)
    parser.add_argument("--sequences", type=int, default=3, help="of each network (default 3)")
    parser.add_argument("--pool", type=int, default=500, help="independent shuffles (default 500)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it in its section there")
    options = parser.parse_args(arguments)
    conditions = f"Measured on {date.today()}: {machine()}; {options.pool} independent shuffles."
    text = "\n\n".join([DRAWS_HEADING, NOTES, table(options), WHY, conditions])
    hand_out(text, options.write)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
