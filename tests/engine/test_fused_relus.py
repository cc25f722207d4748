"""Fused ReLUs change no result where units are off."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from tests.helpers import off

ROUNDING = 1e-6


def switched_off(behind: Any, *, skip: bool = False, units: int = 8) -> keras.Model:
    """A model whose layer ``c1`` is off for inputs around 0, and on for a reference of 40."""
    keras.utils.set_random_seed(4)
    source = keras.Input((30, 4), name="x")
    first = L.Conv1D(units, 3, padding="same", activation="relu", name="c1")(source)
    y = behind(first)
    if skip:
        y = L.Add()([y, L.Conv1D(units, 1, use_bias=False, name="side")(source)])
        y = L.Activation("relu", name="sum")(y)
    model = keras.Model(source, L.Dense(1, name="out")(L.GlobalAveragePooling1D()(y)))
    kernel, bias = model.get_layer("c1").get_weights()
    model.get_layer("c1").set_weights([abs(kernel) * 10, bias - 100])
    return model


def conv(name: str = "c2", activation: str | None = "relu") -> Any:
    return L.Conv1D(8, 3, padding="same", activation=activation, use_bias=False, name=name)


def padded_maximum(x: Any) -> Any:
    return L.MaxPooling1D(2)(conv(activation=None)(x))


def inputs() -> np.ndarray:
    x = np.random.default_rng(0).normal(size=(2, 30, 4)).astype("float32")
    x[:, 10:16] = 0
    return x


def both_ways(model: keras.Model, rules: Any, reference: Any) -> tuple[Any, Any]:
    network = de.convert(model)
    scores = [
        network.explainer(rules=rules, fused=fused).run(inputs(), references=reference)
        for fused in (True, False)
    ]
    return scores[0].multipliers, scores[1].multipliers


@pytest.mark.parametrize(
    ("behind", "skip", "rules", "reference"),
    [
        (conv(), False, [("c1", "pass_through"), ("default", "gradient")], 0),
        (conv(), False, [("c1", "pass_through"), ("default", "rescale")], 0),
        (conv(), False, [("c1", "pass_through"), ("default", "guided_backprop")], 0),
        (conv(), False, [("c1", "rescale"), ("default", "gradient")], 40),
        (conv(), False, [("c1", "rescale"), ("default", "deconvnet")], 40),
        (conv(activation=None), True, "gradient", 0),
        (conv(activation=None), True, "guided_backprop", 0),
        (padded_maximum, False, "rescale", 40),
        (conv(), False, "rescale", 40),
    ],
)
def test_fused_or_not_over_units_that_are_off(
    behind: Any, skip: bool, rules: Any, reference: float
) -> None:
    fused, unfused = both_ways(switched_off(behind, skip=skip), rules, reference)
    assert off(fused, unfused) < ROUNDING


@pytest.mark.parametrize("rules", ["rescale", "gradient", "pass_through"])
def test_a_sweep_has_what_each_rule_has_alone(rules: str) -> None:
    network = de.convert(switched_off(conv()))
    sweeper = network.sweeper(["rescale", "gradient", "pass_through"], fused=True)
    alone = network.explainer(rules=rules, fused=True)
    expected = alone.run(inputs(), references=40).multipliers
    found = sweeper.run(inputs(), {"high": de.references.constant(40)})["high", rules].multipliers
    assert off(found, expected) < ROUNDING
