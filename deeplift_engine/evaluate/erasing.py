"""Metrics that erase features and compare the target with the scores.

References replace the erased features; the target is averaged over several references.
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
from deeplift_engine.util.options import (
    Count,
    Integer,
    Seed,
    Several,
    Share,
    TwoOrMore,
    validates_options,
)
from deeplift_engine.util.rank_statistics import correlation, ranks
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
        sum(score.sum(axis=tuple(range(2, score.ndim)), dtype=float) for score in scores)
        for scores in (subject.scores, [np.abs(score) for score in subject.scores])
    )
    error = sums - delta
    level = np.abs(bench.at_inputs) + np.abs(bench.at_references)
    return Measured(subject.as_requested(relative_error(error, delta, level, sizes)))


@validates_options
def sensitivity_n(
    subject: Subject,
    *,
    sizes: Annotated[Sequence[int], Several(Integer(1))] | None = None,
    draws: TwoOrMore = 100,
    seed: Seed = 0,
) -> Measured:
    """Correlation of sums of scores with the drop of the target when random sets are erased.

    For each n and sample: over sets of n features, Pearson's correlation of the sum of their
    scores with the drop of the target when they are erased.

    Parameters
    ----------
    sizes
        The n; by default twelve from 1 to four fifths of all features, evenly on a log scale.
    draws
        Sets of each size.
    seed
        Seed of the sets, which are the same for all samples.

    Returns
    -------
    Measured
        The curve over n; its mean is the value.

    Notes
    -----
    Ancona 2018, arXiv:1711.06104, section 4.
    """
    chosen = _sizes(sizes, subject.bench.groups.count)
    curves = _of_sets(subject, chosen, draws, seed, correlation)
    return Measured(
        subject.as_requested(curves.mean(axis=-1)),
        subject.as_requested(curves),
        chosen.tolist(),
        "features erased",
    )


@validates_options
def mu_fidelity(
    subject: Subject,
    *,
    share: Share = 0.2,
    draws: TwoOrMore = 200,
    seed: Seed = 0,
    ranked: bool = False,
) -> Measured:
    """Correlation of sums of scores with what erasing random sets of one size does.

    Parameters
    ----------
    share
        Of all features, that a set has.
    draws
        Sets.
    seed
        Of the sets, which are the same for all samples.
    ranked
        Whether to take Spearman's correlation, as Xplique does, in place of Pearson's.

    Notes
    -----
    Bhatt 2020, arXiv:2005.00631.
    """
    count = subject.bench.groups.count
    size = max(1, round(share * count))
    compare = _rank_correlation if ranked else correlation
    curves = _of_sets(subject, _sizes([size], count), draws, seed, compare)
    return Measured(subject.as_requested(curves[..., 0]))


def _of_sets(
    subject: Subject, chosen: Array, draws: int, seed: int, compare: Callable[[Array, Array], Array]
) -> Array:
    """How scores of random sets and the drops by them compare, for each size: (T, N, sizes)."""
    bench = subject.bench
    count = bench.groups.count
    order = np.random.default_rng(seed).random((draws, count)).argsort(axis=1).argsort(axis=1)

    def choose(rows: slice, block: slice) -> Array:
        numbers = np.arange(block.start, block.stop)
        smaller = order[numbers % draws] < chosen[numbers // draws, np.newaxis]
        return np.asarray(smaller[np.newaxis])

    values = bench.once(
        ("sets", tuple(chosen), draws, seed),
        lambda: bench.erased(choose, len(chosen) * draws),
    )
    drops = bench.at_inputs[..., np.newaxis] - values
    curve = [
        compare(subject.sums @ (order < size).T, drops[..., start : start + draws])
        for size, start in zip(chosen, range(0, len(chosen) * draws, draws), strict=True)
    ]
    return np.stack(curve, axis=-1)


def _rank_correlation(first: Array, second: Array) -> Array:
    return correlation(ranks(first), ranks(second))


@validates_options
def deletion(subject: Subject, *, steps: Count = 20) -> Measured:
    """The target while groups are erased, largest scores first: mean of the curve.

    Parameters
    ----------
    steps
        Points of the curve besides the unchanged input.

    Returns
    -------
    Measured
        The curve over the share erased, and the area under it.

    Notes
    -----
    Samek 2015, arXiv:1509.06321; Petsiuk 2018, arXiv:1806.07421.
    """
    return _along(subject, steps, inserted=False)


@validates_options
def insertion(subject: Subject, *, steps: Count = 20) -> Measured:
    """The target while groups replace those of the reference, largest scores first.

    Parameters
    ----------
    steps
        Points of the curve besides the bare reference.

    Returns
    -------
    Measured
        The curve over the share inserted, and the area under it.

    Notes
    -----
    Petsiuk 2018, arXiv:1806.07421.
    """
    return _along(subject, steps, inserted=True)


def ordered_curve(subject: Subject, sizes: Array, *, inserted: bool) -> Array:
    """The target (T, N, S) with the ``sizes`` (S,) groups of largest scores erased, or inserted."""
    places = np.argsort(np.argsort(-subject.sums, axis=-1, kind="stable"), axis=-1)

    def choose(target: int, rows: slice, block: slice) -> Array:
        taken = places[target, rows, np.newaxis] < sizes[block, np.newaxis]
        return np.asarray(taken != inserted)

    return _of_each(subject.bench, choose, len(sizes))


def _along(subject: Subject, steps: int, *, inserted: bool) -> Measured:
    count = subject.bench.groups.count
    sizes = np.unique(np.linspace(0, count, steps + 1).round().astype(int))
    curve, shares = ordered_curve(subject, sizes, inserted=inserted), sizes / count
    area = ((curve[..., 1:] + curve[..., :-1]) / 2 * np.diff(shares)).sum(axis=-1)
    axis = "share of features put in" if inserted else "share of features erased"
    return Measured(subject.as_requested(area), subject.as_requested(curve), shares.tolist(), axis)


@validates_options
def log_odds_drop(
    subject: Subject, *, fraction: Share = 0.2, count: Count | None = None
) -> Measured:
    """The drop of the target when the features of the largest positive scores are erased.

    With the target `deeplift_engine.targets.difference` of two logits it is the change in the
    log-odds of two classes.

    Parameters
    ----------
    fraction
        Share of all features to erase.
    count
        Number of features to erase instead. Only scores above that of the next feature and above
        zero count, so fewer features are erased where scores are equal or negative.

    Notes
    -----
    Shrikumar 2017, arXiv:1704.02685, section 4.1: 157 of 784 pixels.
    """
    bench = subject.bench
    features = bench.groups.count
    if count is None:
        count = round(fraction * features)
    if not 0 < count <= features:
        raise InputError(
            f"{count} of {features} features are to be erased: 1 to {features} can be."
        )
    falling = -np.sort(-subject.sums, axis=-1)
    next_one = falling[..., count : count + 1] if count < features else np.zeros((1, 1, 1))
    erased = subject.sums > np.maximum(next_one, 0)

    def choose(target: int, rows: slice, block: slice) -> Array:
        return np.asarray(erased[target, rows, np.newaxis])

    return Measured(subject.as_requested(bench.at_inputs - _of_each(bench, choose, 1)[..., 0]))


def _of_each(bench: Bench, choose: Callable[[int, slice, slice], Array], draws: int) -> Array:
    """As `Bench.erased`, with separate choices for each target."""
    values = [
        bench.erased(partial(choose, target), draws, bench.weights[target : target + 1])
        for target in range(len(bench.weights))
    ]
    return np.concatenate(values)


def _sizes(selection: Sequence[int] | None, count: int) -> Array:
    if selection is None:
        most = max(1, int(0.8 * count))
        return np.unique(np.geomspace(1, most, 12).round().astype(int))
    sizes = np.asarray(selection)
    if sizes.max() >= count:
        raise InputError(
            f"sizes {sizes.min()} to {sizes.max()}: sets of 1 to {count - 1} of the {count} "
            "features differ from each other."
        )
    return sizes
