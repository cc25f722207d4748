"""Methods compared: what may be asked, what is found, and how it is told, drawn and written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from scipy import stats

import deeplift_engine as de
from deeplift_engine import evaluate
from deeplift_engine.errors import (
    InapplicableError,
    InapplicableWarning,
    InputError,
    OutputError,
    RuleError,
)
from deeplift_engine.evaluate.compare_methods import METHODS, METRICS, entries
from deeplift_engine.explainers.catalogue import TABLE
from deeplift_engine.explainers.explainer import Explainer
from tests.evaluate.nets import FEATURES, curved, picture, rng, tokens, two_inputs
from tests.helpers import off

NEAR = 1e-12
HEAD = "method completeness ↓ sensitivity_n ↑ sparsity seconds"


@pytest.fixture(scope="module")
def net() -> Any:
    return curved()[0]


def samples(count: int = 4) -> np.ndarray:
    return rng(5).normal(size=(count, FEATURES))


@pytest.fixture(scope="module")
def found(net: Any) -> evaluate.Comparison:
    return evaluate.compare(
        net,
        samples(),
        ["deeplift", ("deeplift", {"rules": "reveal_cancel"}), "saliency"],
        target=[0, 2],
        references=0.2,
        metrics=["completeness", ("sensitivity_n", {"sizes": (1, 3)}), "sparsity"],
    )


# ---------------------------------------------------------------- what is asked


def test_methods_are_named_in_several_ways() -> None:
    options = {"rules": "reveal_cancel"}
    assert entries("deeplift", "methods") == {"deeplift": ("deeplift", {})}
    assert entries(["saliency", ("deeplift", options)], "methods") == {
        "saliency": ("saliency", {}),
        "deeplift (rules=reveal_cancel)": ("deeplift", options),
    }
    assert entries({"saliency": {}, "deeplift": options}, "methods") == {
        "saliency": ("saliency", {}),
        "deeplift": ("deeplift", options),
    }
    assert entries({"mine": ("deeplift", options), "other": "saliency"}, "methods") == {
        "mine": ("deeplift", options),
        "other": ("saliency", {}),
    }
    twice = [("deletion", {"steps": 5}), "deletion", ("insertion", {"steps": 5})]
    assert list(entries(twice, "metrics", short=True)) == [
        "deletion (steps=5)",
        "deletion",
        "insertion",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "names none"),
        (["deeplift", "deeplift"], "'deeplift' occurs twice"),
        ([("deeplift",)], "a pair"),
        ([3], "not 3"),
    ],
)
def test_what_names_no_method_is_refused(given: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        entries(given, "methods")


def test_names_and_options_are_checked_before_anything_is_computed(net: Any) -> None:
    nothing: Any = None  # data that would be refused later
    with pytest.raises(RuleError, match="saliencey"):
        de.compare(net, nothing, ["saliencey"])
    with pytest.raises(RuleError, match="no option 'rule'"):
        de.compare(net, nothing, [("deeplift", {"rule": 1})])
    with pytest.raises(RuleError, match="sensitivity_n"):
        de.compare(net, nothing, metrics=["sensitivity"])
    with pytest.raises(RuleError, match=r"no option 'steps'. It takes: sizes, draws, seed"):
        de.compare(net, nothing, metrics=[("sensitivity_n", {"steps": 3})])


def test_the_defaults_exist(net: Any) -> None:
    assert set(METHODS) <= set(TABLE)
    assert set(METRICS) <= set(evaluate.METRICS)
    made = de.compare(net, samples(2), target=0)
    assert list(made.subjects) == list(METHODS)
    assert list(made.metrics) == list(METRICS)


# ---------------------------------------------------------------- what is found


def test_scores_and_metrics_are_those_of_each_alone(net: Any, found: evaluate.Comparison) -> None:
    bench = evaluate.Bench(net, samples(), target=[0, 2], references=0.2)
    for label, (name, options) in {
        "deeplift": ("deeplift", {}),
        "deeplift (rules=reveal_cancel)": ("deeplift", {"rules": "reveal_cancel"}),
        "saliency": ("saliency", {}),
    }.items():
        subject = bench.run(name, **options)
        assert off(found.subjects[label].scores[0], subject.scores[0]) < NEAR
        direct = evaluate.sensitivity_n(subject, sizes=(1, 3))
        assert off(found.measured[label]["sensitivity_n"].values, direct.values) < NEAR
        assert found.measured[label]["sensitivity_n"].values.shape == (2, 4)


def test_a_method_without_references_is_compared_too(found: evaluate.Comparison) -> None:
    attribution = found.subjects["saliency"].attribution
    assert attribution is not None
    expected = curved()[0].explainer("saliency").run(samples(), target=[0, 2]).scores
    assert off(attribution.scores, expected) < NEAR


def test_rows_are_means_and_their_errors(found: evaluate.Comparison) -> None:
    row = found.rows[1]
    values = found.measured["deeplift (rules=reveal_cancel)"]["sparsity"].values.ravel()
    assert row["method"] == "deeplift (rules=reveal_cancel)"
    assert row["sparsity"] == pytest.approx(values.mean())
    error = values.std(ddof=1) / np.sqrt(values.size)
    assert row["sparsity standard error"] == pytest.approx(error)
    assert row["seconds"] > 0
    half_width = found.measured["deeplift (rules=reveal_cancel)"]["sparsity"].half_width
    assert half_width == pytest.approx(error * stats.t.ppf(0.975, values.size - 1), rel=1e-6)
    assert f"{values.mean():.3g}"[:4] in str(found)
    assert "95 % interval (Student's t)" in str(found)


def test_a_single_sample_has_no_standard_error(net: Any) -> None:
    made = de.compare(net, samples(1), "deeplift", target=0, metrics="sparsity")
    assert np.isnan(made.rows[0]["sparsity standard error"])
    assert np.isnan(made.measured["deeplift"]["sparsity"].half_width)
    assert "±" not in str(made).splitlines()[-1]
    assert json.loads(made.to_json())["rows"][0]["sparsity standard error"] is None


OF_PROBABILITIES = {"average_drop", "average_gain"}
"""Metrics that mean nothing of a target below 0, or above 1."""


@pytest.mark.parametrize("metric", list(evaluate.METRICS))
def test_every_metric_judges_networks_of_several_inputs(metric: str) -> None:
    x = [rng(0).normal(size=(3, 3)), rng(1).normal(size=(3, 2, 2))]
    made = de.compare(
        two_inputs(), x, ["deeplift", "gradient_times_input"], target=[0, 1], metrics=metric
    )
    for measured in made.measured.values():
        assert measured[metric].values.shape == (2, 3)
        known = np.isfinite(measured[metric].values)
        assert known.any() if metric in OF_PROBABILITIES else known.all()


def test_pixels_are_judged_together() -> None:
    x = rng(0).normal(size=(2, 5, 4, 2))
    made = de.compare(picture(), x, "deeplift", target=0, metrics="deletion", groups="positions")
    assert made.subjects["deeplift"].sums.shape == (1, 2, 20)


def test_what_does_not_apply_is_left_out_and_said() -> None:
    """Of tokens: no path leads from one to another, and they cannot move a little."""
    x = rng(0).integers(1, 9, size=(3, 7))
    with pytest.warns(InapplicableWarning) as told:
        made = de.compare(tokens(), x, target=0)
    assert list(made.subjects) == ["gradient_times_input", "deeplift", "occlusion"]
    assert set(made.left_out) == {
        "integrated_gradients",
        *(f"max_sensitivity of {label}" for label in made.subjects),
    }
    said = [str(each.message) for each in told if each.category is InapplicableWarning]
    assert [text.split(".")[0] for text in said] == [
        "left out: integrated_gradients",
        "left out: " + ", ".join(f"max_sensitivity of {label}" for label in made.subjects),
    ]
    for row, text in zip(made.rows, str(made).splitlines()[4:], strict=True):
        assert np.isnan(row["max_sensitivity"])
        assert np.isfinite([row["deletion"], row["infidelity"]]).all()
        assert "  -  " in text
    assert json.loads(made.to_json())["left_out"] == made.left_out
    assert made.figure().axes


def test_only_what_does_not_apply_is_an_error() -> None:
    x = rng(0).integers(1, 9, size=(3, 7))
    with pytest.raises(InputError, match="hold tokens"):
        de.compare(tokens(), x, "integrated_gradients", target=0)
    with pytest.raises(InputError, match=r"None of the methods applies.*smoothgrad: The inputs"):
        de.compare(tokens(), x, ["integrated_gradients", "smoothgrad"], target=0)


def test_options_of_all_methods_are_checked_before_one_is_run(
    net: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise AssertionError("scored before the options were checked")

    monkeypatch.setattr(Explainer, "run", run)
    with pytest.raises(RuleError, match="'rescaled' is no rule"):
        de.compare(net, samples(), ["gradient", ("deeplift", {"rules": "rescaled"})], target=0)
    with pytest.raises(RuleError, match="draws"):
        de.compare(net, samples(), "gradient", target=0, metrics=[("infidelity", {"draws": 0})])


def test_what_comes_out_of_layers_is_judged_as_inputs_are() -> None:
    """Beside the bench of the network that begins there."""
    network, x, x0 = tokens(), rng(0).integers(1, 9, size=(3, 7)), np.full(7, 2)
    made = de.compare(network, x, target=0, layers="table", references=x0)
    assert list(made.subjects) == list(METHODS)
    assert made.left_out == {}
    keras.utils.set_random_seed(5)
    source = keras.Input((None, 3))
    hidden = keras.layers.Conv1D(4, 2, activation="relu", name="conv")
    units = keras.layers.Dense(3, name="units")
    rest = keras.Model(source, units(keras.layers.GlobalAveragePooling1D()(hidden(source))))
    for layer in (hidden, units):
        layer.set_weights([np.array(a) for a in network.spec.layers[layer.name].weights.values()])
    embedded = network.activations(x, ["table"])["table"]
    reference = network.activations(x0[np.newaxis], ["table"])["table"][0]
    alone = de.compare(de.convert(rest, dtype="float64"), embedded, target=0, references=reference)
    for label, measured in alone.measured.items():
        for metric, expected in measured.items():
            found = made.measured[label][metric].values
            assert np.abs(found - expected.values).max() < 1e-9, (label, metric)


def test_randomised_networks_have_other_activations_at_layers() -> None:
    x = rng(0).integers(1, 9, size=(3, 7))
    bench = evaluate.Bench(tokens(), x, target=0, layers="table")
    with pytest.raises(InapplicableError, match=r"what comes out of \['table'\]"):
        evaluate.randomisation(bench.run("deeplift"))


# ---------------------------------------------------------------- how it is told


def test_the_table_has_a_line_for_each_method(found: evaluate.Comparison) -> None:
    lines = str(found).splitlines()
    assert lines[0].startswith("4 samples, target [0, 2] of units, references constant(0.2)")
    assert lines[2].split() == HEAD.split()
    assert [line.split("  ")[0] for line in lines[4:]] == list(found.subjects)


def test_json_and_csv_hold_the_rows(found: evaluate.Comparison) -> None:
    told = json.loads(found.to_json())
    assert told["methods"]["deeplift (rules=reveal_cancel)"] == {
        "method": "deeplift",
        "options": {"rules": "reveal_cancel"},
    }
    assert told["curves"]["sensitivity_n"]["positions"] == [1, 3]
    assert off(np.array(told["agreement"]), found.agreement) < NEAR
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    for row, said, made in zip(rows, told["rows"], found.rows, strict=True):
        assert row["method"] == said["method"] == made["method"]
        assert float(row["completeness"]) == said["completeness"] == made["completeness"]


def test_it_is_written_whole_by_its_suffix(found: evaluate.Comparison, tmp_path: Path) -> None:
    starts = {
        ".json": b"{",
        ".csv": b"method",
        ".png": b"\x89PNG",
        ".pdf": b"%PDF",
        ".svg": b"<?xml",
    }
    for suffix, start in starts.items():
        path = tmp_path / f"made{suffix}"
        found.save(path)
        assert path.read_bytes().startswith(start)
    with pytest.raises(OutputError, match="already exists"):
        found.save(tmp_path / "made.csv")
    found.save(tmp_path / "made.csv", overwrite=True)
    with pytest.raises(OutputError, match=r"not as \.txt"):
        found.save(tmp_path / "made.txt")


def test_the_figure_has_a_panel_for_each_metric_curve_and_the_agreement(
    found: evaluate.Comparison,
) -> None:
    titles = [ax.get_title(loc="left") for ax in found.figure().axes if ax.get_visible()]
    assert titles == [
        "completeness",
        "sensitivity n",
        "sparsity",
        "sensitivity n",
        "rank correlation",
    ]
