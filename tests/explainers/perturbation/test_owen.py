"""Owen values against their definition over orders, and against SHAP; interactions of pairs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.perturbation.masking import coalitions
from tests.explainers.perturbation.perturbed_nets import (
    FEATURES,
    UNITS,
    curved,
    image,
    pairs,
    pictures,
    rows,
    several,
)
from tests.helpers import off

EXACT = 1e-11  # float64, but for the order of sums
LINKAGE = np.array([[1.0, 3.0, 0.1, 2], [0.0, 5.0, 0.2, 3], [2.0, 4.0, 0.3, 2], [6.0, 7.0, 1.0, 5]])


def orders(nested: Any) -> Iterator[list[int]]:
    """All orders of the leaves in which those of each node are neighbours."""
    if isinstance(nested, int):
        yield [nested]
        return
    for turn in itertools.permutations(nested):
        for parts in itertools.product(*(list(orders(part)) for part in turn)):
            yield [leaf for part in parts for leaf in part]


def by_orders(value: Any, x: Any, reference: Any, nested: Any) -> Any:
    """Mean over these orders of what each feature adds, (units, features)."""
    found, count = np.zeros((UNITS, x.size)), 0
    for order in orders(nested):
        present, before = reference.copy(), value(reference[np.newaxis])[0]
        for feature in order:
            present[feature] = x[feature]
            after = value(present[np.newaxis])[0]
            found[:, feature] += after - before
            before = after
        count += 1
    return found / count


@pytest.mark.parametrize(
    ("hierarchy", "nested"),
    [
        (None, [[0, 1], [2, [3, 4]]]),
        ([[0, 3], [[1, 2], [4]]], [[0, 3], [[1, 2], 4]]),
        ([[4, 0, 2], 1, 3], [[4, 0, 2], 1, 3]),
        ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        (LINKAGE, [[0, [1, 3]], [2, 4]]),
    ],
)
def test_values_are_means_over_the_orders_that_a_hierarchy_allows(
    hierarchy: Any, nested: Any
) -> None:
    net, value = curved()
    x, reference = rows(), rows(seed=11)
    made = net.explainer("partition_shap", hierarchy=hierarchy)
    found = made.run(x, target="all", references=reference)
    expected = [by_orders(value, x[n], reference[n], nested) for n in range(len(x))]
    assert off(found.scores, np.stack(expected, axis=1)) < EXACT
    assert found.relative_error.max() < EXACT


def test_few_coalitions_open_the_largest_nodes_and_keep_the_sum() -> None:
    """Each target of a sample by itself, and more of them lead to the exact values."""
    net, x = image(), pictures(2)
    made = net.explainer("partition_shap", samples=10_000, groups="positions")
    exact, errors = made.run(x, target="all").scores, []
    for samples in (2, 80, 600):
        made = net.explainer("partition_shap", samples=samples, groups="positions")
        found = made.run(x, target="all")
        assert found.relative_error.max() < 1e-9
        alone = made.run(x[1:2], target=2, batch_size=3)
        assert off(alone.scores[0], found.scores[2, 1]) < EXACT
        errors.append(float(np.std(found.scores - exact)))
        if samples == 2:
            assert np.unique(found.scores[1, 0]).size == 2
            assert (found.scores[1, 0, :, :4] == found.scores[1, 0, 0, 0, 0]).all()
    assert errors[0] > 1.1 * errors[1] > 1.3 * errors[2] > 0


def test_inputs_part_first_and_letters_last() -> None:
    """The row's three numbers are one node, as is each position with its four letters."""
    net, x = several(), pairs(1)
    found = net.explainer("partition_shap", samples=5000, groups=["positions", None])
    nested = [[[0, [1, 2]], [3, [4, 5]]], [6, [7, 8]]]
    same = net.explainer("partition_shap", hierarchy=nested, groups=["positions", None])
    ours, theirs = (made.run(x, target=1).scores for made in (found, same))
    for name in ("letters", "row"):
        assert off(ours[name], theirs[name]) < EXACT
    letters = net.explainer("partition_shap", samples=2 + 2 * 2 + 1).run(x, target=1).scores
    assert (letters["letters"] == letters["letters"][:, :, :1]).all()


@pytest.mark.parametrize(
    ("hierarchy", "text"),
    [
        ([[0, 1], [2, 3]], r"each of 0 to 4 once"),
        ([[0, 1], [2, 3, "x"]], "is no number"),
        ([list(range(5)), []], "0 parts"),
        (LINKAGE[:3], r"shape \(3, 4\)"),
        (LINKAGE[[0, 1, 1, 3]], "Row 2 of the linkage joins node 0"),
    ],
)
def test_what_is_no_hierarchy_is_refused(hierarchy: Any, text: str) -> None:
    made = curved()[0].explainer("partition_shap", hierarchy=hierarchy)
    with pytest.raises(RuleError, match=text):
        made.run(rows(), target=0)


