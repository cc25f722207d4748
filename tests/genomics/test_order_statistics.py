"""Quantiles of two passes are numpy's, of any values and any blocks."""

from __future__ import annotations

import numpy as np
import pytest

from deeplift_engine.genomics.order_statistics import OrderStatistics

PROBABILITIES = [0, 0.001, 0.25, 0.5, 0.9, 0.9999, 1]
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    "values",
    [
        RANDOM.normal(size=10_000),
        RANDOM.normal(size=999) * 10.0 ** RANDOM.integers(-30, 30, 999),
        np.round(RANDOM.normal(size=500)),
        np.array([-0.0, 0.0, -0.0, 1.0]),
        np.array([2.5]),
    ],
    ids=["normal", "magnitudes", "equal ones", "zeros", "one"],
)
def test_quantiles(values: np.ndarray) -> None:
    values = values.astype(np.float32)
    statistics = OrderStatistics(PROBABILITIES)
    for take in (statistics.count, statistics.refine):
        for block in np.array_split(values, 3):
            take(block)
    expected = np.quantile(values.astype(np.float64), PROBABILITIES)
    np.testing.assert_allclose(statistics.quantiles(), expected, rtol=1e-12)
