"""Texts on the command line: from a model of words and its tokenizer to a picture and a table."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine import cli
from deeplift_engine.jobs.scored_run import open_scored
from tests.helpers import ROOT

TEXTS = ["A good film.", "it was a bad, bad film", "", "nothing known here good"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in HDF5 as a Tokenizer and `pad_sequences` feed it, and a table of texts."""
    from keras.src.legacy.preprocessing.text import Tokenizer

    keras.utils.set_random_seed(2)
    path = tmp_path_factory.mktemp("commands")
    tokenizer = Tokenizer(num_words=8, oov_token="<OOV>")
    tokenizer.fit_on_texts(TEXTS)
    (path / "tokenizer.json").write_text(json.dumps(tokenizer.to_json()))
    layers = [
        keras.Input((6,)),
        keras.layers.Embedding(8, 3, mask_zero=True),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
    keras.Sequential(layers).save(path / "model.h5")
    rows = "".join(f'{number},"{text}"\n' for number, text in enumerate(TEXTS))
    (path / "reviews.csv").write_text(f"id,review\n{rows}")
    return path


@pytest.fixture(scope="module")
def scores(folder: Path) -> Path:
    path = folder / "scores.h5"
    assert cli.main([*start(folder), "-o", str(path), "--target", "0", "--target", "1"]) == 0
    return path


def start(folder: Path) -> list[str]:
    texts = [str(folder / "model.h5"), str(folder / "reviews.csv"), "--column", "review"]
    return ["score", *texts, "--tokenizer", str(folder / "tokenizer.json"), "-q"]


def test_a_column_of_texts_is_scored_as_the_tokenizer_pads_it(
    folder: Path, scores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from keras.src.legacy.preprocessing.text import tokenizer_from_json
    from keras.utils import pad_sequences

    run = open_scored(scores)
    tokenizer = tokenizer_from_json(json.loads((folder / "tokenizer.json").read_text()))
    kept = [TEXTS[number] for number in (0, 1, 3)]
    expected = pad_sequences(tokenizer.texts_to_sequences(kept), 6)  # 9
    assert np.array_equal(run.array("inputs"), expected)
    assert run.kind == "text"
    assert "Tokenizer" in run.settings["tokenizer"]
    assert "replaced(1, keep=(0,))" in str(run.settings["references"])
    model = keras.models.load_model(folder / "model.h5", compile=False)
    assert np.allclose(run.array("predictions"), model.predict(expected, verbose=0), atol=1e-6)


def test_what_is_done_to_texts_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*start(folder), "-o", str(tmp_path / "run.zarr"), "--target", "0"]) == 0
    told = capsys.readouterr().err
    assert "3 of 4 records; left out: 1 no tokens" in told
    assert "compared with every word replaced by the unknown word, token 1 (<OOV>)" in told
    stored, saved = (list(de.text.scored_texts(path)) for path in
                     (tmp_path / "run.zarr", folder / "scores.h5"))  # fmt: skip
    for ours, expected in zip(stored, saved, strict=True):
        assert ours.text == expected.text
        assert np.allclose(ours.scores, expected.scores, atol=1e-6)


def test_words_are_drawn_on_the_terminal_on_a_page_and_in_a_picture(
    scores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["draw", str(scores), "--sample", "1", "--contrast", "1"]) == 0
    shown = capsys.readouterr().out
    assert "unit 0 minus unit 1: sum" in shown
    assert "bad(" in shown
    first, second = (
        next(de.text.scored_texts(scores, [1], target=target)).total for target in (0, 1)
    )
    assert f"sum {first - second:+.3g}" in shown
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    for name in ("texts.html", "texts.png"):
        assert cli.main(["draw", str(scores), "-o", str(tmp_path / name)]) == 0
    assert "bad" in (tmp_path / "texts.html").read_text()
    assert (tmp_path / "texts.png").read_bytes()[:4] == b"\x89PNG"


