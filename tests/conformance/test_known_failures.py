"""Wrong results of other implementations, each a thing that must hold here.

Sums are compared on the scale of the target's difference: 1e-5 is a hundred times float32's
rounding, and a hundredth of the smallest of these failures where it was met.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from deeplift_engine.errors import ConvergenceError, ConvergenceWarning, DegenerateReferenceWarning

L = keras.layers
SUMS = 1e-5


def letters(shape: tuple[int, ...], seed: int) -> Any:
    """Random one-hot sequences (*shape, 4)."""
    return np.eye(4, dtype="float32")[np.random.default_rng(seed).integers(0, 4, shape)]


def network(*layers: Any, length: int = 24, seed: int = 1) -> de.Network:
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((length, 4)), *layers])
    for weight in model.weights:  # biases too: with zeros some failures do not show
        if weight.path.endswith("bias"):
            weight.assign(np.random.default_rng(seed).normal(size=weight.shape) * 0.3)
    return de.convert(model)


def scored(net: de.Network, rules: str = "rescale", samples: int = 4, **options: Any) -> Any:
    """Several samples against several references of their own, kept apart."""
    length = net.inputs[0].shape[0]
    target = options.pop("target", 0)
    return net.explainer(rules=rules, fused=False, **options).run(
        letters((samples, length), 2),
        target=target,
        references=letters((samples, 3, length), 3),
        average=False,
    )


def assert_sums(result: Any) -> None:
    sums = result.scores.reshape(*result.scores.shape[:2], -1).sum(-1)
    scale = np.abs(result.target_delta).max()
    assert scale > 0
    np.testing.assert_allclose(sums, result.target_delta, atol=SUMS * scale)


BLOCKS: dict[str, Callable[[], list[Any]]] = {
    "a ReLU before max pooling": lambda: [L.Conv1D(6, 5), L.ReLU(), L.MaxPooling1D(4)],
    "a ReLU after max pooling": lambda: [L.Conv1D(6, 5), L.MaxPooling1D(4), L.ReLU()],
    "max pooling with overlapping windows": lambda: [
        L.Conv1D(6, 5, activation="relu"),
        L.MaxPooling1D(4, strides=2),
    ],
    "max pooling with windows one apart": lambda: [
        L.Conv1D(6, 5, activation="relu"),
        L.MaxPooling1D(5, strides=1, padding="same"),
    ],
    "swish": lambda: [L.Conv1D(6, 5, activation="silu")],
    "gelu": lambda: [L.Conv1D(6, 5, activation="gelu")],
    "a dilated convolution": lambda: [
        L.Conv1D(5, 3, dilation_rate=2, padding="same", activation="relu")
    ],
    "a softmax inside": lambda: [L.Conv1D(6, 5, activation="softmax")],
    "batch norm without scale": lambda: [
        L.Conv1D(6, 5),
        L.BatchNormalization(scale=False),
        L.ReLU(),
    ],
    "batch norm without centre": lambda: [
        L.Conv1D(6, 5),
        L.BatchNormalization(center=False),
        L.ReLU(),
    ],
}


@pytest.mark.parametrize("rules", ["rescale", "reveal_cancel", "genomics_default"])
@pytest.mark.parametrize("block", BLOCKS)
def test_contributions_sum_through(block: str, rules: str) -> None:
    """Also max pooling against references that are not constant, and RevealCancel behind it."""
    net = network(*BLOCKS[block](), L.Flatten(), L.Dense(8, activation="relu"), L.Dense(2))
    assert_sums(scored(net, rules))


def test_dilation_is_part_of_the_forward_pass() -> None:
    convolution = L.Conv1D(5, 3, dilation_rate=2, padding="same")
    net = network(convolution)
    x = letters((2, 24), 0)
    kernel, bias = (np.asarray(weight) for weight in convolution.get_weights())
    padded = np.pad(x, ((0, 0), (2, 2), (0, 0)))
    expected = sum(padded[:, 2 * t : 2 * t + 24] @ kernel[t] for t in range(3)) + bias
    np.testing.assert_allclose(net.predict(x), expected, atol=1e-5)


def test_one_relu_used_twice_is_two_relus() -> None:
    keras.utils.set_random_seed(0)
    given, head = keras.Input((24, 4)), L.Dense(1)
    relu, first, second = L.ReLU(), L.Conv1D(6, 5), L.Conv1D(6, 5)
    shared = L.Add()([relu(first(given)), relu(second(given))])
    copied = L.Add()([L.ReLU()(first(given)), L.ReLU()(second(given))])
    once, twice = (
        scored(de.convert(keras.Model(given, head(L.Flatten()(together)))))
        for together in (shared, copied)
    )
    assert_sums(once)
    np.testing.assert_allclose(once.scores, twice.scores, atol=1e-6)


def test_equal_positions_inside_a_batch_leave_others_alone() -> None:
    """Zero differences once took another sample's gradient, so neighbours changed scores."""
    net = network(*BLOCKS["a ReLU before max pooling"](), L.Flatten(), L.Dense(2))
    x, x0 = letters((4, 24), 2), letters((4, 24), 3)
    x0[1], x0[2, :12] = x[1], x[2, :12]
    explainer = net.explainer(fused=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateReferenceWarning)
        together = explainer.run(x, target=0, references=x0)
        alone = [explainer.run(x[i : i + 1], target=0, references=x0[i : i + 1]) for i in range(4)]
    assert not together.scores[1].any()
    for kind in ("scores", "multipliers", "hypothetical"):
        one_by_one = np.concatenate([getattr(result, kind) for result in alone])
        np.testing.assert_allclose(getattr(together, kind), one_by_one, atol=1e-6)


