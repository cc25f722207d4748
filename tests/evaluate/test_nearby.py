"""Metrics that move inputs, against loops in plain numpy and what linear networks must give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deeplift_engine import evaluate
from deeplift_engine.errors import InapplicableError, InputError, RuleError
from tests.evaluate.nets import FEATURES, UNITS, curved, linear, rng, two_inputs
from tests.helpers import off

NEAR = 1e-10


@pytest.fixture(scope="module")
def net() -> Any:
    return curved()


def samples(count: int = 4) -> np.ndarray:
    return rng(5).normal(size=(count, FEATURES))


# ---------------------------------------------------------------- infidelity


def test_the_gradient_of_a_linear_network_is_faithful_to_noise() -> None:
    bench = evaluate.Bench(linear()[0], samples(), target=[0, 1])
    assert evaluate.infidelity(bench.run("gradient"), by="noise").values.max() < NEAR
    assert evaluate.infidelity(bench.run("deeplift"), by="noise").values.max() < NEAR
    assert evaluate.infidelity(bench.run("saliency"), by="noise").values.min() > 1e-4


@pytest.mark.parametrize("references", [0.0, 0.5])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("gradient", {}),
        ("gradient_times_input", {}),
        ("lrp_z", {}),
        ("lrp_epsilon_ratio", {}),
        ("smoothgrad", {"samples": 3}),
        ("smoothgrad", {"of": "deeplift", "samples": 3, "noise": 0.0}),
        ("expected_gradients", {"samples": 3}),
        ("feature_ablation", {}),
        ("internal_influence", {"steps": 2}),
    ],
)
def test_true_weights_are_faithful_to_noise_in_whatever_form(
    method: str, options: dict[str, Any], references: float
) -> None:
    """Per unit, times the input or times its difference: of a linear network all say the same."""
    bench = evaluate.Bench(linear()[0], samples(), target=[0, 1], references=references)
    subject = bench.run(method, **options)
    assert evaluate.infidelity(subject, by="noise", draws=20).values.max() < NEAR
    taken = bench.take(subject.attribution)
    assert evaluate.infidelity(taken, by="noise", draws=20).values.max() < NEAR


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("gradient", {"part": "squared"}),
        ("saliency", {"times_input": True}),
        ("squaregrad", {"samples": 3}),
    ],
)
def test_the_scores_are_judged_and_not_what_they_are_made_of(
    method: str, options: dict[str, Any]
) -> None:
    bench = evaluate.Bench(linear()[0], samples(), target=[0, 1])
    assert evaluate.infidelity(bench.run(method, **options), by="noise").values.min() > 1e-4


def test_scores_times_the_input_know_the_slope_where_it_is_zero() -> None:
    x = np.where(rng(1).random((3, FEATURES)) < 0.5, samples(3), 0)
    bench = evaluate.Bench(linear()[0], x, target=0)
    subject = bench.run("gradient_times_input")
    assert evaluate.infidelity(subject, by="noise").values.max() < NEAR


def test_scores_from_elsewhere_say_what_they_are_shares_of() -> None:
    network, kernel, _ = linear()
    x = samples()
    bench = evaluate.Bench(network, x, target=0, references=0.5)
    for per, share in (("unit", np.ones_like(x)), ("input", x), ("difference", x - 0.5)):
        subject = bench.take(kernel[:, 0] * share, per=per)
        assert evaluate.infidelity(subject, by="noise").values.max() < NEAR
    with pytest.raises(InputError, match="per is one of difference, input, unit, or None"):
        bench.take(x, per="gradient")


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("rise", {"samples": 32}),
        ("blur_integrated_gradients", {"steps": 4}),
        ("occlusion", {"replacement": "blur"}),
        ("feature_permutation", {}),
    ],
)
def test_what_says_nothing_of_noise_is_refused(method: str, options: dict[str, Any]) -> None:
    subject = evaluate.Bench(linear()[0], samples(), target=0).run(method, **options)
    assert np.isfinite(evaluate.infidelity(subject, draws=5).values).all()
    with pytest.raises(InapplicableError, match="do not say what noise does"):
        evaluate.infidelity(subject, by="noise")


def test_the_contributions_of_a_linear_network_are_faithful_to_erasing() -> None:
    bench = evaluate.Bench(linear()[0], samples(), target=0, references=0.5)
    assert evaluate.infidelity(bench.run("deeplift")).values.max() < NEAR
    assert evaluate.infidelity(bench.run("gradient")).values.min() > 1e-4


def test_infidelity_to_erasing_is_that_of_a_loop(net: Any) -> None:
    network, forward = net
    x, x0, scores = samples(), rng(1).normal(size=FEATURES), rng(2).normal(size=(4, FEATURES))
    subject = evaluate.Bench(network, x, target=1, references=x0).take(scores)
    chosen = np.random.default_rng(3).random((20, FEATURES)) < 0.3
    for scaled in (False, True):
        found = evaluate.infidelity(subject, share=0.3, draws=20, seed=3, scaled=scaled)
        for sample in range(4):
            said = np.array([scores[sample, where].sum() for where in chosen])
            done = np.array(
                [
                    forward(x[sample])[1] - forward(np.where(where, x0, x[sample]))[1]
                    for where in chosen
                ]
            )
            factor = np.linalg.lstsq(said[:, None], done, rcond=None)[0] if scaled else 1
            expected = np.mean((factor * said - done) ** 2)
            assert found.values[sample] == pytest.approx(expected, abs=NEAR)


def test_infidelity_to_noise_is_that_of_a_loop(net: Any) -> None:
    network, forward = net
    x, x0, scores = samples(), rng(1).normal(size=FEATURES), rng(2).normal(size=(4, FEATURES))
    subject = evaluate.Bench(network, x, target=1, references=x0).take(scores)
    found = evaluate.infidelity(subject, by="noise", noise=0.2, draws=20, seed=3)
    moves = 0.2 * np.random.default_rng(3).standard_normal((20, FEATURES))
    for sample in range(4):
        steps = moves * (x[sample].max() - x[sample].min())
        said = steps @ (scores[sample] / (x[sample] - x0))
        done = forward(x[sample])[1] - forward(x[sample] - steps)[:, 1]
        expected = np.mean((said - done) ** 2)
        assert found.values[sample] == pytest.approx(expected, rel=1e-8)


# ---------------------------------------------------------------- sensitivity to moves


def test_the_gradient_of_a_linear_network_does_not_change() -> None:
    bench = evaluate.Bench(linear()[0], samples(), target=0)
    assert evaluate.max_sensitivity(bench.run("gradient")).values.max() < NEAR


def test_max_sensitivity_is_that_of_a_loop(net: Any) -> None:
    network, _ = net
    x, own, units = samples(), rng(3).normal(size=(4, 2, FEATURES)), np.array([0, 2, 1, 1])
    bench = evaluate.Bench(network, x, target=units, references=own)
    subject = bench.run("deeplift")
    found = evaluate.max_sensitivity(subject, radius=0.3, draws=5, seed=2).values
    moves = 0.3 * np.random.default_rng(2).uniform(-1, 1, (5, FEATURES))
    explainer = network.explainer()
    for sample in range(4):
        near = x[sample] + moves * (x[sample].max() - x[sample].min())
        moved = explainer.run(
            near, target=int(units[sample]), references=np.repeat(own[sample : sample + 1], 5, 0)
        ).scores
        score = subject.scores[0][0, sample]
        expected = np.linalg.norm(moved - score, axis=1).max() / np.linalg.norm(score)
        assert found[sample] == pytest.approx(expected, abs=NEAR)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("deeplift", {}),
        ("expected_gradients", {"samples": 5}),
        ("smoothgrad", {"samples": 5}),
        ("smoothgrad", {"of": "expected_gradients", "samples": 2, "of_options": {"samples": 2}}),
    ],
)
def test_what_is_drawn_at_random_is_the_same_nearby(
    net: Any, method: str, options: dict[str, Any]
) -> None:
    bench = evaluate.Bench(net[0], samples(), target=0, references=[0.5] * FEATURES)
    subject = bench.run(method, **options)
    assert evaluate.max_sensitivity(subject, radius=1e-9, draws=3).values.max() < 1e-7


def test_what_depends_on_the_set_has_no_sensitivity(net: Any) -> None:
    bench = evaluate.Bench(net[0], samples(), target=0)
    with pytest.raises(InapplicableError, match="others of its set"):
        evaluate.max_sensitivity(bench.run("feature_permutation"))


@pytest.mark.parametrize(
    "metric",
    [
        evaluate.max_sensitivity,
        lambda subject: evaluate.infidelity(subject, by="noise"),
    ],
    ids=["max_sensitivity", "infidelity"],
)
def test_neither_blocks_nor_neighbours_change_anything(net: Any, metric: Any) -> None:
    network, x, own = net[0], samples(5), rng(3).normal(size=(5, 3, FEATURES))

    def measured(rows: Any, batch_size: int | None) -> np.ndarray:
        bench = evaluate.Bench(
            network, x[rows], target=[0, 2], references=own[rows], batch_size=batch_size
        )
        return metric(bench.run("deeplift")).values

    whole = measured(slice(None), None)
    assert whole.shape == (2, 5)
    assert off(measured(slice(None), 3), whole) < NEAR
    assert off(measured([3, 1], 7), whole[:, [3, 1]]) < NEAR


def test_all_inputs_move_together() -> None:
    x = [rng(0).normal(size=(3, 3)), rng(1).normal(size=(3, 2, 2))]
    bench = evaluate.Bench(two_inputs(), x, target="all")
    for method in ("deeplift", "gradient"):
        subject = bench.run(method)
        for measured in (
            evaluate.max_sensitivity(subject),
            evaluate.infidelity(subject, by="noise"),
        ):
            assert measured.values.shape == (UNITS, 3)
            assert np.isfinite(measured.values).all()


def test_what_cannot_be_measured_is_refused(net: Any) -> None:
    bench = evaluate.Bench(net[0], samples(), target=0)
    with pytest.raises(InputError, match=r"Bench\.run"):
        evaluate.max_sensitivity(bench.take(samples()))
    with pytest.raises(RuleError, match="one of erasing, noise"):
        evaluate.infidelity(bench.take(samples()), by="blurring")
    with pytest.raises(RuleError, match="share is a finite number above 0"):
        evaluate.infidelity(bench.take(samples()), share=0)
    with pytest.raises(RuleError, match="draws is a whole number of 1 or more"):
        evaluate.max_sensitivity(bench.take(samples()), draws=0)
