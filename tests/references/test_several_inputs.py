"""References of several inputs: one for all, or some inputs held fixed."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.errors import ConvergenceWarning, InputError
from tests.helpers import off, slow_among

R = de.references
NAMES = ["controls", "sequence", "tokens"]
LAYERS = ["controls", "sequence", "words"]
OPTIONS: dict[str, dict[str, Any]] = {
    "deeplift": {},
    "exact_shapley": {"groups": 2},
    "expected_gradients": {"samples": 4, "layers": LAYERS},
    "deepshap": {},
    "feature_ablation": {},
    "guided_integrated_gradients": {"steps": 6, "layers": LAYERS},
    "integrated_gradients": {"layers": LAYERS},
    "occlusion": {},
    "shapley_sampling": {"samples": 4},
}


@pytest.fixture(scope="module")
def network() -> de.Network:
    keras.utils.set_random_seed(0)
    sources = {
        "controls": keras.Input((2,), name="track"),
        "sequence": keras.Input((9, 4), name="sequence"),
        "tokens": keras.Input((3,), dtype="int32", name="ids"),
    }
    x = L.Flatten()(L.Conv1D(3, 4, activation="relu")(sources["sequence"]))
    words = L.Flatten()(L.Embedding(7, 2, name="words")(sources["tokens"]))
    x = L.Dense(5, activation="tanh")(L.Concatenate()([x, sources["controls"], words]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras on keys that are no names
        model = keras.Model(sources, L.Dense(2)(x))
    return de.convert(model, dtype="float64")


def data() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        "controls": generator.normal(size=(3, 2)),
        "sequence": np.eye(4)[generator.integers(4, size=(3, 9))],
        "tokens": generator.integers(1, 7, size=(3, 3)),
    }


@pytest.fixture(scope="module")
def explainer(network: de.Network) -> Any:
    return network.explainer("deeplift")


@pytest.mark.parametrize("single", [0.0, 1, np.float32(2), R.zeros(), R.constant(3)])
def test_a_single_reference_is_for_all_inputs(explainer: Any, single: Any) -> None:
    found = explainer.run(data(), target=0, references=single)
    expected = explainer.run(data(), target=0, references=dict.fromkeys(NAMES, single))
    assert found.settings["references"] == expected.settings["references"]
    for name in NAMES:
        np.testing.assert_array_equal(found.scores[name], expected.scores[name])


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")  # few steps
@pytest.mark.parametrize("name", slow_among(OPTIONS, OPTIONS.keys() - {"deeplift", "occlusion"}))
def test_inputs_that_references_leave_out_are_held_fixed(network: de.Network, name: str) -> None:
    """Scores are those of the model of the sequence alone, in which the rest is a constant."""
    x, shuffled = data(), R.shuffle(3)
    run = network.explainer(name, **OPTIONS[name]).run
    found = run(x, target=0, references={"sequence": shuffled})
    assert found.settings["references"] == ["unchanged", "shuffle(3, seed=0)", "unchanged"]
    assert np.abs(found.scores["sequence"]).max() > 0.01
    assert len(found.scores) == 3
    for point in found.scores.keys() - {"sequence"}:
        assert np.abs(found.scores[point]).max() < 1e-15
    if found.target_delta is not None:
        generated = R.resolve(shuffled, (9, 4), 3, "float64")
        references = generated.make(x["sequence"], np.arange(3))
        outputs = [network.predict({**x, "sequence": references[:, k]})[:, 0] for k in range(3)]
        assert off(found.target_delta, found.predictions[:, 0] - np.mean(outputs, axis=0)) < 1e-9


def test_names_of_input_layers_name_some_too(explainer: Any) -> None:
    by_key = explainer.run(data(), references={"controls": 1.0}, target=1)
    by_layer = explainer.run(data(), references={"track": 1.0}, target=1)
    np.testing.assert_array_equal(by_layer.scores["controls"], by_key.scores["controls"])
    assert not np.any(by_key.scores["sequence"])


def test_errors_and_the_number_of_references_are_those_of_the_rest(explainer: Any) -> None:
    references = {"sequence": R.shuffle("auto", most=16, tolerance=1e-9)}
    with pytest.warns(ConvergenceWarning, match="After 16 references"):
        result = explainer.run(data(), target=0, references=references)
    assert result.standard_errors is not None
    assert result.settings["references_per_sample"] == [16] * 3
    assert np.abs(result.standard_errors["controls"]).max() < 1e-15


@pytest.mark.parametrize(
    ("references", "said"),
    [
        ({}, "missing"),
        ({"sequence": 0, "other": 0}, r"unknown \['other'\]"),
        (R.shuffle(3), "mapping by name"),
        ([0, 0, 0], "a list does not say"),
        (np.zeros((9, 4)), "mapping by name"),
    ],
)
def test_what_names_no_input_is_refused(explainer: Any, references: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        explainer.run(data(), references=references, target=0)


def test_data_are_needed_of_every_input(network: de.Network) -> None:
    with pytest.raises(InputError, match=r"missing \['controls', 'tokens'\]"):
        network.predict({"sequence": data()["sequence"]})
