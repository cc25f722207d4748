"""What is said of references: equal to their input or each other, and the target on them."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import DegenerateReferenceWarning
from tests.helpers import off

L = keras.layers
R = de.references
LETTERS = np.concatenate([np.eye(4), np.zeros((1, 4))])


@pytest.fixture(scope="module")
def model() -> Any:
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [keras.Input((12, 4)), L.Conv1D(4, 3, activation="relu"), L.Flatten(), L.Dense(3)]
    )


@pytest.fixture(scope="module")
def network(model: Any) -> de.Network:
    return de.convert(model, dtype="float64")


def one_hot(*texts: str) -> np.ndarray:
    return np.stack([LETTERS[["ACGTN".index(letter) for letter in text]] for text in texts])


X = one_hot("TGCCGCGACCAG", "ACTGACTGACTG", "AACAAACAAAAA")


@pytest.mark.parametrize("batch_size", [None, 1, 5])
def test_references_of_their_own(network: de.Network, model: Any, batch_size: int | None) -> None:
    references = R.dinucleotide_shuffle(30)
    report = network.reference_report(X, references, target="all", batch_size=batch_size)
    made = references.make(X, np.arange(3))
    np.testing.assert_array_equal(report.equal, (made == X[:, None]).all(axis=(2, 3)))
    for own, repeated in zip(made, report.repeated, strict=True):
        distinct = len(np.unique(own.reshape(30, -1), axis=0))
        assert 30 - repeated.sum() == distinct
        assert not repeated[0]
    assert report.equal[1].all()
    assert report.repeated[1].sum() == 29
    assert report.equal_fraction == report.equal.mean()
    assert report.repeated_fraction == report.repeated.mean()
    predicted = model.predict(made.reshape(-1, 12, 4), verbose=0).reshape(3, 30, 3)
    assert off(report.on_references, predicted.transpose(2, 0, 1)) < 1e-5
    assert off(report.on_inputs, model.predict(X, verbose=0).T) < 1e-5
    assert off(report.mean, predicted.mean(axis=1).T) < 1e-5
    assert off(report.spread, predicted.std(axis=1).T) < 1e-5
    text = str(report)
    assert "dinucleotide_shuffle(30, seed=0): 30 of each of 3 samples" in text
    assert f"equal to their input: {report.equal_fraction:.1%}" in text
    assert len(text.splitlines()) == 9


def test_shared_references_and_units_of_each_sample(network: de.Network, model: Any) -> None:
    pool = np.concatenate([X[1:], X[:1], X[:1]])
    report = network.reference_report(X, R.shared(pool), target=np.array([0, 2, 1]))
    np.testing.assert_array_equal(report.equal, [[0, 0, 1, 1], [1, 0, 0, 0], [0, 1, 0, 0]])
    np.testing.assert_array_equal(report.repeated, [[0, 0, 0, 1]] * 3)
    predicted = model.predict(pool, verbose=0)
    assert off(report.on_references[0], predicted[:, [0, 2, 1]].T) < 1e-5
    assert off(report.on_inputs[0], model.predict(X, verbose=0)[[0, 1, 2], [0, 2, 1]]) < 1e-5


def test_of_several_inputs_all_must_be_equal() -> None:
    first, second = keras.Input((4,), name="first"), keras.Input((2,), name="second")
    model = keras.Model([first, second], L.Dense(1)(L.Concatenate()([first, second])))
    network = de.convert(model)
    x = [np.ones((2, 4)), np.array([[1.0, 1.0], [0.0, 0.0]])]
    report = network.reference_report(x, [1.0, R.per_sample(np.ones((2, 3, 2)))])
    np.testing.assert_array_equal(report.equal, [[True] * 3, [False] * 3])
    np.testing.assert_array_equal(report.repeated, [[False, True, True]] * 2)


def test_a_zero_below_zero_is_zero(network: de.Network) -> None:
    x = np.zeros((1, 12, 4))
    report = network.reference_report(x, R.shared(np.stack([-x[0], x[0], x[0] + 1])), target=0)
    np.testing.assert_array_equal(report.equal, [[True, True, False]])
    np.testing.assert_array_equal(report.repeated, [[False, True, False]])
    assert R.degenerate_fraction(x, -x) == report.equal[0, 0]


@pytest.fixture(scope="module")
def two() -> de.Network:
    inputs = [keras.Input((12, 4), name=name) for name in ("left", "right")]
    flat = [L.Flatten()(each) for each in inputs]
    return de.convert(keras.Model(inputs, L.Dense(1)(L.Concatenate()(flat))))


def test_each_of_several_inputs_is_warned_of(two: de.Network) -> None:
    x = {"left": X[1:2], "right": X[:1]}
    says = r"100% of the references of sample 0 of input 'left' equal the sample itself"
    for left in (R.dinucleotide_shuffle(20), R.combined(R.dinucleotide_shuffle(20), 0)):
        with pytest.warns(DegenerateReferenceWarning, match=says.replace("100", "..+")):
            two.explainer().run(x, references={"left": left, "right": 0})


def test_several_inputs_may_be_held_constant(two: de.Network) -> None:
    x = {"left": X[:1], "right": np.zeros((1, 12, 4))}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for right in (0, R.function(lambda mask: mask), R.per_sample(x["right"])):
            two.explainer().run(x, references={"left": R.shuffle(1), "right": right})


def test_what_was_not_drawn_is_no_shuffle(network: de.Network) -> None:
    with pytest.warns(DegenerateReferenceWarning, match="2 such samples") as caught:
        network.explainer().run(X[:2], target=0, references=X[:2])
    assert "shuffle" not in str(caught[0].message)


def test_sequences_of_low_complexity_are_warned_of(network: de.Network) -> None:
    explainer = network.explainer(fused=False)
    shuffles = R.dinucleotide_shuffle(20)
    with pytest.warns(
        DegenerateReferenceWarning, match=r"100% of the references of sample 1 equal"
    ):
        explainer.run(X[:2], target=0, references=shuffles)
    repeated = one_hot("AACAAAAAAAAA")
    made = shuffles.make(repeated, np.arange(1))
    assert R.repeated_fraction(made)[0] > 0.5 > R.degenerate_fraction(repeated, made)
    with pytest.warns(DegenerateReferenceWarning, match=r"equal another of them.*low complexity"):
        R.warn_if_degenerate(repeated, made)


def test_ordinary_sequences_and_shared_sets_raise_no_warning() -> None:
    generator = np.random.default_rng(0)
    inputs = np.eye(4)[generator.integers(0, 4, (4, 60))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for references in (R.dinucleotide_shuffle(20), R.kmer_shuffle(20, k=3), R.gc_matched(20)):
            R.warn_if_degenerate(inputs, references.make(inputs, np.arange(4)))
        R.warn_if_degenerate(inputs, np.zeros((1, 60, 4)))
