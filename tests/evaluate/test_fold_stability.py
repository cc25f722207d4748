"""MeGe and ReCo on networks whose explanations are known."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from scipy import stats

import deeplift_engine as de
from deeplift_engine import evaluate
from deeplift_engine.errors import InputError
from deeplift_engine.evaluate.fold_stability import FoldStability


def linear(kernel: Any) -> de.Network:
    source = keras.Input((5,))
    model = keras.Model(source, keras.layers.Dense(2, use_bias=False)(source))
    model.set_weights([kernel])
    return de.convert(model, dtype="float64")


def test_distances_are_between_models_with_and_without_a_sample() -> None:
    draw = np.random.default_rng(0)
    kernels = [draw.normal(size=(5, 2)) for _ in range(3)]
    x, classes, folds = draw.normal(size=(6, 5)), np.array([0, 1, 0, 1, 0, 1]), np.arange(6) % 3
    found = evaluate.fold_stability([linear(kernel) for kernel in kernels], x, classes, folds)
    same, other = [], []
    for network in range(3):
        for n, sample in enumerate(x):
            if folds[n] == network:
                continue
            pair = [kernels[network], kernels[folds[n]]]
            scores = [sample * kernel[:, classes[n]] for kernel in pair]
            right = [(sample @ kernel).argmax() == classes[n] for kernel in pair]
            distance = 1 - stats.spearmanr(*scores)[0]
            if all(right):
                same.append(distance)
            elif any(right):
                other.append(distance)
    np.testing.assert_allclose(found.consistent, same, atol=1e-12)
    np.testing.assert_allclose(found.inconsistent, other, atol=1e-12)
    assert found.mege == pytest.approx(1 / (1 + np.mean(same)))
    with pytest.raises(InputError, match="expected two networks or more"):
        evaluate.fold_stability([linear(kernels[0])], x, classes, folds)
    with pytest.raises(InputError, match="from 0 to 1"):
        evaluate.fold_stability([linear(kernel) for kernel in kernels[:2]], x, classes, folds)


def test_what_tells_predictions_apart_is_consistent() -> None:
    apart = FoldStability(np.array([0.1, 0.2]), np.array([0.7, 0.9, 1.1]))
    assert apart.reco == pytest.approx(1)
    mixed = FoldStability(np.array([0.1, 0.8]), np.array([0.2, 0.9]))
    # thresholds 0.1, 0.2, 0.8: 1 + 2/3 - 1, 1/2 + 1/2 - 1, 2/3 + 1 - 1
    assert mixed.reco == pytest.approx(2 / 3)
    assert np.isnan(FoldStability(np.array([0.1]), np.array([])).reco)
    assert FoldStability(np.zeros(3), np.array([])).mege == 1
