"""From a simulated genome to tracks: the example's commands run, its areas are what they say."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from tests.helpers import ROOT

pytestmark = pytest.mark.slow

EXAMPLE = ROOT / "examples" / "genome"


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the small form prints; it ends with 0 only where its checks hold."""
    out = tmp_path_factory.mktemp("genome")
    command = [sys.executable, str(EXAMPLE / "demo.py"), "--small", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"curves.png", "logos.png"} <= {path.name for path in Path(out).iterdir()}
    return done.stdout


def test_records_that_cannot_be_scored_are_counted(printed: str) -> None:
    assert re.search(r"records: +206\n", printed)
    assert "3 edge of chromosome" in printed
    assert "3 duplicate" in printed


def test_the_track_has_the_contributions_of_the_store(printed: str) -> None:
    assert "40000 bases, largest difference from the store 0," in printed


def test_every_method_tells_planted_sites_better_than_chance(printed: str) -> None:
    rate = float(re.search(r"peaks, ([\d.]+)% of their bases", printed)[1]) / 100
    areas = re.findall(r"^(\w.*?) +(0\.\d{3}) +(0\.\d{3})$", printed, re.MULTILINE)
    assert len(areas) == 7
    for name, bases, _ in areas:
        assert float(bases) > 2 * rate, name


def test_the_area_is_average_precision() -> None:
    judge = module("judge")
    generator = np.random.default_rng(0)
    values, is_planted = generator.normal(size=(3, 50)), generator.random((3, 50)) < 0.3
    expected = average_precision_score(is_planted.ravel(), values.ravel())
    assert judge.Curve.of(values, is_planted).area == pytest.approx(expected, abs=1e-12)


def module(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"genome_{name}", EXAMPLE / f"{name}.py")
    assert spec is not None and spec.loader is not None  # noqa: PT018
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded
