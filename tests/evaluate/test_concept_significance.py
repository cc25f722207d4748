"""TCAV's test of significance: concepts that matter, and such that do not."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from scipy import stats

import deeplift_engine as de
from deeplift_engine import evaluate
from deeplift_engine.errors import InputError

L = keras.layers


@pytest.fixture(scope="module")
def network() -> de.Network:
    """The target rises with all features, with each the less the larger it is."""
    source = keras.Input((6,))
    layer = L.Dense(6, use_bias=False, name="layer")
    head = L.Dense(1, use_bias=False)
    model = keras.Model(source, head(L.Activation("tanh")(layer(source))))
    layer.set_weights([np.eye(6)])
    head.set_weights([np.ones((6, 1))])
    return de.convert(model, dtype="float64")


def random(count: int, seed: int) -> Any:
    return np.random.default_rng(seed).normal(size=(count, 6))


@pytest.mark.slow
def test_a_concept_that_matters_is_told_from_one_that_does_not(network: de.Network) -> None:
    concepts = {
        "up": random(20, 1) + 2,
        "down": random(20, 2) - 2,
        "other": random(20, 3) + 3 * (np.eye(6)[4] - np.eye(6)[1]),
    }
    sets = [random(20, 10 + seed) for seed in range(6)]
    found = evaluate.concept_test(network, random(12, 0), "layer", concepts, sets)
    up, down, other = (found.concepts[name] for name in concepts)
    assert (up.mean, down.mean) == (1, 0)
    assert max(up.p_value, down.p_value) < found.level == pytest.approx(0.05 / 3)
    assert other.p_value > found.level
    assert up.accuracy > 0.9
    assert other.random_scores.shape == (6 * 5,)
    expected = stats.ttest_ind(other.scores, other.random_scores).pvalue
    assert other.p_value == pytest.approx(expected)
    assert repr(found).splitlines()[3].split()[:1] == ["up"]
    one = network.explainer(
        "concept_sensitivity",
        layers="layer",
        concept=network.activations(concepts["other"], "layer")["layer"],
        counterexamples=network.activations(sets[0], "layer")["layer"],
    ).run(random(12, 0))
    assert other.scores[0] == pytest.approx(one.settings["tcav_scores"][0])


def test_too_few_random_sets_are_refused(network: de.Network) -> None:
    with pytest.raises(InputError, match="needs three or more"):
        evaluate.concept_test(network, random(3, 0), "layer", {}, [random(5, 1)] * 2)
