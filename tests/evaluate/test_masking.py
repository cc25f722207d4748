"""Metrics of maps, of sets of one size, of entropy: beside loops in plain numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from deeplift_engine import evaluate, references
from deeplift_engine.errors import InapplicableError, InputError
from tests.evaluate.nets import FEATURES, curved, linear, rng
from tests.helpers import off

NEAR = 1e-10


@pytest.fixture(scope="module")
def net() -> Any:
    return curved()


def samples(count: int = 5) -> np.ndarray:
    return rng(5).normal(size=(count, FEATURES))


def test_maps_show_shares_of_the_input(net: Any) -> None:
    network, forward = net
    x = samples()
    others = rng(6).normal(size=(2, FEATURES))
    bench = evaluate.Bench(network, x, target=[0, 2], references=references.shared(others))
    subject = bench.run("gradient_times_input")
    scores = subject.scores[0]
    for t, unit in enumerate((0, 2)):
        for n, sample in enumerate(x):
            own = scores[t, n]
            kept = (own - own.min()) / (own.max() - own.min())
            shown = np.mean([forward(kept * sample + (1 - kept) * other)[unit] for other in others])
            before = forward(sample)[unit]
            found = {
                "drop": evaluate.average_drop(subject).values[t, n],
                "gain": evaluate.average_gain(subject).values[t, n],
                "increase": evaluate.average_increase(subject).values[t, n],
            }
            expected = {
                "drop": max(0, before - shown) / before if before > 0 else np.nan,
                "gain": max(0, shown - before) / (1 - before) if before < 1 else np.nan,
                "increase": float(shown > before),
            }
            assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_the_whole_input_loses_nothing_and_constants_show_the_reference(net: Any) -> None:
    network, forward = net
    x = samples()
    bench = evaluate.Bench(network, x, target=0)
    nothing = bench.take(np.ones_like(x))
    assert off(nothing.at_maps, forward(np.zeros((5, FEATURES)))[:, 0][np.newaxis]) < NEAR


@pytest.mark.parametrize("ranked", [False, True])
def test_mu_fidelity_is_the_correlation_over_sets_of_one_size(net: Any, ranked: bool) -> None:
    network, forward = net
    x = samples(3)
    bench = evaluate.Bench(network, x, target=1)
    subject = bench.run("gradient_times_input")
    found = evaluate.mu_fidelity(subject, share=0.5, draws=9, seed=4, ranked=ranked).values
    order = np.random.default_rng(4).random((9, FEATURES)).argsort(axis=1).argsort(axis=1)
    sets = order < 3
    compare = stats.spearmanr if ranked else stats.pearsonr
    for n, sample in enumerate(x):
        drops = [forward(sample)[1] - forward(np.where(one, 0, sample))[1] for one in sets]
        sums = [subject.scores[0][0, n][one].sum() for one in sets]
        assert found[n] == pytest.approx(compare(sums, drops)[0])
    exact = evaluate.Bench(linear()[0], x, target=1).run("deeplift")
    np.testing.assert_allclose(evaluate.mu_fidelity(exact, ranked=ranked).values, 1)
    with pytest.raises(InputError, match="sets of 1 to 5"):
        evaluate.mu_fidelity(subject, share=1.0)


def test_complexity_is_the_entropy_of_shares() -> None:
    bench = evaluate.Bench(linear()[0], samples(3), target=0)
    scores = np.array([[1.0] * 6, [0, -3, 0, 0, 0, 0], [0.0] * 6])
    values = evaluate.complexity(bench.take(scores)).values
    np.testing.assert_allclose(values, [np.log(6), 0, np.nan], atol=1e-12)
    random = rng(1).normal(size=(3, FEATURES))
    expected = stats.entropy(np.abs(random), axis=1)
    np.testing.assert_allclose(evaluate.complexity(bench.take(random)).values, expected)


def test_mean_changes_lie_below_the_largest(net: Any) -> None:
    bench = evaluate.Bench(net[0], samples(3), target=0)
    subject = bench.run("gradient_times_input")
    largest, mean = (
        metric(subject, radius=0.3, draws=8).values
        for metric in (evaluate.max_sensitivity, evaluate.average_sensitivity)
    )
    assert (mean < largest).all()
    one = [
        metric(subject, radius=0.3, draws=1).values
        for metric in (evaluate.max_sensitivity, evaluate.average_sensitivity)
    ]
    assert off(*one) < NEAR
    constant = evaluate.Bench(linear()[0], samples(3), target=0).run("gradient")
    assert evaluate.average_sensitivity(constant).values.max() < NEAR


def test_tokens_have_no_shares() -> None:
    import keras

    import deeplift_engine as de

    source = keras.Input((4,), dtype="int32")
    x = keras.layers.Flatten()(keras.layers.Embedding(5, 2)(source))
    network = de.convert(keras.Model(source, keras.layers.Dense(1)(x)))
    bench = evaluate.Bench(network, np.arange(8).reshape(2, 4) % 5)
    with pytest.raises(InapplicableError, match="no share can stay"):
        evaluate.average_drop(bench.run("occlusion"))
