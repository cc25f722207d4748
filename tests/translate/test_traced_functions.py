"""Users' functions of tensors are traced into operations: exact, and equal to Keras's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812
from keras import ops

import deeplift_engine as de
from tests.cases.custom_models import randomised
from tests.helpers import off, slow_among

FORWARD = 1e-6
SUMS = 1e-5
"""Relative, in float32: what rounding leaves."""
SAME = 3e-5
"""As a share of the largest score: x times a sigmoid rounds otherwise than a silu."""
WEIGHTS = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
VARIABLE = tf.Variable(WEIGHTS)


def sequences(seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(3, 5, 4)).astype("float32")


Function = Callable[[Any], Any]
ALIKE: dict[str, tuple[Function, Function]] = {
    # a function of TensorFlow, and the same of Keras's operations
    "absolute": (tf.abs, ops.absolute),
    "logsumexp": (
        lambda x: tf.reduce_logsumexp(x, axis=-1, keepdims=True),
        lambda x: ops.logsumexp(x, axis=-1, keepdims=True),
    ),
    "logsumexp along steps": (
        lambda x: tf.reduce_logsumexp(x, axis=1),
        lambda x: ops.logsumexp(x, axis=1),
    ),
    "logsumexp by hand": (
        lambda x: tf.math.log(tf.reduce_sum(tf.exp(x), -1)),
        lambda x: ops.logsumexp(x, axis=-1),
    ),
    "length": (lambda x: tf.norm(x, axis=-1), lambda x: ops.norm(x, axis=-1)),
    "length one": (
        lambda x: tf.nn.l2_normalize(x, axis=-1),
        lambda x: ops.normalize(x, axis=-1, epsilon=1e-6),
    ),
    "softmax along steps": (
        lambda x: tf.nn.softmax(x, axis=1),
        lambda x: ops.softmax(x, axis=1),
    ),
    "a softmax by hand": (
        lambda x: tf.exp(x) / tf.reduce_sum(tf.exp(x), -1, keepdims=True),
        lambda x: ops.exp(x) / ops.sum(ops.exp(x), axis=-1, keepdims=True),
    ),
    "a condition": (
        lambda x: tf.where(x > 0, x, 0.1 * x),
        lambda x: ops.where(x > 0, x, 0.1 * x),
    ),
    "bounds": (
        lambda x: tf.clip_by_value(x, -0.5, 0.5),
        lambda x: ops.clip(x, -0.5, 0.5),
    ),
    "spread": (lambda x: tf.math.reduce_std(x, axis=1), lambda x: ops.std(x, axis=1)),
    "silu": (tf.nn.silu, ops.silu),
    "gelu": (tf.nn.gelu, lambda x: ops.gelu(x, approximate=False)),
    "a kernel": (
        lambda x: tf.matmul(x, VARIABLE) * (tf.constant(2.0) * 3.0),
        lambda x: ops.matmul(x, WEIGHTS) * 6.0,
    ),
    "rows times a matrix": (
        lambda x: tf.tensordot(x, VARIABLE, [[2], [0]]),
        lambda x: ops.matmul(x, WEIGHTS),
    ),
    "one row times a matrix": (
        lambda x: tf.reshape(tf.reshape(x, (-1, 4)) @ VARIABLE, (-1, 5, 3)),
        lambda x: ops.matmul(x, WEIGHTS),
    ),
    "length by one operation": (
        lambda x: tf.math.reduce_euclidean_norm(x, -1),
        lambda x: ops.norm(x, axis=-1),
    ),
    "a tf.function": (tf.function(lambda x: tf.tanh(x) * x), lambda x: ops.tanh(x) * x),
    "the largest": (lambda x: tf.reduce_max(x, 1), lambda x: ops.max(x, axis=1)),
    "a bell": (lambda x: tf.exp(-(x**2)), lambda x: ops.exp(-(x**2))),
}
KERASS: dict[str, Function] = {
    "logsumexp of Keras": lambda x: ops.logsumexp(x, axis=-1),
    "normalize of Keras": lambda x: ops.normalize(x, axis=-1),
    "a product of Keras": lambda x: ops.einsum("bij,jk->bik", x, WEIGHTS),
    "layers of Keras": lambda x: ops.relu(ops.concatenate([x, ops.square(x)], axis=-1)),
}
CASES = ALIKE | {name: (function, function) for name, function in KERASS.items()}


def networks(name: str) -> tuple[keras.Model, de.Network, de.Network]:
    """A Lambda's model, its network by the function, and that of the same operations."""
    function, operations = CASES[name]
    source = keras.Input((5, 4), name="x")
    hidden = L.Dense(4, name="before")(source)
    coded = L.Lambda(function, name="code")(hidden)
    model = randomised(keras.Model(source, L.Dense(2, name="end")(L.Flatten()(coded))))
    last = L.Dense(2, name="end")
    same = keras.Model(source, last(L.Flatten()(operations(hidden))))
    last.set_weights(model.get_layer("end").get_weights())
    return model, de.convert(model, functions={"code": function}), de.convert(same)


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")  # kinks on paths
@pytest.mark.parametrize("name", slow_among(CASES, {*CASES} - {*list(CASES)[::4]}))
def test_a_function_is_the_operations_that_it_is_made_of(name: str) -> None:
    model, network, same = networks(name)
    x, x0 = sequences(), sequences(1)
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    assert all(row.exact for row in network.describe())
    result = network.explainer(fused=False).run(x, references=x0, target=0)
    assert result.relative_error.max() < SUMS
    for method, references in [
        ("deeplift", x0),
        ("deeplift", None),
        ("gradient", None),
        ("integrated_gradients", x0),
        ("lrp_epsilon", None),
    ]:
        scores = [
            each.explainer(method, fused=False).run(x, references=references, target=0).scores
            for each in (network, same)
        ]
        assert off(*scores) < SAME


