"""Relevance propagation: against dense matrices, against gradients, and what it keeps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from deeplift_engine.errors import ConvergenceWarning, RuleError, TargetError
from deeplift_engine.graph.fold_batch_norm import merging
from deeplift_engine.layers import Scale
from deeplift_engine.rules.lrp.kernels import FLAT
from tests.cases.generated_models import NETWORKS, Opened, first_of_each, rounded, seeded
from tests.explainers import keras_nets
from tests.explainers.keras_nets import float64
from tests.explainers.relevance import dense_relevance as dense
from tests.helpers import off

L = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning")

# ---------------------------------------------------------------- against dense matrices


def sequence(bias: bool) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((11, 3)),
            L.Conv1D(4, 3, padding="same", use_bias=bias),
            L.Activation("relu"),
            L.MaxPooling1D(2),
            L.Conv1D(5, 2, strides=2, use_bias=bias),
            L.Activation("tanh"),
            L.AveragePooling1D(2),
            L.Flatten(),
            L.Dense(6, use_bias=bias),
            L.Activation("relu"),
            L.Dense(3, use_bias=bias),
        ]
    )


def image(bias: bool) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((7, 6, 2)),
            L.Conv2D(4, 3, use_bias=bias),
            L.Activation("relu"),
            L.DepthwiseConv2D(2, padding="same", use_bias=bias),
            L.Activation("relu"),
            L.MaxPooling2D(2),
            L.Conv2DTranspose(2, 2, strides=2, use_bias=bias),
            L.Activation("softplus"),
            L.Flatten(),
            L.Dense(3, use_bias=bias),
        ]
    )


SHAPES = {"sequence": (11, 3), "image": (7, 6, 2)}


@functools.cache
def opened(name: str, bias: bool = True) -> tuple[keras.Model, de.Network]:
    with float64():
        keras.utils.set_random_seed(1)
        model = {"sequence": sequence, "image": image}[name](bias)
        generator = np.random.default_rng(2)
        model.set_weights([generator.normal(0, 0.5, w.shape) for w in model.get_weights()])
        return model, de.convert(model, dtype="float64")


def data(name: str, samples: int = 3) -> Any:
    return np.random.default_rng(3).uniform(-1, 1, size=(samples, *SHAPES[name]))


Rules = Callable[[int, Any], dense.Rule]


def of_all(rule: dense.Rule) -> Rules:
    return lambda number, layer: rule


def composite(
    first: dense.Rule | None, convolution: dense.Rule, other: dense.Rule, flat: int = 1
) -> Rules:
    def rules(number: int, layer: Any) -> dense.Rule:
        if number < flat and first is not None:
            return first
        return other if isinstance(layer, L.Dense) else convolution

    return rules


LOW, HIGH = -1.0, 1.5
PLUS, PLUS_ALONE = dense.alpha_beta(1, 0), dense.alpha_beta(1, 0, bias=False)
TWO, SMALL, TENTH = dense.alpha_beta(2, 1), dense.epsilon(1e-3), dense.epsilon(0.1)
# method: its options, the rules of kernels, the stabiliser of what adds without one
METHODS: dict[str, tuple[dict[str, Any], Rules, float]] = {
    "lrp_z": ({}, of_all(dense.epsilon(0)), 0),
    "lrp_epsilon": ({"epsilon": 0.05}, of_all(dense.epsilon(0.05)), 0.05),
    "lrp_gamma": ({"gamma": 0.4}, of_all(dense.gamma(0.4)), 0),
    "lrp_z_plus": ({}, of_all(PLUS), 0),
    "lrp_alpha_beta": ({"alpha": 1.5, "beta": 0.5}, of_all(dense.alpha_beta(1.5, 0.5)), 0),
    "lrp_w_square": ({}, of_all(dense.w_square), 0),
    "lrp_flat": ({}, of_all(dense.flat), 0),
    "lrp_epsilon_plus": ({"epsilon": 1e-3}, composite(None, PLUS, SMALL), 1e-3),
    "lrp_epsilon_plus_flat": ({"epsilon": 1e-3}, composite(dense.flat, PLUS, SMALL), 1e-3),
    "lrp_epsilon_gamma_box": (
        {"epsilon": 1e-3, "gamma": 0.3, "low": LOW, "high": HIGH},
        composite(dense.box(LOW, HIGH), dense.gamma(0.3), SMALL),
        1e-3,
    ),
    "lrp_epsilon_alpha2_beta1": ({"epsilon": 1e-3}, composite(None, TWO, SMALL), 1e-3),
    "lrp_epsilon_alpha2_beta1_flat": ({"epsilon": 1e-3}, composite(dense.flat, TWO, SMALL), 1e-3),
    "lrp_sequential_preset_a": ({}, composite(None, PLUS, TENTH), 0.1),
    "lrp_sequential_preset_b": ({}, composite(None, TWO, TENTH), 0.1),
    "lrp_sequential_preset_a_flat": ({}, composite(dense.flat, PLUS, TENTH), 0.1),
    "lrp.sequential_preset_b_flat": ({}, composite(dense.flat, TWO, TENTH), 0.1),
    "lrp_sequential_preset_b_flat_until_index": (
        {"until_index": 1, "epsilon": 0.2},
        composite(dense.flat, TWO, dense.epsilon(0.2), flat=2),
        0.2,
    ),
    "lrp_best_practice": ({"epsilon": 1e-3}, composite(dense.flat, PLUS, SMALL), 1e-3),
    "deep_taylor": ({}, composite(dense.w_square, PLUS_ALONE, PLUS_ALONE), 0),
}


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_what_dense_matrices_give(method: str, name: str) -> None:
    options, rules, stabiliser = METHODS[method]
    model, network = opened(name)
    x = data(name)
    found = network.explainer(method, **options).run(x, target=1)
    by_coefficients = method in ("lrp_w_square", "lrp_flat")
    adding = dense.flat if by_coefficients else dense.epsilon(stabiliser)
    assert off(found.scores, dense.relevance(model, x, 1, rules, adding)) < 1e-9
    assert off(found.target_delta, model(x).numpy()[:, 1]) < 1e-12
    lost = found.scores.reshape(len(x), -1).sum(1) - found.target_delta
    assert off(found.convergence_delta, lost) < 1e-9


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_excitation_backprop_starts_with_a_probability() -> None:
    model, network = opened("sequence")
    x = data("sequence")
    found = network.explainer("excitation_backprop").run(x, target=1)
    expected = dense.relevance(model, x, 1, of_all(PLUS_ALONE), dense.epsilon(0))
    expected /= model(x).numpy()[:, 1][:, np.newaxis, np.newaxis]
    assert off(found.scores, expected) < 1e-9
    assert (found.target_delta == 1).all()


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
def test_deep_taylor_takes_the_bounds_it_is_given() -> None:
    model, network = opened("image")
    x, low = data("image"), np.array([-1.0, -2.0])
    found = network.explainer("deep_taylor", low=low, high=2.0).run(x, target=0)
    rules = composite(dense.box(np.tile(low, 42), 2.0), PLUS_ALONE, PLUS_ALONE)
    expected = dense.relevance(model, x, 0, rules, dense.epsilon(0))
    assert off(found.scores, expected) < 1e-9


def test_rules_go_by_the_first_pair_that_matches() -> None:
    model, network = opened("image")
    x = data("image")
    names = [layer.name for layer in model.layers]
    rules = [
        (names[2], "w_square"),
        ("class:Conv2DTranspose", "gamma"),
        ("first", FLAT),
        ("default", "z"),
    ]
    options = {"gamma": 0.7, "epsilon": 0}
    found = network.explainer("lrp", rules=rules, **options).run(x, target=2)
    mapped = network.explainer("lrp", rules=dict(rules), **options).run(x, target=2)
    assert off(mapped.scores, found.scores) == 0

    def expected_rules(number: int, layer: Any) -> dense.Rule:
        chosen = (dense.flat, dense.w_square, dense.gamma(0.7), dense.epsilon(0))
        return chosen[number]

    assert off(found.scores, dense.relevance(model, x, 2, expected_rules, dense.epsilon(0))) < 1e-9


@pytest.mark.parametrize("dual", ["others", "negated"])
@pytest.mark.parametrize("positive", [False, True])
def test_contrastive_relevance_is_what_dense_matrices_give(dual: str, positive: bool) -> None:
    model, network = opened("image")
    x, unit = data("image"), 1
    found = network.explainer("contrastive_lrp", dual=dual, positive=positive).run(x, target=unit)
    rules = composite(dense.w_square, PLUS_ALONE, PLUS_ALONE)

    def sent(model: keras.Model, start: Any) -> Any:
        return dense.relevance(model, x, start, rules, dense.epsilon(0))

    if dual == "others":
        others = np.arange(3) != unit
        against = sent(model, lambda output: others * output[unit] / 2)
    else:
        with float64():
            negated = keras.models.clone_model(model)
        weights = model.get_weights()
        negated.set_weights([*weights[:-2], *(-array for array in weights[-2:])])
        against = sent(negated, lambda output: (np.arange(3) == unit) * -output[unit])
    expected = sent(model, unit) - against
    assert off(found.scores, np.maximum(expected, 0) if positive else expected) < 1e-9


def test_a_target_without_its_dual_is_named() -> None:
    with float64():
        source = keras.Input((4,))
        hidden = L.Dense(3, activation="relu", name="hidden")(source)
        network = de.convert(keras.Model(source, L.Dense(1)(hidden)), dtype="float64")
    x = np.ones((1, 4))
    with pytest.raises(TargetError, match="no other unit"):
        network.explainer("contrastive_lrp").run(x)
    assert np.isfinite(network.explainer("contrastive_lrp", dual="negated").run(x).scores).all()
    with pytest.raises(TargetError, match="weights of its own"):
        network.explainer("contrastive_lrp", dual="negated", target="hidden")


# ---------------------------------------------------------------- gates and memory


def test_a_memory_cell_keeps_what_its_gates_let_through() -> None:
    """Stepped back by hand: gates take nothing, what adds shares in proportion (Arras 2017)."""
    with float64():
        keras.utils.set_random_seed(4)
        source = keras.Input((5, 2))
        model = keras.Model(source, L.Dense(2, name="head")(L.LSTM(3, name="cell")(source)))
    generator = np.random.default_rng(10)
    model.set_weights([generator.normal(0, 0.7, w.shape) for w in model.get_weights()])
    x = generator.normal(size=(3, 5, 2))
    network = de.convert(model, dtype="float64")
    found = network.explainer("lrp_z").run(x, target=1)
    expected = np.stack([_through_the_cell(sample, *model.get_weights()) for sample in x])
    assert off(found.scores, expected) < 1e-9


def _through_the_cell(
    x: Any, kernel: Any, recurrent: Any, bias: Any, head: Any, head_bias: Any
) -> Any:
    part = slice(6, 9)  # the candidate's, behind those of the input and forget gates
    states, cells, read = [np.zeros(3)], [np.zeros(3)], []
    for step in x:
        projected, mixed = step @ kernel + bias, states[-1] @ recurrent
        enter, forget, candidate, leave = np.split(projected + mixed, 4)
        enter, forget, leave = (1 / (1 + np.exp(-gate)) for gate in (enter, forget, leave))
        new = enter * np.tanh(candidate)
        read.append((projected[part] + mixed[part], forget * cells[-1], new))
        cells.append(forget * cells[-1] + new)
        states.append(leave * np.tanh(cells[-1]))
    at_state = states[-1] * head[:, 1]  # times the value, over the value
    at_cell, scores = np.zeros(3), np.zeros_like(x)
    for number in reversed(range(len(x))):
        total, kept, new = read[number]
        arrived = (at_cell + at_state) / cells[number + 1]
        at_cell, share = kept * arrived, new * arrived / total
        scores[number] = x[number] * (kernel[:, part] @ share)
        at_state = states[number] * (recurrent[:, part] @ share)
    return scores


@pytest.mark.slow
def test_words_have_the_relevance_of_arras_2017() -> None:
    """Equations 5 and 6 of the paper, with its stabiliser, from the words' embedding up."""
    with float64():
        keras.utils.set_random_seed(4)
        words = keras.Input((5,), dtype="int32")
        read = L.LSTM(3, name="cell")(L.Embedding(7, 2)(words))
        model = keras.Model(words, L.Dense(2, use_bias=False)(read))
    generator = np.random.default_rng(10)
    model.set_weights([generator.normal(0, 0.7, w.shape) for w in model.get_weights()])
    x = generator.integers(7, size=(3, 5))
    network = de.convert(model, dtype="float64")
    found = network.explainer("lrp_signal_take_all", epsilon=0.05).run(x, target=1)
    expected = np.stack([_of_words(sample, 0.05, *model.get_weights()) for sample in x])
    assert off(found.scores, expected) < 1e-9