def test_scores_of_all_targets_are_exported(
    scores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("csv", "jsonl"):
        path = str(tmp_path / f"out.{name}")
        assert cli.main(["export", str(scores), "--to", name, "-o", path]) == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["sample"], row["target"]) for row in rows] == [
        (sample, target) for target in ("unit 0", "unit 1") for sample in ("0", "1", "3")
    ]
    capsys.readouterr()
    assert cli.main(["export", str(scores), "--to", "csv", "-o", str(tmp_path / "x.txt")]) == 4
    assert "-o FILE.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "how texts become tokens is not in the model"),
        (["--tokenizer", "nowhere.json"], "no such file"),
        (["--tokenizer", "TOKENIZER", "--length", "7"], "reads 6 tokens; leave it out"),
        (["--tokenizer", "TOKENIZER", "--strict"], "text 2: no tokens"),
    ],
)
def test_what_does_not_fit_is_refused(
    folder: Path,
    options: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Any,
) -> None:
    told = [str(folder / "tokenizer.json") if each == "TOKENIZER" else each for each in options]
    texts = [str(folder / "model.h5"), str(folder / "reviews.csv"), "--column", "review", *told]
    assert cli.main(["score", *texts, "-o", str(tmp_path / "out.h5")]) == 4
    assert message in capsys.readouterr().err


def test_the_page_does_what_it_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("jinja2")
    page = (ROOT / "docs" / "TEXT.md").read_text()
    monkeypatch.chdir(folder)
    (folder / "scores.h5").unlink(missing_ok=True)
    Path("reviews.txt").write_text("\n".join(TEXTS))
    commands = re.findall(r"^    deeplift-engine (.*)$", page.split("```python")[0], re.MULTILINE)
    readme = (ROOT / "README.md").read_text().split("\n## Texts\n")[1].split("\n## ")[0]
    assert commands == re.findall(r"^    deeplift-engine (.*)$", readme, re.MULTILINE)
    assert [cli.main(command.split()) for command in commands] == [0, 0, 0]
    capsys.readouterr()
    exec(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], {})
    assert "\x1b[48;2;" in capsys.readouterr().out


@pytest.mark.slow
def test_all_commands_of_the_page_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jinja2")
    for name in ("model.h5", "tokenizer.json"):
        shutil.copy(folder / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)]).save("bag.h5")
    pair = [keras.Input((6,), name=name) for name in ("question", "passage")]
    words = [keras.layers.Flatten()(keras.layers.Embedding(8, 2)(each)) for each in pair]
    keras.Model(pair, keras.layers.Dense(1)(keras.layers.Concatenate()(words))).save("qa.h5")
    Path("reviews.txt").write_text("\n".join(TEXTS * 14))
    Path("pairs.csv").write_text('question,passage\nis it good?,"a good, known film"\n')
    page = (ROOT / "docs" / "TEXT.md").read_text()
    commands = re.findall(r"^    (deeplift-engine .*)$", page, re.MULTILINE)
    assert len(commands) == 12
    score = [command for command in commands if "score model.h5" in command]
    again = [f"{score[0]} --target 1 --overwrite", score[0].replace("scores.h5", "run.zarr")]
    for command in [*commands[:7], *again, *(f"{each} --overwrite" for each in commands[7:])]:
        assert cli.main(shlex.split(command, comments=True)[1:]) == 0, command
    pairs = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[1]
    names: dict[str, Any] = {"de": de, "network": de.load("qa.h5")}
    exec(pairs, names)
    assert len(names["result"].scores["question"]) == 2
    assert len(Path("reviews.jsonl").read_text().splitlines()) == 42


def test_numbers_beside_a_text_are_rows_of_its_file(folder: Path, tmp_path: Path) -> None:
    text = keras.Input((1,), dtype="string", name="text")
    number = keras.Input((2,), name="number")
    words = keras.layers.TextVectorization(output_sequence_length=5, vocabulary=["good", "bad"])
    embedded = keras.layers.Flatten()(keras.layers.Embedding(4, 2)(words(text)))
    out = keras.layers.Dense(1)(keras.layers.Concatenate()([embedded, number]))
    keras.Model({"text": text, "number": number}, out).save(tmp_path / "model.keras")
    np.save(tmp_path / "number.npy", np.arange(8, dtype="float32").reshape(4, 2))
    texts = [str(tmp_path / "model.keras"), str(folder / "reviews.csv"), "--column", "review"]
    beside = ["--beside", f"number={tmp_path / 'number.npy'}", "-o", str(tmp_path / "out.h5")]
    assert cli.main(["score", *texts, *beside, "-q"]) == 0
    run = open_scored(tmp_path / "out.h5")
    assert run.array("inputs", input="number").tolist() == [[0, 1], [2, 3], [6, 7]]
    references = str(run.settings["references"])
    assert "replaced(1, keep=(0,))" in references
    assert "zeros" in references
    for shown, row in zip(
        de.text.scored_texts(run), run.array("scores", input="text"), strict=True
    ):
        assert np.allclose(shown.scores, row)
