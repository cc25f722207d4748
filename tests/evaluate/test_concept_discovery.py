"""CRAFT: planted concepts come back, and the important ones are those that the head reads."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.evaluate import discover_concepts
from deeplift_engine.explainers.perturbation.sobol_designs import Designs
from tests.helpers import off

L = keras.layers
PLANTED = np.array([[1, 0, 0.5, 0, 0], [0, 1, 0.5, 0, 0.3], [0, 0, 0, 1, 0.6]])
"""What red, green and blue are to the layer's channels; each has one of its own."""
READ = np.array([[0, 1, 0], [1, 2, 0]])
"""What the two units of the head read of each."""


@pytest.fixture(scope="module")
def network() -> de.Network:
    source = keras.Input((12, 12, 3))
    conv = L.Conv2D(5, 1, activation="relu", name="conv")
    head = L.Dense(2, name="head")
    model = keras.Model(source, head(L.GlobalAveragePooling2D()(conv(source))))
    conv.set_weights([PLANTED[np.newaxis, np.newaxis], np.zeros(5)])
    head.set_weights([np.linalg.pinv(PLANTED) @ READ.T, np.zeros(2)])
    return de.convert(model, dtype="float64")


def images(count: int = 6) -> Any:
    """Squares of 4 x 4 pixels of one colour each, of any strength."""
    generator = np.random.default_rng(0)
    colours = np.eye(3)[generator.integers(3, size=(count, 3, 3))]
    strong = generator.uniform(0.5, 1.5, size=(count, 3, 3, 1))
    return (colours * strong).repeat(4, axis=1).repeat(4, axis=2)


@pytest.fixture(scope="module")
def found(network: de.Network) -> Any:
    return discover_concepts(
        network, images(), "conv", target=[0, 1], concepts=3, samples=256, seed=1
    )


def colour_of(found: Any) -> Any:
    """The planted concept that each of those found resembles most, and how much."""
    rows = found.directions / np.linalg.norm(found.directions, axis=1, keepdims=True)
    planted = PLANTED / np.linalg.norm(PLANTED, axis=1, keepdims=True)
    cosines = rows @ planted.T
    return cosines.argmax(axis=1), cosines.max(axis=1)


def test_planted_concepts_come_back(found: Any) -> None:
    numbers, cosines = colour_of(found)
    assert sorted(numbers) == [0, 1, 2]
    assert cosines.min() > 0.999
    assert found.explained > 0.9999
    maps = found.maps(images())
    assert maps.shape == (6, 12, 12, 3)
    for concept, colour in enumerate(numbers):
        pixels, own = images()[..., colour], maps[..., concept]
        assert off(own / own.max(), pixels / pixels.max()) < 0.02
        best = found.best_crops(concept, 3)
        assert (best.mean(axis=(1, 2)).argmax(axis=1) == colour).all()
    assert found.crops.shape == (16 * 6, 12, 12, 3)  # windows of 4 pixels from 0, 3, 6 and 8 on


def test_the_important_concept_is_the_one_that_the_head_reads(found: Any) -> None:
    """The head is linear: an index is a concept's share of the squares of what it adds."""
    numbers, _ = colour_of(found)
    means = images().mean(axis=(1, 2))[:, numbers]
    for read, importance in zip(READ[:, numbers], found.importance, strict=True):
        squares = (read * means) ** 2
        expected = (squares / squares.sum(axis=1, keepdims=True)).mean(axis=0)
        np.testing.assert_allclose(importance, expected, atol=0.03)
    assert numbers[found.importance[0].argmax()] == 1
    assert found.standard_errors.shape == (2, 3)
    table = repr(found).splitlines()
    assert table[3].split()[0] == str(found.order[0])


