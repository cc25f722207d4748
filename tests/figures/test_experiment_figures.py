"""Figures of experiments show the numbers that they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deeplift_engine.figures import draw_design, draw_effects, draw_spacing

RANDOM = np.random.default_rng(0)


def test_bars_are_means_and_dots_are_values() -> None:
    effects = RANDOM.normal(size=(3, 5))
    (panel,) = draw_effects(["a", "b", "c"], effects).axes
    assert [bar.get_width() for bar in panel.patches] == pytest.approx(effects.mean(axis=1))
    dots = [line.get_xdata() for line in panel.lines if line.get_marker() == "."]
    np.testing.assert_allclose(dots, effects)
    assert [text.get_text() for text in panel.get_yticklabels()] == ["a", "b", "c"]


def test_spacing_is_drawn_by_rising_distance() -> None:
    effects = {name: RANDOM.normal(size=(3, 4)) for name in ("one", "other", "both")}
    beyond = RANDOM.normal(size=(3, 4))
    upper, lower = draw_spacing(np.array([5, 0, 2]), effects, beyond).axes
    assert [line.get_label() for line in upper.lines[:3]] == list(effects)
    np.testing.assert_allclose(upper.lines[0].get_xdata(), [0, 2, 5])
    np.testing.assert_allclose(lower.lines[0].get_ydata(), beyond.mean(axis=1)[[1, 2, 0]])


def test_a_design_shades_what_was_changed() -> None:
    values, sequence = RANDOM.normal(size=(4, 2)), np.eye(4)[RANDOM.integers(4, size=300)]
    upper, lower = draw_design(values, sequence, np.array([200, 210])).axes
    np.testing.assert_allclose(upper.lines[2].get_ydata(), values.mean(axis=1))
    shaded = sorted(_left(patch) for patch in lower.patches)
    assert shaded == [199.5, 209.5]
    assert lower.get_xlim()[1] - lower.get_xlim()[0] == 160


def _left(patch: Any) -> float:
    """Where a patch begins: a span is a rectangle since matplotlib 3.9, a polygon before."""
    return float(patch.get_patch_transform().transform_path(patch.get_path()).get_extents().x0)
