"""Fewer draws than determine an answer are refused, before anything is evaluated."""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import RuleError

EXACT = 1e-9  # float64, noiseless: a regression that is determined is exact


def linear(*shape: int) -> tuple[de.Network, np.ndarray]:
    inputs = keras.Input(shape)
    layer = keras.layers.Dense(1, use_bias=False)
    model = keras.Model(inputs, layer(keras.layers.Flatten()(inputs)))
    weights = np.arange(1.0, np.prod(shape) + 1)
    layer.kernel.assign(weights[:, np.newaxis])
    return de.convert(model, dtype="float64"), weights.reshape(shape)


def refusal(network: de.Network, method: str, x: np.ndarray, **options: Any) -> str:
    made = network.explainer(method, **options)
    made.values._function = None  # nothing is evaluated
    with pytest.raises(RuleError, match="samples=") as met:
        made.run(x, references=0.0)
    return str(met.value)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((30,), {"samples": 25}),
        ((30,), {"samples": 40}),
        ((30,), {"samples": 25, "seed": 7}),
        ((100,), {"samples": 150}),
        ((12, 4), {"samples": 11, "groups": "positions"}),
        ((60,), {"samples": 9, "groups": np.arange(60) % 15}),
    ],
)
def test_kernel_shap_of_too_low_a_rank(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    network, weights = linear(*shape)
    message = refusal(network, "kernel_shap", np.ones((2, *shape)), **options)
    assert f"samples={options['samples']}" in message
    (number,) = re.findall(r"samples=(\d+) suffice", message)
    made = network.explainer("kernel_shap", **{**options, "samples": int(number), "groups": None})
    if "groups" in options:
        made = network.explainer("kernel_shap", **{**options, "samples": int(number)})
        made.run(np.ones((2, *shape)), references=0.0)
        return
    found = made.run(np.ones((2, *shape)), references=0.0).scores
    np.testing.assert_allclose(found[0], weights, rtol=EXACT)


@pytest.mark.parametrize(("players", "samples"), [(2, 2), (3, 6), (4, 14), (1, 2)])
def test_all_coalitions_of_a_few_are_always_enough(players: int, samples: int) -> None:
    network, weights = linear(players)
    found = network.explainer("kernel_shap", samples=samples).run(np.ones((1, players)))
    np.testing.assert_allclose(found.scores[0], weights, rtol=EXACT)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((30,), {"samples": 20, "groups": None}),
        ((30,), {"samples": 30, "groups": None, "alpha": 0.0}),
        ((40, 4), {"samples": 12}),
        ((24,), {"samples": 5, "groups": 8, "seed": 3}),
    ],
)
def test_lime_of_too_low_a_rank(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    network, _ = linear(*shape)
    message = refusal(network, "lime", np.ones((1, *shape)), **options)
    (number,) = re.findall(r"samples=(\d+) suffice", message)
    network.explainer("lime", **{**options, "samples": int(number)}).run(np.ones((1, *shape)))


@pytest.mark.parametrize(("players", "draws"), [(30, 1000), (1000, 2000)])
def test_lime_draws_as_many_as_its_groups_need(players: int, draws: int) -> None:
    network, weights = linear(players)
    found = network.explainer("lime", groups=None, alpha=0.0).run(np.ones((1, players)))
    assert found.settings["masks"] == draws
    np.testing.assert_allclose(found.scores[0], weights, rtol=EXACT)


def test_lime_of_draws_without_weight() -> None:
    network, _ = linear(30)
    with pytest.raises(RuleError, match=r"kernel_width=0\.01: only draws of rank 1 have any"):
        network.explainer("lime", groups=None, kernel_width=0.01).run(np.ones((1, 30)))


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((30, 4), {"samples": 2, "cells": 30}),
        ((8, 8, 1), {"samples": 3, "cells": 8}),
        ((12, 2), {"samples": 20, "keep": 0.99, "cells": 12}),
    ],
)
def test_rise_of_masks_that_leave_an_element_alone(
    shape: tuple[int, ...], options: dict[str, Any]
) -> None:
    network, _ = linear(*shape)
    message = refusal(network, "rise", np.ones((1, *shape)), **options)
    assert "masked alike in all draws" in message
    (number,) = re.findall(r"samples=(\d+) suffice", message)
    network.explainer("rise", **{**options, "samples": int(number)}).run(np.ones((1, *shape)))


@pytest.mark.parametrize(("method", "samples"), [("shapley_sampling", 2), ("sobol", 2)])
def test_means_over_draws_mean_something_from_the_first(method: str, samples: int) -> None:
    """Of a linear network a permutation gives the contributions, and a design their order."""
    network, weights = linear(6)
    found = network.explainer(method, samples=samples, groups=None).run(np.ones((1, 6)))
    if method == "shapley_sampling":
        np.testing.assert_allclose(found.scores[0], weights, rtol=EXACT)
    assert np.isfinite(found.scores).all()