def _of_words(words: Any, eps: float, table: Any, kernel: Any, recurrent: Any, *rest: Any) -> Any:
    """Every message is z / (z_j + eps·sign z_j) of its linear layer, whatever feeds that."""
    bias, head = rest
    x, part = table[words], slice(6, 9)
    states, cells, candidates, kept, new = [np.zeros(3)], [np.zeros(3)], [], [], []
    for step in x:
        gates = step @ kernel + states[-1] @ recurrent + bias
        enter, forget, leave = (1 / (1 + np.exp(-gates[i : i + 3])) for i in (0, 3, 9))
        candidates.append(gates[part])
        kept.append(forget * cells[-1])
        new.append(enter * np.tanh(gates[part]))
        cells.append(kept[-1] + new[-1])
        states.append(leave * np.tanh(cells[-1]))

    def share(relevance: Any, level: Any) -> Any:
        return relevance / (level + eps * np.where(level >= 0, 1, -1))

    output = states[-1] @ head[:, 1]
    at_state, at_cell = states[-1] * head[:, 1] * share(output, output), np.zeros(3)
    scores = np.zeros(len(x))
    for number in reversed(range(len(x))):
        arrived = share(at_cell + at_state, cells[number + 1])
        at_cell, candidate = kept[number] * arrived, new[number] * arrived
        sent = share(candidate, candidates[number])
        scores[number] = x[number] @ kernel[:, part] @ sent
        at_state = states[number] * (recurrent[:, part] @ sent)
    return scores


