"""A chain of products or of maxima has one answer, however a model groups and orders its factors."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.layers import Product
from tests.helpers import off

ROUNDING = 1e-12
Grouped = Callable[..., Any]


def multiply(*factors: Any) -> Any:
    return L.Multiply()(list(factors))


def network_of(grouped: Grouped, count: int) -> de.Network:
    sources = [
        keras.Input((1 if number == 1 else 4,), name=f"x{number}") for number in range(count)
    ]
    total = grouped(*sources)
    return de.convert(keras.Model(sources, total), dtype="float64")


def ends(count: int) -> tuple[list[Any], dict[str, Any]]:
    rng = np.random.default_rng(7)
    widths = [1 if number == 1 else 4 for number in range(count)]
    x = [rng.normal(size=(2, width)) for width in widths]
    return x, {f"x{number}": rng.normal(size=(2, w)) for number, w in enumerate(widths)}


def scores(grouped: Grouped, count: int, fused: bool, **options: Any) -> list[Any]:
    x, x0 = ends(count)
    explainer = network_of(grouped, count).explainer(fused=fused, **options)
    result = explainer.run(x, references=x0, target=2)
    return [result.scores[f"x{number}"] for number in range(count)]


def shapley(count: int) -> list[Any]:
    """By definition: the mean over all orders in which factors go from reference to input."""
    x, x0 = ends(count)
    rows = [np.broadcast_to(each, (2, 4))[:, 2] for each in x]
    rows0 = [np.broadcast_to(each, (2, 4))[:, 2] for each in x0.values()]
    found = [np.zeros(2) for _ in range(count)]
    orders = list(permutations(range(count)))
    for order in orders:
        now = list(rows0)
        for number in order:
            before = np.prod(now, axis=0)
            now[number] = rows[number]
            found[number] += (np.prod(now, axis=0) - before) / len(orders)
    return found


@pytest.mark.parametrize(
    "grouped",
    [
        lambda a, b, c: (a * b) * c,
        lambda a, b, c: a * (b * c),
        lambda a, b, c: multiply(c, L.Dropout(0.5)(multiply(b, a))),
    ],
)
def test_an_audit_walks_the_chain_as_a_run_does(grouped: Grouped) -> None:
    """What arrives at a layer sums to its scores, and the product within is crossed by nothing."""
    source = keras.Input((4,))
    names = ["one", "two", "three"]
    factors = [L.Dense(3, activation="tanh", name=name)(source) for name in names]
    net = de.convert(keras.Model(source, grouped(*factors)), dtype="float64")
    x = np.random.default_rng(0).normal(size=(1, 4))
    audit = net.audit(x, 0.5, target=1, target_layer="output")
    assert audit.ok
    layers = [net.graph.nodes[row.layer].layer for row in audit.rows]
    assert sum(isinstance(layer, Product) for layer in layers) == 1
    arrived = {row.layer: row.arrived for row in audit.rows}
    scores = net.explainer(target="output", layers=names).run(x, references=0.5, target=1).scores
    for name in names:
        assert arrived[name] == pytest.approx(scores[name].sum(), abs=ROUNDING)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(
    ("grouped", "count"),
    [
        (lambda a, b, c: multiply(a, b, c), 3),
        (lambda a, b, c: a * b * c, 3),
        (lambda a, b, c: c * (a * b), 3),
        (lambda a, b, c: multiply(multiply(c, b), a), 3),
        (lambda a, b, c: multiply(L.Dropout(0.5)(a * c), b), 3),
        (lambda a, b, c, d: (a * b) * (c * d), 4),
        (lambda a, b, c, d: a * (b * (c * d)), 4),
        (lambda a, b, c, d: multiply(d, multiply(b, a, c)), 4),
    ],
)
def test_a_chain_has_the_shapley_value(grouped: Grouped, count: int, fused: bool) -> None:
    for found, expected in zip(scores(grouped, count, fused), shapley(count), strict=True):
        assert off(found.sum(1), expected) < ROUNDING


def test_a_power_of_a_product_is_complete() -> None:
    def grouped(a: Any, b: Any) -> Any:
        both = a * b
        return both * both

    x, x0 = ends(2)
    result = network_of(grouped, 2).explainer().run(x, references=x0, target=2)
    change = (x[0][:, 2] * x[1][:, 0]) ** 2 - (x0["x0"][:, 2] * x0["x1"][:, 0]) ** 2
    assert off(sum(each.sum(1) for each in result.scores.values()), change) < ROUNDING


def test_a_product_that_is_scored_or_read_elsewhere_is_a_step_of_its_own() -> None:
    def grouped(a: Any, b: Any, c: Any) -> Any:
        return L.Multiply(name="outer")([L.Multiply(name="inner")([a, b]), c])

    x, x0 = ends(3)
    network = network_of(grouped, 3)
    inner = network.explainer(layers="inner").run(x, references=x0, target=2).scores
    product, product0 = x[0] * x[1], x0["x0"] * x0["x1"]
    expected = (product - product0) * (x[2] + x0["x2"]) / 2
    assert off(inner[:, 2], expected[:, 2]) < ROUNDING

    def shared(a: Any, b: Any, c: Any) -> Any:
        both = a * b
        return L.Add()([both * c, both])

    total = sum(each.sum(1) for each in scores(shared, 3, False))
    change = (x[0] * x[1] * (x[2] + 1) - x0["x0"] * x0["x1"] * (x0["x2"] + 1))[:, 2]
    assert off(total, change) < ROUNDING


def test_a_sweep_beside_gradients_has_the_same_shares() -> None:
    x, x0 = ends(3)
    network = network_of(lambda a, b, c: a * b * c, 3)
    sweep = network.sweep(x, {"own": x0}, ["gradient", "rescale"], target=2)
    for number, expected in enumerate(shapley(3)):
        found = sweep["own", "rescale"].scores[f"x{number}"]
        assert off(found.sum(1), expected) < ROUNDING
