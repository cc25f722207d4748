"""Numbers that Xplique's own tests expect, of like networks in Keras; its version is 2.0.

Where definitions differ options say so: a window's change is divided by its size here, and of the
Grad-CAM++ of a channel weights are those of the publication, element by element.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine import evaluate
from deeplift_engine.explainers.gradients.quadrature import quadrature
from tests.helpers import off

L, ops = keras.layers, keras.ops
EXACT = 1e-12


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def converted(source: Any, output: Any) -> Any:
    return de.convert(keras.Model(source, output), dtype="float64")


def weighted(*weights: float, bias: float = 0.0) -> Any:
    """A sum of the pixels of an image, and the network of it."""
    side = int(len(weights) ** 0.5)
    source = keras.Input((side, side, 1))
    layer = L.Dense(1)
    network = keras.Model(source, layer(L.Flatten()(source)))
    layer.set_weights([np.array(weights)[:, np.newaxis], np.array([bias])])
    return de.convert(network, dtype="float64")


def of_channels(gradients: np.ndarray) -> Any:
    """A layer "conv" that is its input, and an output with these gradients (H, W, C) of it."""
    channels = gradients.shape[-1]
    source = keras.Input(gradients.shape)
    conv, dense = L.Conv2D(channels, 1, name="conv"), L.Dense(1)
    network = keras.Model(source, dense(L.Flatten()(conv(source))))
    conv.set_weights([np.eye(channels)[np.newaxis, np.newaxis], np.zeros(channels)])
    dense.set_weights([gradients.reshape(-1, 1), np.zeros(1)])
    return de.convert(network, dtype="float64")


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("batch_size", [1, 4, None])
def test_what_erasing_does_correlates_with_what_is_added(sign: int, batch_size: int | None) -> None:
    """test_perfect_correlation, test_worst_correlation, test_MuFidelity_batch_size."""
    x = generator().uniform(size=(3, 5, 5, 1))
    bench = evaluate.Bench(weighted(*[1.0] * 25), x, target=0, references=0, batch_size=batch_size)
    found = evaluate.mu_fidelity(bench.take(sign * x), draws=20)
    assert found.values == pytest.approx(sign, abs=1e-9)


def test_curves_of_what_breaks_at_once() -> None:
    """test_perfect_deletion, test_perfect_insertion."""
    x = generator().uniform(0.1, 1, size=(4, 16, 16, 1))
    source = keras.Input((16, 16, 1))
    absent = L.GlobalMaxPooling2D()(L.ReLU()(L.Rescaling(-100.0, 1.0)(source)))
    present = L.GlobalMaxPooling2D()(L.ReLU(1.0)(L.Rescaling(100.0)(source)))
    network = converted(source, L.Concatenate()([L.Rescaling(-1.0, 1.0)(absent), present]))
    areas = []
    for unit, metric in enumerate((evaluate.deletion, evaluate.insertion)):
        bench = evaluate.Bench(network, x, target=unit, references=0)
        areas.append(metric(bench.take(x), steps=256).values)
    assert areas[0] == pytest.approx(0, abs=1e-2)
    assert areas[1] == pytest.approx(1, abs=1e-2)


def test_what_is_lost_and_gained_through_a_map() -> None:
    """test_average_metrics_constant_operator_yields_zero, the drop with a mean by hand."""
    x, scores = generator().uniform(0.1, 1, size=(2, 4, 2, 2, 1))
    constant = evaluate.Bench(weighted(0, 0, 0, 0, bias=0.5), x, target=0, references=0)
    for metric in (evaluate.average_drop, evaluate.average_gain, evaluate.average_increase):
        assert off(metric(constant.take(scores)).values, np.zeros(4)) == 0
    mean = evaluate.Bench(weighted(*[0.25] * 4), x, target=0, references=0)
    low, high = scores.min((1, 2, 3)), scores.max((1, 2, 3))
    share = (scores - low[:, None, None, None]) / (high - low)[:, None, None, None]
    before, after = x.mean((1, 2, 3)), (x * share).mean((1, 2, 3))
    found = evaluate.average_drop(mean.take(scores)).values
    assert off(found, np.maximum(before - after, 0) / before) < EXACT


def test_fem_is_the_sum_of_means_where_channels_stand_out() -> None:
    """test_weights_computation of FEM."""
    activations = np.array([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [1.0, 4.0]]])
    explainer = of_channels(np.ones((2, 2, 2))).explainer(
        "fem", layers="conv", factor=1.0, resize=None
    )
    found = explainer.run(activations[np.newaxis]).scores
    assert off(found.reshape(2, 2), np.array([[1.0, 1.0], [1.0, 2.0]])) < EXACT


def test_grad_cam_is_the_sum_of_channels_by_their_mean_gradients() -> None:
    """test_weights_computation of GradCAM."""
    planes = [[[1.0, 1.0], [1.0, 1.0]], [[1.0, 1.0], [0.0, 0.0]]]
    planes += [[[1.0, 0.5], [0.0, 0.0]], [[0.5, 0.0], [0.0, 0.0]]]
    values = np.moveaxis(np.array(planes), 0, -1)
    explainer = of_channels(values).explainer("grad_cam", layers="conv", resize=None)
    found = explainer.run(values[np.newaxis]).scores
    expected = values @ np.array([4.0, 2.0, 1.5, 0.5]) / 4
    assert off(found.reshape(2, 2), expected) < EXACT


def test_occlusion_is_what_is_lost() -> None:
    """test_delta_computation."""
    network, x = weighted(0.0, 1.0, -9.0, 2.0, bias=7.0), np.ones((1, 2, 2, 1))
    one = network.explainer("occlusion").run(x, references=0).scores
    assert off(one.ravel(), np.array([0.0, 1.0, -9.0, 2.0])) < EXACT
    whole = weighted(1.0, 1.0, 1.0, 2.0, bias=5.0)
    every = whole.explainer("occlusion", window=(2, 2, 1)).run(x, references=0).scores
    assert off(every.ravel(), np.full(4, 5.0 / 4)) < EXACT


def test_the_trapezoid_rule() -> None:
    """test_trapezoidal_rule, test_straighline_path."""
    positions, weights = quadrature("trapezoid", 7)
    points = np.array([0.1, 0.4, 0.6, 0.8, 0.9, 1.0, 0.8])
    assert weights @ points == pytest.approx((points[1:] + points[:-1]).mean() / 2, abs=EXACT)
    assert off(positions, np.linspace(0, 1, 7)) < EXACT


def test_total_indices_of_ishigamis_function() -> None:
    """test_ishigami: masks from 0 to 1 move each input from one end to the other."""
    source = keras.Input((3,))
    first, second, third = (source[:, number : number + 1] for number in range(3))
    wave = ops.sin(first)
    output = wave + 7.0 * ops.square(ops.sin(second)) + 0.1 * wave * ops.square(ops.square(third))
    explainer = converted(source, output).explainer("sobol", groups=None, samples=1 << 12)
    found = explainer.run(np.full((1, 3), np.pi), references=-np.pi).scores
    assert found.ravel() == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.02)


def test_concepts_of_two_steps() -> None:
    """test_tcav_computation: the share of samples whose unit rises along each direction."""
    source = keras.Input((2,), name="x")
    scaled = L.Rescaling(20.0, -10.0, name="scaled")(source)
    output = L.Activation("sigmoid", name="steps")(scaled)
    network, x = converted(source, output), generator().uniform(size=(200, 2))
    for vector in np.eye(2):
        made = network.explainer(
            "concept_sensitivity", layers="scaled", target="steps", vector=vector
        )
        found = made.run(x, target="all").scores.sum(axis=-1)
        assert off((found > 0).mean(axis=1), vector) == 0


def test_explanations_of_one_network_in_all_folds_are_one() -> None:
    """test_best_mege."""
    network, x = weighted(*generator().normal(size=64)), generator().normal(size=(12, 8, 8, 1))
    for method in ("saliency", "gradient_times_input"):
        found = evaluate.fold_stability(
            [network] * 4, x, np.zeros(12, int), np.arange(12) % 4, method
        )
        assert found.mege == pytest.approx(1)


def test_scores_that_do_not_move_are_stable() -> None:
    """test_perfect_stability."""
    bench = evaluate.Bench(weighted(1.0, 2.0, 3.0, 4.0), generator().normal(size=(3, 2, 2, 1)))
    found = evaluate.average_sensitivity(bench.run("gradient"), draws=5).values
    assert off(found, np.zeros(found.shape)) < EXACT


def test_how_many_elements_scores_are_spread_over() -> None:
    """The entropies and Gini coefficients of test_complexity."""
    scores = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0]]).reshape(2, 2, 2, 1)
    subject = evaluate.Bench(weighted(*[1.0] * 4), scores, target=0).take(scores)
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    entropies = [np.log(4), -(shares * np.log(shares)).sum()]
    assert evaluate.complexity(subject).values == pytest.approx(entropies, abs=1e-6)
    assert evaluate.sparsity(subject).values == pytest.approx([0.0, 0.25], abs=1e-9)
