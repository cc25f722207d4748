"""Normalisation against the stated rule, written out as matrices in plain numpy.

For one set of n elements that are normalised together, with C the matrix that takes off the mean,

    y = p / σ     p = x or C·x     q = x or C·x     σ = √(q·q / n + ε)

and between x₀ and x, each step by its own chord,

    Δσ = (q + q₀)·Δq / n / (σ + σ₀)        Δy = (Δp - ȳ·Δσ) / σ̄

so that Δy = M·Δx with a matrix M, and multipliers m of y are m·M of x. In float64 to 1e-12.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_conversion import LayerSpec, ModelSpec, NodeSpec, TensorRef
from deeplift_engine.errors import ConvergenceWarning
from deeplift_engine.translate.build_graph import build
from tests.helpers import off

EXACT = 1e-12
SHAPE = (3, 4)
NUMBERS = np.arange(12).reshape(SHAPE)
ROWS, COLUMNS, ALL = list(NUMBERS), list(NUMBERS.T), [NUMBERS.ravel()]
HALVES = [NUMBERS[:, :2].ravel(), NUMBERS[:, 2:].ravel()]


@dataclass(frozen=True)
class Rule:
    """Which elements are normalised together, and how; ``epsilon`` None for a length.

    Layers of float32 have the float32 number next to epsilon, whatever the network's dtype.
    """

    sets: list[Any]
    epsilon: float | None
    centred: bool = True
    about_mean: bool = True


def parts(x: Any, rule: Rule) -> tuple[Any, Any, float]:
    """p, q and σ of one set."""
    distance = x - x.mean()
    p, q = (distance if chosen else x for chosen in (rule.centred, rule.about_mean))
    if rule.epsilon is None:
        return p, q, max(np.sqrt(np.sum(q * q)), 1e-12)
    return p, q, np.sqrt(np.mean(q * q) + float(np.float32(rule.epsilon)))


def normalised(x: Any, rule: Rule) -> Any:
    result = np.zeros(x.size)
    for chosen in rule.sets:
        p, _, sigma = parts(x.ravel()[chosen], rule)
        result[chosen] = p / sigma
    return result


def chord(x: Any, x0: Any, rule: Rule) -> Any:
    """M over all elements, (out, in)."""
    whole = np.zeros((x.size, x.size))
    for chosen in rule.sets:
        count = len(chosen)
        centring = np.eye(count) - np.full((count, count), 1 / count)
        (p, q, sigma), (p0, q0, sigma0) = (parts(end.ravel()[chosen], rule) for end in (x, x0))
        to_p, to_q = (centring if yes else np.eye(count) for yes in (rule.centred, rule.about_mean))
        share = 1 if rule.epsilon is None else 1 / count
        to_sigma = share * (q + q0) @ to_q / (sigma + sigma0)
        middle = (p / sigma + p0 / sigma0) / 2
        block = (to_p - np.outer(middle, to_sigma)) / ((sigma + sigma0) / 2)
        whole[np.ix_(chosen, chosen)] = block
    return whole


def rms_scaling() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return L.LayerNormalization(rms_scaling=True)


CASES: dict[str, tuple[Callable[[], Any], Rule]] = {
    "layer": (lambda: L.LayerNormalization(), Rule(ROWS, 1e-3)),
    "layer, axis 1": (lambda: L.LayerNormalization(axis=1, epsilon=1e-6), Rule(COLUMNS, 1e-6)),
    "layer, both": (lambda: L.LayerNormalization(axis=[1, 2]), Rule(ALL, 1e-3)),
    "layer, rms_scaling": (rms_scaling, Rule(ROWS, 1e-3, centred=False)),
    "rms": (lambda: L.RMSNormalization(), Rule(ROWS, 1e-6, False, False)),
    "group": (lambda: L.GroupNormalization(2), Rule(HALVES, 1e-3)),
    "unit": (lambda: L.UnitNormalization(), Rule(ROWS, None, False, False)),
}


def network(
    make: Callable[[], Any], folder: Path, shape: tuple[int, ...] = SHAPE, dtype: str = "float64"
) -> tuple[de.Network, Any, Any]:
    """The layer between input and output; its factor and offset for every element."""
    generator = np.random.default_rng(1)
    x = source = keras.Input(shape, name="x")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = make()
        model = keras.Model(source, layer(x))
        factors = {"gamma": np.ones(()), "scale": np.ones(()), "beta": np.zeros(())}
        for weight in layer.weights:
            values = generator.normal(size=tuple(weight.shape))
            weight.assign(values)
            values = weight.numpy().astype(float)
            axis = getattr(layer, "axis", -1)
            values = values[:, np.newaxis] if axis == [1] else values
            factors[weight.name] = values
        model.save(folder / "model.keras")
    factor = np.broadcast_to(factors["gamma"] * factors["scale"], shape).ravel()
    offset = np.broadcast_to(factors["beta"], shape).ravel()
    return de.load(folder / "model.keras", dtype=dtype), factor, offset


@pytest.mark.parametrize("name", CASES)
def test_multipliers_are_the_chords(name: str, tmp_path: Path) -> None:
    make, rule = CASES[name]
    loaded, factor, offset = network(make, tmp_path)
    generator = np.random.default_rng(2)
    x, x0 = generator.normal(size=(2, 4, *SHAPE))
    x0[1] = 0  # of no spread at all
    x0[2] = x[2] + 1e-9 * x0[2]
    x0[3, 0] = x[3, 0]
    found = loaded.explainer(fused=False).run(x, target="all", references=x0)
    multipliers = np.reshape(found.multipliers, (12, 4, 12))
    for sample in range(4):
        expected = factor[:, np.newaxis] * chord(x[sample], x0[sample], rule)
        assert off(multipliers[:, sample], expected) < EXACT
        change = factor * (normalised(x[sample], rule) - normalised(x0[sample], rule))
        explained = expected @ (x[sample] - x0[sample]).ravel()
        assert np.abs(explained - change).max() < EXACT * max(1, np.abs(expected).max())
        output = factor * normalised(x[sample], rule) + offset
        assert off(loaded.predict(x[sample : sample + 1]).ravel(), output) < EXACT


def test_a_reference_of_no_spread_costs_no_digits(tmp_path: Path) -> None:
    """Zeros as a reference, epsilon 1e-12 as in BERT, float32.

    The Shapley value of p times 1/σ has parts of half a million, which cancel; here none is
    above twice the output's difference.
    """
    loaded, _, _ = network(
        lambda: L.LayerNormalization(epsilon=1e-12), tmp_path, (64,), dtype="float32"
    )
    x = np.random.default_rng(3).normal(size=(5, 64))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        found = loaded.explainer(fused=False).run(
            x, target="all", references=np.zeros(64), strict=True
        )
    change = np.abs(found.target_delta).max()
    assert np.max(found.relative_error) < 1e-5
    assert np.abs(found.scores).max() < 4 * change


def test_a_vector_of_zeros_has_a_length_to_divide_by(tmp_path: Path) -> None:
    """Unit normalisation of zeros is zeros, and a reference of zeros explains all of y."""
    loaded, _, _ = network(lambda: L.UnitNormalization(), tmp_path, (6,), dtype="float32")
    x = np.random.default_rng(4).normal(size=(3, 6))
    found = loaded.explainer(fused=False).run(x, target="all", references=np.zeros(6), strict=True)
    assert off(np.sum(found.scores, axis=-1).T, x / np.linalg.norm(x, axis=1)[:, None]) < 1e-6


def test_statistics_over_several_axes_are_broadcast() -> None:
    """As old files have them: (1, height, 1, channels)."""
    generator = np.random.default_rng(5)
    roles = ("gamma", "beta", "moving_mean", "moving_variance")
    weights = {role: generator.uniform(0.5, 2, (1, 3, 1, 2)) for role in roles}
    layers = {
        "x": LayerSpec("x", "InputLayer", {"batch_shape": (None, 3, 4, 2), "dtype": "float32"}),
        "y": LayerSpec("y", "BatchNormalization", {"axis": (1, 3), "epsilon": 0.01}, weights),
    }
    nodes = (NodeSpec("x", "x", ()), NodeSpec("y", "y", (TensorRef("x"),)))
    spec = ModelSpec("m", layers, nodes, ("x",), (TensorRef("y"),))
    graph = build(spec, dtype="float64").graph
    x = generator.normal(size=(2, 3, 4, 2))
    found = graph.forward({"x": tf.constant(x)}, ["y"])["y"]
    gamma, beta, mean, variance = (weights[role] for role in roles)
    assert (
        off(found, (x - mean) / np.sqrt(variance + float(np.float32(0.01))) * gamma + beta) < EXACT
    )