@pytest.mark.slow  # SHAP is compiled first
def test_values_are_those_of_shap() -> None:
    """Its Partition explainer on the same function, background and linkage, to rounding."""
    shap = pytest.importorskip("shap")
    net, value = curved()
    x, background = rows(3), rows(4, seed=11)
    for linkage in (LINKAGE, shap.utils.hclust(rows(50, seed=3))):
        masker = shap.maskers.Partition(background, clustering=linkage)
        theirs = shap.explainers.Partition(value, masker)(x, silent=True).values
        made = net.explainer("partition_shap", hierarchy=linkage)
        shared = np.repeat(background[np.newaxis], len(x), axis=0)
        ours = made.run(x, target="all", references=shared).scores
        assert off(np.moveaxis(ours, 0, -1), theirs) < 1e-6


def test_antithetic_permutations_are_exact_where_features_act_in_pairs() -> None:
    """As SHAP's Permutation explainer: one order and its reverse, of x' A x."""
    import keras
    from keras import layers as L  # noqa: N812

    import deeplift_engine as de

    source = keras.Input((FEATURES,))
    hidden = L.Dense(4, name="hidden")(source)
    model = keras.Model(source, L.Dense(UNITS)(L.Multiply()([hidden, hidden])))
    net = de.convert(model, dtype="float64")
    exact, pair = (
        net.explainer(name, **options).run(rows(), target="all", references=rows(seed=11)).scores
        for name, options in (("exact_shapley", {}), ("permutation_shap", {"samples": 2}))
    )
    assert off(pair, exact) < EXACT


# interactions


def by_dividends(value: Any, x: Any, reference: Any, index: str) -> Any:
    """Pairs' values (units, P, P) from Harsanyi's dividends (Grabisch 1999)."""
    every = coalitions.every(len(x))
    dividends = {
        tuple(row): sum(
            (-1) ** (row.sum() - part.sum()) * value(np.where(part, x, reference)[np.newaxis])[0]
            for part in every
            if (part <= row).all()
        )
        for row in every
    }
    found = np.zeros((UNITS, len(x), len(x)))
    for row, dividend in dividends.items():
        members = np.flatnonzero(row)
        for i, j in itertools.permutations(members, 2):
            share = dividend / (len(members) if index == "taylor" else 2) / (len(members) - 1)
            found[:, i, j] += share
            found[:, i, i] -= share
        for i in members:
            found[:, i, i] += dividend / len(members)
    return found


@pytest.mark.parametrize("index", ["shapley", "taylor"])
def test_interactions_are_those_of_the_definition_and_sum_to_shapley_values(index: str) -> None:
    net, value = curved()
    x, references = rows(3), rows(6, seed=11).reshape(3, 2, -1)
    made = net.explainer("shapley_interactions", index=index)
    apart = made.run(x, target="all", references=references, average=False)
    expected = [
        [by_dividends(value, x[n], references[n, k], index) for k in range(2)]
        for n in range(len(x))
    ]
    assert off(apart.scores, np.moveaxis(np.array(expected), 2, 0)) < EXACT
    found = made.run(x, target="all", references=references)
    assert off(found.scores, apart.scores.mean(axis=2)) < EXACT
    exact = net.explainer("exact_shapley").run(x, target="all", references=references)
    assert off(found.scores.sum(axis=-1), exact.scores) < EXACT
    assert off(found.scores, np.swapaxes(found.scores, -1, -2)) < EXACT
    assert off(found.target_delta, exact.target_delta) < EXACT


def test_interactions_of_groups_of_several_inputs_and_of_one() -> None:
    net, x = several(), pairs()
    groups = {"letters": "positions", "row": np.array([0, -1, 0])}
    found = net.explainer("shapley_interactions", groups=groups).run(x, target=1)
    exact = net.explainer("exact_shapley", groups=groups, divide=False).run(x, target=1)
    assert found.scores.shape == (3, 7, 7)
    sums = found.scores.sum(axis=-1)
    assert off(sums[:, 0], exact.scores["row"][:, 0]) < EXACT
    assert off(sums[:, 1:], exact.scores["letters"][..., 0]) < EXACT
    one = net.explainer("shapley_interactions", groups={"letters": 1, "row": np.full(3, -1)})
    assert one.run(x, target=1).scores.shape == (3, 1, 1)


@pytest.mark.slow
def test_interactions_are_those_of_shap() -> None:
    shap = pytest.importorskip("shap")
    net, value = curved()
    x, background = rows(2), rows(3, seed=11)
    masker = shap.maskers.Independent(background)
    explainer = shap.explainers.Exact(lambda rows: value(rows)[:, 1], masker)  # one output alone
    theirs = explainer(x, interactions=True).values
    shared = np.repeat(background[np.newaxis], len(x), axis=0)
    made = net.explainer("shapley_interactions", index="taylor")
    ours = made.run(x, target=1, references=shared).scores
    assert off(ours, theirs) < 1e-6


def test_interactions_need_the_same_few_groups_of_all_samples() -> None:
    x = pictures()
    with pytest.raises(RuleError, match="shapley_interactions of 96 groups"):
        image().explainer("shapley_interactions").run(x, target=0)
    own = np.stack([np.indices((6, 8, 1)).sum(0) % 4] * 3)
    with pytest.raises(RuleError, match="same groups in all samples"):
        image().explainer("shapley_interactions", groups=own).run(x, target=0)
