"""The workings of the comparison with chrombpnet; the times themselves are no test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import interpretation
from benchmarks.interpretation import FORK, OURS, ROWS, Measured, changes, lines, off
from benchmarks.process import Cost

OUR_COST = Cost(1.0, 2.0, 5, 0, peak=500.0, idle=400.0)


def measured(seconds: float, peak: float, from_ours: float) -> dict[str, Measured]:
    ours = Measured(OUR_COST, 1e-7, 0.0, 1e-6)
    fork = replace(OUR_COST, seconds=seconds, peak=peak)
    return {OURS: ours, FORK: Measured(fork, 1e-6, from_ours, 1e-6)}


def test_bars_that_are_met_and_missed_say_so() -> None:
    ours, met = lines(ROWS[0], measured(5.1, 2001.0, 9e-6))
    assert "met" not in ours
    assert met.count(", met") == 3
    _, missed = lines(ROWS[0], measured(4.9, 1999.0, 1.1e-5))
    assert missed.count("**missed**") == 3
    cells = interpretation.line(interpretation.HEADER).count("|")
    assert {line.count("|") for line in (ours, met, missed)} == {cells}


def test_changes_are_those_of_the_targets() -> None:
    """Written out for one sequence and one reference, of three positions."""
    z, z0 = np.array([1.0, 2.0, 6.0]), np.array([0.5, 0.0, 1.0])
    outputs = np.array([[[*z, 4.0], [*z0, 1.5]]])
    softmax, softmax0 = (np.exp(each) / np.exp(each).sum() for each in (z, z0))
    change = (z - z.mean()) - (z0 - z0.mean())
    found = changes(outputs)
    assert found["counts"] == pytest.approx([2.5])
    assert found["held"] == pytest.approx([softmax @ change])
    assert found["profile"] == pytest.approx([(softmax + softmax0) @ change / 2])


def test_differences_are_shares_of_each_head() -> None:
    expected = np.array([[[1.0, -10.0]], [[0.1, 0.2]]])
    assert off(expected + np.array([[[0.0, 0.1]], [[0.01, 0.0]]]), expected) == pytest.approx(0.05)
