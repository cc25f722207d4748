"""Figures look as their golden pictures, which people looked at, and say what their axes are."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from deeplift_engine import figures
from deeplift_engine.figures import feature_figures
from tests.figures import golden_figures as golden


@pytest.mark.parametrize("name", golden.FIGURES)
def test_a_figure_is_its_golden_picture_and_names_its_axes(name: str) -> None:
    figure = golden.figure_of(name)
    assert golden.distance(golden.drawn(figure), golden.golden(name)) < golden.TOLERANCE
    assert golden.unnamed(figure) == []
    plt.close("all")


def test_other_colours_and_lost_names_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_figures, "DIVERGING", "PuOr")
    figure = golden.figure_of("heat_map")
    assert golden.distance(golden.drawn(figure), golden.golden("heat_map")) > golden.TOLERANCE
    figure.axes[1].set_xlabel("")
    assert golden.unnamed(figure) == ["x of axes 1"]


@pytest.mark.parametrize("name", ["heat_map", "overlay_heat", "overlay_blend", "sweep", "traces"])
def test_maps_of_both_signs_are_symmetric_about_0(name: str) -> None:
    figure = golden.figure_of(name)
    shown = [each for panel in figure.axes for each in (*panel.images, *panel.collections)]
    signed = [each for each in shown if each.get_array() is not None and each.norm.vmin < 0]
    assert signed
    for each in signed:
        assert each.norm.vmin == -each.norm.vmax


def test_every_function_that_draws_has_a_golden_picture() -> None:
    names = {name.removeprefix("draw_") for name in figures.__all__ if name.startswith("draw_")}
    drawn = {name.split("_alpha")[0].split("_blend")[0] for name in golden.FIGURES}
    assert names - {"feature_bar", "overlays"} <= drawn
    assert {"bar", "overlay"} <= drawn
    assert sum(file.stat().st_size for file in golden.GOLDEN.iterdir()) < 400_000
    assert {file.stem for file in golden.GOLDEN.iterdir()} == {*golden.FIGURES}
    assert all(np.isfinite(golden.golden(name)).all() for name in golden.FIGURES)
