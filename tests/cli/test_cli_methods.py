"""Methods on the command line: listed, explained, run with their options."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.cli.values import option

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
    assert "is there already" in again.err
    assert command(*start, "-o", tmp_path / "table.txt").code == 5
    wrong = command(*start, "--method", "deeplift:stepz=3")
    assert wrong.code == 4
    assert "takes no option 'stepz'" in wrong.err


def test_every_metric_is_in_the_help() -> None:
    from deeplift_engine.cli.texts import COMPARE
    from deeplift_engine.evaluate import METRICS

    for name in METRICS:
        assert name in COMPARE
