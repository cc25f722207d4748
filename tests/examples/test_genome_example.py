"""From a simulated genome to tracks: the example's commands run, its areas are what they say.

It is run smaller here than with ``--small``, which `make dist` runs as a program of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from deeplift_engine import cli
from tests.helpers import ROOT

pytestmark = [
    pytest.mark.slow,
    # of units that are off for two of the windows and all their references
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning"),
]

EXAMPLE = ROOT / "examples" / "genome"
PEAKS = 50


@pytest.fixture(scope="module")
def demo() -> Iterator[Any]:
    """The example's program; its own modules are no one else's."""
    own = [path.stem for path in EXAMPLE.glob("*.py")]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLE)
        for name in own:
            patch.delitem(sys.modules, name, raising=False)
        yield importlib.import_module("demo")
        for name in own:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def printed(demo: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the program prints; it ends with 0 only where its checks hold."""
    out = tmp_path_factory.mktemp("genome")

    def engine(folder: Path, *arguments: str) -> None:
        with contextlib.chdir(folder):
            assert cli.main(list(arguments)) == 0

    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as told:
        patch.setattr(demo, "engine", engine)
        patch.setattr(demo, "SMALL", demo.Size(PEAKS / 5000, 2, 20, 1, 0))
        assert demo.main(["--small", "--out", str(out)]) == 0
    assert {"curves.png", "logos.png"} <= {path.name for path in Path(out).iterdir()}
    return told.getvalue()


def test_records_that_cannot_be_scored_are_counted(printed: str) -> None:
    assert re.search(rf"records: +{PEAKS + 6}\n", printed)
    assert "3 edge of chromosome" in printed
    assert "3 duplicate" in printed


def test_the_track_has_the_contributions_of_the_store(printed: str) -> None:
    assert f"{200 * PEAKS} bases, largest difference from the store 0," in printed


def test_every_method_tells_planted_sites_better_than_chance(printed: str) -> None:
    rate = float(re.search(r"peaks, ([\d.]+)% of their bases", printed)[1]) / 100
    areas = re.findall(r"^(\w.*?) +(0\.\d{3}) +(0\.\d{3})$", printed, re.MULTILINE)
    assert len(areas) == 7
    for name, bases, _ in areas:
        assert float(bases) > 2 * rate, name


def test_the_area_is_average_precision(demo: Any) -> None:
    generator = np.random.default_rng(0)
    values, is_planted = generator.normal(size=(3, 50)), generator.random((3, 50)) < 0.3
    expected = average_precision_score(is_planted.ravel(), values.ravel())
    assert demo.Curve.of(values, is_planted).area == pytest.approx(expected, abs=1e-12)
