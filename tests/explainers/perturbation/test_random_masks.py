"""RISE and Sobol indices against loops over masks, and against indices that are known."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.perturbation.masking.smooth_fields import fields
from tests.explainers.perturbation.perturbed_nets import (
    curved,
    image,
    linear,
    pairs,
    pictures,
    rows,
    several,
    tokens,
    words,
)
from tests.helpers import off

EXACT = 1e-11


# RISE


def one_mask(grid: Any, shift: Any, lengths: Any, shape: Any) -> Any:
    """Bilinear interpolation of a grid's corners, pixel by pixel."""
    mask = np.zeros(shape)
    for pixel in np.ndindex(*shape):
        place = [(p + s) / length for p, s, length in zip(pixel, shift, lengths, strict=True)]
        for corner in np.ndindex(*[2] * len(shape)):
            weight = 1.0
            at = []
            for p, c in zip(place, corner, strict=True):
                weight *= p - int(p) if c else 1 - (p - int(p))
                at.append(int(p) + c)
            mask[pixel] += weight * grid[tuple(at)]
    return mask


def test_masks_are_shifted_and_interpolated_grids() -> None:
    field = fields((6, 8, 2), (0, 1), 20, 3, 0.4, np.random.default_rng(0), smooth=True)
    assert field.lengths == (2, 3)
    masks = field.masks(slice(3, 9))
    assert masks.shape == (6, 6, 8, 2)
    for mask, number in zip(masks, range(3, 9), strict=True):
        expected = one_mask(field.grids[number], field.shifts[number], (2, 3), (6, 8))
        assert np.allclose(mask, expected[..., np.newaxis], atol=1e-6)
    assert {0, 1} == set(field.shifts[:, 0]) < set(field.shifts[:, 1])


@pytest.mark.parametrize("smooth", [True, False])
def test_every_element_is_kept_as_often(smooth: bool) -> None:
    field = fields((7, 5), (0,), 20_000, 3, 0.3, np.random.default_rng(1), smooth=smooth)
    masks = field.masks(slice(0, 20_000))
    assert abs(masks.mean(axis=0) - 0.3).max() < 4 * np.sqrt(0.21 / 20_000)
    assert smooth or set(np.unique(masks)) == {0, 1}


def test_scores_are_means_weighted_by_masks() -> None:
    net, x, reference = image(), pictures(), pictures(seed=12)
    made = net.explainer("rise", samples=40, cells=3, keep=0.4, seed=2)
    found = made.run(x, target="all", references=reference)
    field = fields((6, 8, 2), (0, 1), 40, 3, 0.4, np.random.default_rng(2), smooth=True)
    terms = np.stack(
        [
            net.predict(mask * x + (1 - mask) * reference).T[..., None, None, None] * mask / 0.4
            for mask in field.masks(slice(0, 40)).astype(float)
        ]
    )
    assert off(found.scores, terms.mean(axis=0)) < EXACT
    assert off(found.standard_errors, terms.std(axis=0, ddof=1) / np.sqrt(40)) < 1e-9


def test_several_inputs_tokens_and_batches() -> None:
    made = several().explainer("rise", samples=30)
    whole = made.run(pairs(4), target="all").scores
    part = made.run([array[[3, 1]] for array in pairs(4)], target="all", batch_size=7).scores
    assert whole["letters"].shape == (3, 4, 6, 4)
    for name, values in whole.items():
        assert off(part[name], values[:, [3, 1]]) < EXACT
    made = tokens().explainer("rise", samples=30, seed=1)
    found = made.run(words(), target=0, references=4).scores
    masks = fields((6,), (0,), 30, 7, 0.5, np.random.default_rng(1), smooth=False)
    values = [
        tokens().predict(np.where(mask, words(), 4))[:, :1] * mask
        for mask in masks.masks(slice(0, 30))
    ]
    assert off(found, np.mean(values, axis=0) / 0.5) < EXACT


