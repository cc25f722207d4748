"""Many targets by way of few units: the same numbers as one walk for each target."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.engine.cuts import Cut, cheapest, cuts
from deeplift_engine.engine.through_cut import ThroughCut
from deeplift_engine.explainers import deeplift
from tests.helpers import off

LENGTH, SAMPLES, COUNT = 12, 3, 4
TOLERANCE = 1e-11
"""Of the maximum, in float64: the slope of a chord is a quotient of small differences."""

pytestmark = [
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning"),
]


def opened(model: keras.Model) -> de.Network:
    generator = np.random.default_rng(1)
    model.set_weights([generator.normal(0, 0.5, array.shape) for array in model.get_weights()])
    return de.convert(model, dtype="float64")


def letters(*shape: int, seed: int = 0) -> Any:
    return np.eye(4)[np.random.default_rng(seed).integers(4, size=(*shape, LENGTH))]


X, OWN = letters(SAMPLES), letters(SAMPLES, COUNT, seed=1)


@pytest.fixture(scope="module")
def net() -> de.Network:
    """A profile behind a nonlinear layer, and classes behind a map, of three units."""
    source = keras.Input((LENGTH, 4), name="sequence")
    x = L.Conv1D(4, 3, activation="relu", name="conv")(source)
    few = L.Dense(3, activation="relu", name="few")(L.Flatten()(x))
    middle = L.Dense(5, activation="relu", name="middle")(few)
    profile = L.Reshape((LENGTH, 2), name="profile")(L.Dense(2 * LENGTH)(middle))
    return opened(keras.Model(source, [profile, L.Dense(7, name="classes")(few)]))


def both_ways(
    monkeypatch: pytest.MonkeyPatch, explainer: Any, node: str, *runs: dict[str, Any], x: Any = X
) -> Any:
    """The passes through a cut, which all runs take; their results are those without it."""
    with monkeypatch.context() as patched:
        patched.setattr(Cut, "saved", lambda cut, *_: 1.0 if cut.node == node else -1.0)
        through = [explainer.run(x, **{"target": "all", **run}) for run in runs]
    (passes,) = explainer._passes.values()
    assert isinstance(passes, ThroughCut)
    assert passes.cut.node == node
    with monkeypatch.context() as patched:
        patched.setattr(deeplift, "cheapest", lambda *_, **__: None)
        for run, result in zip(runs, through, strict=True):
            assert_same(result, explainer.run(x, **{"target": "all", **run}))
    return passes


def assert_same(result: Any, expected: Any) -> None:
    assert off(result.scores, expected.scores) < TOLERANCE
    assert off(result.multipliers, expected.multipliers) < TOLERANCE
    assert off(result.target_delta, expected.target_delta) < TOLERANCE
    size = np.abs(expected.target_delta).max()
    assert np.abs(result.convergence_delta - expected.convergence_delta).max() < TOLERANCE * size
    if expected.standard_errors is not None:
        assert off(result.standard_errors, expected.standard_errors) < TOLERANCE


SHARED = de.references.shared(OWN[0])
PER_SAMPLE = list(np.random.default_rng(2).normal(size=(6, SAMPLES, 7)))
PAIRS = [de.targets.profile("pair", track) for track in (None, 0, 1)] + [de.targets.counts()]


def test_means_of_what_each_pair_sends_to_the_cut(
    net: de.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    explainer = net.explainer(target="profile", fused=False)
    runs = {"references": OWN, "batch_size": 7}, {"references": OWN, "target": PAIRS}
    assert not both_ways(monkeypatch, explainer, "few", *runs).cut.constant


def test_means_where_every_pair_sends_the_same(
    net: de.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    explainer = net.explainer(target="classes", rules="genomics_default", fused=False)
    runs = {"references": SHARED, "batch_size": 5}, {"references": OWN, "target": PER_SAMPLE}
    assert both_ways(monkeypatch, explainer, "few", *runs).cut.constant


def test_references_apart_and_halves_of_multipliers_as_units_of_their_own(
    net: de.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    explainer = net.explainer(target="profile", rules="reveal_cancel", fused=False)
    runs = {"references": SHARED, "average": False}, {"references": OWN, "standard_errors": True}
    assert both_ways(monkeypatch, explainer, "few/pre_activation", *runs).units == 6


@pytest.mark.slow
def test_heads_go_through_what_all_of_them_read(
    net: de.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = {"profile": "profile", "classes": "classes"}
    explainer = net.explainer(target=heads, rules="genomics_default", fused=False)
    run = {"references": OWN, "target": dict.fromkeys(heads, "all")}
    assert both_ways(monkeypatch, explainer, "few", run).units == 3


def test_tokens_are_reached_through_a_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    source = keras.Input((6,), dtype="int32")
    x = L.Dense(2, activation="relu", name="few")(L.Flatten()(L.Embedding(9, 5)(source)))
    explainer = opened(keras.Model(source, L.Dense(8)(x))).explainer(fused=False)
    tokens = np.random.default_rng(3).integers(1, 9, (2, 6))
    both_ways(monkeypatch, explainer, "few", {"references": 0}, x=tokens)


def test_what_is_jumped_over_is_no_cut() -> None:
    source = keras.Input((5,))
    x = L.Dense(4, activation="relu", name="before")(source)
    inner = L.Dense(2, name="inside")(x)
    x = L.Add(name="sum")([x, L.Dense(4, name="back")(inner)])
    network = opened(keras.Model(source, L.Dense(9, name="end")(x)))
    tasks = network.explainer().task, network.explainer(layers="sum").task
    assert [[cut.node for cut in cuts(task)] for task in tasks] == [
        ["before/pre_activation", "before", "sum", "end"],
        ["end"],
    ]
    assert [cut.constant for cut in cuts(tasks[0])] == [False, True, True, True]
    assert cuts(network.explainer(rules="guided_backprop").task) == []
    assert cuts(network.explainer(rules="deconvnet").task) == []


def test_a_cut_is_taken_where_it_saves_more_than_its_products_cost() -> None:
    def best(targets: int, *several: Cut, references: int = 1, by_pair: bool = False) -> str | None:
        cut = cheapest(several, targets, references, averaged=True, by_pair=by_pair)
        return cut and cut.node

    narrow = Cut("narrow", 50, work=1e6, features=800, constant=False)
    wide = Cut("wide", 128, work=1.1e6, features=800, constant=True)
    assert best(50, narrow) is None
    assert best(51, narrow) is None
    assert best(1000, narrow) == "narrow"
    assert best(1000, narrow, wide) == "narrow"
    assert best(1000, narrow, wide, references=20) == "wide"
    large = Cut("large", 128, work=1.9e5, features=800, constant=True)
    assert best(1000, large) is None
    assert best(1000, large, references=10) == "large"
    assert best(1000, large, references=10, by_pair=True) is None


def test_one_target_looks_for_no_cut(net: de.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    explainer = net.explainer(target="classes")
    monkeypatch.setattr(deeplift, "cuts", None)
    assert explainer.run(X, target=2, references=0).scores.shape == X.shape
