"""Quantiles of Student's t are SciPy's."""

from __future__ import annotations

import pytest
from scipy import stats

from deeplift_engine.util.student_t import two_sided


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("degrees", [*range(1, 31), 99, 1000, 1001, 50_000])
def test_quantiles_are_those_of_scipy(level: float, degrees: int) -> None:
    """To 1e-7; the corrections of the normal quantile leave out a term of 1/degrees³."""
    assert two_sided(level, degrees) == pytest.approx(stats.t.ppf((1 + level) / 2, degrees), 1e-7)
