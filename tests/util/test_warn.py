"""Warnings name the line of the user's program, from however deep they come."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import ConvergenceWarning, DegenerateReferenceWarning

L = keras.layers
R = de.references


@pytest.fixture(scope="module")
def network() -> de.Network:
    keras.utils.set_random_seed(0)
    source = keras.Input((12, 4))
    x = L.Flatten()(L.Conv1D(3, 3, activation="relu")(source))
    return de.convert(keras.Model(source, L.Dense(2)(x)))


def letters() -> np.ndarray:
    return np.eye(4)[np.random.default_rng(0).integers(4, size=(2, 12))]


SAME = np.tile(np.eye(4)[0], (2, 12, 1))  # a sequence of one letter is each of its shuffles
SHUFFLES = {"references": R.shuffle(2)}
RUNS: dict[str, tuple[type[Warning], Callable[[de.Network], Any]]] = {
    "a run": (
        DegenerateReferenceWarning,
        lambda network: network.explainer().run(SAME, target=0, **SHUFFLES),
    ),
    "a sweep": (
        DegenerateReferenceWarning,
        lambda network: network.sweep(SAME, {"shuffles": R.shuffle(2)}, target=0),
    ),
    "references added": (
        ConvergenceWarning,
        lambda network: network.explainer().run(
            letters(), target=0, references=R.shuffle("auto", tolerance=1e-9, most=12)
        ),
    ),
    "a path": (
        ConvergenceWarning,
        lambda network: network.explainer("integrated_gradients", rule="left", steps=1).run(
            letters(), target=0, references=0.5
        ),
    ),
    "a method of a method": (
        DegenerateReferenceWarning,
        lambda network: network.explainer("smoothgrad", of="deeplift", noise=0.0, samples=2).run(
            SAME, target=0, **SHUFFLES
        ),
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_warning_is_of_the_callers_line(network: de.Network, name: str) -> None:
    category, run = RUNS[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(network)
    found = [each for each in caught if issubclass(each.category, category)]
    assert found
    assert {each.filename for each in found} == {__file__}
