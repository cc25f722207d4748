"""Shapley values against sums over coalitions in plain numpy, and what they must sum to."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import ConvergenceWarning, RuleError
from tests.explainers.perturbation.perturbed_nets import (
    FEATURES,
    UNITS,
    curved,
    image,
    linear,
    pairs,
    pictures,
    rows,
    several,
    tokens,
    words,
)
from tests.helpers import off

EXACT = 1e-11  # float64, but for the order of sums
COMPLETE = ("shapley_sampling", "exact_shapley", "kernel_shap")


def by_coalitions(value: Any, x: Any, reference: Any, groups: list[Any]) -> Any:
    """Shapley values (units, groups) of one sample, by their definition; groups are masks."""
    players = range(len(groups))

    def of(coalition: tuple[int, ...]) -> Any:
        stays = np.zeros(x.shape, bool)
        for player in coalition:
            stays |= groups[player]
        return value(np.where(stays, x, reference)[np.newaxis])[0]

    found = np.zeros((UNITS, len(groups)))
    for player in players:
        others = [other for other in players if other != player]
        for size in range(len(groups)):
            weight = 1 / (len(groups) * math.comb(len(groups) - 1, size))
            for coalition in itertools.combinations(others, size):
                found[:, player] += weight * (of((*coalition, player)) - of(coalition))
    return found


EACH = [np.arange(FEATURES) == place for place in range(FEATURES)]


@pytest.mark.parametrize("name", ["exact_shapley", "kernel_shap"])  # all coalitions of a few
def test_values_are_those_of_the_definition(name: str) -> None:
    net, value = curved()
    x, reference = rows(), rows(seed=11)
    found = net.explainer(name).run(x, target="all", references=reference)
    expected = [by_coalitions(value, x[n], reference[n], EACH) for n in range(len(x))]
    assert off(found.scores, np.stack(expected, axis=1)) < EXACT
    assert found.relative_error.max() < EXACT


@pytest.mark.parametrize("name", COMPLETE)
def test_linear_networks_give_the_contribution(name: str) -> None:
    """From few draws as well: every permutation, and every regression, is exact."""
    net, w = linear()
    x, reference = rows(), rows(seed=11)
    options = {"exact_shapley": {}, "kernel_shap": {"samples": 12}}.get(name, {"samples": 2})
    found = net.explainer(name, **options).run(x, target="all", references=reference)
    assert off(found.scores, np.einsum("fu,nf->unf", w, x - reference)) < EXACT


@pytest.mark.parametrize("name", COMPLETE)
def test_values_sum_to_the_change_of_the_target(name: str) -> None:
    """With several inputs, references, targets, and groups; of means and of each reference."""
    x = pairs()
    groups = {"letters": "positions", "row": np.array([0, -1, 0])}
    references = [
        rows(3 * 2 * 5, 11)[:, :4]
        .reshape(3, 2, -1)[:, :, :24]
        .repeat(6, 2)[..., :24]
        .reshape(3, 2, 6, 4),
        0.0,
    ]
    net = several()
    options = {"samples": 4} if name == "shapley_sampling" else {}
    made = net.explainer(name, groups=groups, **options)
    for average in (True, False):
        found = made.run(x, target="all", references=references, average=average)
        sums = sum(
            part.reshape(*part.shape[: len(found.axes)], -1).sum(-1)
            for part in found.scores.values()
        )
        start = net.predict(x)
        ends = np.stack(
            [
                net.predict([references[0][:, k], np.where([False, True, False], x[1], 0.0)])
                for k in range(2)
            ],
            axis=1,
        )
        change = np.moveaxis(start[:, np.newaxis] - ends, -1, 0)
        change = change.mean(axis=2) if average else change
        assert off(sums, change) < EXACT
        assert off(found.target_delta, change) < EXACT
        assert found.relative_error.max() < 1e-9


@pytest.mark.parametrize("name", COMPLETE)
def test_references_average(name: str) -> None:
    net, _ = curved()
    x, references = rows(3), rows(12, seed=11).reshape(3, 4, -1)
    made = net.explainer(name)
    whole = made.run(x, target="all", references=references).scores
    apart = made.run(x, target="all", references=references, average=False).scores
    assert apart.shape == (UNITS, 3, 4, FEATURES)
    assert off(apart.mean(axis=2), whole) < EXACT
    for k in range(4):
        alone = made.run(x, target="all", references=references[:, k]).scores
        assert off(apart[:, :, k], alone) < EXACT


@pytest.mark.parametrize("name", COMPLETE)
def test_batches_order_and_neighbours_change_nothing(name: str) -> None:
    net, _ = curved()
    x = rows(6)
    made = net.explainer(name)
    whole = made.run(x, target="all").scores
    for size in (1, 3, 50):
        assert off(made.run(x, target="all", batch_size=size).scores, whole) < EXACT
    some = [4, 1]
    assert off(made.run(x[some], target="all").scores, whole[:, some]) < EXACT
    assert off(made.run(x, target=1).scores, whole[1]) < EXACT


@pytest.mark.parametrize("name", [*COMPLETE, "occlusion", "lime", "rise", "sobol"])
def test_each_sample_has_its_own_target(name: str) -> None:
    net, _ = curved()
    x, references, units = rows(4), rows(8, seed=11).reshape(4, 2, -1), np.array([2, 0, 1, 0])
    options: dict[str, Any] = {"samples": 32} if name in ("lime", "rise") else {}
    if name == "shapley_sampling":
        options = {"samples": 8000, "tolerance": 0.04}  # samples stop in turn
    made = net.explainer(name, **options)
    whole = made.run(x, target="all", references=references).scores
    found = made.run(x, target=units, references=references).scores
    assert off(found, whole[units, np.arange(4)]) < EXACT


def test_tokens_have_values() -> None:
    net, x = tokens(), words()
    found = net.explainer("exact_shapley").run(x, target="all", references=0)
    expected = [
        by_coalitions(net.predict, sample, np.zeros_like(sample), list(np.eye(6, dtype=bool)))
        for sample in x
    ]
    assert off(found.scores, np.stack(expected, axis=1)) < EXACT


# sampling


def original(value: Any, x: Any, count: int, seed: int) -> Any:
    """What each permutation takes, as it is published (Castro 2009), one step after the other."""
    np.random.seed(seed)  # noqa: NPY002
    taken = np.zeros((count, UNITS, *x.shape))
    for total in taken:
        left = x.copy()
        for place in np.random.permutation(x.shape[1]):  # noqa: NPY002
            before = value(left)
            left[:, place] = 0
            total[..., place] += (before - value(left)).T
    return taken


@pytest.mark.parametrize(("samples", "seed"), [(1, 0), (5, 0), (37, 3)])
def test_permutations_are_those_of_the_first_generator(samples: int, seed: int) -> None:
    net, value = curved()
    made = net.explainer("shapley_sampling", samples=samples, antithetic=False, seed=seed)
    found = made.run(rows(), target="all")
    taken = original(value, rows(), samples, seed)
    assert off(found.scores, taken.mean(axis=0)) < EXACT
    if samples == 1:
        assert found.standard_errors is None
    else:
        errors = taken.std(axis=0, ddof=1) / np.sqrt(samples)
        assert off(found.standard_errors, errors) < EXACT


def test_pairs_are_antithetic() -> None:
    """Of two players each order and its reverse: exact after one pair."""
    net, value = curved()
    groups = np.array([0, 0, 1, 1, 1])
    found = net.explainer("shapley_sampling", samples=2, groups=groups).run(rows(), target="all")
    masks = [groups == 0, groups == 1]
    expected = [by_coalitions(value, x, np.zeros_like(x), masks) for x in rows()]
    shares = np.stack(expected, axis=1)[..., groups] / np.array([2, 3])[groups]
    assert off(found.scores, shares) < EXACT


@pytest.mark.parametrize("antithetic", [True, False])
def test_sampling_converges_to_exact_values_as_the_root_of_samples(antithetic: bool) -> None:
    net, _ = curved()
    x, counts = rows(6), np.array([16, 64, 256, 1024])
    exact = net.explainer("exact_shapley").run(x, target="all", references=0).scores
    errors = np.zeros((len(counts), 8))
    for row, count in enumerate(counts):
        for seed in range(8):
            made = net.explainer(
                "shapley_sampling", samples=int(count), antithetic=antithetic, seed=seed
            )
            errors[row, seed] = np.sqrt(np.mean((made.run(x, target="all").scores - exact) ** 2))
    means = np.sqrt((errors**2).mean(axis=1))
    slope = np.polyfit(np.log(counts), np.log(means), 1)[0]
    assert -0.6 < slope < -0.4, f"errors {means}"


@pytest.mark.parametrize("antithetic", [True, False])
def test_standard_errors_are_the_spread_over_seeds(antithetic: bool) -> None:
    net, _ = curved()
    exact = net.explainer("exact_shapley").run(rows(), target="all").scores
    runs = [
        net.explainer("shapley_sampling", samples=80, antithetic=antithetic, seed=seed).run(
            rows(), target="all"
        )
        for seed in range(40)
    ]
    spread = np.sqrt(np.mean([(run.scores - exact) ** 2 for run in runs], axis=0))
    said = np.sqrt(np.mean([run.standard_errors**2 for run in runs], axis=0))
    assert 0.9 < np.sqrt(np.mean(said**2) / np.mean(spread**2)) < 1.1
    loose = said > 0.1 * said.max()
    assert (said[loose] / spread[loose]).min() > 0.6
    assert (said[loose] / spread[loose]).max() < 1.6


def test_sampling_stops_at_a_tolerance_of_each_sample_and_target() -> None:
    net, _ = curved()
    x = rows(8)
    options = {"samples": 8000, "tolerance": 0.03, "seed": 2}
    found = net.explainer("shapley_sampling", **options).run(x, target="all")
    shares = found.standard_errors.max(axis=-1) / np.abs(found.scores).max(axis=-1)
    assert (shares <= 0.03).all()
    assert shares.min() > 0.001  # they did stop
    alone = net.explainer("shapley_sampling", **options).run(x[5:6], target=1)
    assert off(alone.scores[0], found.scores[1, 5]) < EXACT
    assert off(alone.standard_errors[0], found.standard_errors[1, 5]) < EXACT
    points = []
    for tolerance in (0.1, 0.03):
        made = net.explainer("shapley_sampling", samples=8000, tolerance=tolerance)
        forward = made.values._function
        made.values._function = lambda *given, forward=forward: (
            points.append(len(given[0])) or forward(*given)
        )
        made.run(x, target="all")
        points.append(0)
    first = points.index(0)
    assert sum(points[:first]) * 3 < sum(points[first:])
    with pytest.warns(ConvergenceWarning, match="after 32 permutations"):
        net.explainer("shapley_sampling", samples=32, tolerance=1e-5).run(x, target="all")


def test_sampling_dims_are_those_of_deepexplain() -> None:
    x = pictures()
    made = image().explainer("shapley_sampling", sampling_dims=[1, 2], samples=4)
    found = made.run(x, target=0).scores
    positions = image().explainer("shapley_sampling", groups="positions", samples=4)
    np.testing.assert_array_equal(found, positions.run(x, target=0).scores)
    made = image().explainer("shapley_sampling", sampling_dims=[1], samples=4, divide=False)
    rows_of = made.run(x, target=0).scores
    assert (rows_of == rows_of[:, :, :1, :1]).all()
    assert off(rows_of[:, :, 0, 0].sum(axis=1), found.sum(axis=(1, 2, 3))) < EXACT


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"samples": 0}, "whole number of 1 or more"),
        ({"samples": 5}, "even number"),
        ({"tolerance": 0}, "above 0"),
        ({"groups": "positions", "sampling_dims": [1]}, "give one"),
        ({"sampling_dims": [0]}, "1 to 3"),
        ({"sampling_dims": []}, "one or more"),
        ({"sampling_dims": [4]}, "1 to 3"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(RuleError, match=text):
        image().explainer("shapley_sampling", **options).run(pictures(), target=0)


def test_only_what_is_needed_is_evaluated() -> None:
    """Of a permutation of P all states but its two ends, which are evaluated once."""
    net, _ = curved()
    points = []
    made = net.explainer("shapley_sampling", samples=20)
    forward = made.values._function
    made.values._function = lambda *given: points.append(len(given[0])) or forward(*given)
    made.run(rows(3), target="all")
    assert sum(points) == 3 * (1 + 1 + 20 * (FEATURES - 1))


# exact, and regression


def test_too_many_groups_for_all_coalitions_are_refused() -> None:
    with pytest.raises(RuleError, match=r"96 groups would evaluate 2\^96 coalitions.*groups="):
        image().explainer("exact_shapley").run(pictures(), target=0)
    x = pictures()
    # the first sample has few groups, the second one for each pixel
    of_each = np.stack([np.indices((6, 8, 1)).sum(0) % 4, np.arange(48).reshape(6, 8, 1)] * 2)
    with pytest.raises(RuleError, match="48 groups"):
        image().explainer("exact_shapley", groups=of_each[:3]).run(x, target=0)
    cells = image().explainer("exact_shapley", groups=3).run(pictures(1), target=0)
    assert cells.scores.shape == (1, 6, 8, 2)


def test_one_group_takes_all() -> None:
    net, value = curved()
    change = value(rows()) - value(0 * rows())
    for name in COMPLETE:
        made = net.explainer(name, groups=np.zeros(FEATURES, int), divide=False)
        found = made.run(rows(), target="all").scores
        assert off(found, np.repeat(change.T[..., np.newaxis], FEATURES, axis=2)) < EXACT


def test_regression_on_drawn_coalitions_converges() -> None:
    """Twelve players have 4094 coalitions; drawn, the regression nears what all of them give."""
    x = pictures(2)
    groups = (np.arange(96) % 12).reshape(6, 8, 2)
    exact = image().explainer("exact_shapley", groups=groups).run(x, target="all").scores
    every = image().explainer("kernel_shap", groups=groups, samples=5000).run(x, target="all")
    assert off(every.scores, exact) < 1e-9
    errors = [
        np.mean(
            [
                off(
                    image()
                    .explainer("kernel_shap", groups=groups, samples=count, seed=seed)
                    .run(x, target="all")
                    .scores,
                    exact,
                )
                for seed in range(4)
            ]
        )
        for count in (100, 1600)
    ]
    assert errors[1] < errors[0] / 3  # 1/√16, but for chance
    assert errors[1] < 0.05


def test_regression_is_that_of_the_kernel() -> None:
    """Drawn coalitions have the sizes that the kernel says, and come with what they leave out."""
    from deeplift_engine.explainers.perturbation.masking.coalitions import (
        drawn_by_kernel,
        every,
        kernel_weights,
    )

    drawn = drawn_by_kernel(6, 50_000, seed=0)
    assert (drawn[0::2] == ~drawn[1::2]).all()
    rows_ = every(6)[1:-1]
    expected = kernel_weights(rows_) / kernel_weights(rows_).sum()
    numbers = drawn @ (1 << np.arange(6))
    shares = np.bincount(numbers, minlength=64)[1:-1] / len(drawn)
    assert abs(shares - expected).max() < 4 * np.sqrt(expected.max() / len(drawn))


def test_a_regression_on_too_many_groups_is_refused() -> None:
    from deeplift_engine.explainers.perturbation.shapley import check_regressed

    with pytest.raises(RuleError, match="4096 are the most"):
        check_regressed(4097)


def test_methods_are_said_to_be_complete() -> None:
    assert all(de.methods()[name].complete for name in COMPLETE)
    assert not de.methods()["occlusion"].complete
