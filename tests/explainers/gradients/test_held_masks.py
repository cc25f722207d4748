"""Paths between embedded tokens: what a mask makes of the tokens is held at the sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812
from keras import ops

import deeplift_engine as de
from deeplift_engine.errors import InputError
from tests.cases.custom_models import randomised
from tests.helpers import off

CLOSE = 1e-4
"""In float32, as a share of the largest score: a hundred gradients are added."""
STEPS = 40
X = np.array([[3, 5, 2, 0, 0, 0], [1, 4, 4, 6, 8, 0], [7, 7, 1, 2, 3, 5]], "int32")


def memory(layer: Callable[..., Any]) -> tuple[Any, Any]:
    """A layer in a model, and by hand with a mask."""
    one = layer()
    return one, lambda x, mask: one(x, mask=mask)


def attention() -> tuple[Any, Any]:
    heads, mean = L.MultiHeadAttention(2, 3), L.GlobalAveragePooling1D()

    def by_hand(x: Any, mask: Any) -> Any:
        attended = heads(x, x, query_mask=mask, value_mask=mask, key_mask=mask)
        return mean(attended, mask=mask)

    return lambda x: mean(heads(x, x)), by_hand


KINDS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "LSTM": lambda: memory(lambda: L.LSTM(5)),
    "GRU": lambda: memory(lambda: L.GRU(5)),
    "both ways": lambda: memory(lambda: L.Bidirectional(L.LSTM(3))),
    "mean": lambda: memory(L.GlobalAveragePooling1D),
    "attention": attention,
}


def opened(kind: str) -> tuple[de.Network, Any, Any]:
    """A network, the embedding, and what comes behind it as a function of its output and mask."""
    behind, by_hand = KINDS[kind]()
    source = keras.Input((6,), dtype="int32", name="tokens")
    embedding, end = L.Embedding(9, 4, mask_zero=True, name="embedding"), L.Dense(2, "tanh")
    model = randomised(keras.Model(source, end(L.Dense(3, "tanh")(behind(embedding(source))))))
    hidden = model.layers[-2]
    return (
        de.convert(model),
        embedding,
        lambda x, mask: end(hidden(by_hand(x, mask))),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_integrated_gradients_are_those_with_the_mask_of_the_sample(kind: str) -> None:
    """Captum's LayerIntegratedGradients, by hand: only the embedding's output is moved."""
    network, embedding, behind = opened(kind)
    explainer = network.explainer(
        "integrated_gradients", layers="embedding", target="output", steps=STEPS
    )
    result = explainer.run(X, target=1, references=0)
    x, x0 = embedding(X), embedding(np.zeros_like(X))
    mask = ops.convert_to_tensor(X != 0)
    expected = np.zeros(x.shape)
    for position, weight in zip(*np.polynomial.legendre.leggauss(STEPS), strict=True):
        point = x0 + (position + 1) / 2 * (x - x0)
        with tf.GradientTape() as tape:
            tape.watch(point)
            value = behind(point, mask)[:, 1]
        expected += weight / 2 * (tape.gradient(value, point) * (x - x0)).numpy()
    assert off(result.scores, expected) < CLOSE
    ends = [behind(point, mask)[:, 1].numpy() for point in (x, x0)]
    assert off(result.target_delta, ends[0] - ends[1]) < CLOSE
    assert result.relative_error.max() < 1e-3
    assert not result.scores[X == 0].any()
    assert result.settings["held"]


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("integrated_gradients", {}),
        ("expected_gradients", {"samples": 8}),
        ("guided_integrated_gradients", {"steps": 10}),
        ("smoothgrad", {"samples": 3}),
        ("smoothgrad", {"samples": 2, "of": "integrated_gradients"}),
    ],
)
@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_held_is_what_does_not_change(method: str, options: dict[str, Any]) -> None:
    """References that keep padding change no mask, so that it may as well be a layer."""
    network, _, _ = opened("mean")
    masks = [name for name in network.nodes if "mask" in name or "used" in name]
    references = de.references.replaced([1, 2], keep=(0,))
    held = network.explainer(method, layers="embedding", **options)
    names = held.run(X, target=0, references=_for(held, references)).settings["held"]
    assert masks
    assert set(names) <= set(network.nodes)
    result = held.run(X, target=0, references=_for(held, references))
    if "smooth" in method:  # no noise falls on the mask: padding stays without a share
        assert not result.scores[X == 0].any()
        assert result.scores[X != 0].all()
        return
    layers = network.explainer(method, layers=["embedding", *names], **options)
    expected = layers.run(X, target=0, references=references).scores
    if method == "guided_integrated_gradients":  # a group is a share of all elements
        assert off(result.scores.sum((1, 2)), expected["embedding"].sum((1, 2))) < 0.05
    else:
        assert off(result.scores, expected["embedding"]) < CLOSE


def _for(explainer: de.Explainer, references: Any) -> Any:
    return references if explainer.traits.uses_references else None


def test_blurred_and_conducted_at_an_embedding() -> None:
    network, _, _ = opened("mean")
    blurred = network.explainer("blur_integrated_gradients", layers="embedding", sigma=2.0)
    assert blurred.run(X, target=0).relative_error.max() < 0.05
    inner = next(name for name in network.nodes if name.startswith("dense"))
    through = network.explainer("neuron_conductance", layers="embedding", layer=inner)
    whole = network.explainer("integrated_gradients", layers="embedding")
    scores = [each.run(X, target=0, references=0).scores for each in (through, whole)]
    assert off(*scores) < CLOSE  # all of the target goes through that layer


def test_the_gradient_at_an_embedding_has_the_mask_of_the_sample() -> None:
    network, embedding, behind = opened("GRU")
    point = embedding(X)
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = behind(point, ops.convert_to_tensor(X != 0))[:, 0]
    explainer = network.explainer("gradient", layers="embedding", target="output")
    assert off(explainer.run(X, target=0).scores, tape.gradient(value, point).numpy()) < CLOSE


def two_inputs(masked: bool) -> keras.Model:
    """Two sequences of tokens, or one beside numbers."""
    left = keras.Input((6,), dtype="int32", name="left")
    right = keras.Input((6,), dtype="int32", name="right") if masked else keras.Input((3,))
    ends = [L.LSTM(4)(L.Embedding(9, 3, mask_zero=True, name="first")(left))]
    if masked:
        embedded = L.Embedding(9, 2, mask_zero=True, name="second")(right)
        ends.append(L.GlobalAveragePooling1D()(embedded))
    else:
        ends.append(L.Dense(2, name="numbers")(right))
    return randomised(keras.Model([left, right], L.Dense(1)(L.Concatenate()(ends))))


def test_several_embeddings_each_with_a_mask() -> None:
    network = de.convert(two_inputs(True))
    explainer = network.explainer("integrated_gradients", layers=["first", "second"])
    result = explainer.run([X, X[::-1]], references=[1, 2])
    assert result.relative_error.max() < 1e-3
    assert set(result.scores) == {"first", "second"}
    for name, tokens in (("first", X), ("second", X[::-1])):
        assert not result.scores[name][tokens == 0].any()
        assert result.scores[name][tokens > 2].any()


def test_what_is_no_mask_is_still_to_be_named() -> None:
    network = de.convert(two_inputs(False))
    with pytest.raises(InputError, match=r"beside the layers \['first'\], through \['numbers'\]"):
        network.explainer("integrated_gradients", layers="first")
    both = network.explainer("integrated_gradients", layers=["first", "numbers"])
    numbers = np.ones((3, 3), "float32")
    assert both.run([X, numbers], references=[1, 0]).relative_error.max() < 1e-3
