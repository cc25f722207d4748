"""A graph built of layers and the same graph built of operations are one graph to every rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from keras import ops

import deeplift_engine as de
from deeplift_engine.layers import Layer
from tests.helpers import off, slow_among

Build = Callable[[Any], Any]
METHODS: dict[str, dict[str, Any]] = {
    "deeplift": {"rules": "genomics_default"},
    "deepshap": {"rules": "reveal_cancel"},  # of every nonlinear layer
    "gradient": {},
    "lrp_epsilon": {"epsilon": 0.25},
    "lrp_z": {},
    "lrp_flat": {},
    "lrp_best_practice": {},
}
"""Stabilisers and rules by place tell layers that move from layers that add."""


def conv(x: Any, size: int = 3) -> Any:
    return L.Conv1D(4, size, activation="relu", padding="same")(x)


def gated(move: Build) -> Build:
    """A product whose second factor is a gate, both moved."""

    def build(x: Any) -> Any:
        value, gate = L.Conv1D(4, 1)(x), L.Activation("sigmoid")(L.Conv1D(4, 1)(x))
        return L.Multiply()([move(value), move(gate)])

    return build


def both(move: Build) -> Build:
    """A branch that is moved beside one that is not, so that zeros and copies meet values."""
    return lambda x: L.Concatenate(axis=1)([conv(x), move(conv(x))])


def of_two(function: Build) -> Build:
    """A function of two branches."""
    return lambda x: function([L.Conv1D(4, 1)(x), L.Activation("tanh")(L.Conv1D(4, 1)(x))])


PAIRS: dict[str, tuple[Build, Build]] = {
    "slice": (L.Cropping1D((2, 1)), lambda x: x[:, 2:-1]),
    "pad": (L.ZeroPadding1D((1, 2)), lambda x: ops.pad(x, [[0, 0], [1, 2], [0, 0]])),
    "repeat": (L.UpSampling1D(2), lambda x: ops.repeat(x, 2, axis=1)),
    "reshape": (L.Reshape((4, 6)), lambda x: ops.reshape(x, (-1, 4, 6))),
    "transpose": (L.Permute((2, 1)), lambda x: ops.transpose(x, (0, 2, 1))),
    "split": (L.Cropping1D((0, 3)), lambda x: ops.split(x, 2, axis=1)[0]),
    "stack": (
        lambda x: L.Permute((2, 1))(L.RepeatVector(1)(L.Flatten()(x))),
        lambda x: ops.stack([L.Flatten()(x)], axis=-1),
    ),
    "gated slice": (gated(L.Cropping1D(1)), gated(lambda x: x[:, 1:-1])),
    "gated padding": (
        gated(L.ZeroPadding1D(1)),
        gated(lambda x: ops.pad(x, [[0, 0], [1, 1], [0, 0]])),
    ),
    "average": (of_two(L.Average()), of_two(lambda pair: (pair[0] + pair[1]) / 2)),
    "average of three": (
        of_two(lambda pair: L.Average()([*pair, pair[0]])),
        of_two(lambda pair: L.Dropout(0.5)(ops.add(L.Add()([*pair, pair[0]]), 0.0)) * (1 / 3)),
    ),
    "scale": (L.Rescaling(0.5, -0.25), lambda x: x * 0.5 - 0.25),
    "scales": (L.Rescaling(-0.5, 1.0), lambda x: L.Rescaling(2.0, 0.5)((2.0 - x) * 0.25 - 0.25)),
    "unit length": (L.UnitNormalization(), lambda x: ops.normalize(x, axis=-1, epsilon=1e-12)),
    "slice beside": (both(L.Cropping1D(1)), both(lambda x: x[:, 1:-1])),
}


def network(build: Build) -> de.Network:
    keras.utils.set_random_seed(3)
    source = keras.Input((6, 3))
    return de.convert(keras.Model(source, L.Dense(2)(L.Flatten()(build(conv(source))))))


@pytest.mark.parametrize("name", slow_among(PAIRS, {*PAIRS} - {*list(PAIRS)[::5]}))
def test_layers_and_operations_have_equal_scores(name: str) -> None:
    """To float32's rounding: both compute the same numbers in the same order."""
    by_layers, by_operations = map(network, PAIRS[name])
    x = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    for method, options in METHODS.items():
        one, two = (
            net.explainer(method, fused=False, **options).run(x, target=0).scores
            for net in (by_layers, by_operations)
        )
        assert off(two, one) < 1e-5, method


def layers_of(net: de.Network) -> list[Layer]:
    return [node.layer.core for node in net.graph.nodes.values() if node.inputs]


def moving(function: Build) -> list[bool]:
    source = keras.Input((6, 3))
    return [layer.moves for layer in layers_of(de.convert(keras.Model(source, function(source))))]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[:, ::2],
        lambda x: ops.roll(x, 2, axis=1),
        lambda x: ops.expand_dims(x, 1),
        lambda x: ops.flip(x, axis=1),
        lambda x: ops.tril(x),
        lambda x: ops.tile(x, (1, 2, 1)),
    ],
)
def test_a_map_of_elements_moves_them(function: Build) -> None:
    assert all(moving(function))


@pytest.mark.parametrize(
    "function", [lambda x: ops.cumsum(x, axis=1), lambda x: ops.mean(x, axis=1), lambda x: x * 2.0]
)
def test_a_map_that_adds_or_scales_does_not_move(function: Build) -> None:
    assert not all(moving(function))


def test_relevance_that_arrives_at_a_triangle_of_zeros_is_no_promise_to_conserve() -> None:
    """Half the outputs are constants: what arrives there is lost, and the rule says so."""
    for function, pads in ((ops.tril, True), (lambda x: x[:, 1:], False)):
        source = keras.Input((3, 3))
        net = de.convert(keras.Model(source, function(source)))
        assert [layer.pads for layer in layers_of(net)] == [pads]


def test_the_flat_rule_stays_within_windows() -> None:
    """Of five ones in two windows of three each sends a third; zeros of the matrix send none."""
    source = keras.Input((5, 1))
    net = de.convert(keras.Model(source, L.AdaptiveAveragePooling1D(2)(source)))
    scores = net.explainer("lrp_flat").run(np.ones((1, 5, 1), "float32"), target=(0, 0)).scores
    assert off(np.ravel(scores), np.array([1, 1, 1, 0, 0]) / 3) < 1e-6
    ramp = np.arange(1, 6, dtype="float32").reshape(1, 5, 1)
    scores = net.explainer("lrp_flat").run(ramp, target=(1, 0)).scores
    assert off(np.ravel(scores), 4 * np.array([0, 0, 1, 1, 1]) / 3) < 1e-6


@pytest.mark.parametrize(
    "move",
    [lambda x: x[:, 1:], lambda x: ops.roll(x, 1, axis=1), lambda x: ops.pad(x, [[0, 0], [1, 0]])],
)
def test_tokens_that_are_moved_are_looked_up(move: Build) -> None:
    source = keras.Input((6,), dtype="int32")
    embedded = L.Flatten()(L.Embedding(9, 4, name="words")(move(source)))
    (info,) = de.convert(keras.Model(source, L.Dense(1)(embedded))).inputs
    assert info.table is not None
    assert (info.table.layer, info.table.rows) == ("words", 9)
