"""Channels first or last, merged or not: every method gives the same scores, moved."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import deeplift_engine as de
from tests.explainers.keras_nets import float64
from tests.explainers.test_every_method import OPTIONS
from tests.helpers import off, slow_among

L = keras.layers
SIZE = (14, 16)
DRAWN = {"expected_gradients", "smoothgrad", "squaregrad", "vargrad"}
"""What draws for each element in turn, and another number for another order."""
TIED = {"guided_integrated_gradients"}
"""What takes equal gradients, such as those behind a ReLU, in the order of the elements."""
GIVEN = {
    **OPTIONS,
    "shapley_sampling": {"samples": 4, "groups": 3},
    "concept_sensitivity": {"layers": "conv"},
    "neuron_conductance": {"layer": "conv"},
    "kernel_shap": {"groups": "positions", "samples": 480},
    "rise": {"samples": 60, "cells": 3},
}
OF_OTHERS = {"saturation_mutagenesis", "pairwise_mutagenesis", "pattern_net", "pattern_attribution"}
"""What is of letters, or of patterns that are fitted to a network."""
pytestmark = [
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning"),
]


def model(layout: str) -> keras.Model:
    first = layout == "channels_first"
    x = source = keras.Input((3, *SIZE) if first else (*SIZE, 3), name="pixels")
    x = L.Conv2D(4, 3, data_format=layout, name="conv")(x)
    x = L.BatchNormalization(axis=1 if first else -1, name="norm")(x)
    x = L.MaxPooling2D(2, data_format=layout)(L.ReLU()(x))
    return keras.Model(source, L.Dense(3)(L.GlobalAveragePooling2D(data_format=layout)(x)))


@pytest.fixture(scope="module")
def twins() -> dict[str, de.Network]:
    """By layout; of the same weights."""
    with float64():
        models = {layout: model(layout) for layout in ("channels_last", "channels_first")}
    generator = np.random.default_rng(0)
    weights = [
        generator.uniform(0.2, 1, w.shape) - 0.5 * (w.ndim > 1)
        for w in (models["channels_last"].get_weights())
    ]
    for each in models.values():
        each.set_weights(weights)
    return {layout: de.convert(each, dtype="float64") for layout, each in models.items()}


def images() -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, size=(2, *SIZE, 3))


@pytest.mark.parametrize("name", slow_among(sorted(set(de.methods()) - DRAWN - TIED - OF_OTHERS)))
def test_scores_do_not_depend_on_the_layout(twins: dict[str, de.Network], name: str) -> None:
    options = dict(GIVEN.get(name, {}))
    found = []
    for layout, network in twins.items():
        first = layout == "channels_first"
        x = np.moveaxis(images(), -1, 1) if first else images()
        if name == "concept_sensitivity":
            vector = np.arange(12 * 14 * 4.0).reshape(12, 14, 4)
            options["vector"] = np.moveaxis(vector, -1, 0) if first else vector
        scores = network.explainer(name, **options).run(x, target=1).scores
        found.append(np.moveaxis(scores, 1, -1) if first and scores.ndim == 4 else scores)
    assert found[0].shape == found[1].shape
    assert off(found[1], found[0]) < 1e-9


@pytest.mark.parametrize("groups", [3, "positions"])
def test_groups_are_of_positions(twins: dict[str, de.Network], groups: object) -> None:
    last, first = (
        network.explainer("feature_ablation", groups=groups, divide=False)
        .run(np.moveaxis(images(), -1, 1) if layout == "channels_first" else images(), target=0)
        .scores
        for layout, network in twins.items()
    )
    assert (last == last[..., :1]).all()
    assert off(np.moveaxis(first, 1, -1), last) < 1e-12