def test_attention_passes_relevance_to_its_values() -> None:
    """Ali 2022: as gradient times input with the weights of attention taken as constants."""
    with float64():
        keras.utils.set_random_seed(5)
        source = keras.Input((4, 3))
        query, key, value = (L.Dense(3, use_bias=False, name=name)(source) for name in "qkv")
        weights = L.Softmax(name="weights")(L.Dot(axes=(2, 2))([query, key]))
        mixed = L.Activation("relu")(L.Dot(axes=(2, 1))([weights, value]))
        model = keras.Model(source, L.Dense(2, use_bias=False)(L.Flatten()(mixed)))
    x = np.random.default_rng(11).normal(size=(3, 4, 3))
    found = de.convert(model, dtype="float64").explainer("lrp_z").run(x, target=0)
    fixed = keras.Model(source, weights)(x)
    with tf.GradientTape() as tape:
        point = tf.constant(x)
        tape.watch(point)
        mixed = tf.nn.relu(fixed @ model.get_layer("v")(point))
        output = model.layers[-1](tf.reshape(mixed, [3, -1]))[:, 0]
    assert off(found.scores, x * tape.gradient(output, point).numpy()) < 1e-9


def test_products_share_equally_but_for_gates() -> None:
    with float64():
        source = keras.Input((3,))
        left, right = (L.Dense(4, use_bias=False, name=name)(source) for name in ("left", "right"))
        gate = L.Dense(4, activation="sigmoid", use_bias=False, name="gate")(source)
        product = L.Multiply(name="product")([left, gate, right])
        model = keras.Model(source, L.Dense(1, use_bias=False)(product))
    network = de.convert(model, dtype="float64")
    x = np.random.default_rng(12).normal(size=(2, 3))
    layers = ["left", "right", "gate"]
    found = network.explainer("lrp_z", layers=layers).run(x).scores
    whole = network.explainer("lrp_z", layers="product").run(x).scores
    assert off(found["left"], whole / 2) < 1e-12
    assert off(found["right"], whole / 2) < 1e-12
    assert not found["gate"].any()


