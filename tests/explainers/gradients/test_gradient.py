"""Gradients at the inputs beside TensorFlow's own of the Keras model, and their kin by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from deeplift_engine.errors import InputError, RuleError
from tests.explainers.keras_nets import data, gradients, opened, parts
from tests.helpers import off

EXACT = 1e-12  # float64, sums in another order


@pytest.mark.parametrize("name", ["sequence", "image", "several"])
def test_gradients_are_tensorflows(name: str) -> None:
    model, net = opened(name)
    x = data(name)
    found = {
        method: net.explainer(method).run(x, target="all")
        for method in ("gradient", "saliency", "grad*input")
    }
    squared = net.explainer("gradient", part="squared").run(x, target="all")
    arrays = x if isinstance(x, list) else [x]
    for unit in range(3):
        for number, expected in enumerate(gradients(model, x, unit)):

            def of(scores: Any, number: int = number, unit: int = unit) -> Any:
                return parts(scores)[number][unit]

            assert off(of(found["gradient"].scores), expected) < EXACT
            assert off(of(found["saliency"].scores), np.abs(expected)) < EXACT
            assert off(of(squared.scores), expected**2) < EXACT
            assert off(of(found["grad*input"].scores), expected * arrays[number]) < EXACT
            assert off(of(found["grad*input"].multipliers), expected) < EXACT
    assert off(found["gradient"].predictions, model(x).numpy()) < EXACT


@pytest.mark.parametrize(("name", "layer"), [("sequence", "pool"), ("image", "conv")])
def test_a_layers_activation_times_its_gradient(name: str, layer: str) -> None:
    model, net = opened(name)
    x = data(name)
    found = net.explainer("layer_activation_times_gradient", layers=layer).run(x, target=1)
    activation = model.get_layer(layer).output
    there = tf.keras.Model(model.input, activation)(x).numpy()
    assert off(found.scores, gradients(model, x, 1, layer)[0] * there) < EXACT


@pytest.mark.parametrize("method", ["gradient", "integrated_gradients", "deeplift"])
def test_a_unit_of_any_layer_is_a_target(method: str) -> None:
    """Neuron attributions: of a model that ends at the layer."""
    model, net = opened("sequence")
    x = data("sequence")
    unit = (3, 2)
    found = net.explainer(method, target="conv").run(x, target=unit)
    ending = tf.keras.Model(model.input, model.get_layer("conv").output[:, 3, 2:3])
    if method == "gradient":
        assert off(found.scores, gradients(ending, x, 0)[0]) < EXACT
    else:
        change = ending(x).numpy() - ending(0 * x).numpy()
        assert off(found.target_delta, change[:, 0]) < EXACT
        if method == "deeplift":  # a single ReLU: the chord
            kernel = model.get_weights()[0][:, :, 2]
            slope = found.target_delta / (x[:, 3:6] * kernel).sum((1, 2))
            expected = slope[:, None, None] * kernel
            assert off(found.multipliers[:, 3:6], expected) < EXACT
    assert not np.delete(found.scores, [3, 4, 5], axis=1).any()


@pytest.mark.parametrize("method", ["guided_backprop", "deconvnet"])
@pytest.mark.parametrize("times_input", [False, True])
def test_guided_backprop_and_deconvnet_by_hand(method: str, times_input: bool) -> None:
    """Of ReLUs: what is negative is dropped on the way back, where the unit was on or anywhere."""
    model, net = opened("without_bias")
    x = data("without_bias")

    @tf.custom_gradient
    def relu(before: Any) -> Any:
        on = tf.cast(before > 0, before.dtype) if method == "guided_backprop" else 1.0
        return tf.nn.relu(before), lambda sent: tf.nn.relu(sent) * on

    kernels = [tf.constant(weight) for weight in model.get_weights()]
    point = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(point)
        hidden = relu(tf.nn.conv1d(point, kernels[0], 1, "VALID"))
        hidden = tf.reshape(tf.nn.avg_pool1d(hidden, 2, 2, "VALID"), [len(x), -1])
        value = (relu(hidden @ kernels[1]) @ kernels[2])[:, 2]
    expected = tape.gradient(value, point).numpy()
    found = net.explainer(method, times_input=times_input).run(x, target=2)
    assert off(found.scores, expected * x if times_input else expected) < EXACT
    assert off(found.scores, net.explainer("gradient").run(x, target=2).scores) > 0.01


@pytest.mark.parametrize("axis", [-1, 1])
def test_off_simplex_gradients_are_what_probabilities_would_have(axis: int) -> None:
    """The gradient along the simplex: that of letters as a softmax, without its probabilities.

    At equal logits z of C letters the derivative of f(softmax(z)) is (g - mean g) / C.
    """
    model, net = opened("sequence")
    x = np.full((2, 12, 4), 0.25)
    logits = tf.zeros((2, 12, 4), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = model(tf.nn.softmax(logits))[:, 0]
    expected = 4 * tape.gradient(value, logits).numpy()
    found = net.explainer("saliency", off_simplex=axis).run(x, target=0)
    assert off(found.multipliers, expected) < EXACT
    assert off(found.scores, np.abs(expected)) < EXACT


def test_an_axis_that_is_not_there_is_named() -> None:
    _, net = opened("sequence")
    with pytest.raises(RuleError, match="off_simplex is a whole number from -2 to 1, not 2"):
        net.explainer("gradient", off_simplex=2).run(data("sequence"), target=0)
    with pytest.raises(RuleError, match="part is one of signed, absolute, squared"):
        net.explainer("gradient", part="cubed")


def test_names_of_other_packages() -> None:
    _, net = opened("linear")
    for alias, name in {
        "grad*input": "gradient_times_input",
        "saliency": "saliency",
        "intgrad": "integrated_gradients",
        "gradient_shap": "expected_gradients",
        "tcav": "concept_sensitivity",
    }.items():
        options = {"vector": np.ones((8, 3))} if alias == "tcav" else {}
        found = net.explainer(alias, **options).run(data("linear"), target=0)
        assert found.settings["method"] == name


def test_a_gradient_takes_no_references() -> None:
    _, net = opened("linear")
    with pytest.raises(InputError, match="gradient compares with no references"):
        net.explainer("gradient").run(data("linear"), target=0, references=0.0)


def test_scores_are_in_float32_as_in_float64() -> None:
    model, exact = opened("image")
    x = data("image").astype("float32")
    single = de.convert(model).explainer("gradient").run(x, target=0)
    assert single.scores.dtype == np.float32
    assert off(single.scores, exact.explainer("gradient").run(x, target=0).scores) < 1e-5
