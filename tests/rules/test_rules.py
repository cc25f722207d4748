"""Rules against independent computations: split kernels, coalitions, far-apart logits."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from deeplift_engine.errors import RuleError
from deeplift_engine.layers import Softmax
from deeplift_engine.rules import assign

L = keras.layers


def reveal_cancel(x: Any, x0: Any, kernels: list[Any], biases: list[Any]) -> Any:
    """Multipliers of a ReLU net's one output, by the paper's sections 3.5.1 and 3.5.3.

    Written with kernels split by sign and every part kept, as the paper has it: an independent
    and slow reading of what the engine computes with means and half-differences. An element
    without difference takes the mean of what its two parts would, as in the original.
    """

    def f(value: Any) -> Any:
        return np.maximum(value, 0)

    deltas, factors = [x - x0], []
    for kernel, bias in zip(kernels[:-1], biases[:-1], strict=True):
        z, z0 = x @ kernel + bias, x0 @ kernel + bias
        raised, lowered = _parts(deltas[-1], kernel)
        risen = (f(z0 + raised) - f(z0) + f(z) - f(z0 + lowered)) / 2
        fallen = (f(z0 + lowered) - f(z0) + f(z) - f(z0 + raised)) / 2
        limit = ((z0 > 0) + (z > 0).astype(float)) / 2  # of a part that tends to nothing
        factors.append((_ratio(risen, raised, limit), _ratio(fallen, lowered, limit)))
        x, x0 = f(z), f(z0)
        deltas.append(x - x0)
    multiplier = np.broadcast_to(kernels[-1][:, 0], x.shape)
    for kernel, delta, (above, below) in zip(
        kernels[-2::-1], deltas[-2::-1], factors[::-1], strict=True
    ):
        up, down = np.maximum(kernel, 0).T, np.minimum(kernel, 0).T
        raises, lowers = multiplier * above, multiplier * below
        rising, falling = raises @ up + lowers @ down, lowers @ up + raises @ down
        multiplier = np.select([delta > 0, delta < 0], [rising, falling], (rising + falling) / 2)
    return multiplier


def _parts(delta: Any, kernel: Any) -> tuple[Any, Any]:
    up, down = np.maximum(kernel, 0), np.minimum(kernel, 0)
    above, below = np.maximum(delta, 0), np.minimum(delta, 0)
    return above @ up + below @ down, above @ down + below @ up


def _ratio(part: Any, whole: Any, limit: Any) -> Any:
    return np.divide(part, whole, out=limit.copy(), where=whole != 0)


def test_reveal_cancel_is_that_of_split_kernels() -> None:
    keras.utils.set_random_seed(0)
    sizes = [7, 6, 5, 1]
    dense = [L.Dense(n, activation="relu") for n in sizes[1:-1]] + [L.Dense(1)]
    model = keras.Sequential([keras.Input((7,)), *dense])
    generator = np.random.default_rng(0)
    for layer in dense:
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel, generator.normal(size=bias.shape) * 0.3])
    x, x0 = generator.normal(size=(2, 50, 7))
    network = de.convert(model, dtype="float64")
    result = network.explainer(rules="reveal_cancel", fused=False).run(x, references=x0)
    weights = [layer.get_weights() for layer in dense]
    kernels, biases = ([np.float64(w[i]) for w in weights] for i in (0, 1))
    expected = reveal_cancel(x, x0, kernels, biases) * (x - x0)
    np.testing.assert_allclose(result.scores, expected, atol=1e-12)


@pytest.mark.parametrize("logarithm", [False, True])
@pytest.mark.parametrize("spread", [1e-6, 1.0, 30.0, 300.0])
def test_softmax_sums_however_far_the_logits_lie_apart(spread: float, logarithm: bool) -> None:
    generator = np.random.default_rng(0)
    x, x0 = (tf.constant(generator.normal(size=(20, 6)) * spread) for _ in range(2))
    layer = Softmax(logarithm=logarithm)
    multiplier = tf.constant(generator.normal(size=(20, 6)))
    (sent,) = layer.cross([x], [x0], multiplier)
    assert np.isfinite(sent.numpy()).all()
    change = tf.reduce_sum(multiplier * (layer.forward(x) - layer.forward(x0)), -1)
    scale = np.maximum(1.0, np.abs(sent * (x - x0)).sum(-1))
    off = np.abs(tf.reduce_sum(sent * (x - x0), -1) - change) / scale
    assert off.max() < 1e-12


def test_a_product_of_three_gives_each_its_shapley_value() -> None:
    inputs = [keras.Input((4,), name=name) for name in "abc"]
    network = de.convert(keras.Model(inputs, L.Multiply()(inputs)), dtype="float64")
    generator = np.random.default_rng(0)
    x, x0 = (dict(zip("abc", generator.normal(size=(3, 5, 4)), strict=True)) for _ in range(2))
    result = network.explainer(fused=False).run(x, target=(0,), references=x0)

    def value(inside: str) -> Any:
        return np.prod([(x if name in inside else x0)[name][:, 0] for name in "abc"], axis=0)

    for name, first, second in ("abc", "bca", "cab"):
        shapley = (value(name) - value("")) / 3
        shapley += (value(name + first) - value(first)) / 6
        shapley += (value(name + second) - value(second)) / 6
        shapley += (value("abc") - value(first + second)) / 3
        np.testing.assert_allclose(result.scores[name][:, 0], shapley, atol=1e-12)


# ---------------------------------------------------------------- which layers a key means


@pytest.fixture(scope="module")
def scanner() -> de.Network:
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8, 4)),
            L.Conv1D(3, 3, activation="relu", name="scan"),
            L.Flatten(name="flat"),
            L.Dense(3, activation="relu", name="hidden"),
            L.Dense(1, name="last"),
        ]
    )
    return de.convert(model)


@pytest.mark.parametrize("method", ["deeplift", "lrp"])
@pytest.mark.parametrize(
    "key", ["class", "class:", "class:Conv9D", "after", "after:", "default:3", "dense:foo", 3, None]
)
def test_a_key_that_means_no_layer_is_refused(scanner: de.Network, method: str, key: Any) -> None:
    rule = {"deeplift": "gradient", "lrp": "z"}[method]
    with pytest.raises(RuleError, match=f"{key!s}.* is no layer of this model"):
        scanner.explainer(method, rules=[(key, rule), ("default", rule)])


@pytest.mark.parametrize("rules", [5, 2.5, ["scan", "rescale"], [("scan",)], [3]])
def test_rules_of_another_form_are_refused(scanner: de.Network, rules: Any) -> None:
    for method in ("deeplift", "lrp"):
        with pytest.raises(RuleError, match="rules is a name, or pairs"):
            scanner.explainer(method, rules=rules)


@pytest.mark.parametrize("rule", [5, None, ["rescale"]])
def test_a_rule_that_is_no_name_is_refused(scanner: de.Network, rule: Any) -> None:
    for method in ("deeplift", "lrp"):
        with pytest.raises(RuleError, match=r"rule\. Near it"):
            scanner.explainer(method, rules={"default": rule})


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([("default", "genomics_default")], ("rescale", "reveal_cancel")),
        ([("hidden", "genomics_default"), ("default", "gradient")], ("gradient", "reveal_cancel")),
        ({"class:Conv1D": "genomics_default", "default": "gradient"}, ("rescale", "gradient")),
        ([("after:dense", "genomics_default")], ("rescale", "reveal_cancel")),
        ([("scan", "gradient"), ("default", "genomics_default")], ("gradient", "reveal_cancel")),
    ],
)
def test_a_composite_is_a_rule_of_some_layers(
    scanner: de.Network, rules: Any, expected: tuple[str, str]
) -> None:
    assigned = assign(scanner.graph.nodes, rules)
    assert tuple(assigned[name].rule.name for name in ("scan", "hidden")) == expected


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("scan", {"scan"}),
        ("class:Dense", {"hidden"}),
        ("after:dense", {"hidden"}),
        ("after:convolution", {"scan"}),
        ("default", {"scan", "hidden"}),
    ],
)
def test_a_key_means_its_layers(scanner: de.Network, key: str, found: set[str]) -> None:
    rows = scanner.describe([(key, "deconvnet"), ("default", "rescale")])
    assert {row.name for row in rows if row.rule == "deconvnet"} == found