# ---------------------------------------------------------------- identities


def test_without_bias_relu_networks_have_one_attribution() -> None:
    """Ancona 2018, proposition 2: gradient times input, epsilon-LRP, Rescale."""
    network = keras_nets.opened("without_bias")[1]
    x = keras_nets.data("without_bias")
    expected = network.explainer("grad*input").run(x, target="all").scores
    for method, options in (
        ("lrp_z", {}),
        ("lrp_epsilon", {"epsilon": 1e-12}),
        ("elrp", {"epsilon": 1e-12}),
        ("deeplift", {}),
    ):
        found = network.explainer(method, **options).run(x, target="all").scores
        assert off(found, expected) < 1e-8, method


@functools.cache
def wide() -> de.Network:
    """ReLUs without bias, enough of them that every unit has something positive."""
    with float64():
        x = source = keras.Input((10, 3))
        for stride in (1, 2):
            x = L.Conv1D(16, 3, strides=stride, activation="relu", use_bias=False)(x)
        x = L.Flatten()(L.AveragePooling1D(2)(x))
        x = L.Dense(20, activation="relu", use_bias=False)(x)
        model = keras.Model(source, L.Dense(3, use_bias=False)(x))
    generator = np.random.default_rng(8)
    model.set_weights([generator.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return de.convert(model, dtype="float64")


def wide_data() -> Any:
    return np.random.default_rng(9).normal(size=(4, 10, 3))


def test_gamma_leads_from_epsilon_to_one_sign() -> None:
    network = opened("sequence", bias=False)[1]
    x = data("sequence")
    z, small = (
        network.explainer(method, **options).run(x, target=0).scores
        for method, options in (("lrp_z", {}), ("lrp_gamma", {"gamma": 1e-9}))
    )
    assert off(small, z) < 1e-6
    rectified, x = wide(), wide_data()
    plus, large = (
        rectified.explainer(method, **options).run(x, target="all").scores
        for method, options in (("lrp_z_plus", {}), ("lrp_gamma", {"gamma": 1e9}))
    )
    above = rectified.predict(x).T > 0
    assert above.any()
    assert off(large[above], plus[above]) < 1e-6


# ---------------------------------------------------------------- what is kept


KEEPING = ("lrp_z", "lrp_gamma", "lrp_z_plus", "lrp_w_square", "lrp_flat", "deep_taylor")


@pytest.mark.parametrize("method", [*KEEPING, "excitation_backprop"])
def test_relevance_is_kept_where_nothing_takes_it(method: str) -> None:
    found = wide().explainer(method).run(wide_data(), target="all", strict=True)
    assert found.relative_error.max() < 1e-9
    assert off(found.scores.sum((2, 3)), found.target_delta) < 1e-9


@pytest.mark.parametrize("rules", ["z", "gamma", "z_plus", "w_square", "flat"])
def test_relevance_is_kept_where_biases_are_left_out(rules: str) -> None:
    network = keras_nets.opened("sequence")[1]
    x = keras_nets.data("sequence")
    kept = network.explainer("lrp", rules=rules, epsilon=0, bias=False).run(x, target=0)
    assert kept.relative_error.max() < 1e-8
    taken = network.explainer("lrp", rules=rules, epsilon=0).run(x, target=0)
    promised = rules in ("w_square", "flat")
    assert (taken.relative_error is not None) == promised
    assert (np.abs(taken.convergence_delta).max() < 1e-9) == promised


def test_lost_relevance_is_told_where_none_should_be() -> None:
    """A unit without positive contributions has nobody to send relevance to."""
    with float64():
        source = keras.Input((2,))
        hidden = L.Dense(2, activation="tanh", use_bias=False)(source)
        model = keras.Model(source, L.Dense(1, use_bias=False)(hidden))
    model.set_weights([np.array([[-1.0, 1.0], [-2.0, 1.0]]), np.ones((2, 1))])
    network = de.convert(model, dtype="float64")
    explainer = network.explainer("lrp", rules=[("first", "z_plus"), ("default", "z")], epsilon=0)
    with pytest.warns(ConvergenceWarning, match="divides by zero"):
        explainer.run(np.ones((1, 2)))


def test_scores_of_tokens_are_sums_over_their_embedding() -> None:
    network = keras_nets.opened("words")[1]
    x = keras_nets.data("words")
    at_tokens = network.explainer("lrp_epsilon").run(x, target=1).scores
    inside = network.explainer("lrp_epsilon", layers="embedding").run(x, target=1).scores
    assert off(at_tokens, inside.sum(-1)) < 1e-12


# ---------------------------------------------------------------- batch norm


@functools.cache
def normalised(channels_in_front: bool) -> tuple[de.Network, de.Network]:
    """A network with batch norms, and the same with these folded into its kernels by hand."""
    generator = np.random.default_rng(5)
    kernels = [generator.normal(size=shape) for shape in ((3, 2, 4), (2, 4, 3), (9, 3))]
    biases = [generator.normal(size=size) for size in (4, 3, 3)]
    factors = [generator.uniform(-1, 1.5, size=size) for size in (4, 3, 9)]
    offsets = [generator.normal(size=size) for size in (4, 3, 9)]

    def net(norms: bool) -> keras.Model:
        x = source = keras.Input((9, 2))
        for number in range(2):
            x = L.Conv1D(len(biases[number]), len(kernels[number]), padding="same")(x)
            x = L.Dropout(0.1)(x)
            x = L.BatchNormalization(epsilon=0)(x) if norms else x
            x = L.Activation("relu")(L.AveragePooling1D(3)(x) if number else x)
        x = L.Flatten()(x)
        x = L.BatchNormalization(epsilon=0)(x) if norms and channels_in_front else x
        return keras.Model(source, L.Dense(3)(x))

    with float64():
        plain, folded = net(True), net(False)
    for layer, factor, offset in zip(
        (each for each in plain.layers if isinstance(each, L.BatchNormalization)),
        factors,
        offsets,
        strict=False,
    ):
        layer.set_weights([factor, offset, np.zeros_like(factor), np.ones_like(factor)])
    own = [layer for layer in plain.layers if isinstance(layer, L.Conv1D | L.Dense)]
    other = [layer for layer in folded.layers if isinstance(layer, L.Conv1D | L.Dense)]
    for number, (first, second) in enumerate(zip(own, other, strict=True)):
        kernel, bias = kernels[number], biases[number]
        first.set_weights([kernel, bias])
        if number < 2:
            second.set_weights([kernel * factors[number], bias * factors[number] + offsets[number]])
        elif channels_in_front:
            second.set_weights([kernel * factors[2][:, np.newaxis], bias + offsets[2] @ kernel])
        else:
            second.set_weights([kernel, bias])
    return de.convert(plain, dtype="float64"), de.convert(folded, dtype="float64")


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
@pytest.mark.parametrize("in_front", [False, True], ids=["behind", "in front"])
@pytest.mark.parametrize(
    "method", ["lrp_epsilon", "lrp_gamma", "lrp_alpha_beta", "lrp_epsilon_plus_flat", "deep_taylor"]
)
def test_merged_batch_norm_is_one_folded_by_hand(method: str, in_front: bool) -> None:
    plain, folded = normalised(in_front)
    x = np.random.default_rng(6).normal(size=(4, 9, 2))
    assert off(plain.predict(x), folded.predict(x)) < 1e-12
    found, expected = (
        network.explainer(method).run(x, target="all") for network in (plain, folded)
    )
    assert off(found.scores, expected.scores) < 1e-9
    assert off(found.predictions, expected.predictions) < 1e-12
    by_rule = plain.explainer(method, batch_norm="rule").run(x, target="all")
    if method == "lrp_epsilon":  # in proportion and in proportion again is in proportion
        assert off(by_rule.scores, expected.scores) < 1e-4
    elif method != "deep_taylor":  # without biases, a factor above 0 changes no shares
        assert off(by_rule.scores, expected.scores) > 0.01


MERGED: dict[str, tuple[tuple[int, ...], Callable[[], Any], int]] = {
    # shape, kernel, how many of the batch norms in front and behind stay
    "Dense": ((5, 4), lambda: L.Dense(3), 0),
    "Conv2D": ((6, 5, 4), lambda: L.Conv2D(6, 2, groups=2, strides=2), 0),
    "Conv1D, zeros around": ((6, 4), lambda: L.Conv1D(6, 3, padding="same"), 1),
    "DepthwiseConv2D": ((6, 5, 4), lambda: L.DepthwiseConv2D(2, depth_multiplier=3), 0),
    "SeparableConv2D": ((6, 5, 4), lambda: L.SeparableConv2D(3, 2), 0),
    "Conv2DTranspose": ((4, 3, 4), lambda: L.Conv2DTranspose(5, 3, strides=2), 1),
    "TimeDistributed": ((3, 6, 4), lambda: L.TimeDistributed(L.Conv1D(5, 3)), 1),
    "pooling": ((6, 4), lambda: L.AveragePooling1D(2), 2),
}


@pytest.mark.parametrize("name", MERGED)
def test_merging_changes_no_output(name: str) -> None:
    shape, make, left = MERGED[name]
    with float64():
        source = keras.Input(shape)
        x = make()(L.BatchNormalization()(source))
        x = L.Flatten()(L.Activation("tanh")(L.BatchNormalization()(x)))
        model = keras.Model(source, L.Dense(2)(x))
    generator = np.random.default_rng(7)
    model.set_weights([generator.uniform(0.2, 1, w.shape) for w in model.get_weights()])
    network = de.convert(model, dtype="float64")
    merged = merging(network.graph, ())
    assert sum(isinstance(node.layer, Scale) for node in merged.nodes.values()) == left
    x = generator.normal(size=(3, *shape))
    given = {network.graph.inputs[0]: tf.constant(x)}
    output = merged.forward(given, network.outputs)[network.outputs[0]]
    assert off(output, model(x)) < 1e-12


def test_what_is_looked_at_is_not_merged() -> None:
    network = normalised(False)[0]
    kernel = next(node for node in network.nodes.values() if node.class_name == "Conv1D")
    assert merging(network.graph, {kernel.name}).nodes[kernel.name] is kernel
    assert merging(network.graph, ()).nodes[kernel.name] is not kernel
    x = np.random.default_rng(6).normal(size=(2, 9, 2))
    found = network.explainer("lrp_z", layers=kernel.name).run(x, target=0)
    assert found.scores.shape == (2, 9, 4)


# ---------------------------------------------------------------- any network


@pytest.fixture
def cases(opened: Callable[[str], Opened]) -> Callable[[str], Opened]:
    """As in the engine's tests, which share them."""
    return opened


@pytest.mark.parametrize("method", ["lrp_epsilon", "lrp_alpha_beta", "elrp"])
def test_blocks_change_nothing(method: str) -> None:
    network = opened("image")[1]
    x = data("image", 5)
    explainer = network.explainer(method)
    whole = explainer.run(x, target=[0, 2]).scores
    for size in (1, 2, 3):
        assert off(explainer.run(x, target=[0, 2], batch_size=size).scores, whole) < 1e-12
    assert off(explainer.run(x[3:4], target=2).scores[0], whole[1, 3]) < 1e-12


def check_runs(opened: Opened, method: str, **options: Any) -> None:
    x = rounded(opened.inputs(2, seeded(opened.name)))
    explainer = opened.network.explainer(method, target=opened.target, fused=False, **options)
    found = explainer.run(x, target=opened.unit())
    for scores in keras_nets.parts(found.scores):
        assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_any_network_has_relevance(cases: Callable[[str], Opened], name: str) -> None:
    check_runs(cases(name), "lrp_epsilon")


@pytest.mark.parametrize("rules", ["z", "flat"])
@pytest.mark.parametrize("name", [*NETWORKS, "LayerNormalization", "MultiHeadAttention"])
def test_any_network_keeps_relevance(cases: Callable[[str], Opened], name: str, rules: str) -> None:
    """Without biases, through products, softmax, normalisers and whatever else there is."""
    if (name, rules) == ("residual", "z"):
        pytest.skip("its batch norms read zeros, and give what the bias made: nobody takes it")
    case = cases(name)
    explainer = case.exact.explainer(
        "lrp", rules=rules, epsilon=0, bias=False, target=case.target, fused=False
    )
    found = explainer.run(case.inputs(2, seeded(name)), target=case.unit(), strict=True)
    assert found.relative_error.max() < 1e-9


@pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")
@pytest.mark.parametrize("name", first_of_each())
def test_any_layer_has_relevance(cases: Callable[[str], Opened], name: str) -> None:
    """Of all three kinds of rules; each of them by itself on networks, and against matrices."""
    check_runs(cases(name), "lrp_epsilon_alpha2_beta1_flat")


# ---------------------------------------------------------------- what is said of mistakes


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("lrp", {"rules": "epsilonn"}, "epsilon"),
        ("lrp", {"rules": 7}, "pairs"),
        ("lrp", {"rules": ["first", "z"]}, "pairs"),
        ("lrp", {"rules": [("dence", "z")]}, "dense"),
        ("lrp", {"rules": [("dense", "z")]}, "end with"),
        ("lrp", {"rules": [("first:0", "z"), ("default", "z")]}, "1 or more"),
        ("lrp", {"rules": [("class:Conv9D", "z"), ("default", "z")]}, "Conv"),
        ("lrp", {"batch_norm": "fold"}, "merge"),
        ("lrp", {"epsilon": -1.0}, "0 or more"),
        ("lrp_alpha_beta", {"alpha": 2, "beta": 0}, "alpha - beta"),
        ("lrp_gamma", {"gamma": -0.1}, "0 or more"),
        ("lrp_epsilon_gamma_box", {}, "low= and high="),
        ("lrp_epsilon_gamma_box", {"low": 1, "high": 0}, "nowhere above"),
        ("lrp_epsilon_gamma_box", {"low": 0, "high": np.ones((2, 7, 6, 2))}, "one sample"),
        ("elrp", {"epsilon": 0.0}, "above 0"),
    ],
)
def test_a_mistake_is_named(method: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(RuleError, match=message):
        opened("image")[1].explainer(method, **options)
