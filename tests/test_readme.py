"""The README tells the truth: what it shows runs, what it lists is what there is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from deeplift_engine.attribution import Attribution
from deeplift_engine.build import TRANSLATORS
from deeplift_engine.cli import main
from deeplift_engine.rules import named_rules

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_python_example_runs_and_its_comments_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    code = re.findall(r"```python\n(.*?)```", section("In Python"), re.DOTALL)[0]
    names: dict[str, object] = {}
    exec(code, names)
    shown = re.findall(r"^(\w[^\n]*?)  # (\([\d, ]+\))", code, re.MULTILINE)
    assert len(shown) == 4
    for expression, shape in shown:
        assert str(np.shape(eval(expression, names))) == shape
    result = Attribution.load("scores.h5")
    assert result.relative_error is not None
    assert result.relative_error.max() < 1e-3


def test_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "examples/genomics/model.h5", tmp_path / "model.h5")
    generator = np.random.default_rng(0)
    np.save(
        tmp_path / "inputs.npy", np.eye(4, dtype="float32")[generator.integers(4, size=(5, 200))]
    )
    monkeypatch.chdir(tmp_path)
    commands = re.findall(
        r"^    deeplift-engine (.*)$", section("On the command line"), re.MULTILINE
    )
    assert len(commands) == 3
    assert [main(command.split()) for command in commands] == [0, 0, 0]


def test_all_layers_and_no_others_are_listed() -> None:
    listed = set(re.findall(r"\b[A-Z]\w+", section("Layers").split("| models |")[0]))
    assert set(TRANSLATORS) <= listed
    assert listed - set(TRANSLATORS) <= {"Before", "Supported", "Keras"}


def test_all_rules_and_no_others_are_listed() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", section("Rules"), re.MULTILINE)
    assert sorted(listed) == sorted(named_rules())
