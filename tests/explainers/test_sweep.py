"""Sweeps over references and rules: the scores of single runs, forwarded once, and their table."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

import deeplift_engine as de
from deeplift_engine.errors import InputError, OutputError, ReferencesError, RuleError
from deeplift_engine.figures import draw_sweep
from tests.helpers import off

L = keras.layers
R = de.references
RULES = {"a": "rescale", "b": "genomics_default", "c": {"scan": "reveal_cancel"}, "d": "gradient"}


@pytest.fixture(scope="module")
def network() -> de.Network:
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((24, 4)),
            L.Conv1D(5, 5, activation="relu", name="scan"),
            L.MaxPooling1D(3),
            L.Flatten(),
            L.Dense(7, activation="relu"),
            L.Dense(3),
        ]
    )
    return de.convert(model, dtype="float64")


def one_hot(samples: int, seed: int = 0) -> np.ndarray:
    return np.eye(4)[np.random.default_rng(seed).integers(0, 4, (samples, 24))]


KINDS = {
    "shuffles": R.dinucleotide_shuffle(5),
    "zeros": 0,
    "data": R.shared(one_hot(6, 9)),
    "background": R.background([0.3, 0.2, 0.2, 0.3]),
    "blurred": R.blur(2.0),
}


@pytest.fixture(
    scope="module",
    params=[pytest.param(True, marks=pytest.mark.slow), False],
    ids=["fused", "plain"],
)
def sweeper(request: Any, network: de.Network) -> Any:
    return network.sweeper(RULES, fused=request.param)


@pytest.fixture(scope="module")
def alone(network: de.Network) -> Any:
    """Runs of one setting each."""

    @functools.cache
    def explainer(rule: str) -> Any:
        return network.explainer(rules=RULES[rule], fused=False)

    @functools.cache
    def run(kind: str, rule: str, several_targets: bool) -> Any:
        return explainer(rule).run(
            one_hot(5),
            target=[0, 2] if several_targets else 1,
            references=KINDS[kind],
            standard_errors=kind in ("shuffles", "data"),
        )

    return run


@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("several_targets", [False, True])
def test_every_setting_is_a_run_of_its_own(
    sweeper: Any, alone: Any, batch_size: int | None, several_targets: bool
) -> None:
    target = [0, 2] if several_targets else 1
    sweep = sweeper.run(one_hot(5), KINDS, target=target, batch_size=batch_size)
    assert list(sweep.results) == [(kind, rule) for kind in KINDS for rule in RULES]
    for rule in RULES:
        for kind in KINDS:
            several = kind in ("shuffles", "data")
            expected, found = alone(kind, rule, several_targets), sweep[kind, rule]
            for field in ("scores", "multipliers", "predictions", "target_delta"):
                assert off(getattr(found, field), getattr(expected, field)) < 1e-9
            if several:
                assert off(found.standard_errors, expected.standard_errors) < 1e-9
            assert (found.standard_errors is None) == (not several)
            assert (found.relative_error is None) == (rule == "d")
            for key in ("options", "references", "references_per_sample", "target", "model_sha256"):
                assert found.settings[key] == expected.settings[key]


def test_forward_passes_are_shared(sweeper: Any, monkeypatch: Any) -> None:
    forwarded: list[tuple[str, int]] = []

    def counting(end: str, plain: Any) -> Any:
        return lambda values: forwarded.append((end, len(values[0]))) or plain(values)

    for end, forward in zip(("input", "reference"), sweeper.forward, strict=True):
        monkeypatch.setattr(forward, "tensors", counting(end, forward.tensors))
    sweeper.run(one_hot(8), {"zeros": 0, "data": R.shared(one_hot(3))}, target=0)
    assert sum(size for end, size in forwarded if end == "input") == 8
    assert sum(size for end, size in forwarded if end == "reference") == 4
    forwarded.clear()
    own = {"a": R.shuffle(3), "b": R.dinucleotide_shuffle(4), "c": R.blur(1.0)}
    sweeper.run(one_hot(8), own, target=0)
    assert sum(size for end, size in forwarded if end == "input") == 8
    assert sum(size for end, size in forwarded if end == "reference") == 64


def test_rules_that_come_to_the_same_are_walked_once(network: de.Network) -> None:
    rules = {"first": "rescale", "named": {"class:Dense": "rescale"}, "other": "gradient"}
    sweeper = network.sweeper(rules)
    assert len(sweeper.passes) == 2
    sweep = sweeper.run(one_hot(3), {"even": 0.25}, target=0)
    first, named = sweep["even", "first"], sweep["even", "named"]
    np.testing.assert_array_equal(first.scores, named.scores)
    assert not np.shares_memory(first.scores, named.scores)
    assert (first.settings["options"]["rules"], named.settings["options"]["rules"]) == (
        "rescale",
        {"class:Dense": "rescale"},
    )
    assert off(sweep["even", "other"].scores, first.scores) > 1e-3


def test_several_inputs_and_layers_inside() -> None:
    keras.utils.set_random_seed(4)
    first, second = keras.Input((6, 4), name="first"), keras.Input((3,), name="second")
    joined = L.Concatenate(name="joined")([L.Flatten()(first), second])
    model = keras.Model([first, second], L.Dense(1)(L.Dense(5, activation="relu")(joined)))
    network = de.convert(model, dtype="float64")
    x = [one_hot(4)[:, :6], np.random.default_rng(0).normal(size=(4, 3))]
    kinds = {"mixed": [R.shuffle(3), 0.0], "ones": {"first": 1.0, "second": 1.0}}
    sweep = network.sweep(x, kinds, ["rescale", "reveal_cancel"])
    for kind, references in kinds.items():
        alone = network.explainer(rules="reveal_cancel").run(x, references=references)
        for name in ("first", "second"):
            assert off(sweep[kind, "reveal_cancel"].scores[name], alone.scores[name]) < 1e-9
    assert sweep.agreement().shape == (4, 4, 4)
    inside = network.sweep(x, kinds, layers="joined")
    alone = network.explainer(layers="joined").run(x, references=kinds["mixed"])
    assert off(inside["mixed", "rescale"].scores, alone.scores) < 1e-9


def test_agreement_is_the_correlation_of_scores(sweeper: Any) -> None:
    sweep = sweeper.run(one_hot(3), KINDS, target=[0, 1])
    settings = list(sweep.results)
    for letters in (None, -1, 1):
        by_rank, plain = (sweep.agreement(by_rank=rank, letters=letters) for rank in (True, False))
        assert by_rank.shape == (20, 20, 2, 3)
        for first, second in [(0, 0), (0, 1), (2, 9)]:
            one, other = (sweep[settings[number]].scores[1, 2] for number in (first, second))
            if letters is not None:
                one, other = one.sum(-1), other.sum(-1)
            ranked = spearmanr(one.ravel(), other.ravel()).statistic
            np.testing.assert_allclose(by_rank[first, second, 1, 2], ranked, atol=1e-12)
            linear = pearsonr(one.ravel(), other.ravel()).statistic
            np.testing.assert_allclose(plain[first, second, 1, 2], linear, atol=1e-12)


def test_the_table_says_what_was_compared(sweeper: Any, tmp_path: Any) -> None:
    sweep = sweeper.run(one_hot(3), KINDS, target=0)
    rows = sweep.rows()
    assert [(row["references"], row["rule"]) for row in rows] == list(sweep.results)
    row, found = rows[0], sweep["shuffles", "a"]
    assert row["references_per_sample"] == 5
    assert row["target_delta"] == pytest.approx(found.target_delta.mean())
    assert row["target_delta_spread"] == pytest.approx(found.target_delta.std())
    assert row["relative_error"] == found.relative_error.max() < 1e-8
    share = found.standard_errors.max((1, 2)) / np.abs(found.scores).max((1, 2))
    assert row["standard_error"] == pytest.approx(share.mean())
    agreement = sweep.agreement().mean(axis=2)
    assert row["agreement"] == pytest.approx((agreement[0].sum() - 1) / 19)
    assert rows[4]["standard_error"] is None
    assert rows[3]["relative_error"] is None
    text = str(sweep)
    assert len(text.splitlines()) == 21
    assert "target delta spread" in text
    sweep.save(tmp_path / "sweep.csv")
    assert len((tmp_path / "sweep.csv").read_text().splitlines()) == 21
    with pytest.raises(OutputError, match="there already"):
        sweep.save(tmp_path / "sweep.csv")
    with pytest.raises(OutputError, match=r"not \.txt"):
        sweep.save(tmp_path / "sweep.txt")
    with pytest.raises(OutputError, match="no folder"):
        sweep.save(tmp_path / "nowhere" / "sweep.csv")
    sweep.save(tmp_path / "sweep.csv", overwrite=True)


def test_the_figure_shows_every_setting(sweeper: Any, tmp_path: Any) -> None:
    sweep = sweeper.run(one_hot(3), {"zeros": 0, "shuffles": KINDS["shuffles"]}, target=0)
    figure = draw_sweep(sweep)
    left, right, *_ = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == sweep.labels
    shown = left.images[0].get_array()
    np.testing.assert_allclose(shown, sweep.agreement().mean(axis=2))
    assert len(left.texts) == 64
    widths = [bar.get_width() for bar in right.patches]
    np.testing.assert_allclose(widths, [row["target_delta"] for row in sweep.rows()])
    figure.savefig(tmp_path / "sweep.png")
    assert (tmp_path / "sweep.png").stat().st_size > 10_000


def test_labels_leave_out_what_all_settings_share(network: de.Network) -> None:
    x = one_hot(2)
    one_rule = network.sweep(x, {"zeros": 0, "ones": 1}, target=0)
    assert one_rule.labels == ["zeros", "ones"]
    one_kind = network.sweep(x, {"zeros": 0}, ["rescale", "gradient"], target=0)
    assert one_kind.labels == ["rescale", "gradient"]


@pytest.mark.parametrize(
    ("references", "rules", "error", "says"),
    [
        ({}, "rescale", InputError, "at least one"),
        (R.shuffle(3), "rescale", InputError, "by names of your own"),
        ({"zeros": 0}, [], RuleError, "at least one"),
        ({"zeros": 0}, "rescaled", RuleError, "rescale"),
        ({"open": R.shuffle("auto")}, "rescale", ReferencesError, "give a number"),
    ],
)
def test_what_makes_no_sense_is_refused(
    network: de.Network, references: Any, rules: Any, error: Any, says: str
) -> None:
    with pytest.raises(error, match=says):
        network.sweep(one_hot(2), references, rules, target=0)
    with pytest.raises(InputError, match="no setting"):
        network.sweep(one_hot(2), {"zeros": 0}, target=0)["ones", "rescale"]
