"""Units inside networks: conductance, influence and concepts beside TensorFlow's own gradients."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LogisticRegression

import deeplift_engine as de
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.explainers.gradients.concepts import concept_direction
from deeplift_engine.explainers.gradients.quadrature import quadrature
from tests.explainers.keras_nets import between, data, float64, gradients, opened
from tests.helpers import off

EXACT = 1e-11  # float64, sums in another order
L = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")


def activations(model: Any, x: Any, layer: str) -> Any:
    return keras.Model(model.input, model.get_layer(layer).output)(x).numpy()


@pytest.mark.parametrize("layer", ["conv", "hidden"])
def test_conductance_is_the_gradient_times_the_units_change_along_the_path(layer: str) -> None:
    model, net = opened("sequence")
    x, x0 = data("sequence"), data("sequence", seed=2)
    found = net.explainer("layer_conductance", layers=layer, steps=5).run(
        x, target="all", references=x0
    )
    path = [between(x0, x, position) for position in np.linspace(0, 1, 6)]
    units = [activations(model, point, layer) for point in path]
    for unit in range(3):
        slopes = [gradients(model, point, unit, layer)[0] for point in path]
        expected = sum(
            (slopes[i] + slopes[i + 1]) / 2 * (units[i + 1] - units[i]) for i in range(5)
        )
        assert off(found.scores[unit], expected) < EXACT


def test_conductance_sums_up_where_all_goes_through_the_layers() -> None:
    _, net = opened("several")
    x = data("several")
    found = net.explainer("conductance", layers="hidden", steps=2).run(x, target="all")
    assert np.abs(found.convergence_delta).max() < EXACT  # what follows is linear
    beside = net.explainer("conductance", layers="scan").run(x, target="all")
    assert beside.convergence_delta is None
    errors = []
    for steps in (20, 200):
        both = net.explainer("conductance", layers=["scan", "row"], steps=steps).run(
            x, target="all"
        )
        errors.append(np.abs(both.convergence_delta).max())
    assert errors[1] < errors[0] / 5
    assert {name: scores.shape[2:] for name, scores in both.scores.items()} == {
        "scan": (5, 3),
        "row": (3,),
    }


def test_influence_is_the_mean_gradient_along_the_path() -> None:
    model, net = opened("sequence")
    x, x0 = data("sequence"), data("sequence", seed=2)
    found = net.explainer("internal_influence", layers="conv", steps=4).run(
        x, target=1, references=x0
    )
    expected = sum(
        weight * gradients(model, between(x0, x, position), 1, "conv")[0]
        for position, weight in zip(*quadrature("gauss_legendre", 4), strict=True)
    )
    assert off(found.scores, expected) < EXACT
    several = de.references.shared(data("sequence", 3, seed=4))
    run = net.explainer("internal_influence", layers="conv", steps=4).run
    apart = run(x, target=1, references=several, average=False)
    mean = run(x, target=1, references=several)
    assert off(apart.scores.mean(axis=1), mean.scores) < EXACT


def test_influence_over_a_distribution_of_ones_own() -> None:
    model, net = opened("sequence")
    x, x0 = data("sequence"), data("sequence", seed=2)
    far = np.array([0.3, -0.2, 1.5]).reshape(-1, 1, 1)

    def around(inputs: Any, references: Any) -> Any:
        return inputs[:, None] + far * (references - inputs)[:, None]

    found = net.explainer("internal_influence", layers="conv", points=around).run(
        x, target=1, references=x0, batch_size=2
    )
    expected = sum(gradients(model, x + each * (x0 - x), 1, "conv")[0] for each in far) / 3
    assert off(found.scores, expected) < EXACT
    _, several = opened("several")
    both = data("several")
    same = several.explainer(
        "internal_influence", layers="hidden", points=lambda inputs, _: [a[:, None] for a in inputs]
    ).run(both, target=0)
    plain = several.explainer("gradient", layers="hidden").run(both, target=0)
    assert off(same.scores, plain.scores) < EXACT


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (3, "a function of inputs and references, not 3"),
        (lambda x, _: x, r"expected \(1, s, \*"),
        (lambda x, _: x[:, :0, None].repeat(2, 1)[:, :0], "expected"),
    ],
)
def test_a_distribution_has_points_for_each_input(points: Any, message: str) -> None:
    _, net = opened("sequence")
    with pytest.raises(RuleError, match=message):
        net.explainer("internal_influence", layers="conv", points=points).run(
            data("sequence"), target=1
        )


@pytest.mark.parametrize("unit", [None, 2, (4,), np.arange(6.0)])
def test_what_goes_from_inputs_through_units(unit: Any) -> None:
    """Integrated gradients of a model that is constant in all other units of the layer."""
    model, net = opened("sequence")
    x, x0 = data("sequence"), data("sequence", seed=2)
    found = net.explainer("neuron_conductance", layer="hidden", unit=unit, steps=4).run(
        x, target="all", references=x0
    )
    weights = np.ones(6) if unit is None else np.zeros(6)
    if isinstance(unit, np.ndarray):
        weights = unit
    elif unit is not None:
        weights[unit] = 1
    lower = keras.Model(model.input, model.get_layer("hidden").output)
    upper = keras.Model(model.get_layer("hidden").output, model.output)
    for target in range(3):
        mean = np.zeros_like(x)
        for position, weight in zip(*quadrature("gauss_legendre", 4), strict=True):
            point = tf.constant(between(x0, x, position))
            with tf.GradientTape() as tape:
                tape.watch(point)
                hidden = lower(point)
                fixed = tf.stop_gradient(hidden)
                value = tf.reduce_sum(upper(fixed + weights * (hidden - fixed))[:, target])
            mean += weight * tape.gradient(value, point).numpy()
        assert off(found.scores[target], mean * (x - x0)) < EXACT
        assert off(found.multipliers[target], mean) < EXACT


def test_through_all_units_goes_what_integrated_gradients_find() -> None:
    _, net = opened("image")
    x = data("image")
    through = net.explainer("neuron_conductance", layer="pool", steps=6).run(x, target="all")
    whole = net.explainer("integrated_gradients", steps=6).run(x, target="all")
    assert off(through.scores, whole.scores) < EXACT


def channels(first: bool) -> de.Network:
    """One network with the channels of its convolutions first, or last."""
    with float64():
        order = "channels_first" if first else "channels_last"
        x = source = keras.Input((2, 6, 5) if first else (6, 5, 2), name="pixels")
        x = L.Conv2D(3, 2, activation="tanh", data_format=order, name="conv")(x)
        x = L.Conv2D(2, 2, activation="relu", data_format=order, name="second")(x)
        if first:
            x = L.Permute((2, 3, 1))(x)
        model = keras.Model(source, L.Dense(2, name="units")(L.Flatten()(x)))
        generator = np.random.default_rng(3)
        model.set_weights([generator.normal(size=w.shape) for w in model.get_weights()])
        return de.convert(model, dtype="float64")


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("layer_conductance", {"layers": "conv"}),
        ("internal_influence", {"layers": "conv"}),
        ("integrated_gradients", {"layers": "conv"}),
        ("smoothgrad", {"layers": "conv", "samples": 3, "noise": 0.0}),
        ("neuron_conductance", {"layer": "conv", "unit": (1, 3, 2)}),
        ("concept_sensitivity", {"layers": "conv", "vector": True}),
    ],
)
def test_channels_first_layers_have_their_own_order(method: str, options: dict[str, Any]) -> None:
    x = np.random.default_rng(4).normal(size=(3, 6, 5, 2))
    vector = np.random.default_rng(5).normal(size=(5, 4, 3))
    last = dict(options)
    if "unit" in options:
        last["unit"] = (3, 2, 1)
    if "vector" in options:
        last["vector"], options = vector, {**options, "vector": np.moveaxis(vector, -1, 0)}
    found = channels(True).explainer(method, **options).run(np.moveaxis(x, -1, 1), target=1)
    expected = channels(False).explainer(method, **last).run(x, target=1)
    assert found.scores.any()
    assert off(np.moveaxis(found.scores, 1, -1), expected.scores) < EXACT


# ---------------------------------------------------------------- concepts


def test_a_concepts_direction_is_the_normal_of_the_plane_between_examples() -> None:
    generator = np.random.default_rng(0)
    axis = generator.normal(size=(3, 2))
    others = generator.normal(size=(40, 3, 2))
    examples = generator.normal(size=(30, 3, 2)) + 3 * axis / np.linalg.norm(axis)
    direction, accuracy = concept_direction(examples, others)
    assert direction.shape == (3, 2)
    assert abs(np.linalg.norm(direction) - 1) < 1e-12
    assert (direction * axis).sum() / np.linalg.norm(axis) > 0.9
    assert 0.85 < accuracy <= 1
    values = np.concatenate([examples, others]).reshape(70, -1)
    plane = LogisticRegression(C=1e6, max_iter=10_000).fit(values, np.repeat([1, 0], [30, 40]))
    projected = values @ direction.ravel()
    assert abs(np.corrcoef(projected, plane.decision_function(values))[0, 1]) > 0.98
    shifted, _ = concept_direction(1e4 + 100 * examples, 1e4 + 100 * others)
    assert off(shifted, direction) < 1e-3
    _, chance = concept_direction(others[:20], others[20:])
    assert chance < 0.75
    opposite, _ = concept_direction(others, examples)
    assert off(opposite, -direction) < 1e-3


def test_sensitivity_is_the_derivative_in_the_concepts_direction() -> None:
    model, net = opened("sequence")
    x = data("sequence", 8)
    generator = np.random.default_rng(1)
    examples, others = (activations(model, data("sequence", 9, seed), "pool") for seed in (8, 9))
    explainer = net.explainer(
        "concept_sensitivity", layers="pool", concept=examples, counterexamples=others
    )
    found = explainer.run(x, target="all")
    direction, accuracy = concept_direction(examples, others)
    upper = keras.Model(model.get_layer("pool").output, model.output)
    there, step = activations(model, x, "pool"), 1e-5
    change = upper(there + step * direction).numpy() - upper(there - step * direction).numpy()
    derivative = change.T / (2 * step)
    assert off(found.scores.sum(axis=(2, 3)), derivative) < 1e-7
    assert found.settings["tcav_scores"] == (derivative > 0).mean(axis=1).tolist()
    assert found.settings["accuracy"] == accuracy
    vector = generator.normal(size=there.shape[1:])
    given = net.explainer("tcav", layers="pool", vector=vector).run(x, target=0)
    expected = gradients(model, x, 0, "pool")[0] * vector / np.linalg.norm(vector)
    assert off(given.scores, expected) < EXACT


def test_what_is_no_concept() -> None:
    _, net = opened("sequence")
    some = np.ones((5, 6))
    for error, options, said in (
        (RuleError, {}, "Give vector= alone, or both concept= and counterexamples="),
        (RuleError, {"concept": some}, "Give vector= alone, or both"),
        (InputError, {"vector": np.ones(5)}, r"shape \(5,\), and the layer 'hidden' \(6,\)"),
        (InputError, {"vector": np.zeros(6)}, "zero or not finite"),
        (InputError, {"concept": some[:2], "counterexamples": some}, "three examples or more"),
    ):
        with pytest.raises(error, match=said):
            net.explainer("concept_sensitivity", layers="hidden", **options)
    with pytest.raises(InputError, match="one of a single layer"):
        net.explainer("concept_sensitivity", layers=["conv", "hidden"], vector=np.ones(6))


def test_layers_that_are_not_on_the_way() -> None:
    _, net = opened("sequence")
    with pytest.raises(RuleError, match="layer='nothing' is no layer"):
        net.explainer("neuron_conductance", layer="nothing")
    with pytest.raises(InputError, match="through 'units'"):
        net.explainer("neuron_conductance", layer="units", target="hidden")
    _, words = opened("words")
    with pytest.raises(InputError, match="hold tokens"):
        words.explainer("layer_conductance", layers="scan")


def test_conductance_of_a_path_between_layers() -> None:
    """All units of a layer that everything goes through carry the whole difference."""
    model, net = opened("sequence")
    x = data("sequence")
    found = net.explainer("neuron_conductance", layers="conv", layer="hidden", steps=300).run(
        x, target=1
    )
    beside = net.explainer("integrated_gradients", layers="conv", steps=300).run(x, target=1)
    assert off(found.scores, beside.scores) < 1e-9
    change = (model(x) - model(0 * x)).numpy()[:, 1]
    assert off(found.scores.sum((1, 2)), change) < 1e-2


def test_a_concept_on_a_network_of_free_length() -> None:
    with float64():
        source = keras.Input((None, 4))
        x = L.GlobalMaxPooling1D()(L.Conv1D(5, 3, name="conv")(source))
        network = de.convert(keras.Model(source, L.Dense(2)(x)), dtype="float64")
    x = np.random.default_rng(0).normal(size=(2, 9, 4))
    explainer = network.explainer("tcav", layers="conv", vector=np.ones((7, 5)))
    assert explainer.run(x, target=0).scores.shape == (2, 7, 5)
    with pytest.raises(InputError, match=r"\(7, 5\), and the layer is of shape \(6, 5\)"):
        explainer.run(x[:, 1:], target=0)
