"""Ranks of scores: agreement of two methods, and how few features hold most of the scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.evaluate.subject import Subject
from deeplift_engine.results.measured import Measured
from deeplift_engine.util.rank_statistics import correlation, ranks
from deeplift_engine.util.typing import Array


def rank_correlation(first: Subject, second: Subject, *, absolute: bool = False) -> Measured:
    """Spearman's correlation of two methods' scores over the features of each sample.

    Parameters
    ----------
    first, second
        Scores on one bench.
    absolute
        Whether to compare magnitudes.

    Raises
    ------
    InputError
        If they are not on one bench.
    """
    if first.bench is not second.bench:
        raise InputError(
            f"{first.label} and {second.label} are on two benches: make both on the same one."
        )
    sums = [np.abs(each.sums) if absolute else each.sums for each in (first, second)]
    return Measured(first.as_requested(correlation(*map(ranks, sums))))


def agreement(subjects: Sequence[Subject], *, absolute: bool = False) -> Array:
    """Mean `rank_correlation` of every two of M methods, (M, M)."""
    ranked = [ranks(np.abs(each.sums) if absolute else each.sums) for each in subjects]
    return np.array([[correlation(a, b).mean() for b in ranked] for a in ranked])


def sparsity(subject: Subject) -> Measured:
    """Gini index of the scores' magnitudes: 0 where all are equal, near 1 where one has all.

    Notes
    -----
    Hurley and Rickard 2009, doi:10.1109/TIT.2009.2027527; for attributions Chalasani 2020,
    arXiv:1810.06583.
    """
    sizes = np.sort(np.abs(subject.sums), axis=-1)
    count = sizes.shape[-1]
    share = (count - np.arange(count) - 0.5) / count
    total = sizes.sum(axis=-1)
    area = np.divide(
        (sizes * share).sum(axis=-1), total, out=np.full_like(total, 0.5), where=total > 0
    )
    return Measured(subject.as_requested(1 - 2 * area))


def complexity(subject: Subject) -> Measured:
    """Entropy of the scores' sizes as shares of their sum, in nats: 0 where one feature has all.

    NaN where all scores are 0.

    Notes
    -----
    Bhatt 2020, arXiv:2005.00631.
    """
    sizes = np.abs(subject.sums)
    total = sizes.sum(axis=-1, keepdims=True)
    shares = np.divide(sizes, total, out=np.full_like(sizes, np.nan), where=total > 0)
    logarithms = np.log(shares, out=np.zeros_like(shares), where=shares != 0)
    return Measured(subject.as_requested(-(shares * logarithms).sum(axis=-1)))
