"""Pages of pictures, tables and signals, and what the README has of them, run as they stand."""

from __future__ import annotations

import contextlib
import re
import shlex
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers as L  # noqa: N812
from PIL import Image

import deeplift_engine as de
from deeplift_engine.cli import main

ROOT = Path(__file__).resolve().parents[2]
RANDOM = np.random.default_rng(0)


def page(name: str, section: str = "") -> tuple[list[str], list[str]]:
    """The code of a page, or of one of its sections, and its commands."""
    text = (ROOT / name).read_text()
    if section:
        text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    joined = re.sub(r"\\\n +", "", text)
    return code, re.findall(r"^    deeplift-engine (.*)$", joined, re.MULTILINE)


def run(code: list[str], commands: list[str], names: dict[str, Any], folder: Path) -> None:
    with contextlib.chdir(folder):
        for block in code:
            exec(block, names)
        for command in commands:
            assert main(shlex.split(command)) == 0, command


@pytest.mark.slow
def test_pictures(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    (tmp_path / "photos").mkdir()
    for number in range(3):
        pixels = RANDOM.integers(0, 256, (40, 50 + number, 3)).astype("uint8")
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{number}.png")
    model = keras.Sequential(
        [keras.Input((64, 64, 3)), L.Conv2D(3, 5, strides=3, activation="relu"),
         L.GlobalAveragePooling2D(), L.Dense(5, activation="softmax", name="classes")]
    )  # fmt: skip
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.save(tmp_path / "model.h5")
    x, y = RANDOM.normal(size=(4, 64, 64, 3)), np.arange(4)
    code, commands = page("docs/IMAGES.md")
    code = [block.replace("epochs=20", "epochs=2") for block in code]
    run(code, [], {"model": model, "x": x, "y": y}, tmp_path)
    written = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert written == {"contributions_0001.png", "contributions_0002.png"}
    (tmp_path / "heat_maps.png").unlink()
    run([], commands, {}, tmp_path)
    assert (tmp_path / "heat_maps.png").stat().st_size > 10_000
    for written_before in ("scores.h5", "heat_maps.png"):
        (tmp_path / written_before).unlink()
    _, newcomer = page("README.md", "Pictures")
    assert len(newcomer) == 3
    run([], newcomer, {}, tmp_path)
    assert '"0.png"' in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_tables_and_signals(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    count = 150
    table = pd.DataFrame({"sex": ["f", "m", "m"] * (count // 3), "age": RANDOM.normal(size=count),
                          "dose": RANDOM.normal(size=count), "label": 0})  # fmt: skip
    frame = pd.get_dummies(table, columns=["sex"])
    for name in ("table", "people"):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(4, activation="relu"), L.Dense(1, activation="sigmoid")]
    )
    model.save(tmp_path / "model.h5")
    ecg = keras.Sequential(
        [keras.Input((60, 3)), L.Conv1D(4, 7, activation="relu"), L.GlobalMaxPooling1D(),
         L.Dense(2)]
    )  # fmt: skip
    ecg.save(tmp_path / "ecg.h5")
    (tmp_path / "records").mkdir()
    for number in range(2):
        record = pd.DataFrame(RANDOM.normal(size=(60, 3)), columns=["V1", "II", "I"])
        record.to_csv(tmp_path / "records" / f"beat{number}.csv", index=False)
    (newcomer,), _ = page("README.md", "Tables and signals")
    assert len(newcomer.splitlines()) == 5
    run([newcomer], [], {"de": de, "frame": frame}, tmp_path)
    assert "sex_f" in (tmp_path / "report.html").read_text()
    (tmp_path / "swarm.png").unlink()
    code, commands = page("docs/TABLES.md")
    run(code, [], {"frame": frame}, tmp_path)
    for path in [tmp_path / "swarm.png", tmp_path / "beat.png"]:
        assert path.stat().st_size > 10_000
        path.unlink()
    assert len(commands) == 5
    run([], commands[:3], {}, tmp_path)
    (tmp_path / "scores.h5").unlink()
    run([], commands[3:], {}, tmp_path)
    scores = pd.read_csv(tmp_path / "scores.csv")
    assert list(scores.columns) == ["sample", "age", "dose", "sex_f", "sex_m"]
