"""Tokens under methods that go by gradients: what is theirs is that of their embedding."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError
from tests.explainers.keras_nets import UNITS, data, float64, opened
from tests.helpers import off

L = keras.layers
GRADIENTS = ("gradient_times_input", "gradient", "guided_backprop", "deconvnet", "elrp")


@pytest.fixture(scope="module")
def as_floats() -> de.Network:
    """The network of `words`, whose tokens come as floats, as in old files."""
    model = opened("words")[0]
    with float64():
        source = keras.Input((6,), name="words")
        x = source
        for layer in model.layers[1:]:
            x = layer(x)
        return de.convert(keras.Model(source, x), dtype="float64")


@pytest.mark.parametrize("method", GRADIENTS)
def test_a_tokens_score_is_that_of_what_is_looked_up(as_floats: de.Network, method: str) -> None:
    network, x = opened("words")[1], data("words")
    x[0, 0] = 0
    base = "gradient_times_input" if method == "gradient" else method
    given = {"times_input": True} if method in ("guided_backprop", "deconvnet") else {}
    expected = network.explainer(base, layers="embedding", **given).run(x, target="all")
    found = network.explainer(method).run(x, target="all").scores
    assert off(found, expected.scores.sum(-1)) < 1e-9
    assert off(as_floats.explainer(method).run(x, target="all").scores, found) < 1e-9


def test_squares_and_sizes_are_of_the_whole_score() -> None:
    network, x = opened("sequence")[1], data("sequence")
    signed = network.explainer("grad*input").run(x, target=0).scores
    for part, function in (("absolute", np.abs), ("squared", np.square)):
        found = network.explainer("grad*input", part=part).run(x, target=0).scores
        np.testing.assert_array_equal(found, function(signed))


@pytest.mark.parametrize(
    "method", ["integrated_gradients", "expected_gradients", "smoothgrad", "guided_ig"]
)
def test_there_is_no_path_between_tokens_that_come_as_floats(
    as_floats: de.Network, method: str
) -> None:
    with pytest.raises(InputError, match="hold tokens"):
        as_floats.explainer(method)


def two_outputs() -> keras.Model:
    letters, row = keras.Input((6, 4), name="letters"), keras.Input((3,), name="row")
    scanned = L.Flatten()(L.Conv1D(3, 2, activation="relu")(letters))
    joined = L.Dense(5, activation="relu")(L.Concatenate()([scanned, row]))
    return keras.Model([letters, row], [L.Dense(UNITS, name="one")(scanned), L.Dense(2)(joined)])


@pytest.mark.parametrize("target", [[0, 2], "all"])
def test_an_input_that_the_target_does_not_read_has_no_share(target: Any) -> None:
    with float64():
        network = de.convert(two_outputs(), dtype="float64")
    generator = np.random.default_rng(0)
    x = [generator.normal(size=(2, 6, 4)), generator.normal(size=(2, 3))]
    units = [0, 2] if target != "all" else range(UNITS)
    for method in ("deeplift", "gradient", "lrp_epsilon", "deepshap"):
        run = network.explainer(method, target="one").run
        found = run(x, target=target).scores
        assert not found["row"].any()
        for number, unit in enumerate(units):
            assert off(found["letters"][number], run(x, target=unit).scores["letters"]) < 1e-12


@pytest.mark.parametrize("method", ["lrp_epsilon_plus_flat", "lrp_epsilon_gamma_box"])
def test_the_first_kernel_is_that_behind_an_embedding(method: str) -> None:
    network, x = opened("words")[1], data("words")
    given = [{"low": -3, "high": 3}, {"low": -9, "high": 9}]
    options = given if method.endswith("box") else [{}, {}]
    found = network.explainer(method, **options[0]).run(x, target=0).scores
    other = "lrp_epsilon_plus" if method.endswith("flat") else method
    assert off(network.explainer(other, **options[1]).run(x, target=0).scores, found) > 1e-3
