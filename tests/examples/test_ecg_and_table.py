"""Examples of an electrocardiogram and a table: what they say was found."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
from tests.helpers import ROOT

pytestmark = pytest.mark.slow

SHOWN = ("gradient, its size", "DeepLIFT Rescale, flat line", "DeepLIFT Rescale, its own twin")


@pytest.fixture(scope="module")
def ecg() -> dict[str, Any]:
    folder = str(ROOT / "examples" / "ecg")
    sys.path.insert(0, folder)
    try:
        return runpy.run_path(f"{folder}/leads.py")
    finally:
        sys.path.remove(folder)
        sys.modules.pop("simulate", None)


def test_the_network_read_the_leads_that_the_example_says(
    ecg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = de.convert(ecg["train"](ecg["simulate"](1500, 0)))
    test = ecg["simulate"](400, 1)
    right = (network.predict(test.x)[:, 0] > 0) == test.has_infarction
    assert right.mean() > 0.97
    data, healthy = ecg["ill"](test), test.x[test.has_infarction == 0][: ecg["HEALTHY"]]
    found = ecg["measure"](network, data, healthy, SHOWN)
    lost = ecg["removed"](network, data)
    gradient, flat, twin = (found[label] for label in SHOWN)
    for each in found.values():
        assert np.corrcoef(each.by_lead, lost)[0, 1] > 0.9
        assert each.decoy < 0.06
    assert max(gradient.precision, flat.precision) < 0.6 < 0.9 < twin.precision
    assert flat.planted < 0.4 < 0.9 < twin.planted
    leads = ecg["LEADS"]
    for by_lead in (lost, twin.by_lead):
        assert leads[int(np.argmax(by_lead))] == "III"
        assert set(np.array(leads)[np.argsort(-by_lead)[:3]]) == {"III", "aVF", "II"}
        assert np.abs(by_lead[6:]).max() < 0.02 * by_lead.max()
    assert 0.3 < lost.sum() / twin.by_lead.sum() < 0.7  # leads cover for each other
    assert twin.by_lead.sum() == pytest.approx(
        (network.predict(data.x) - network.predict(data.x - data.plant)).mean(), rel=0.1
    )
    ecg["tell"](found, lost, 0.05)
    assert "without the plant" in capsys.readouterr().out
    ecg["draw_traces"](network, data, healthy, tmp_path / "traces.png")
    ecg["draw_leads"](found, lost, tmp_path / "leads.png")
    assert all((tmp_path / name).stat().st_size > 10_000 for name in ("traces.png", "leads.png"))


def test_the_einthoven_triangle_holds_in_the_simulation(ecg: dict[str, Any]) -> None:
    """III is II minus I, and the infarction is nowhere in the chest leads."""
    data = ecg["simulate"](20, 3)
    plant = dict(zip(ecg["LEADS"], np.moveaxis(data.plant, -1, 0), strict=True))
    assert np.allclose(plant["III"], plant["II"] - plant["I"], atol=1e-6)
    assert np.allclose(plant["aVF"], (plant["II"] + plant["III"]) / 2, atol=1e-6)
    assert not data.plant[..., 6:].any()
    assert np.abs(data.decoy[..., 6:]).max() > 0.05


def test_the_table_s_leak_is_what_the_example_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = runpy.run_path(str(ROOT / "examples" / "table" / "leak.py"))
    found = script["find"]()
    leaks, honest = found["models"].values()
    assert leaks["area"] > found["best"] + 0.05
    assert leaks["groups"].index[0] == "days_booked"
    assert leaks["groups"].iloc[0] > 0.3
    for area in (leaks["at admission"], honest["area"]):
        assert area == pytest.approx(found["best"], abs=0.03)
    assert honest["groups"].index[0] == "ward"
    wards = honest["columns"].filter(like="ward_")
    assert wards.iloc[0] < honest["groups"]["ward"] / 1.5
    assert honest["agreement"].drop("pressure").min() > 0.9
    assert honest["agreement"]["pressure"] < 0.9
    script["tell"](found)
    assert "without days_booked: area" in capsys.readouterr().out
    script["draw"](found, tmp_path)
    script["report"](found, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "ward_intensive" in page and "patient 17" in page  # noqa: PT018
    assert len(list(tmp_path.glob("*.png"))) == 4
