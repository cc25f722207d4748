"""HSIC beside its definition as a trace, and what it must give."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.explainers.perturbation.dependence import balanced, criterion
from tests.helpers import off

L = keras.layers


@pytest.fixture(scope="module")
def network() -> de.Network:
    """x0·x1 + x2, and nothing of x3."""
    source = keras.Input((4,))
    first, second, third = (L.Dense(1, use_bias=False)(source) for _ in range(3))
    model = keras.Model(source, L.Add()([L.Multiply()([first, second]), third]))
    model.set_weights([np.eye(4)[:, i : i + 1] for i in range(3)])
    return de.convert(model, dtype="float64")


def test_it_is_the_trace_of_centred_kernels(network: de.Network) -> None:
    x, samples = np.array([[1.0, 2.0, 0.5, 3.0], [0.0, 1.0, 1.0, 1.0]]), 40
    made = network.explainer("hsic", groups=None, samples=samples, seed=3)
    found = made.run(x, references=-1.0).scores
    stays = balanced(samples, 4, 3)
    np.testing.assert_array_equal(stays.sum(axis=0), samples // 2)
    centring = np.eye(samples) - 1 / samples
    for sample, scores in zip(x, found, strict=True):
        shown = np.where(stays, sample, -1)
        values = shown[:, 0] * shown[:, 1] + shown[:, 2]
        apart = np.abs(values[:, None] - values)
        of_target = np.exp(-(apart**2) / (2 * np.median(apart[apart > 0]) ** 2))
        for group in range(4):
            agree = np.where(stays[:, group, None] == stays[:, group], 0.5, -0.5)
            trace = np.trace(agree @ centring @ of_target @ centring)
            assert scores[group] == pytest.approx(trace / (samples - 1) ** 2)


def test_it_sees_what_matters_alone_or_together(network: de.Network) -> None:
    found = network.explainer("hsic", groups=None).run(np.ones((1, 4))).scores[0]
    assert found[3] < 0.1 * found[:3].min()
    together = network.explainer("hsic", groups=np.array([0, 0, 1, -1])).run(np.ones((1, 4)))
    assert together.scores[0, 0] == together.scores[0, 1] > 0
    assert together.scores[0, 3] == 0
    assert off(criterion(np.full(6, 2.0), np.array([[1.0], [-1]] * 3)), np.zeros(1)) == 0
