"""What methods agree on, whatever the weights: linear nets, nets without biases, batch norm."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from tests.helpers import off, slow_among

FEATURES, UNITS, SAMPLES = (3, 2), 2, 3
DRAWS = settings(max_examples=4, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
EXACT = {"integrated_gradients": {"steps": 3}, "kernel_shap": {"samples": 70}}
"""Few steps are enough on a line; so are as many coalitions as there are."""
COMPLETE = [
    name
    for name, method in de.methods().items()
    # blur's path has references of its own; interactions are of pairs of elements
    if method.complete and name not in ("blur_integrated_gradients", "shapley_interactions")
]
ALIKE = ("gradient_times_input", "deeplift", "integrated_gradients", "lrp_epsilon", "elrp")
BY_LAYERS = {"neuron_conductance", "concept_sensitivity", "layer_conductance", "internal_influence"}
"""Methods about layers, which the two networks do not share."""
WITHOUT = {"xrai", *BY_LAYERS}

pytestmark = pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")


def drawn_model(*layers: Any, seed: int) -> keras.Model:
    """A model with weights and biases drawn."""
    x = source = keras.Input(FEATURES, name="x")
    for layer in layers:
        x = layer(x)
    model = keras.Model(source, x)
    generator = np.random.default_rng(seed)
    model.set_weights([generator.normal(size=weight.shape) for weight in model.get_weights()])
    return model


def network(*layers: Any, seed: int) -> de.Network:
    """Such a model's network, in float64."""
    return de.convert(drawn_model(*layers, seed=seed), dtype="float64")


def drawn(seed: int) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(2, SAMPLES, *FEATURES))


@functools.cache
def linear(seed: int) -> tuple[de.Network, Any]:
    """A linear network, and its gradient at what is drawn: the same for all methods."""
    layers = L.Conv1D(4, 2), L.Dense(3), L.Flatten(), L.Dense(UNITS)
    made = network(*layers, seed=seed)
    return made, made.explainer("gradient").run(drawn(seed)[0], target=1).scores


@pytest.mark.parametrize("name", COMPLETE)
@DRAWS
@given(seed=SEEDS)
def test_of_a_linear_net_a_contribution_is_weight_times_difference(name: str, seed: int) -> None:
    made, weights = linear(seed)
    x, x0 = drawn(seed)
    result = made.explainer(name, **EXACT.get(name, {})).run(x, target=1, references=x0)
    assert off(result.scores, weights * (x - x0)) < 1e-9


@DRAWS
@given(seed=SEEDS)
def test_of_a_linear_net_occlusion_is_the_contribution(seed: int) -> None:
    made = network(L.Conv1D(4, 2), L.Flatten(), L.Dense(UNITS), seed=seed)
    x, x0 = drawn(seed)
    single = made.explainer("occlusion", window=(1, 1)).run(x, target=1, references=x0)
    weights = made.explainer("gradient").run(x, target=1).scores
    assert off(single.scores, weights * (x - x0)) < 1e-9


@functools.cache
def without_biases(seed: int) -> tuple[de.Network, Any, Any]:
    """A network of ReLUs without biases, and of a unit the gradients and values (N,)."""
    plain = {"use_bias": False, "activation": "relu"}
    layers = L.Conv1D(6, 2, **plain), L.Flatten(), L.Dense(5, **plain)
    made = network(*layers, L.Dense(UNITS, use_bias=False), seed=seed)
    x, _ = drawn(seed)
    values = made.activations(x, [made.target_node()])[made.target_node()][:, 0]
    return made, made.explainer("gradient").run(x, target=0).scores, values


@pytest.mark.parametrize("name", ALIKE)
@DRAWS
@given(seed=SEEDS)
def test_without_biases_relu_nets_have_one_answer(name: str, seed: int) -> None:
    """And zero references, and no epsilon to speak of."""
    made, gradient, values = without_biases(seed)
    x, _ = drawn(seed)
    tiny = {"epsilon": 1e-12} if name in ("lrp_epsilon", "elrp") else {}
    tiny |= EXACT.get(name, {})
    found = made.explainer(name, **tiny).run(x, target=0)
    assert off(found.scores, gradient * x) < 1e-5
    assert off(found.scores.sum((1, 2)), values) < 1e-5


@functools.cache
def folded(seed: int) -> tuple[de.Network, de.Network]:
    """A network with batch norm, and one with it in the kernels."""

    def layers(*, normal: bool) -> list[Any]:
        between = [L.BatchNormalization(name="norm")] if normal else []
        ends = [L.Activation("relu"), L.Flatten(), L.Dense(4, activation="tanh"), L.Dense(UNITS)]
        return [L.Conv1D(5, 2, name="conv"), *between, *ends]

    model = drawn_model(*layers(normal=True), seed=seed)
    norm = model.get_layer("norm")
    gamma, beta, mean, variance = norm.get_weights()
    norm.set_weights([gamma, beta, mean, np.abs(variance)])
    scale = gamma / np.sqrt(np.abs(variance) + norm.epsilon)
    kernel, bias = model.get_layer("conv").get_weights()
    rest = [
        values
        for layer in model.layers
        if isinstance(layer, L.Dense)
        for values in layer.get_weights()
    ]
    other = drawn_model(*layers(normal=False), seed=seed)
    other.set_weights([kernel * scale, (bias - mean) * scale + beta, *rest])
    return de.convert(model, dtype="float64"), de.convert(other, dtype="float64")


@pytest.mark.parametrize("name", slow_among([name for name in de.methods() if name not in WITHOUT]))
def test_batch_norm_in_the_kernel_changes_nothing(name: str) -> None:
    """To the rounding of the weights, which Keras keeps in float32."""
    networks = folded(seed=1)
    x = np.eye(FEATURES[1])[np.random.default_rng(1).integers(FEATURES[1], size=(4, FEATURES[0]))]
    given = {**EXACT, "lrp_epsilon_gamma_box": {"low": 0, "high": 1}}.get(name, {})
    found = []
    for made in networks:
        options = dict(given)
        if name in ("pattern_net", "pattern_attribution"):
            batches = np.random.default_rng(0).normal(size=(400, *FEATURES))
            options["patterns"] = de.fit_patterns(made, batches)
        if name == "pairwise_mutagenesis":
            options |= {"positions": [0], "others": [2]}
        found.append(made.explainer(name, **options).run(x, target=0).scores)
    assert off(*found) < 1e-4
