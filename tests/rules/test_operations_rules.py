"""Rules of operations against what they are said to be: Shapley values, shares, means of ends."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import deeplift_engine as de
from deeplift_engine.layers.functions import PLAIN, Function
from deeplift_engine.layers.operations import LogSumExp, Quotient
from tests.helpers import off

Array = Any


def shapley(value: Callable[..., Array], x: Sequence[Array], x0: Sequence[Array]) -> list[Array]:
    """Each player's mean contribution over all orders in which the players may enter."""
    count = len(x)
    found = [np.zeros_like(x[0])] * count
    for order in itertools.permutations(range(count)):
        ends = list(x0)
        before = value(*ends)
        for player in order:
            ends[player] = x[player]
            after = value(*ends)
            found[player] = found[player] + (after - before) / math.factorial(count)
            before = after
    return found


def scores(tmp_path: Path, model: keras.Model, x: Any, x0: Any) -> list[Array]:
    model.save(tmp_path / "m.keras")
    network = de.load(tmp_path / "m.keras", dtype="float64")
    run = network.explainer(target=network.outputs[0]).run
    found = run(x, target=0, references=x0).scores
    return list(found.values()) if isinstance(found, dict) else [found]


def numbers(count: int, size: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(count, size))


@pytest.mark.parametrize("factors", [2, 3, 5])
def test_factors_of_a_product_get_their_shapley_values(tmp_path: Path, factors: int) -> None:
    source = keras.Input((factors,))
    model = keras.Model(source, ops.prod(source, axis=1, keepdims=True))
    x, x0 = numbers(3, factors), numbers(3, factors, 1)
    (found,) = scores(tmp_path, model, x, x0[:, np.newaxis])
    expected = shapley(lambda *each: np.prod(each, axis=0), list(x.T), list(x0.T))
    assert off(found, np.stack(expected, 1)) < 1e-12


def test_a_choice_is_shared_by_shapley_values(tmp_path: Path) -> None:
    """Of the condition and of both values, chosen or not."""
    sources = [keras.Input((1,), name=name) for name in "abc"]
    a, b, c = sources
    model = keras.Model(sources, ops.where(c > 0, a, b))
    x, x0 = (list(numbers(3, 40, seed)[..., np.newaxis]) for seed in (0, 1))
    found = scores(tmp_path, model, x, [values[:, np.newaxis] for values in x0])
    expected = shapley(lambda a, b, c: np.where(c > 0, a, b), x, x0)
    for ours, theirs in zip(found, expected, strict=True):
        assert off(ours, theirs) < 1e-12


def test_what_a_choice_never_shows_may_be_no_number(tmp_path: Path) -> None:
    source = keras.Input((2,))
    model = keras.Model(source, ops.where(source > 0, source, ops.full_like(source, np.inf)))
    x, x0 = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    (found,) = scores(tmp_path, model, x, x0)
    np.testing.assert_array_equal(found, [[-2.0, 0.0]])


def test_tokens_that_changed_share_a_comparison_equally(tmp_path: Path) -> None:
    left, right = (keras.Input((3,), dtype="int32", name=name) for name in ("left", "right"))
    same = ops.cast(ops.equal(left, right), "float32")
    model = keras.Model([left, right], ops.sum(same, axis=1, keepdims=True))
    x, x0 = [[[1, 2, 3]], [[1, 5, 6]]], [[[1, 2, 6]], [[4, 2, 3]]]
    found = scores(tmp_path, model, [np.array(ids) for ids in x], [np.array(ids) for ids in x0])
    # the first token of the right one alone, the second alone, and nothing: both do not equal
    np.testing.assert_array_equal(found[0], [[0, 0, 0]])
    np.testing.assert_array_equal(found[1], [[1, -1, 0]])
    x = [np.array([[1, 2, 3]]), np.array([[1, 2, 4]])]
    x0 = [np.array([[5, 2, 6]]), np.array([[6, 2, 6]])]
    for tokens in scores(tmp_path, model, x, x0):
        np.testing.assert_array_equal(tokens, [[0.5, 0, -0.5]])


def test_a_quotient_is_its_product_read_backwards() -> None:
    """y·q = p: m_p = 1 / q̄ and m_q = -ȳ / q̄; where q changes its sign p·(1/q)."""
    p, q, p0, q0 = np.abs(numbers(4, 9)) + 0.1
    layer = Quotient()
    ends = [[tf.constant(values) for values in end] for end in ((p, q), (p0, q0))]
    found = layer.cross(*ends, tf.ones(9, tf.float64))
    mean = (q + q0) / 2
    assert off(found[0], 1 / mean) < 1e-14
    assert off(found[1], -(p / q + p0 / q0) / 2 / mean) < 1e-14
    ends[1][1] = -ends[1][1]
    found = layer.cross(*ends, tf.ones(9, tf.float64))
    assert off(found[0], (1 / q - 1 / q0) / 2) < 1e-13
    change = found[0] * (p - p0) + found[1] * (q + q0)
    assert off(change, p / q + p0 / q0) < 1e-13


def test_multipliers_of_a_quotient_stay_bounded_by_the_larger_denominator() -> None:
    """As those of the product p·(1/q) do not: the reference may be next to 0."""
    ends = [[tf.constant([1.0]), tf.constant([2.0])], [tf.constant([0.0]), tf.constant([1e-6])]]
    found = Quotient().cross(*ends, tf.ones(1))
    assert max(abs(float(part[0])) for part in found) <= 1.0


def test_shares_of_a_logarithm_of_a_sum_are_between_those_of_both_ends() -> None:
    x, x0 = 5 * numbers(1, 7), 5 * numbers(1, 7, 1)
    layer = LogSumExp((-1,))
    (found,) = layer.cross([tf.constant(x)], [tf.constant(x0)], tf.ones(1, tf.float64))
    softmaxes = [np.exp(end) / np.exp(end).sum() for end in (x, x0)]
    change = np.log(np.exp(x).sum() / np.exp(x0).sum())
    assert abs(np.sum(found * (x - x0)) - change) < 1e-12
    assert np.all(found <= np.maximum(*softmaxes) + 1e-12)


def test_functions_that_are_not_everywhere_say_so() -> None:
    """So that RevealCancel does not ask them for what a part alone would lead to."""
    x = tf.constant(np.linspace(-3, 3, 6001))
    steep = {"sinh", "cosh", "expm1", "exp2"}
    for name in PLAIN:
        values = Function(name).function(x).numpy()
        pole = np.abs(np.diff(values)).max() > 10 and name not in steep
        whole = bool(np.isfinite(values).all()) and not pole
        assert Function(name).everywhere == whole, name
    for exponent, everywhere in ((2.0, True), (0.0, True), (0.5, False), (-1.0, False)):
        assert Function("power", (np.array(exponent),)).everywhere == everywhere
