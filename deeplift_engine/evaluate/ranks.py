"""Ranks of scores: how alike two methods are, and how few features hold what a method finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.errors import InputError
from deeplift_engine.evaluate.bench import Subject
from deeplift_engine.evaluate.measured import Measured

Array = NDArray[Any]


def ranks(values: Array) -> Array:
    """Ranks along the last axis from 0, equal values having the mean of theirs."""
    flat = values.reshape(-1, values.shape[-1])
    order = np.argsort(flat, axis=1, kind="stable")
    ordered = np.take_along_axis(flat, order, axis=1)
    first = np.ones(flat.shape, bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    group = np.cumsum(first) - 1
    places = np.broadcast_to(np.arange(flat.shape[1]), flat.shape).ravel()
    means = np.bincount(group, places) / np.bincount(group)
    found = np.empty(flat.shape)
    np.put_along_axis(found, order, means[group].reshape(flat.shape), axis=1)
    return np.asarray(found.reshape(values.shape))


def correlation(first: Array, second: Array) -> Array:
    """Pearson's correlation along the last axis; 0 where one of them does not vary."""
    first = first - first.mean(axis=-1, keepdims=True)
    second = second - second.mean(axis=-1, keepdims=True)
    both = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    product = (first * second).sum(axis=-1)
    return np.asarray(np.divide(product, both, out=np.zeros_like(product), where=both > 0))


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
    return Measured(first.given(correlation(*map(ranks, sums))))


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
    whole = sizes.sum(axis=-1)
    part = np.divide(
        (sizes * share).sum(axis=-1), whole, out=np.full_like(whole, 0.5), where=whole > 0
    )
    return Measured(subject.given(1 - 2 * part))
