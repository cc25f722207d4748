"""Mutations one by one: scores are those of a loop over positions, letters and Keras's forward."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from deeplift_engine.errors import InputError, RuleError
from tests.explainers.keras_nets import float64
from tests.helpers import off

L = keras.layers
LENGTH, UNITS, ROWS = 14, 3, 7
EYE = np.eye(4)


def letters_model() -> keras.Model:
    x = source = keras.Input((LENGTH, 4), name="letters")
    x = L.Conv1D(5, 3, activation="relu", name="scan")(x)
    x = L.Conv1D(4, 2, activation="tanh", dilation_rate=2)(x)
    return keras.Model(source, L.Dense(UNITS)(L.GlobalMaxPooling1D()(x)))


def tokens_model() -> keras.Model:
    source = keras.Input((LENGTH,), dtype="int32", name="words")
    x = L.Conv1D(5, 3, activation="tanh")(L.Embedding(ROWS, 4, "orthogonal")(source))
    return keras.Model(source, L.Dense(UNITS)(L.Flatten()(x)))


def two_inputs() -> keras.Model:
    left, right = keras.Input((LENGTH, 4), name="left"), keras.Input((6, 4), name="right")
    x = L.GlobalAveragePooling1D()(L.Conv1D(5, 3, activation="tanh")(left))
    y = L.Flatten()(L.Conv1D(3, 2, activation="tanh")(right))
    return keras.Model([left, right], L.Dense(UNITS)(L.Multiply()([L.Dense(4)(x), L.Dense(4)(y)])))


def opened(make: Any) -> tuple[keras.Model, de.Network]:
    with float64():
        keras.utils.set_random_seed(3)
        model = make()
    return model, de.convert(model, dtype="float64")


def one_hot(samples: int, length: int = LENGTH, seed: int = 0) -> Any:
    return EYE[np.random.default_rng(seed).integers(4, size=(samples, length))]


def called(model: keras.Model, *data: Any) -> Any:
    tensors = [tf.constant(array) for array in data]
    return model(tensors if len(tensors) > 1 else tensors[0], training=False).numpy()


def by_loop(model: keras.Model, x: Any, choices: Any, unit: int) -> Any:
    """The change of one unit for each choice put at each position, (N, L, A)."""
    mutated = []
    for position, choice in np.ndindex(x.shape[1], len(choices)):
        mutated.append(x.copy())
        mutated[-1][:, position] = choices[choice]
    values = called(model, np.concatenate([x, *mutated]))[:, unit].reshape(-1, len(x))
    return (values[1:] - values[0]).T.reshape(*x.shape[:2], len(choices))


@pytest.fixture(scope="module")
def letters() -> tuple[keras.Model, de.Network]:
    return opened(letters_model)


WAYS = pytest.mark.parametrize("way", ["auto", "incremental", "whole"])


@WAYS
def test_letters_are_those_of_a_loop(letters: Any, way: str) -> None:
    model, network = letters
    x = one_hot(3)
    found = network.explainer("saturation_mutagenesis", way=way).run(x, target=[2, 0])
    expected = np.stack([by_loop(model, x, EYE, unit) for unit in (2, 0)])
    assert off(found.scores, expected) < 1e-12
    assert (found.scores[:, x == 1] == 0).all()
    assert found.settings["method"] == "saturation_mutagenesis"
    np.testing.assert_allclose(found.predictions, called(model, x), atol=1e-12)


def test_each_sample_may_have_a_target_of_its_own(letters: Any) -> None:
    model, network = letters
    x = one_hot(3)
    found = network.explainer("ism").run(x, target=np.array([2, 0, 1]))
    expected = [by_loop(model, x[[row]], EYE, unit)[0] for row, unit in enumerate((2, 0, 1))]
    assert off(found.scores, np.stack(expected)) < 1e-12


def test_unknown_and_shared_letters_are_replaced_by_all(letters: Any) -> None:
    model, network = letters
    x = one_hot(2)
    x[0, 3], x[1, 5] = 0, 0.25
    found = network.explainer("saturation_mutagenesis").run(x, target=1).scores
    assert off(found, by_loop(model, x, EYE, 1)) < 1e-12
    assert (found[0, 3] != 0).all()


def test_centred_about_the_mean_over_letters(letters: Any) -> None:
    _, network = letters
    x = one_hot(2)
    plain = network.explainer("saturation_mutagenesis").run(x, target=1).scores
    centred = network.explainer("saturation_mutagenesis", centre="mean").run(x, target=1).scores
    assert off(centred, plain - plain.mean(axis=-1, keepdims=True)) < 1e-12


def test_only_the_positions_that_are_asked_for(letters: Any) -> None:
    _, network = letters
    x = one_hot(2)
    whole = network.explainer("saturation_mutagenesis").run(x, target=1).scores
    some = network.explainer("saturation_mutagenesis", positions=range(4, 9)).run(x, target=1)
    assert off(some.scores[:, 4:9], whole[:, 4:9]) < 1e-12
    assert (some.scores[:, :4] == 0).all()
    assert (some.scores[:, 9:] == 0).all()
    assert some.settings["options"]["positions"] == [4, 5, 6, 7, 8]


@pytest.mark.parametrize("shape", [(4, LENGTH), (1, LENGTH, 4), (4, LENGTH, 1), (LENGTH, 4, 1)])
def test_letters_along_any_axis(shape: tuple[int, ...], letters: Any) -> None:
    model, network = letters
    with float64():
        source = keras.Input(shape)
        axes = (2, 1) if shape == (4, LENGTH) else (2, 1, 3)
        turned = L.Permute(axes)(source) if shape[0] == 4 else source
        wrapped = keras.Model(source, model(L.Reshape((LENGTH, 4))(turned)))
    x = one_hot(2)
    as_shape = (x.transpose(0, 2, 1) if shape[0] == 4 else x).reshape(2, *shape)
    turned_network = de.convert(wrapped, dtype="float64")
    method = turned_network.explainer("saturation_mutagenesis", letters=shape.index(4))
    scores = method.run(as_shape, target=1).scores
    assert scores.shape == as_shape.shape
    found = scores.reshape(2, 4, LENGTH).transpose(0, 2, 1) if shape[0] == 4 else scores
    expected = network.explainer("saturation_mutagenesis").run(x, target=1).scores
    assert off(found.reshape(x.shape), expected) < 1e-12


@WAYS
def test_tokens_are_those_of_a_loop(way: str) -> None:
    model, network = opened(tokens_model)
    x = np.random.default_rng(0).integers(0, ROWS, (2, LENGTH)).astype("int32")
    found = network.explainer("saturation_mutagenesis", way=way).run(x, target=1).scores
    assert off(found, by_loop(model, x, np.arange(ROWS), 1)) < 1e-12
    some = network.explainer("saturation_mutagenesis", way=way, candidates=[5, 2])
    assert off(some.run(x, target=1).scores, found[:, :, [5, 2]]) < 1e-12


def test_several_inputs_are_mutated_one_by_one() -> None:
    model, network = opened(two_inputs)
    data = [one_hot(2), one_hot(2, 6, seed=1)]
    found = network.explainer("saturation_mutagenesis").run(data, target=1).scores
    for number, (name, array) in enumerate(zip(("left", "right"), data, strict=True)):
        expected = np.zeros_like(array)
        before = called(model, *data)[:, 1]
        for position in range(array.shape[1]):
            for letter in range(4):
                mutated = [part.copy() for part in data]
                mutated[number][:, position] = EYE[letter]
                expected[:, position, letter] = called(model, *mutated)[:, 1] - before
        assert off(found[name], expected) < 1e-12
    only = network.explainer("saturation_mutagenesis", layers="right").run(data, target=1)
    assert off(only.scores, found["right"]) < 1e-12


def test_an_input_that_the_target_does_not_depend_on_has_no_scores() -> None:
    with float64():
        left, right = keras.Input((6, 4), name="left"), keras.Input((6, 4), name="right")
        one, two = L.Dense(1, name="one")(L.Flatten()(left)), L.Dense(1)(L.Flatten()(right))
        model = keras.Model([left, right], [one, two])
    network = de.convert(model, dtype="float64")
    found = network.explainer("saturation_mutagenesis", target="one").run([one_hot(1, 6)] * 2)
    assert np.abs(found.scores["left"]).max() > 0
    assert (found.scores["right"] == 0).all()


def epistasis(model: keras.Model, x: Any, choices: Any, rows: Any, columns: Any) -> Any:
    """By a loop: four forward passes for each pair of mutations."""
    sizes = (len(rows), len(choices), len(columns), len(choices))
    mutated, none = [], []
    for place in np.ndindex(*sizes):
        i, a, j, b = rows[place[0]], choices[place[1]], columns[place[2]], choices[place[3]]
        first, second, both = x.copy(), x.copy(), x.copy()
        first[:, i], second[:, j], both[:, i], both[:, j] = a, b, a, b
        mutated += [both, x, first, second]
        none.append([i == j or np.array_equal(row[i], a) or np.array_equal(row[j], b) for row in x])
    values = called(model, np.concatenate(mutated))[:, 1].reshape(-1, 4, len(x))
    beyond = values[:, 0] + values[:, 1] - values[:, 2] - values[:, 3]
    return np.where(none, 0, beyond).T.reshape(len(x), *sizes)


@WAYS
def test_pairs_are_those_of_a_loop(letters: Any, way: str) -> None:
    model, network = letters
    x = one_hot(2)
    x[1, 5] = 0
    method = network.explainer("pairwise_mutagenesis", positions=[5, 3], others=[4, 8, 5], way=way)
    found = method.run(x, target=1)
    assert off(found.scores, epistasis(model, x, EYE, [5, 3], [4, 8, 5])) < 1e-12


def test_pairs_of_the_same_positions_mirror_each_other(
    letters: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, network = letters
    monkeypatch.setattr("deeplift_engine.explainers.perturbation.mutagenesis.TOGETHER", 50)
    x = one_hot(2)
    method = network.explainer("pairwise_mutagenesis", positions=[5, 3, 6])
    found = method.run(x, target=[1, 2]).scores
    assert off(found[0], epistasis(model, x, EYE, [5, 3, 6], [5, 3, 6])) < 1e-12
    np.testing.assert_array_equal(found, found.transpose(0, 1, 4, 5, 2, 3))


def test_pairs_of_tokens() -> None:
    model, network = opened(tokens_model)
    x = np.random.default_rng(0).integers(0, ROWS, (1, LENGTH)).astype("int32")
    method = network.explainer("pairwise_mutagenesis", positions=[2, 3], candidates=[0, 4])
    found = method.run(x, target=1).scores
    assert off(found, epistasis(model, x, [0, 4], [2, 3], [2, 3])) < 1e-12


def test_an_additive_network_has_no_epistasis() -> None:
    with float64():
        source = keras.Input((LENGTH, 4))
        model = keras.Model(source, L.Dense(1)(L.Flatten()(source)))
    network = de.convert(model, dtype="float64")
    found = network.explainer("pairwise_mutagenesis", positions=range(6)).run(one_hot(2))
    assert np.abs(found.scores).max() < 1e-14


def refused(
    network: de.Network, x: Any, method: str, error: Any, says: str, **options: Any
) -> None:
    with pytest.raises(error, match=says):
        network.explainer(method, **options).run(x, target=0)


def test_what_is_refused(letters: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, network = letters
    x, name = one_hot(2), "saturation_mutagenesis"
    refused(network, x * 2, name, InputError, "sample 0, position 0: .* no letters")
    refused(network, x - 0.5, name, InputError, "no letters")
    refused(network, x, name, InputError, r"Position 14 .* has 14", positions=[3, 14])
    refused(network, x, name, RuleError, "each a whole number of 0", positions=[1.5])
    refused(network, x, name, RuleError, "each a whole number of 0", positions=[])
    refused(
        network,
        x,
        name,
        RuleError,
        r"each a whole number of 0 or more.* not \[-1\]",
        positions=[-1],
    )
    refused(network, x, name, RuleError, "centre is one of", centre="median")
    refused(network, x, name, RuleError, "candidates= are tokens", candidates=[1])
    refused(network, x, name, InputError, "no letters along axis 2", letters=2)
    refused(network, x, name, InputError, "are none", layers="scan")
    refused(network, x, "pairwise_mutagenesis", RuleError, "needs positions=")
    monkeypatch.setattr("deeplift_engine.explainers.perturbation.mutagenesis.MOST_BYTES", 1 << 10)
    refused(network, x, "pairwise_mutagenesis", InputError, "GiB", positions=[3, 5, 6])


def test_what_is_refused_of_tokens_and_of_several_inputs() -> None:
    source = keras.Input((LENGTH,), dtype="int32")
    model = keras.Model(source, L.Dense(UNITS)(L.Flatten()(L.Embedding(100, 2)(source))))
    x = np.zeros((1, LENGTH), "int32")
    refused(de.convert(model), x, "ism", RuleError, "takes tokens, 100 of them")
    _, network = opened(two_inputs)
    data = [one_hot(2), one_hot(2, 6)]
    refused(network, data, "pairwise_mutagenesis", InputError, "one input", positions=[1])
