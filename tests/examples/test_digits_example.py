"""Ancona 2018's curve on scikit-learn's digits: what the example says was found."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
from tests.helpers import ROOT

pytestmark = pytest.mark.slow

SAMPLES = 60


@pytest.fixture(scope="module")
def example() -> tuple[dict[str, Any], Any]:
    script = runpy.run_path(str(ROOT / "examples" / "digits" / "sensitivity.py"))
    x, y, test, _ = script["digits"]()
    network = de.convert(script["train"](x, y))
    return script, script["measure"](network, test[:SAMPLES])


def curves(found: Any) -> dict[str, np.ndarray]:
    return {
        label: measured["sensitivity_n"].mean_curve for label, measured in found.measured.items()
    }


def test_one_pixels_occlusion_is_what_is_measured(example: Any) -> None:
    """Up to rounding of float32, as at n=1 sums and drops are the same numbers."""
    assert curves(example[1])["occlusion, one pixel"][0] == pytest.approx(1, abs=1e-5)


def test_the_epsilon_rule_is_gradient_times_input(example: Any) -> None:
    found = curves(example[1])
    assert np.allclose(found["LRP, epsilon"], found["gradient x input"], atol=1e-3)


def test_methods_are_in_the_order_that_is_told(example: Any) -> None:
    found = curves(example[1])
    most = len(example[0]["SIZES"]) - 1
    assert max(found, key=lambda label: found[label][0]) == "occlusion, one pixel"
    assert max(found, key=lambda label: found[label][most]) == "Shapley values, sampled"
    assert all(curve.min() > 0.7 for label, curve in found.items() if label != "saliency")
    assert found["saliency"].max() < 0.5


def test_it_tells_and_draws(
    example: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    script, found = example
    script["tell"](found)
    assert "DeepLIFT, RevealCancel" in capsys.readouterr().out
    script["draw"](found, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
