"""The README tells the truth: what it shows runs, what it lists is what there is."""

from __future__ import annotations

import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import deeplift_engine as de
from deeplift_engine.cli import help_texts, main
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.rules import named_rules
from tests.cases.custom_models import RevCompConv1D
from tests.helpers import off

ROOT = Path(__file__).resolve().parents[2]
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
    result = Attribution.load("contributions.h5")
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
    assert len(commands) == 6
    assert [main(command.split()) for command in commands] == [0] * 6


def test_the_code_for_layers_of_ones_own_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = keras.Input((24, 4))
    x = RevCompConv1D(3, 5, name="conv")(source)
    x = layers.Lambda(lambda x: x[:, 8:-8], output_shape=(4, 6), name="crop_1")(x)
    x = layers.Lambda(tf.math.log1p, output_shape=(4, 6), name="squash")(layers.ReLU()(x))
    model = keras.Model(source, x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save("model.h5")
    (code,) = re.findall(r"```python\n(.*?)```", section("Layers"), re.DOTALL)
    names: dict[str, Any] = {"np": np, "tf": tf, "de": de}
    exec(code, names)
    inputs = np.random.default_rng(0).normal(size=(2, 24, 4)).astype("float32")
    expected = model.predict(inputs, verbose=0)
    assert off(names["network"].predict(inputs), expected) < 1e-6
    assert {row.status for row in names["network"].coverage().rows} == {"exact"}


def test_the_list_of_layers_is_linked() -> None:
    """Its own test sees to it that it is whole."""
    assert "(docs/LAYERS.md)" in section("Layers")


def test_all_rules_and_no_others_are_listed() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", section("Rules"), re.MULTILINE)
    assert sorted(listed) == sorted(named_rules())


def test_the_methods_listed_are_those_there_are() -> None:
    rows = re.findall(r"^\| [a-z ]+ \| (`.*`) \|$", section("Methods"), re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(de.methods())


def test_the_methods_shown_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.findall(r"```python\n(.*?)```", section("Methods"), re.DOTALL)[0]
    monkeypatch.chdir(tmp_path)
    network = de.load(ROOT / "examples/genomics/model.h5")
    x = np.eye(4, dtype="float32")[np.random.default_rng(0).integers(4, size=(2, 200))]
    names: dict[str, Any] = {"de": de, "network": network, "x": x}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", de.errors.ConvergenceWarning)
        exec(code, names)
    assert "comparison.png" in [path.name for path in tmp_path.iterdir()]


def test_every_kind_of_references_is_there() -> None:
    listed = set(re.findall(r"`?(\w+)\(", section("What is explained, against what")))
    assert set(de.references.KINDS) <= listed


def test_the_paths_that_the_documents_name_exist() -> None:
    """As they stand, or within a folder that the text is about."""
    tree = [
        f"/{path.relative_to(ROOT)}"
        for folder in ("deeplift_engine", "conversion", "tests", "docs", "benchmarks", "examples")
        for path in (ROOT / folder).rglob("*")
        if "__pycache__" not in path.parts
    ]
    for document in ("docs/ARCHITECTURE.md", "CONTRIBUTING.md"):
        named = re.findall(
            r"`((?:[\w.]+/)+|(?:[\w.]+/)*\w+\.(?:py|md|cfg|toml|txt|h5|npz))`",
            (ROOT / document).read_text(),
        )
        assert len(named) > 20
        missing = {
            name
            for name in named
            if not (ROOT / name).exists()
            and not any(path.endswith(f"/{name.rstrip('/')}") for path in tree)
        }
        assert missing <= {"methods/", "conversion.py"}, document  # named as what is not there


def test_the_rules_of_the_command_line_are_all_there_are() -> None:
    listed = set(re.findall(r"\b[a-z_]+\b", help_texts.RULES))
    assert set(named_rules()) <= listed
