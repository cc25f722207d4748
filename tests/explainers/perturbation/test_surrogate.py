"""LIME against scikit-learn fitted by hand, and its groups."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from deeplift_engine.errors import DeepliftEngineError, RuleError
from deeplift_engine.explainers.perturbation.masking.groups import Groups, grouping, segments
from deeplift_engine.graph.inputs import InputInfo
from tests.explainers.perturbation.perturbed_nets import (
    curved,
    image,
    linear,
    pairs,
    pictures,
    rows,
    several,
)
from tests.helpers import off

EXACT = 1e-9


def seen(made: Any, x: Any, **run: Any) -> Any:
    """The points of the one input that a run evaluates, and its result."""
    points: list[Any] = []
    forward = made.values._function

    def watched(*given: Any) -> Any:
        points.append(np.array(given[0]))
        return forward(*given)

    made.values._function = watched
    found = made.run(x, **run)
    return np.concatenate(points), found


def test_coefficients_are_those_of_a_weighted_ridge_regression() -> None:
    net, value = curved()
    x, reference = rows(1), np.full(5, -9.0)
    options = {"samples": 80, "kernel_width": 0.4, "alpha": 0.7, "seed": 3}
    made = net.explainer("lime", groups=None, **options)
    points, found = seen(made, x, target="all", references=reference)
    points = points[:80]
    stays = (points != -9.0).astype(float)
    assert (points == np.where(stays == 1, x, -9.0)).all()
    assert stays[0].all()
    assert 0.4 < stays[1:].mean() < 0.6
    cosine = stays.sum(1) / np.sqrt(np.maximum(stays.sum(1), 1e-300) * 5)
    weights = np.sqrt(np.exp(-((1 - cosine) ** 2) / 0.4**2))
    fit = Ridge(alpha=0.7).fit(stays, value(points), sample_weight=weights)
    assert off(found.scores[:, 0], fit.coef_) < EXACT


def test_without_penalty_a_linear_network_gives_the_contribution() -> None:
    net, w = linear()
    x, reference = rows(), rows(seed=11)
    made = net.explainer("lime", alpha=0, samples=60)
    found = made.run(x, target="all", references=reference)
    assert off(found.scores, np.einsum("fu,nf->unf", w, x - reference)) < EXACT
    assert found.target_delta is None


def test_draws_do_not_depend_on_neighbours_or_batches() -> None:
    net = several()
    made = net.explainer("lime", samples=50)
    x = pairs(4)
    whole = made.run(x, target="all").scores
    part = made.run([array[[2, 0]] for array in x], target="all", batch_size=7).scores
    for name, values in whole.items():
        assert off(part[name], values[:, [2, 0]]) < EXACT
    other = net.explainer("lime", samples=50, seed=1).run(x, target="all").scores
    assert off(other["row"], whole["row"]) > 0.01


# segments


def blocks(samples: int) -> Any:
    """Images (n, 16, 24, 3) of six squares in colours of their own, and the squares' numbers."""
    squares = np.arange(16)[:, np.newaxis] // 8 * 3 + np.arange(24) // 8
    colours = np.random.default_rng(0).uniform(size=(samples, 6, 3))
    return colours[:, squares], squares


def test_segments_are_found_in_images() -> None:
    images, squares = blocks(2)
    for sample in images:
        found = segments(6)(sample)
        assert found.shape == (16, 24, 1)
        labels = found[..., 0]
        assert len({(a, b) for a, b in zip(labels.ravel(), squares.ravel(), strict=True)}) == 6
        first = segments(6)(sample.transpose(2, 0, 1))
        assert first.shape == (1, 16, 24)
        np.testing.assert_array_equal(first[0], labels)
        grey = segments(6)(sample[..., 0])
        assert grey.shape == (16, 24)


def test_auto_is_segments_of_images_positions_of_sequences_else_elements() -> None:
    def groups(*shape: int) -> Groups:
        info = InputInfo("x", shape, "float32")
        sample = np.random.default_rng(1).normal(size=(2, *shape))
        return grouping("auto", [info], [sample]).of([sample], 0)

    assert groups(7).count == 7
    assert groups(7, 4).count == 7
    assert groups(1, 7, 4).count == 7
    assert 1 < groups(16, 24, 3).count < 16 * 24
    assert 1 < groups(3, 16, 24).count < 16 * 24


def test_each_image_has_segments_of_its_own() -> None:
    x = pictures(3)
    made = image().explainer("lime", samples=64, groups="segments")
    whole = made.run(x, target="all").scores
    for n in range(3):
        assert off(made.run(x[n : n + 1], target="all").scores[:, 0], whole[:, n]) < EXACT
        labels = np.broadcast_to(segments()(x[n]), x[n].shape)
        for label in np.unique(labels):
            assert np.ptp(whole[:, n][:, labels == label], axis=1).max() == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"samples": 1}, "whole number of 2 or more"),
        ({"kernel_width": 0}, "above 0"),
        ({"alpha": -1}, "0 or more"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(RuleError, match=text):
        curved()[0].explainer("lime", **options)


@pytest.mark.parametrize("name", ["lime", "kernel_shap"])
def test_without_scikit_learn_it_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(DeepliftEngineError, match=r"scikit-learn.*deeplift_engine\[methods\]"):
        curved()[0].explainer(name).run(rows(), target=0)
