"""Methods on the command line: listed, explained, run with their options."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.cli.value_syntax import option
from deeplift_engine.errors import OutputError
from deeplift_engine.evaluate import METRICS

Command = Callable[..., Any]


def test_every_method_is_listed(command: Command) -> None:
    outcome = command("methods")
    assert outcome.code == 0
    assert [line.split()[0] for line in outcome.out.splitlines()] == list(de.methods())
    told = json.loads(command("methods", "--json").out)["methods"]
    assert [row["name"] for row in told] == list(de.methods())


@pytest.mark.parametrize("name", de.methods())
def test_a_method_and_its_options_are_explained(command: Command, name: str) -> None:
    outcome = command("methods", name)
    assert outcome.code == 0
    told = json.loads(command("methods", name, "--json").out)
    assert [row["name"] for row in told["options"]] == list(de.methods()[name].options)
    for row in told["options"]:
        assert f"--option {row['name']}=" in outcome.out
        assert row["text"], f"{name} does not say what {row['name']} is"


def test_a_method_that_is_not_there(command: Command) -> None:
    outcome = command("methods", "salience")
    assert outcome.code == 4
    assert "no method 'salience'" in outcome.err
    assert "saliency" in outcome.err


def test_a_method_is_run_with_its_options(
    folder: Path, inputs: np.ndarray, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "scores.h5"
    start = ("score", folder / "model.h5", folder / "inputs.npy", "-o", path, "--target", "1")
    outcome = command(*start, "--method", "gradient", "--option", "part=squared")
    assert outcome.code == 0, outcome.err
    expected = de.load(folder / "model.h5").explainer("gradient", part="squared")
    found = de.Attribution.load(path)
    np.testing.assert_array_equal(found.scores, expected.run(inputs, target=1).scores)
    assert found.settings["method"] == "gradient"
    assert found.settings["options"]["part"] == "squared"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--method", "gradient", "--option", "stepz=3"), "takes no option 'stepz'"),
        (("--method", "gradient", "--rules", "rescale"), "takes no option 'rules'"),
        (("--method", "gradient", "--option", "part=cubed"), "part is one of"),
        (("--method", "gradient", "--references", "zeros"), "compares with no references"),
    ],
)
def test_options_that_do_not_fit(
    folder: Path, command: Command, tmp_path: Path, given: tuple[str, ...], message: str
) -> None:
    path = tmp_path / "scores.h5"
    start = ("score", folder / "model.h5", folder / "inputs.npy", "-o", path, "--target", "1")
    outcome = command(*start, *given)
    assert outcome.code == 4
    assert message in outcome.err
    assert not path.exists()


def test_values_are_read_as_python_would(tmp_path: Path) -> None:
    np.save(tmp_path / "groups.npy", np.arange(4))
    for text, expected in {
        "steps=50": 50,
        "noise=0.1": 0.1,
        "rule=midpoint": "midpoint",
        "n=auto": "auto",
        "shape=[1, 2]": [1, 2],
        "of_options={'steps': 3}": {"steps": 3},
        "absolute=true": True,
        "window=None": None,
    }.items():
        assert option(text)[1]() == expected
    name, make = option(f"groups=@{tmp_path / 'groups.npy'}")
    assert name == "groups"
    np.testing.assert_array_equal(make(), np.arange(4))


def test_methods_are_compared(folder: Path, command: Command, tmp_path: Path) -> None:
    table, figure = tmp_path / "table.json", tmp_path / "figure.png"
    start = ("compare", folder / "model.h5", folder / "inputs.npy", "--target", "1", "-q")
    methods = ("--method", "deeplift", "--method", "integrated_gradients:steps=3;rule=left")
    metrics = ("--metric", "completeness", "--metric", "sparsity")
    outcome = command(*start, *methods, *metrics, "-o", table, "-o", figure)
    assert outcome.code == 0, outcome.err
    assert "completeness" in outcome.out
    told = json.loads(table.read_text())
    assert len(told["rows"]) == 2
    assert {way["method"] for way in told["methods"].values()} == {
        "deeplift",
        "integrated_gradients",
    }
    assert figure.read_bytes().startswith(b"\x89PNG")
    again = command(*start, *methods, *metrics, "-o", table)
    assert again.code == 5
    assert "already exists" in again.err
    assert command(*start, "-o", tmp_path / "table.txt").code == 5
    wrong = command(*start, "--method", "deeplift:stepz=3")
    assert wrong.code == 4
    assert "takes no option 'stepz'" in wrong.err


def test_methods_are_compared_on_tokens_and_behind_their_embedding(
    command: Command, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Embedding(9, 3, name="table"), keras.layers.GRU(2, name="units")]
    keras.Sequential([keras.Input((5,), dtype="int32"), *layers]).save(tmp_path / "tokens.h5")
    np.save(tmp_path / "x.npy", np.arange(10, dtype="int32").reshape(2, 5) % 9)
    start = ("compare", tmp_path / "tokens.h5", tmp_path / "x.npy", "--target", "1", "-q")
    methods = ("--method", "deeplift", "--method", "smoothgrad:samples=2")
    metrics = ("--metric", "max_sensitivity:draws=2", "--metric", "sparsity")
    found = command(*start, *methods, *metrics)
    assert found.code == 0, found.err
    assert "warning: left out: smoothgrad (samples=2). The inputs" in found.err
    assert "warning: left out: max_sensitivity of deeplift. Input" in found.err
    embedded = command(*start, *methods, *metrics, "--layers", "table")
    assert embedded.code == 0, embedded.err
    assert "left out" not in embedded.err
    assert "smoothgrad" in embedded.out


def test_every_metric_is_listed_and_explained(command: Command) -> None:
    told = json.loads(command("metrics", "--json").out)["metrics"]
    assert [row["name"] for row in told] == list(METRICS)
    lines = command("metrics").out.splitlines()
    assert [line.split()[0] for line in lines] == list(METRICS)
    for name, metric in METRICS.items():
        outcome = command("metrics", name)
        assert metric.summary in outcome.out
        for each in metric.options:
            assert f"{name}:{each}=" in outcome.out
    assert command("metrics", "delation").code == 4


@pytest.mark.parametrize(
    ("arguments", "same"),
    [
        (("--method", "smoothgrad", "--option", "samples=3"), False),
        (("--method", "smoothgrad", "--option", "samples=3", "--option", "seed=5"), True),
        (("--method", "gradient"), True),
    ],
)
def test_the_seed_is_that_of_the_method(
    folder: Path, command: Command, tmp_path: Path, arguments: tuple[str, ...], same: bool
) -> None:
    start = ("score", folder / "model.h5", folder / "inputs.npy", "--target", "1")
    found = []
    for seed in (1, 2):
        path = tmp_path / f"scores{seed}.npz"
        outcome = command(*start, "-o", path, *arguments, "--seed", seed)
        assert outcome.code == 0, outcome.err
        found.append(de.Attribution.load(path))
    assert np.array_equal(found[0].scores, found[1].scores) == same
    if not same:
        assert [result.settings["options"]["seed"] for result in found] == [1, 2]


def test_layers_without_a_rule_of_their_own_get_the_method_s(
    folder: Path, inputs: np.ndarray, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "scores.npz"
    outcome = command(
        "score", folder / "model.h5", folder / "inputs.npy", "-o", path, "--target", "1",
        "--method", "lrp", "--rule", "first=flat",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    rules = [("first", "flat"), ("default", "epsilon")]
    expected = de.load(folder / "model.h5").explainer("lrp", rules=rules).run(inputs, target=1)
    np.testing.assert_array_equal(de.Attribution.load(path).scores, expected.scores)


def test_standard_errors_are_saved(
    folder: Path, inputs: np.ndarray, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "scores.npz"
    start = ("score", folder / "model.h5", folder / "inputs.npy", "-o", path, "--target", "1")
    outcome = command(*start, "--references", "shuffle:4", "--standard-errors")
    assert outcome.code == 0, outcome.err
    assert de.Attribution.load(path).standard_errors.shape == inputs.shape
    assert command(*start, "--overwrite", "--standard-errors").code == 4


def test_groups_and_seeds_of_a_comparison(folder: Path, command: Command) -> None:
    start = ("compare", folder / "model.h5", folder / "inputs.npy", "--target", "1", "-q", "--json")
    metric = ("--metric", "sensitivity_n:draws=4", "--method", "gradient")
    found = []
    for more in ((), ("--groups", "positions"), ("--seed", "0"), ("--seed", "3")):
        outcome = command(*start, *metric, *more)
        assert outcome.code == 0, outcome.err
        found.append(json.loads(outcome.out)["rows"][0]["sensitivity_n"])
    assert found[0] == found[2]
    assert len(set(found)) == 3


def test_a_figure_without_matplotlib_is_refused_before_any_work(
    folder: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for name in ("compare", "sweep"):
        outputs = ("-o", tmp_path / "table.csv", "-o", tmp_path / "figure.png")
        outcome = command(name, folder / "none.h5", folder / "inputs.npy", *outputs)
        assert outcome.code == 4
        assert "needs matplotlib" in outcome.err
        assert not (tmp_path / "table.csv").exists()


def test_a_comparison_is_printed_though_it_cannot_be_saved(
    folder: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr("deeplift_engine.util.storage.write_bytes", full)
    common = (folder / "model.h5", folder / "inputs.npy", "--target", "1", "-q")
    table = ("-o", tmp_path / "table.csv")
    comparing = ("--method", "gradient", "--metric", "sparsity")
    for outcome in (
        command("compare", *common, *comparing, *table),
        command("sweep", *common, *table),
    ):
        assert outcome.code == 5
        assert "gradient" in outcome.out or "rescale" in outcome.out


def test_a_sweep_is_the_library_s(
    folder: Path, inputs: np.ndarray, command: Command, tmp_path: Path
) -> None:
    table, figure = tmp_path / "table.csv", tmp_path / "figure.png"
    start = ("sweep", folder / "model.h5", folder / "inputs.npy", "--target", "1", "-q")
    kinds = ("--references", "zeros", "--references", "shuffle:3", "--seed", "4")
    rules = ("--rules", "rescale", "--rules", "reveal_cancel")
    outcome = command(*start, *kinds, *rules, "-o", table, "-o", figure, "--json")
    assert outcome.code == 0, outcome.err
    expected = de.load(folder / "model.h5").sweep(
        inputs,
        {"zeros": 0, "shuffle:3": de.references.shuffle(3, seed=4)},
        ["rescale", "reveal_cancel"],
        target=1,
    )
    assert json.loads(outcome.out)["rows"] == json.loads(json.dumps(expected.rows()))
    assert len(table.read_text().splitlines()) == 5
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert command(*start, "-o", table).code == 5
    assert command(*start, "-o", tmp_path / "table.json").code == 5
    assert command(*start, "--rules", "rescaled").code == 4


def test_a_sweep_over_references_of_two_inputs(folder: Path, command: Command) -> None:
    kinds = ("--references", "left=zeros;right=constant:0.5", "--references", "zeros")
    outcome = command("sweep", folder / "two.h5", folder / "two.npz", "-q", *kinds)
    assert outcome.code == 0, outcome.err
    assert [line.split()[0] for line in outcome.out.splitlines()[1:]] == [kinds[1], kinds[3]]
