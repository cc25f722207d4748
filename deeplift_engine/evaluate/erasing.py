"""Metrics that erase features and see what the target does.

What is erased is replaced by the references; where a sample has several, the target is averaged
over them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

import numpy as np

from deeplift_engine.engine.convergence import relative_error
from deeplift_engine.errors import InputError
from deeplift_engine.evaluate.bench import Bench
from deeplift_engine.evaluate.subject import Subject
from deeplift_engine.results.measured import Measured
from deeplift_engine.util.options import Count, Seed, Several, Share, TwoOrMore, Whole, reading
from deeplift_engine.util.rank_statistics import correlation
from deeplift_engine.util.typing import Array


def completeness(subject: Subject) -> Measured:
    """How far the scores' sum is from the target's difference from the references.

    Relative to that difference, as in `deeplift_engine.engine.convergence.relative_error`.

    Notes
    -----
    Sundararajan 2017, arXiv:1703.01365; summation-to-delta in Shrikumar 2017, arXiv:1704.02685.
    """
    bench = subject.bench
    delta = bench.at_inputs - bench.at_references
    sums, sizes = (
        sum(part.sum(axis=tuple(range(2, part.ndim)), dtype=float) for part in parts)
        for parts in (subject.scores, [np.abs(score) for score in subject.scores])
    )
    error = sums - delta
    level = np.abs(bench.at_inputs) + np.abs(bench.at_references)
    return Measured(subject.unstacked(relative_error(error, delta, level, sizes)))


@reading
def sensitivity_n(
    subject: Subject,
    *,
    sizes: Annotated[Sequence[int], Several(Whole(1))] | None = None,
    draws: TwoOrMore = 100,
    seed: Seed = 0,
) -> Measured:
    """Correlation of scores with what erasing does, over random sets of n features.

    For each n and sample: over sets of n features, Pearson's correlation of the sum of their
    scores with the drop of the target when they are erased.

    Parameters
    ----------
    sizes
        The n; by default twelve from 1 to four fifths of all features, evenly on a logarithm.
    draws
        Sets of each size.
    seed
        Of the sets, which are the same for all samples.

    Returns
    -------
    Measured
        The curve over n; its mean is the value.

    Notes
    -----
    Ancona 2018, arXiv:1711.06104, section 4.
    """
    bench = subject.bench
    count = bench.groups.count
    chosen = _sizes(sizes, count)
    places = np.random.default_rng(seed).random((draws, count)).argsort(axis=1).argsort(axis=1)

    def choose(rows: slice, block: slice) -> Array:
        numbers = np.arange(block.start, block.stop)
        smaller = places[numbers % draws] < chosen[numbers // draws, np.newaxis]
        return np.asarray(smaller[np.newaxis])

    values = bench.once(
        ("sensitivity_n", tuple(chosen), draws, seed),
        lambda: bench.erased(choose, len(chosen) * draws),
    )
    drops = bench.at_inputs[..., np.newaxis] - values
    curve = [
        correlation(subject.sums @ (places < size).T, drops[..., start : start + draws])
        for size, start in zip(chosen, range(0, len(chosen) * draws, draws), strict=True)
    ]
    found = np.stack(curve, axis=-1)
    return Measured(
        subject.unstacked(found.mean(axis=-1)),
        subject.unstacked(found),
        chosen.tolist(),
        "features erased",
    )


@reading
def deletion(subject: Subject, *, steps: Count = 20) -> Measured:
    """The target while groups are erased, those of the largest scores first: mean of the curve.

    Parameters
    ----------
    steps
        Points of the curve beside the whole input.

    Returns
    -------
    Measured
        The curve over the share erased, and the area under it.

    Notes
    -----
    Samek 2015, arXiv:1509.06321; Petsiuk 2018, arXiv:1806.07421.
    """
    return _along(subject, steps, inserted=False)


@reading
def insertion(subject: Subject, *, steps: Count = 20) -> Measured:
    """The target while groups are put into the reference, those of the largest scores first.

    Parameters
    ----------
    steps
        Points of the curve beside the bare reference.

    Returns
    -------
    Measured
        The curve over the share put in, and the area under it.

    Notes
    -----
    Petsiuk 2018, arXiv:1806.07421.
    """
    return _along(subject, steps, inserted=True)


def _along(subject: Subject, steps: int, *, inserted: bool) -> Measured:
    bench = subject.bench
    count = bench.groups.count
    sizes = np.unique(np.linspace(0, count, steps + 1).round().astype(int))
    places = np.argsort(np.argsort(-subject.sums, axis=-1, kind="stable"), axis=-1)

    def choose(target: int, rows: slice, block: slice) -> Array:
        taken = places[target, rows, np.newaxis] < sizes[block, np.newaxis]
        return np.asarray(taken != inserted)

    curve, shares = _of_each(bench, choose, len(sizes)), sizes / count
    area = ((curve[..., 1:] + curve[..., :-1]) / 2 * np.diff(shares)).sum(axis=-1)
    axis = "share of features put in" if inserted else "share of features erased"
    return Measured(subject.unstacked(area), subject.unstacked(curve), shares.tolist(), axis)


@reading
def log_odds_drop(
    subject: Subject, *, fraction: Share = 0.2, count: Count | None = None
) -> Measured:
    """What the target loses when the features of the largest positive scores are erased.

    With the target `deeplift_engine.targets.difference` of two logits it is the change in the
    log-odds of two classes.

    Parameters
    ----------
    fraction
        Share of all features to erase.
    count
        Their number instead. Erased are those of scores above that of the next one and above
        zero, so fewer where scores are equal or negative.

    Notes
    -----
    Shrikumar 2017, arXiv:1704.02685, section 4.1: 157 of 784 pixels.
    """
    bench = subject.bench
    whole = bench.groups.count
    if count is None:
        count = round(fraction * whole)
    if not 0 < count <= whole:
        raise InputError(f"{count} of {whole} features are to be erased: 1 to {whole} can be.")
    falling = -np.sort(-subject.sums, axis=-1)
    next_one = falling[..., count : count + 1] if count < whole else np.zeros((1, 1, 1))
    erased = subject.sums > np.maximum(next_one, 0)

    def choose(target: int, rows: slice, block: slice) -> Array:
        return np.asarray(erased[target, rows, np.newaxis])

    return Measured(subject.unstacked(bench.at_inputs - _of_each(bench, choose, 1)[..., 0]))


def _of_each(bench: Bench, choose: Callable[[int, slice, slice], Array], draws: int) -> Array:
    """As `Bench.erased`, where each target has choices of its own."""
    parts = [
        bench.erased(partial(choose, target), draws, bench.weights[target : target + 1])
        for target in range(len(bench.weights))
    ]
    return np.concatenate(parts)


def _sizes(given: Sequence[int] | None, count: int) -> Array:
    if given is None:
        most = max(1, int(0.8 * count))
        return np.unique(np.geomspace(1, most, 12).round().astype(int))
    sizes = np.asarray(given)
    if sizes.max() >= count:
        raise InputError(
            f"sizes {sizes.min()} to {sizes.max()}: sets of 1 to {count - 1} of the {count} "
            "features differ from each other."
        )
    return sizes