@pytest.mark.parametrize("distance", ["absolute", "euclidean"])
def test_a_siamese_network_by_a_distance(distance: str) -> None:
    """Both ends far apart, where a gradient averaged over 16 points misses by percents."""

    def apart(both: Any) -> Any:
        change = both[0] - both[1]
        if distance == "absolute":
            return tf.abs(change)
        squares = tf.reduce_sum(tf.square(change), axis=1, keepdims=True)
        return tf.sqrt(tf.maximum(squares, 1e-7))

    tower = keras.Sequential([keras.Input((6,)), L.Dense(8, "relu"), L.Dense(4)])
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    joined = L.Lambda(apart, name="distance")([tower(left), tower(right)])
    model = randomised(keras.Model([left, right], L.Dense(1, "sigmoid")(joined)))
    network = de.convert(model, functions={"distance": apart})
    x, x0 = (
        [np.random.default_rng(seed).normal(size=(5, 6)).astype("float32") for seed in seeds]
        for seeds in ((0, 1), (2, 3))
    )
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    result = network.explainer(fused=False).run(x, references=x0, strict=True)
    assert result.relative_error.max() < SUMS


def test_shapes_with_free_axes_and_the_number_of_samples() -> None:
    def function(x: Any) -> Any:
        flat = tf.reshape(x, (tf.shape(x)[0], -1, 4)) * tf.ones(tf.shape(x))
        return tf.reshape(tf.tanh(flat), tf.shape(x))[:, 1:]

    source = keras.Input((None, 4), name="x")
    coded = L.Lambda(function, name="code", output_shape=(None, 4))(source)
    model = keras.Model(source, L.GlobalMaxPooling1D()(coded))
    network = de.convert(model, functions={"code": function})
    assert all(row.exact for row in network.describe())
    assert off(network.predict(sequences()), model.predict(sequences(), verbose=0)) < FORWARD


def test_tokens_beside_other_tensors() -> None:
    tokens, numbers = keras.Input((4,), dtype="int32"), keras.Input((4,))

    def join(both: Any) -> Any:
        return tf.cast(both[0], both[1].dtype) * tf.abs(both[1])

    x = L.Lambda(join, name="code", output_shape=(4,))([tokens, numbers])
    model = randomised(keras.Model([tokens, numbers], L.Dense(1)(x)))
    network = de.convert(model, functions={"code": join})
    data = [np.array([[1, 0, 2, 1]], "int32"), np.array([[0.5, -1, 2, -3]], "float32")]
    assert off(network.predict(data), model.predict(data, verbose=0)) < FORWARD
    result = network.explainer(fused=False).run(data, strict=True)
    assert result.relative_error.max() < SUMS


