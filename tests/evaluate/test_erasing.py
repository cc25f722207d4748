"""Metrics that erase, against loops in plain numpy and what must come out of linear networks."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from deeplift_engine import evaluate, references
from deeplift_engine.engine import targets
from deeplift_engine.errors import InputError, RuleError
from tests.evaluate.nets import FEATURES, curved, linear, picture, rng, tokens, two_inputs
from tests.helpers import off

NEAR = 1e-10


@pytest.fixture(scope="module")
def net() -> Any:
    return curved()


def samples(count: int = 4) -> np.ndarray:
    return rng(5).normal(size=(count, FEATURES))


def erased(x: np.ndarray, x0: np.ndarray, chosen: Any) -> np.ndarray:
    out = x.copy()
    chosen = np.asarray(chosen, int)
    out[chosen] = x0[chosen]
    return out


# ---------------------------------------------------------------- completeness


def test_the_contributions_of_a_linear_network_are_complete() -> None:
    network, _, _ = linear()
    x0 = rng(1).normal(size=FEATURES)
    bench = evaluate.Bench(network, samples(), target=1, references=x0)
    for method in ("deeplift", "gradient"):
        values = evaluate.completeness(bench.run(method)).values
        assert values.shape == (4,)
        assert (values.max() < NEAR) == (method == "deeplift")


def test_completeness_is_the_error_on_the_targets_own_scale(net: Any) -> None:
    network, forward = net
    x, x0 = samples(), rng(1).normal(size=(3, FEATURES))
    scores = rng(2).normal(size=x.shape)
    bench = evaluate.Bench(network, x, target=2, references=references.shared(x0))
    delta = forward(x)[:, 2] - forward(x0)[:, 2].mean()
    level = np.abs(forward(x)[:, 2]) + np.abs(forward(x0)[:, 2].mean())
    scale = np.maximum(np.abs(delta), 0.01 * np.maximum(level, np.abs(scores).sum(1)))
    expected = np.abs(scores.sum(1) - delta) / scale
    assert off(evaluate.completeness(bench.take(scores)).values, expected) < NEAR


# ---------------------------------------------------------------- rationales


@pytest.mark.parametrize("name", ["comprehensiveness", "sufficiency"])
def test_a_rationale_is_erased_or_left_alone(net: Any, name: str) -> None:
    network, forward = net
    x, x0 = samples(), rng(1).normal(size=FEATURES)
    scores = rng(2).normal(size=x.shape)
    bench = evaluate.Bench(network, x, target=[2, 0], references=x0)
    subject = bench.take(np.stack([scores, -scores]))
    result = evaluate.METRICS[name](subject, shares=[0.01, 0.5, 1.0])
    assert list(result.positions) == [0.01, 0.5, 1.0]
    for number, (unit, sign) in enumerate(((2, 1), (0, -1))):
        for sample in range(4):
            order = np.argsort(-sign * scores[sample])
            drops = []
            for count in (1, 3, 6):
                chosen = order[:count] if name == "comprehensiveness" else order[count:]
                after = forward(erased(x[sample], x0, chosen))[unit]
                drops.append(forward(x[sample])[unit] - after)
            assert off(result.curve[number, sample], np.array(drops)) < NEAR
            assert result.values[number, sample] == pytest.approx(np.mean(drops), abs=NEAR)


def test_the_best_rationale_of_a_linear_network_has_its_largest_contributions() -> None:
    network, _, _ = linear()
    bench = evaluate.Bench(network, samples(), target=0, references=0.0)
    best = bench.run("deeplift")
    assert off(evaluate.comprehensiveness(best, shares=[1.0]).values, best.sums[0].sum(-1)) < NEAR
    assert off(evaluate.sufficiency(best, shares=[1.0]).values, np.zeros(4)) < NEAR
    for seed in range(5):
        other = bench.take(rng(seed).normal(size=(4, FEATURES)))
        assert (
            evaluate.comprehensiveness(best).values >= evaluate.comprehensiveness(other).values
        ).all()
        assert (evaluate.sufficiency(best).values <= evaluate.sufficiency(other).values).all()


# ---------------------------------------------------------------- sensitivity-n


def test_sensitivity_n_of_a_linear_network_is_one() -> None:
    network, _, _ = linear()
    bench = evaluate.Bench(network, samples(), target=0, references=0.3)
    found = evaluate.sensitivity_n(bench.run("deeplift"))
    assert off(found.curve, np.ones((4, len(found.positions)))) < NEAR
    opposite = evaluate.sensitivity_n(bench.take(-np.asarray(bench.run("deeplift").scores[0][0])))
    assert off(opposite.values, -np.ones(4)) < NEAR


def test_sensitivity_n_is_the_correlation_over_random_sets(net: Any) -> None:
    network, forward = net
    x, x0 = samples(), rng(1).normal(size=FEATURES)
    scores = rng(2).normal(size=x.shape)
    bench = evaluate.Bench(network, x, target=1, references=x0)
    found = evaluate.sensitivity_n(bench.take(scores), sizes=(1, 2, 4), draws=30, seed=7)
    assert list(found.positions) == [1, 2, 4]
    orders = rng(7).random((30, FEATURES)).argsort(axis=1)
    for number, size in enumerate((1, 2, 4)):
        for sample in range(4):
            sums, drops = [], []
            for order in orders:
                chosen = order[:size]
                sums.append(scores[sample, chosen].sum())
                after = forward(erased(x[sample], x0, chosen))[1]
                drops.append(forward(x[sample])[1] - after)
            expected = np.corrcoef(sums, drops)[0, 1]
            assert found.curve[sample, number] == pytest.approx(expected, abs=NEAR)
    assert off(found.values, found.curve.mean(axis=1)) < NEAR


def test_sensitivity_n_needs_sets_that_differ(net: Any) -> None:
    bench = evaluate.Bench(net[0], samples(), target=0)
    subject = bench.take(samples())
    with pytest.raises(InputError, match="1 to 5 of the 6"):
        evaluate.sensitivity_n(subject, sizes=(6,))
    with pytest.raises(RuleError, match="each a whole number"):
        evaluate.sensitivity_n(subject, sizes=(0.5,))
    with pytest.raises(RuleError, match="draws is a whole number of 2 or more"):
        evaluate.sensitivity_n(subject, draws=1)


# ---------------------------------------------------------------- deletion and insertion


@pytest.mark.parametrize("kind", ["deletion", "insertion"])
def test_the_curves_are_those_of_a_loop(net: Any, kind: str) -> None:
    network, forward = net
    x, x0 = samples(), rng(1).normal(size=FEATURES)
    scores = rng(2).normal(size=x.shape)
    bench = evaluate.Bench(network, x, target=1, references=x0)
    found = getattr(evaluate, kind)(bench.take(scores))
    assert np.allclose(found.positions, np.arange(FEATURES + 1) / FEATURES)
    for sample in range(4):
        order = np.argsort(-scores[sample])
        ends = (x[sample], x0) if kind == "deletion" else (x0, x[sample])
        curve = [
            forward(erased(ends[0], ends[1], order[:count]))[1] for count in range(FEATURES + 1)
        ]
        assert off(found.curve[sample], np.array(curve)) < NEAR
        expected = np.mean([(a + b) / 2 for a, b in itertools.pairwise(curve)])
        assert found.values[sample] == pytest.approx(expected, abs=NEAR)


def test_no_order_of_a_linear_network_beats_that_of_its_contributions() -> None:
    network, _, _ = linear()
    bench = evaluate.Bench(network, samples(), target=0)
    best = bench.run("deeplift")
    for seed in range(5):
        other = bench.take(rng(seed).normal(size=(4, FEATURES)))
        assert (evaluate.deletion(best).values <= evaluate.deletion(other).values + NEAR).all()
        assert (evaluate.insertion(best).values >= evaluate.insertion(other).values - NEAR).all()


# ---------------------------------------------------------------- erasing the top


def test_the_drop_is_that_of_the_largest_positive_scores(net: Any) -> None:
    network, forward = net
    x = samples()
    scores = np.array([[3, 2, 1, -1, -2, -3], [1, 1, 1, 1, 0, 0], [2, 1, 1, 1, 0, 0], [-1] * 6])
    chosen = [[0, 1], [], [0], []]  # two at most, above the third and above zero
    bench = evaluate.Bench(network, x, target=targets.difference(0, 2))
    for options in ({"count": 2}, {"fraction": 1 / 3}):
        found = evaluate.log_odds_drop(bench.take(scores.astype(float)), **options)
        for sample in range(4):
            whole = forward(x[sample])
            after = forward(erased(x[sample], np.zeros(FEATURES), chosen[sample]))
            expected = (whole[0] - whole[2]) - (after[0] - after[2])
            assert found.values[sample] == pytest.approx(expected, abs=NEAR)


def test_all_that_is_positive_can_be_erased(net: Any) -> None:
    network, forward = net
    x, scores = samples(), np.abs(samples())
    found = evaluate.log_odds_drop(
        evaluate.Bench(network, x, target=1).take(scores), count=FEATURES
    )
    assert off(found.values, forward(x)[:, 1] - forward(x * 0)[:, 1]) < NEAR
    with pytest.raises(InputError, match="7 of 6"):
        evaluate.log_odds_drop(evaluate.Bench(network, x, target=1).take(scores), count=7)


# ---------------------------------------------------------------- targets, references, batches


FEWER = {"sensitivity_n": {"draws": 7, "sizes": (1, 3)}, "infidelity": {"draws": 7}}
METRICS = (
    evaluate.completeness,
    evaluate.sensitivity_n,
    evaluate.deletion,
    evaluate.insertion,
    evaluate.log_odds_drop,
    evaluate.infidelity,
)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_several_targets_are_each_alone(net: Any, metric: Any) -> None:
    network, x = net[0], samples()
    whole = evaluate.Bench(network, x, target=[2, targets.difference(0, 1)], references=0.1)
    found = metric(whole.run("deeplift")).values
    assert found.shape == (2, 4)
    for row, target in zip(found, (2, targets.difference(0, 1)), strict=True):
        alone = evaluate.Bench(network, x, target=target, references=0.1)
        assert off(metric(alone.run("deeplift")).values, row) < NEAR


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_neither_blocks_nor_neighbours_change_anything(net: Any, metric: Any) -> None:
    network, x, units = net[0], samples(5), np.array([0, 2, 1, 1, 0])
    own, scores = rng(3).normal(size=(5, 3, FEATURES)), rng(2).normal(size=x.shape)

    def measured(rows: Any, batch_size: int | None) -> np.ndarray:
        bench = evaluate.Bench(
            network, x[rows], target=units[rows], references=own[rows], batch_size=batch_size
        )
        return metric(bench.take(scores[rows]), **FEWER.get(metric.__name__, {})).values

    whole = measured(slice(None), None)
    assert off(measured(slice(None), 2), whole) < NEAR
    assert off(measured([3, 1], 7), whole[[3, 1]]) < NEAR


def test_several_references_are_averaged_over(net: Any) -> None:
    network, x, own = net[0], samples(), rng(3).normal(size=(4, 3, FEATURES))
    scores = rng(2).normal(size=x.shape)
    each = [
        evaluate.deletion(
            evaluate.Bench(network, x, target=0, references=references.per_sample(own[:, k])).take(
                scores
            )
        ).curve
        for k in range(3)
    ]
    bench = evaluate.Bench(network, x, target=0, references=own)
    assert off(evaluate.deletion(bench.take(scores)).curve, np.mean(each, axis=0)) < NEAR


# ---------------------------------------------------------------- features


def test_letters_of_a_position_can_be_one_feature() -> None:
    network, x = picture(), rng(0).normal(size=(2, 5, 4, 2))
    bench = evaluate.Bench(network, x, target=0, groups="positions")
    assert bench.groups.count == 20
    subject = bench.run("deeplift")
    assert off(subject.sums[0], subject.scores[0][0].sum(-1).reshape(2, 20)) < NEAR
    same = evaluate.Bench(
        network, x, target=0, groups=np.repeat(np.arange(20)[::-1], 2).reshape(5, 4, 2)
    )
    found = [evaluate.deletion(each.run("deeplift")).values for each in (bench, same)]
    assert off(found[1], found[0]) < NEAR


def test_a_map_without_channels_is_shared_by_them() -> None:
    network, x = picture(), rng(0).normal(size=(2, 5, 4, 2))
    bench = evaluate.Bench(network, x, target=[0, 1], groups="positions")
    subject = bench.run("grad_cam")
    scores = network.explainer("grad_cam").run(x, target=[0, 1]).scores
    assert off(subject.sums, scores.reshape(2, 2, 20)) < NEAR
    assert off(subject.scores[0][..., 0], scores / 2) < NEAR
    assert np.isfinite(evaluate.max_sensitivity(subject).values).all()
    turned = evaluate.Bench(network, x, target=0).take(rng(1).normal(size=(2, 5, 4)))
    assert off(turned.scores[0][..., 0], turned.scores[0][..., 1]) < NEAR


def test_several_inputs_are_erased_together() -> None:
    network = two_inputs()
    x = {"first": rng(0).normal(size=(3, 3)), "second": rng(1).normal(size=(3, 2, 2))}
    bench = evaluate.Bench(network, x, target=1)
    assert bench.groups.count == 7
    subject = bench.run("deeplift")
    assert evaluate.completeness(subject).values.max() < NEAR
    curve = evaluate.deletion(subject).curve
    assert off(curve[:, 0], network.predict(x)[:, 1]) < NEAR
    zeros = {name: array * 0 for name, array in x.items()}
    assert off(curve[:, -1], network.predict(zeros)[:, 1]) < NEAR
    together = evaluate.Bench(
        network, x, target=1, groups=[np.array([0, 1, 1]), np.array([[0, 0], [5, 5]])]
    )
    assert together.groups.count == 3
    flat = np.concatenate([part[0].reshape(3, -1) for part in subject.scores], axis=1)
    sums = np.stack([flat[:, [0, 3, 4]].sum(1), flat[:, [1, 2]].sum(1), flat[:, 5:].sum(1)], 1)
    assert off(together.run("deeplift").sums[0], sums) < NEAR


def test_groups_of_each_sample_are_refused() -> None:
    x = rng(0).normal(size=(2, 5, 4, 2))
    with pytest.raises(RuleError, match="each sample's own"):
        evaluate.Bench(picture(), x, target=0, groups=np.zeros((2, 5, 4, 2), int))


def test_what_is_in_no_group_stays() -> None:
    network, x = picture(), rng(0).normal(size=(2, 5, 4, 2))
    labels = np.where(np.arange(40).reshape(5, 4, 2) < 10, -1, 3)
    subject = evaluate.Bench(network, x, target=0, groups=labels).run("deeplift")
    assert evaluate.completeness(subject).values.max() < NEAR
    left = x * (labels < 0)
    assert off(evaluate.deletion(subject).curve[:, -1], network.predict(left)[:, 0]) < NEAR


def test_scores_of_other_samples_are_refused(net: Any) -> None:
    bench = evaluate.Bench(net[0], samples(), target=0)
    with pytest.raises(InputError, match=r"shape \(3, 6\): expected \(4, 6\)"):
        bench.take(samples(3))
    with pytest.raises(InputError, match="at the inputs"):
        bench.take({"y": samples()})


def test_tokens_of_texts_of_any_length_are_erased() -> None:
    network, x = tokens(), rng(0).integers(1, 9, size=(3, 7))
    bench = evaluate.Bench(network, x, target=1, references=2)
    subject = bench.run("deeplift")
    assert evaluate.completeness(subject).values.max() < NEAR
    curve = evaluate.insertion(subject).curve
    assert off(curve[:, -1], network.predict(x)[:, 1]) < NEAR
    assert off(curve[:, 0], network.predict(np.full_like(x, 2))[:, 1]) < NEAR
    assert np.abs(evaluate.sensitivity_n(subject).values).max() <= 1 + NEAR
    with pytest.raises(InputError, match="holds tokens"):
        evaluate.max_sensitivity(subject)