def test_a_softmax_is_explained_in_a_batch_as_alone() -> None:
    net = network(L.Flatten(), L.Dense(3, activation="softmax"))
    explainer = net.explainer(target="output", fused=False)
    x, x0 = letters((4, 24), 2), letters((4, 24), 3)
    together = explainer.run(x, target=0, references=x0)
    alone = [explainer.run(x[i : i + 1], target=0, references=x0[i : i + 1]) for i in range(4)]
    np.testing.assert_allclose(
        together.scores, np.concatenate([result.scores for result in alone]), atol=1e-7
    )
    np.testing.assert_allclose(
        together.scores.sum((1, 2)),
        net.predict(x)[:, 0] - net.predict(x0)[:, 0],
        atol=SUMS,
    )


@pytest.mark.parametrize("layer", [L.GlobalMaxPooling1D, L.Flatten])
def test_ties_do_not_multiply_contributions(layer: Any) -> None:
    """A periodic input has its maximum everywhere; each tied place once took all of it."""
    pooling = [] if layer is L.GlobalMaxPooling1D else [L.MaxPooling1D(24)]
    net = network(L.Conv1D(4, 1, activation="relu"), *pooling, layer(), L.Dense(1))
    x = np.eye(4, dtype="float32")[np.arange(24)[np.newaxis] % 4]
    result = net.explainer(fused=False).run(x, references=0)
    assert abs(result.target_delta).max() > 1e-3
    np.testing.assert_allclose(result.scores.sum((1, 2)), result.target_delta, rtol=1e-5)


def test_the_gradient_through_a_hidden_softmax_is_the_gradient() -> None:
    """It once came out as zero, silently."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((24, 4)), L.Flatten(), L.Dense(5, activation="softmax"), L.Dense(1)]
    )
    x = tf.constant(letters((3, 24), 0))
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = model(x)
    expected = tape.gradient(output, x).numpy()
    result = de.convert(model).explainer(rules="gradient", fused=False).run(x.numpy())
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(result.multipliers, expected, atol=1e-6)


def test_small_outputs_are_checked_on_their_own_scale() -> None:
    """An absolute tolerance lets any result pass where outputs are around 1e-3."""
    net = network(*BLOCKS["max pooling with overlapping windows"](), L.Flatten(), L.Dense(1))
    head = next(layer for layer in net.spec.layers.values() if layer.class_name == "Dense")
    small = replace(head, weights={role: 1e-3 * array for role, array in head.weights.items()})
    result = scored(de.Network(replace(net.spec, layers={**net.spec.layers, head.name: small})))
    assert np.abs(result.target_delta).max() < 1e-2
    assert_sums(result)


def test_a_wrong_sum_of_small_outputs_is_warned_of() -> None:
    def wild(x: Any) -> Any:
        """Oscillates too fast for any number of points on the path."""
        return 1e-5 * (x + tf.sin(1000.0 * x))

    given = keras.Input((24, 4))
    output = L.Activation("linear", name="wild")(L.Dense(1)(L.Flatten()(given)))
    averaged = de.forward_only(wild, nodes=16)
    net = de.convert(keras.Model(given, output), functions={"wild": averaged})
    explainer = net.explainer(fused=False)
    x, x0 = letters((4, 24), 2), letters((4, 24), 3)
    with pytest.warns(ConvergenceWarning, match="worst in sample"):
        result = explainer.run(x, references=x0)
    assert np.abs(result.convergence_delta).max() < 1e-2  # what an absolute check would pass
    with pytest.raises(ConvergenceError, match="worst in sample"):
        explainer.run(x, references=x0, strict=True)


def test_a_shuffle_that_returns_its_input_is_warned_of() -> None:
    net = network(L.Flatten(), L.Dense(1), length=12)
    repeat = np.eye(4, dtype="float32")[np.tile([0, 1, 3, 2], 3)][np.newaxis]
    shuffles = de.references.dinucleotide_shuffle(20, seed=0)
    with pytest.warns(DegenerateReferenceWarning, match="sample 0 equal the sample itself"):
        net.explainer(fused=False).run(repeat, references=shuffles)