def test_tokens_that_are_counted() -> None:
    """A bag of words, of which a token function could not tell whose its outputs are."""

    def bag(x: Any) -> Any:
        return tf.reduce_max(tf.one_hot(x, 5), axis=1)

    source = keras.Input((5,), name="x", dtype="int32")
    x = L.Lambda(bag, name="code", output_shape=(5,))(source)
    model = randomised(keras.Model(source, L.Dense(1)(x)))
    network = de.convert(model, functions={"code": bag})
    x, x0 = (np.random.default_rng(seed).integers(0, 5, (4, 5)) for seed in (0, 1))
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    result = network.explainer(fused=False).run(x, references=x0, strict=True)
    assert result.relative_error.max() < SUMS
    assert not result.scores[x == x0].any()


@pytest.mark.parametrize("nodes", [None, 20])
def test_within_the_definition_of_a_layer(nodes: int | None) -> None:
    """Traced, unless points of a path are asked for."""

    def made(layer: de.CustomLayer) -> Any:
        return layer.forward_only(lambda x: tf.nn.l2_normalize(x, 1), nodes=nodes) + layer.input

    model = L.Lambda(lambda x: tf.nn.l2_normalize(x, 1) + x, name="code")
    source = keras.Input((4,), name="x")
    network = de.convert(keras.Model(source, model(source)), layers={"code": made})
    inexact = [row.name for row in network.describe() if not row.exact]
    assert inexact == ([] if nodes is None else ["code/forward_only"])


def test_an_activation_of_ones_own() -> None:
    @keras.saving.register_keras_serializable("traced")
    def bent(x: Any) -> Any:
        return ops.where(x > 0, x, ops.tanh(x))

    source = keras.Input((4,), name="x")
    model = randomised(keras.Model(source, L.Dense(3, activation=bent, name="hidden")(source)))
    network = de.convert(model, functions={"bent": bent})
    x = sequences()[:, 0]
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    assert all(row.exact for row in network.describe())
    assert network.explainer(fused=False).run(x, target=1, strict=True).relative_error.max() < SUMS


OPAQUE: dict[str, tuple[Function, str]] = {
    "an unknown operation": (
        lambda x: tf.math.special.dawsn(x * x + 1),
        "no attribution layer for the operation dawsn",
    ),
    "chance": (
        lambda x: x + 1e-3 * tf.random.normal(tf.shape(x)),
        "RandomStandardNormal depends on chance",
    ),
    "chance of a fixed shape": (
        lambda x: x * tf.random.uniform([4]),
        "RandomUniform depends on chance",
    ),
    "all samples together": (lambda x: x - tf.reduce_mean(x), "axis=0 is the batch axis"),
    "an order": (lambda x: tf.sort(x, axis=-1), "one step: .*TopKV2|one step: .*top_k"),
}


@pytest.mark.parametrize("name", OPAQUE)
def test_what_cannot_be_traced_stays_one_step_and_says_why(name: str) -> None:
    function, words = OPAQUE[name]
    source = keras.Input((5, 4), name="x")
    model = keras.Model(source, L.Lambda(function, name="code", output_shape=(5, 4))(source))
    network = de.convert(model, functions={"code": function})
    assert list(network.nodes) == ["x", "code"]
    (row,) = network.coverage().having("approximate")
    assert row.became == ("path of 16 points",)
    for note in (row.note, next(row.note for row in network.describe() if row.name == "code")):
        assert re.search(words, note)


def test_a_trace_that_gives_other_numbers_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    from deeplift_engine.translate.operations import operation_table

    wrong = operation_table.OPERATIONS["negative"]
    monkeypatch.setitem(operation_table.OPERATIONS, "absolute", lambda op: wrong(op))
    monkeypatch.setattr("deeplift_engine.translate.operations.functions.FACTORS", {"absolute": -1})
    source = keras.Input((4,), name="x")
    model = keras.Model(source, L.Lambda(tf.abs, name="code")(source))
    network = de.convert(model, functions={"code": tf.abs})
    assert "other numbers than the function" in network.coverage().rows[-1].note
    assert network.predict(-np.ones((1, 4), "float32")).min() == 1
