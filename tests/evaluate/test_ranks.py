"""Ranks, correlations and the Gini index, against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from deeplift_engine import evaluate
from deeplift_engine.errors import InputError
from deeplift_engine.util.rank_statistics import correlation, ranks
from tests.evaluate.nets import FEATURES, curved, rng

NEAR = 1e-12


def test_ranks_are_scipys_with_ties_too() -> None:
    values = rng(0).integers(0, 5, size=(3, 4, 9)).astype(float)
    assert np.array_equal(ranks(values), stats.rankdata(values, axis=-1) - 1)


def test_correlation_is_scipys_and_zero_for_constants() -> None:
    first, second = rng(0).normal(size=(2, 5, 8))
    second[0] = 3.0
    expected = [0.0, *(stats.pearsonr(first[i], second[i])[0] for i in range(1, 5))]
    assert np.allclose(correlation(first, second), expected, atol=NEAR)


def test_methods_are_compared_by_spearmans_correlation() -> None:
    network, _ = curved()
    bench = evaluate.Bench(network, rng(1).normal(size=(4, FEATURES)), target=[0, 1])
    first, second = bench.run("deeplift"), bench.run("saliency")
    for absolute, size in ((False, np.asarray), (True, np.abs)):
        found = evaluate.rank_correlation(first, second, absolute=absolute).values
        for place in np.ndindex(2, 4):
            expected = stats.spearmanr(size(first.sums[place]), size(second.sums[place]))[0]
            assert found[place] == pytest.approx(expected, abs=NEAR)
        matrix = evaluate.agreement([first, second], absolute=absolute)
        assert np.allclose(matrix, [[1, found.mean()], [found.mean(), 1]], atol=NEAR)
    other = evaluate.Bench(network, rng(1).normal(size=(4, FEATURES)), target=[0, 1])
    with pytest.raises(InputError, match="two benches"):
        evaluate.rank_correlation(first, other.run("deeplift"))


def test_sparsity_is_the_gini_index() -> None:
    network, _ = curved()
    scores = rng(2).normal(size=(5, FEATURES))
    scores[0], scores[1], scores[2] = -2.0, np.eye(FEATURES)[3], 0.0
    bench = evaluate.Bench(network, rng(1).normal(size=(5, FEATURES)), target=0)
    found = evaluate.sparsity(bench.take(scores)).values
    assert found[:3] == pytest.approx([0, 1 - 1 / FEATURES, 0], abs=NEAR)
    for sample in (3, 4):
        sizes = np.abs(scores[sample])
        pairs = np.abs(sizes[:, None] - sizes[None]).mean()  # relative mean difference
        assert found[sample] == pytest.approx(pairs / (2 * sizes.mean()), abs=NEAR)
