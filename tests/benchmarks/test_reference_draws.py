"""Sets of shuffles that depend on each other are shuffles, and estimates mean what they say."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from benchmarks.reference_draws import (
    COUNT,
    SETS,
    Scored,
    balanced,
    covariance_apart,
    within_letters,
)

LETTERS = np.repeat([0, 1, 2, 3], [30, 20, 10, 40])


@pytest.mark.parametrize("name", SETS)
def test_each_of_a_set_has_the_letters_of_the_sequence(name: str) -> None:
    random = np.random.default_rng(0)
    letters = random.permutation(LETTERS)
    rows = SETS[name](letters, random)
    assert rows.shape == (COUNT, len(letters))
    assert (np.sort(rows, axis=1) == LETTERS).all()


def test_positions_of_a_balanced_set_have_each_letter_as_often_as_the_sequence() -> None:
    rows = balanced(LETTERS, np.random.default_rng(1))
    counts = (rows[..., np.newaxis] == np.arange(4)).sum(0)
    assert (counts == [3, 2, 1, 4]).all()
    turned = np.array([np.roll(rows[0], shift) for shift in range(len(LETTERS))])
    assert not any((row == turned).all(1).any() for row in rows[1:])


def test_the_covariance_apart_is_unbiased() -> None:
    random = np.random.default_rng(2)
    references = np.eye(4)[random.integers(0, 4, (7, 5))]
    pool = Scored(np.eye(4)[[0, 1, 2, 3, 0]], references, random.normal(size=(7, 5, 4)))
    mean = references.mean(0)
    subsets = [np.array(each) for each in combinations(range(7), 3)]
    average = np.mean([covariance_apart(pool.only(each), mean) for each in subsets], axis=0)
    np.testing.assert_allclose(average, covariance_apart(pool, mean), rtol=1e-12)
    apart = average - pool.scores.mean(0)  # covariances over 7 and over 6
    flat = pool.multipliers.mean(0) * (pool.sequence - mean)
    np.testing.assert_allclose(7 * apart, average - flat.sum(-1), rtol=1e-9, atol=1e-12)


def test_nothing_is_left_within_letters_of_what_depends_on_them_alone() -> None:
    random = np.random.default_rng(3)
    references = np.eye(4)[random.integers(0, 4, (50, 6))]
    multipliers = np.broadcast_to(random.normal(size=(6, 4)), references.shape)
    pool = Scored(np.eye(4)[[0, 1, 2, 3, 0, 1]], references, multipliers)
    assert pool.scores.var(0).sum() > 1
    assert within_letters(pool) < 1e-12
