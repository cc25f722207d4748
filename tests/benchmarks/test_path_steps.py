"""The smallest number of steps, and the table of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import path_steps


def run(steps: int) -> Any:
    """Three paths that are complete from 30, 40 and 300 steps on."""
    met = steps >= np.array([30, 40, 300])
    return SimpleNamespace(relative_error=np.where(met, 0.0, 1.0), steps=steps)


@pytest.mark.parametrize(("enough", "least"), [(2, 40), (3, 300)])
def test_the_smallest_number_of_steps_is_found_to_a_tenth(enough: int, least: int) -> None:
    steps, found = path_steps.smallest(run, enough, 1000)
    assert steps is not None
    assert steps == found.steps
    assert least <= steps <= 1.1 * least + 1


def test_a_number_above_the_most_is_none() -> None:
    steps, found = path_steps.smallest(run, 3, 250)
    assert steps is None
    assert found.steps <= 250


@pytest.mark.thorough
def test_the_quick_mode_counts_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert path_steps.main(["--quick"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "genomics model" in line]
    assert any(", zeros |" in line for line in lines)
    assert any(", shuffles |" in line for line in lines)