def test_it_finds_the_pixels_that_matter() -> None:
    model = keras.Sequential(
        [keras.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    w = np.zeros((16, 16))
    w[4:8, 9:13] = 1
    model.set_weights([w.reshape(-1, 1), np.zeros(1)])
    found = de.convert(model).explainer("rise").run(np.ones((1, 16, 16, 1)))
    place = np.unravel_index(found.scores[0, ..., 0].argmax(), (16, 16))
    assert w[place] == 1


# Sobol indices


def test_indices_of_a_linear_network_are_shares_of_variance() -> None:
    """Of uniform masks, Σ c² / 12: an index is c² / Σ c², total and first-order alike."""
    net, w = linear()
    x, reference = rows(), rows(seed=11)
    shares = np.einsum("fu,nf->unf", w, x - reference) ** 2
    shares /= shares.sum(axis=-1, keepdims=True)
    for order in ("total", "first"):
        made = net.explainer("sobol", samples=4096, order=order, groups=None)
        found = made.run(x, target="all", references=reference).scores
        assert abs(found - shares).max() < 0.01


def test_indices_of_an_interaction() -> None:
    """ReLU(x₁ + x₂ + x₃ - 2) from ones, by integration on a grid of the cube."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="relu")])
    model.set_weights([np.ones((3, 1)), np.full(1, -2.0)])
    axis = (np.arange(100) + 0.5) / 100
    value = np.maximum(axis[:, None, None] + axis[:, None] + axis - 2, 0)
    first = value.mean(axis=(1, 2)).var() / value.var()
    total = value.var(axis=0).mean() / value.var()
    assert total > 2 * first
    net = de.convert(model, dtype="float64")
    for order, expected in (("first", first), ("total", total)):
        made = net.explainer("sobol", samples=8192, order=order, groups=None, target="output")
        found = made.run(np.ones((1, 3))).scores[0]
        assert abs(found - expected).max() < 0.03


def test_indices_are_jansens_of_the_points_that_are_evaluated() -> None:
    from scipy.stats import qmc

    net, value = curved()
    x, count = rows(2), 5
    found = net.explainer("sobol", samples=8, seed=4).run(x, target="all").scores
    drawn = qmc.Sobol(2 * count, scramble=True, seed=np.random.default_rng(4)).random(8)
    a, b = drawn[:, :count], drawn[:, count:]
    for n in range(2):
        of_a, of_b = value(a * x[n]), value(b * x[n])
        variance = np.concatenate([of_a, of_b]).var(axis=0)
        for place in range(count):
            mixed = a.copy()
            mixed[:, place] = b[:, place]
            apart = ((of_a - value(mixed * x[n])) ** 2).mean(axis=0) / 2
            assert off(found[:, n, place], apart / variance) < 1e-9


def test_cells_tokens_batches_and_constants() -> None:
    x = pictures()
    made = image().explainer("sobol", samples=4, groups=2)
    whole = made.run(x, target="all").scores
    assert len(np.unique(whole[0, 0])) == 4  # each pixel its cell's
    part = made.run(x[[2, 0]], target="all", batch_size=5).scores
    assert off(part, whole[:, [2, 0]]) < EXACT
    assert np.isfinite(tokens().explainer("sobol", samples=4).run(words(), target=0).scores).all()
    for order in ("total", "first"):
        nothing = image().explainer("sobol", samples=4, order=order).run(0 * x, target=0)
        assert (nothing.scores == 0).all()


@pytest.mark.parametrize(
    ("method", "options", "text"),
    [
        ("rise", {"samples": 1}, "whole number of 2 or more"),
        ("rise", {"keep": 1.0}, "above 0 and below 1"),
        ("rise", {"cells": 0}, "whole number of 1 or more"),
        ("sobol", {"samples": 12}, "power of two"),
        ("sobol", {"order": "second"}, "one of total, first"),
    ],
)
def test_options_that_cannot_be_are_refused(
    method: str, options: dict[str, Any], text: str
) -> None:
    with pytest.raises(RuleError, match=text):
        image().explainer(method, **options)


def test_too_many_groups_are_refused() -> None:
    from deeplift_engine.explainers.perturbation.random_masks import Sobol

    with pytest.raises(RuleError, match="10600 are the most"):
        Sobol(image().task()).mask_count(10_601)
