"""The commands, run as a user does: from a saved model and a data file to a result file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.version import __version__

Command = Callable[..., Any]


# inspect


def test_inspect_lists_every_layer_with_its_rule(folder: Path, command: Command) -> None:
    outcome = command("inspect", folder / "model.h5", "--rule", "conv=gradient")
    assert outcome.code == 0
    lines = {line.split()[0]: line for line in outcome.out.splitlines() if line}
    for layer in ("letters", "conv", "pool", "flat", "hidden", "tasks"):
        assert layer in lines
    assert "20 x 4" in lines["letters"]
    assert outcome.err == ""


def test_inspect_as_json_can_be_read_by_machines(folder: Path, command: Command) -> None:
    outcome = command("inspect", folder / "model.keras", "--json")
    told = json.loads(outcome.out)
    assert told["sha256"] == de.load(folder / "model.keras").spec.sha256
    assert {"name", "class_name", "shape", "rule"} <= set(told["layers"][0])


def test_weights_and_architecture_in_two_files(folder: Path, command: Command) -> None:
    outcome = command(
        "inspect", folder / "model.weights.h5", "--architecture", folder / "model.json"
    )
    assert outcome.code == 0
    assert "conv" in outcome.out


# score


def test_score_writes_what_the_library_computes(
    folder: Path, inputs: np.ndarray, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "scores.h5"
    outcome = command(
        "score", folder / "model.h5", folder / "inputs.npy", "-o", path,
        "--target", "1", "--references", "dinucleotide_shuffle:4", "--seed", "3",
        "--rules", "reveal_cancel", "--hypothetical", "--strict",
    )  # fmt: skip
    assert (outcome.code, outcome.err) == (0, "")
    assert f"written: {path}" in outcome.out
    network = de.load(folder / "model.h5")
    expected = network.explainer("deeplift", rules="reveal_cancel").run(
        inputs, target=1, references=de.references.dinucleotide_shuffle(4, seed=3)
    )
    result = Attribution.load(path)
    np.testing.assert_array_equal(result.scores, expected.scores)
    np.testing.assert_array_equal(result.predictions, expected.predictions)
    assert result.scores.dtype == np.float32
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["hypothetical"][()], expected.hypothetical)


def test_hypothetical_contributions_of_other_data_have_an_axis(
    folder: Path, inputs: np.ndarray, command: Command, tmp_path: Path
) -> None:
    data, path = tmp_path / "leads.npy", tmp_path / "scores.h5"
    np.save(data, inputs * 2 - 0.5)
    arguments = ("score", folder / "model.h5", data, "-o", path, "--target", "0", "--quiet")
    outcome = command(*arguments, "--hypothetical")
    assert outcome.code == 4
    assert "no input has letters" in outcome.err
    assert "--hypothetical-axis" in outcome.err
    assert not path.exists()
    assert command(*arguments, "--hypothetical-axis", "-1").code == 0
    with h5py.File(path) as file:
        result = Attribution.load(path)
        found = file["hypothetical"][()]
    np.testing.assert_array_equal(found, result.hypothetical_contributions(axis=-1))


def test_the_file_says_how_it_was_made(folder: Path, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "scores.h5"
    command("score", folder / "model.h5", folder / "inputs.npy", "-o", path, "--target", "0")
    with h5py.File(path) as file:
        told = dict(file.attrs)
    assert told["deeplift_engine_version"] == __version__
    assert told["model_sha256"] == de.load(folder / "model.h5").spec.sha256
    assert told["command_line"].startswith("deeplift-engine score ")
    assert {"tensorflow_version", "keras_version", "numpy_version", "created"} <= set(told)
    settings = json.loads(told["settings"])
    assert {"method", "options", "target", "references", "dtype"} <= set(settings)
    assert settings["options"] == {"rules": "rescale", "max_pooling": "exact"}


def test_several_targets_layers_and_references_apart(
    folder: Path, inputs: np.ndarray, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "scores.npz"
    outcome = command(
        "score", folder / "model.h5", folder / "inputs.npz", "--key", "onehot", "-o", path,
        "--target", "0", "--target", "2-1", "--references", "shuffle:3",
        "--keep-references-apart", "--layers", "conv,hidden", "--dtype", "float64",
    )  # fmt: skip
    assert outcome.code == 0
    result = Attribution.load(path)
    assert result.axes == ("target", "sample", "reference")
    assert result.scores["conv"].shape == (2, len(inputs), 3, 16, 6)
    assert result.scores["hidden"].shape == (2, len(inputs), 3, 8)
    assert result.scores["conv"].dtype == np.float64
    for scores in result.scores.values():
        total = scores.reshape(2, len(inputs), 3, -1).sum(-1)
        np.testing.assert_allclose(total, result.target_delta, rtol=1e-10, atol=1e-12)


def test_a_model_with_two_inputs(folder: Path, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "scores.h5"
    outcome = command(
        "score", folder / "two.h5", folder / "two.npz", "-o", path, "--rules", "rescale",
        "--references", "left=constant:0.5", "--references", "right=zeros",
    )  # fmt: skip
    assert outcome.code == 0
    result = Attribution.load(path)
    assert set(result.scores) == {"left", "right"}
    total = result.scores["left"].sum(-1) + result.scores["right"].sum(-1)
    np.testing.assert_allclose(total, result.target_delta, rtol=1e-4, atol=1e-6)


def test_one_word_is_the_reference_of_both_inputs(
    folder: Path, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "scores.npz"
    start = ("score", folder / "two.h5", folder / "two.npz", "-o", path)
    assert command(*start, "--references", "constant:0.5").code == 0
    assert Attribution.load(path).settings["references"] == ["constant(0.5)"] * 2
    outcome = command(*start, "--overwrite", "--references", "shuffle:2")
    assert outcome.code == 4
    assert "inputs left, right" in outcome.err


def test_references_said_twice_are_one_set(folder: Path, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    outcome = command(
        "score", folder / "model.h5", folder / "inputs.npy", "-o", path, "--target", "0",
        "--references", "zeros", "--references", "shuffle:2",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert Attribution.load(path).settings["references"] == "combined(zeros, shuffle(2, seed=0))"


def test_one_target_per_sample_and_an_output_that_is_replaced_on_request(
    folder: Path, inputs: np.ndarray, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "scores.npz"
    labels = np.arange(len(inputs)) % 3
    np.save(tmp_path / "labels.npy", labels)
    start = ("score", folder / "model.h5", folder / "inputs.npy", "-o", path)
    assert command(*start, "--target", f"@{tmp_path}/labels.npy", "--json").code == 0
    chosen = Attribution.load(path)
    assert command(*start, "--target", "all").code == 5
    assert command(*start, "--target", "all", "--overwrite").code == 0
    everything = Attribution.load(path)
    for sample, label in enumerate(labels):
        np.testing.assert_allclose(
            chosen.scores[sample], everything.scores[label, sample], rtol=1e-5, atol=1e-7
        )


def test_score_s_summary_as_json(folder: Path, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "scores.h5"
    outcome = command(
        "score", folder / "model.h5", folder / "inputs.npy", "-o", path, "--target", "0", "--json"
    )
    told = json.loads(outcome.out)
    assert told["written"] == str(path)
    assert told["scores"] == [6, 20, 4]
    assert told["largest_relative_error"] < 1e-4


# check


@pytest.mark.parametrize("data", [[], ["inputs.npy", "--references", "shuffle:2"]])
def test_check_of_a_sound_model_passes(folder: Path, data: list[str], command: Command) -> None:
    arguments = [folder / data[0], *data[1:]] if data else []
    outcome = command("check", folder / "model.h5", *arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert "The forward pass equals Keras" in outcome.out
    assert "Contributions sum to the target's difference at every layer" in outcome.out


def test_heads_are_scored_together_and_found_in_the_file(
    folder: Path, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "heads.h5"
    heads = ("--target", "task=tasks:2-0", "--target", "inner=hidden:1", "--target")
    start = ("score", folder / "model.h5", folder / "inputs.npy", "-o", path, "--dtype", "float64")
    outcome = command(*start, *heads, "inner=hidden:3")
    assert (outcome.code, outcome.err) == (0, "")
    assert "target: task: Difference(first=2, second=0) of tasks; inner:" in outcome.out
    found = de.Attribution.load(path).heads
    network = de.load(folder / "model.h5", dtype="float64")
    inputs = np.load(folder / "inputs.npy")
    expected = {
        "task": network.explainer(target="tasks:2-0").run(inputs),
        "inner": network.explainer(target="hidden").run(inputs, target=[1, 3]),
    }
    assert list(found) == list(expected)
    for name, own in expected.items():
        assert found[name].axes == own.axes
        np.testing.assert_allclose(found[name].scores, own.scores, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("compare", ("--target", "1"), "has the heads a, and targets of no head"),
        ("check", (), "looks at one target, not at the heads a"),
    ],
)
def test_heads_that_a_command_refuses(
    folder: Path, command: Command, name: str, more: tuple[str, ...], message: str
) -> None:
    outcome = command(
        name, folder / "model.h5", folder / "inputs.npy", "--target", "a=tasks:0", *more
    )
    assert outcome.code == 4
    assert message in outcome.err


def test_check_fails_where_sums_do_not_hold_and_names_the_layer(
    folder: Path, command: Command
) -> None:
    start = ("check", folder / "model.h5", folder / "inputs.npy", "--references", "shuffle:1")
    outcome = command(*start, "--rules", "gradient")
    assert outcome.code == 1
    assert "hidden (Dense, gradient) is the first layer to break it" in outcome.out
    told = json.loads(command(*start, "--rules", "gradient", "--json").out)
    assert (told["forward"]["ok"], told["sums"]["ok"]) == (True, False)


def test_strict_scoring_fails_where_sums_do_not_hold(
    folder: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deeplift_engine.explainers.explainer.TOLERANCE", {"float32": 0.0})
    path = tmp_path / "scores.h5"
    start = ("score", folder / "model.h5", folder / "inputs.npy", "-o", path, "--target", "0")
    outcome = command(*start, "--strict")
    assert outcome.code == 1
    assert outcome.err.startswith("deeplift-engine: error: Contributions do not sum")
    assert not path.exists()
    outcome = command(*start)
    assert outcome.code == 0
    assert outcome.err.startswith("deeplift-engine: warning: Contributions do not sum")
    assert outcome.err.count("\n") == 1
    assert path.exists()


def test_strict_says_when_there_is_nothing_to_check(
    folder: Path, command: Command, tmp_path: Path
) -> None:
    outcome = command(
        "score", folder / "model.h5", folder / "inputs.npy", "-o", tmp_path / "scores.h5",
        "--target", "0", "--rules", "gradient", "--strict",
    )  # fmt: skip
    assert outcome.code == 0
    assert "--strict checked nothing" in outcome.err


def test_check_and_inspect_read_the_rules_of_single_layers(folder: Path, command: Command) -> None:
    told = command(
        "inspect", folder / "model.h5", "--json",
        "--rule", "hidden=gradient", "--rule", "class:Conv1D=reveal_cancel",
    )  # fmt: skip
    rules = {row["name"]: row["rule"] for row in json.loads(told.out)["layers"]}
    assert rules["hidden"] == "gradient"
    assert rules["conv"] == "reveal_cancel"


# the process


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}


@pytest.mark.parametrize("level", [{}, {"TF_CPP_MIN_LOG_LEVEL": "3"}])
def test_stdout_has_results_only_and_stderr_nothing(
    level: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "deeplift_engine", "score", folder / "model.h5",
            folder / "inputs.npy", "-o", tmp_path / "scores.h5", "--target", "0", "--json",
        ],
        capture_output=True, text=True, check=True, env=environment() | level,
    )  # fmt: skip
    assert json.loads(done.stdout)["scores"] == [6, 20, 4]
    assert done.stderr == ""


def test_an_interruption_is_130_and_one_line(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(de, "load", interrupted)
    outcome = command("inspect", folder / "model.h5")
    assert outcome.code == 130
    assert outcome.err.count("\n") == 1


def test_a_fault_of_the_program_is_no_failed_check(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(de, "load", broken)
    outcome = command("check", folder / "model.h5")
    assert outcome.code == 70
    assert "ZeroDivisionError" in outcome.err
    assert "a fault of the program itself" in outcome.err


@pytest.mark.slow
def test_a_reader_that_stops_early_is_no_error(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "deeplift_engine", "inspect", folder / "model.h5"],
        stdout=writer, stderr=subprocess.PIPE, text=True, check=False, env=environment(),
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_score_says_what_was_explained_against_what(
    folder: Path, command: Command, tmp_path: Path
) -> None:
    start = ("score", folder / "model.h5", folder / "inputs.npy", "--target", "0")
    outcome = command(*start, "-o", tmp_path / "a.h5")
    for line in (
        "method: deeplift",
        "target: 0 of tasks/pre_activation",
        "references: zeros",
        "rules: rescale",
        "hypothetical: not saved; --hypothetical adds them",
    ):
        assert line in outcome.out.splitlines()
    assert re.search(r"note: zeros are no sequence; .*dinucleotide_shuffle:20", outcome.out)
    assert outcome.err == ""
    outcome = command(
        *start, "-o", tmp_path / "b.h5", "--references", "shuffle:2", "--hypothetical",
        "--rule", "conv=reveal_cancel",
    )  # fmt: skip
    assert "references: shuffle(2, seed=0)" in outcome.out
    assert "rules: conv=reveal_cancel, default=rescale" in outcome.out
    assert "hypothetical: saved" in outcome.out
    assert "note" not in outcome.out
    outcome = command(*start, "-o", tmp_path / "c.h5", "--references", "zeros", "--json")
    told = json.loads(outcome.out)
    assert (told["method"], told["references"], told["rules"]) == ("deeplift", "zeros", "rescale")
    assert "note" not in told
    outcome = command("score", folder / "two.h5", folder / "two.npz", "-o", tmp_path / "d.h5")
    assert "references: zeros, zeros" in outcome.out
    assert "target: the only unit of unit" in outcome.out
    assert "hypothetical" not in outcome.out
    assert "note" not in outcome.out
    outcome = command(*start, "-o", tmp_path / "e.h5", "--method", "gradient")
    assert "references" not in outcome.out


def test_arrays_in_groups_of_a_file_have_keys(
    folder: Path, inputs: np.ndarray, command: Command, tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["raw/seq"], file["raw/other"] = inputs.astype("int8"), np.zeros(3)
    outcome = command(
        "score", folder / "model.h5", tmp_path / "x.h5", "-o", tmp_path / "s.h5",
        "--key", "raw/seq", "--target", "1",
    )  # fmt: skip
    assert outcome.code == 0
    with h5py.File(tmp_path / "s.h5") as file:
        assert file["inputs"].dtype == np.int8
        np.testing.assert_array_equal(file["inputs"][()], inputs)


TERMINATED = """
import os, signal, sys
import deeplift_engine as de
from deeplift_engine.cli import main

def terminated(*arguments, **options):
    os.kill(os.getpid(), signal.SIGTERM)
    raise AssertionError("not reached")

de.load = terminated
code = main(sys.argv[1:])
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
sys.exit(code)
"""


def test_a_termination_is_143_and_one_line(folder: Path, forked: Any) -> None:
    done = forked.run(TERMINATED, "inspect", folder / "model.h5")
    assert done.code == 143
    last = done.err.splitlines()[-1]
    assert last == "deeplift-engine: error: interrupted; no half file was left"