@pytest.mark.slow
def test_one_target_crops_in_place_and_a_picture(network: de.Network, found: Any) -> None:
    one = discover_concepts(
        network, images(), "conv", target=0, concepts=3, size=(4, 4), fit="zeros", samples=16
    )
    assert one.importance.shape == (3,)
    assert (one.crops != 0).any(axis=(1, 2, 3)).all()
    assert ((one.crops != 0).sum(axis=(1, 2, 3)) <= 16).all()
    assert one.order[0] == one.importance.argmax()
    figure = found.figure(concepts=2, crops=3)
    assert sum(bool(panel.images) for panel in figure.findobj() if hasattr(panel, "images")) == 6
    again = discover_concepts(network, one.best_crops(0, 5), "conv", target=0, concepts=1)
    assert again.directions.shape == (1, 5)
    flat = dataclasses.replace(found, layer="global_average_pooling2d")
    with pytest.raises(InputError, match="has no positions"):
        dataclasses.replace(flat, layer="head").maps(images())


def test_scores_of_concepts_are_the_derivatives_of_their_coefficients(
    network: de.Network, found: Any
) -> None:
    """By differences of scipy's least squares, where some concepts are there and some are not."""
    nnls = pytest.importorskip("scipy.optimize").nnls
    x = np.random.default_rng(3).normal(0.4, 0.5, size=(2, 12, 12, 3))

    def totals(samples: Any) -> Any:
        rows = np.maximum(samples.reshape(len(samples), -1, 3) @ PLANTED, 0)
        return np.array([[nnls(found.directions.T, row)[0] for row in own] for own in rows]).sum(1)

    result = found.attribute(x)
    assert result.scores.shape == (3, 2, 12, 12, 3)
    for index in ((0, 0, 0), (5, 7, 1), (11, 3, 2), (4, 4, 0)):
        step = np.zeros_like(x)
        step[(slice(None), *index)] = 1e-6
        slope = (totals(x + step) - totals(x - step)) / 2e-6
        np.testing.assert_allclose(result.scores[(..., *index)].T, slope, atol=1e-5)
    own = found.attribute(np.maximum(x, 0), "deeplift", concepts=2, references=0)
    sums = own.scores.reshape(2, -1).sum(axis=1)
    np.testing.assert_allclose(sums, totals(np.maximum(x, 0))[:, 2], rtol=1e-6)
    with pytest.raises(InputError, match="from 0 to 2"):
        found.attribute(x, concepts=3)


def test_indices_are_those_of_integrals() -> None:
    """y = m0 · m1 + m2: variances by hand, 7/144 and 1/12; m3 is not read."""
    designs = Designs.of(4, 4096, 0)
    masks = designs.masks(slice(0, designs.draws))
    assert masks.shape == (6 * 4096, 4)
    values = masks[:, 0] * masks[:, 1] + masks[:, 2]
    total = np.array([4 / 144, 4 / 144, 12 / 144, 0]) / (19 / 144)
    first = np.array([3 / 144, 3 / 144, 12 / 144, 0]) / (19 / 144)
    np.testing.assert_allclose(designs.indices(values), total, atol=0.01)
    np.testing.assert_allclose(designs.indices(values, "first"), first, atol=0.01)
    np.testing.assert_array_equal(designs.indices(np.ones_like(values)), 0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"concepts": 0}, InputError, "concepts is a whole number of 1 or more"),
        ({"samples": 24}, RuleError, "no power of two"),
        ({"size": (13, 4)}, InputError, "sizes of axes as long as"),
        ({"fit": "crop"}, InputError, "fit is one of resize, zeros"),
        ({"layer": "conv/pre_activation"}, InputError, "activations below 0"),
        ({"layer": "conv"}, InputError, "is 0 for all crops"),
    ],
)
def test_what_makes_no_concepts_is_refused(
    network: de.Network, options: Any, error: Any, message: str
) -> None:
    named = {"layer": "conv", "concepts": 2, "target": 0} | options
    with pytest.raises(error, match=message):
        discover_concepts(network, images() * -1 if "layer" in options else images(), **named)
