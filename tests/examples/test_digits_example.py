"""Examples on scikit-learn's digits: what they say was found."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
from tests.helpers import ROOT

pytestmark = pytest.mark.slow

SAMPLES = 30


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


def test_the_mark_is_found_as_the_example_says(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    script = runpy.run_path(str(ROOT / "examples" / "digits" / "mark.py"))
    x, y, test, classes = script["digits"]()
    networks = {
        "marked eights": de.convert(script["train"](script["some_marked"](x, y, 0), y)),
        "clean digits": de.convert(script["train"](x, y)),
    }
    found = {label: script["find"](each, test, classes) for label, each in networks.items()}
    misled, clean = found.values()
    assert min(misled.accuracy, clean.accuracy) > 0.93
    assert misled.eights < 0.6 < 0.75 < clean.eights
    assert clean.threes < 0.05 < misled.threes
    assert (misled.rank, misled.share > 0.15) == (1, True)
    assert clean.share < 0.06
    for each in found.values():
        best, chance = each.flipped
        assert best > 0.9 > 0.6 > chance
    script["tell"](found)
    assert "the mark's share of the scores" in capsys.readouterr().out
    script["draw"](networks, test[classes == 8][:6], tmp_path)
    assert (tmp_path / "mark.png").read_bytes().startswith(b"\x89PNG")
    assert "8, no. 3" in (tmp_path / "report.html").read_text()
