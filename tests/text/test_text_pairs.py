"""Pairs of texts: in an input each, and in one input that a tokenizer puts together.

Numbers in comments are the statements that the cases are from, as in `test_library_words`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine import cli
from deeplift_engine.errors import InputError
from deeplift_engine.jobs.scored_run import open_scored
from deeplift_engine.text.library_tokenizer import library_tokenizer
from deeplift_engine.text.text_layout import TextLayout
from tests.helpers import off

PAIRS = {
    "q1": ("Is it good?", "A good film."),
    "none": ("Is it bad?", "..."),
    "q2": ("Which film is bad, then?", "It was a bad, bad film"),
}
SCORED = [PAIRS["q1"], PAIRS["q2"]]


def table_of(folder: Path) -> Path:
    rows = "".join(f'{name},"{first}","{second}"\n' for name, (first, second) in PAIRS.items())
    path = folder / "pairs.csv"
    path.write_text(f"id,passage,question\n{rows}")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with an input for each text, a Tokenizer, and a table of both."""
    from keras.src.legacy.preprocessing.text import Tokenizer

    keras.utils.set_random_seed(4)
    path = tmp_path_factory.mktemp("pairs")
    tokenizer = Tokenizer(oov_token="<OOV>")
    tokenizer.fit_on_texts([text for pair in PAIRS.values() for text in pair])
    (path / "tokenizer.json").write_text(tokenizer.to_json())
    inputs = [
        keras.Input((length,), name=name) for name, length in (("passage", 5), ("question", 7))
    ]
    embed = keras.layers.Embedding(len(tokenizer.word_index) + 1, 4)
    ends = [keras.layers.GlobalAveragePooling1D()(embed(each)) for each in inputs]
    both = keras.layers.Dense(4, activation="relu")(keras.layers.Concatenate()(ends))
    keras.Model(inputs, keras.layers.Dense(1, name="out")(both)).save(path / "model.h5")
    table_of(path)
    return path


def test_each_text_of_a_pair_has_spans_of_its_own(folder: Path) -> None:
    network = de.load(folder / "model.h5")
    x = de.text.pairs(PAIRS, network=network, tokenizer=folder / "tokenizer.json")
    assert x.names == ["q1", "q2"]
    assert x.notes[0] == "passage reads the first text, question the second"
    assert x.constants["reason"].tolist() == ["", "no tokens", ""]
    result = network.explainer().run(x.inputs, target=0, references=x.references)
    assert np.max(result.relative_error) < 1e-5
    for number, text in enumerate(de.text.texts_of_result(result, x)):
        assert text.text == "\n".join(SCORED[number])
        assert text.total == pytest.approx(float(result.target_delta[number]), abs=1e-5)
        shown = [text.text[begin:end].lower() for begin, end in text.spans if begin >= 0]
        assert shown == [token for token in text.tokens if token]
    (own, *_) = de.text.texts_of_result(result, x, input="question")
    assert own.text == SCORED[0][1]
    assert off(own.scores, result.scores["question"][0]) == 0


def test_two_columns_go_by_the_names_of_inputs(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [str(folder / "model.h5"), str(folder / "pairs.csv"), "--name-column", "id"]
    columns = ["--column", "question", "--second-column", "passage"]
    command = ["score", *texts, *columns, "--tokenizer", str(folder / "tokenizer.json"), "-q"]
    for path in (tmp_path / "run.zarr", tmp_path / "scores.h5"):
        arrays = ["--arrays", "scores,inputs,predictions"] if path.suffix == ".zarr" else []
        assert cli.main([*command, *arrays, "-o", str(path), "--target", "0"]) == 0
        assert "question reads the first text, passage the second" in capsys.readouterr().err
    stored, saved = (
        list(de.text.scored_texts(tmp_path / name)) for name in ("run.zarr", "scores.h5")
    )
    for ours, expected, (passage, question) in zip(stored, saved, SCORED, strict=True):
        assert sorted(ours.text.split("\n")) == sorted(expected.text.split("\n"))
        assert sorted(ours.text.split("\n")) == sorted([passage, question])
        assert ours.total == pytest.approx(expected.total, abs=1e-6)
    run = open_scored(tmp_path / "scores.h5")
    assert run.array("inputs", input="question").shape == (2, 7)
    assert cli.main(["draw", str(tmp_path / "scores.h5"), "--sample", "q2"]) == 0
    assert "bad(" in capsys.readouterr().out
    pytest.importorskip("jinja2")
    report = ["report", str(tmp_path / "scores.h5"), "-o", str(tmp_path / "r.html"), "--no-model"]
    assert cli.main(report) == 0
    assert "passage" in (tmp_path / "r.html").read_text()


def word_piece() -> Any:
    tokenizers = pytest.importorskip("tokenizers")
    words = ("a", "bad", "film", "good", "is", "it", "was", "##s", "?", ".", ",")
    names = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words)
    numbers = {name: number for number, name in enumerate(names)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


@pytest.mark.parametrize("length", [4, 5, 6, 9, 11, 40])
@pytest.mark.parametrize("side", ["left", "right"])
def test_pairs_are_cut_as_the_library_does(length: int, side: str) -> None:  # 30, 31
    tokenizer = word_piece()
    ours = library_tokenizer(json.loads(tokenizer.to_str()), "t.json")
    tokenizer.enable_truncation(length, direction=side)
    tokenizer.enable_padding(length=length, direction=side)
    end = "pre" if side == "left" else "post"
    layout = TextLayout(length, end, end, 0)
    for first, second in (*PAIRS.values(), ("a", "a a a a a a"), ("a a a a a a", "a a a a a a")):
        expected = tokenizer.encode(first, second)
        tokens = layout.arrange(ours.encode_pair(first, second))
        assert [token.id for token in tokens] == expected.ids
        assert [token.type for token in tokens] == expected.type_ids
        assert [int(not token.is_padding) for token in tokens] == expected.attention_mask
        joined = f"{first}\n{second}"
        for token in tokens:
            if token.begin >= 0 and token.text != "[UNK]":
                assert joined[token.begin : token.end].lower() == token.text.removeprefix("##")


def test_one_input_reads_both_with_types_and_a_mask(tmp_path: Path) -> None:  # 31
    tokenizer = word_piece()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    names = ("input_ids", "token_type_ids", "attention_mask")
    inputs = [keras.Input((20,), name=name, dtype="int32") for name in names]
    words = keras.layers.Embedding(16, 4, name="words")(inputs[0])
    types = keras.layers.Embedding(2, 4, name="types")(inputs[1])
    mask = keras.layers.Reshape((20, 1))(keras.layers.Rescaling(1.0)(inputs[2]))
    both = keras.layers.Multiply()([keras.layers.Add()([words, types]), mask])
    out = keras.layers.Dense(1, name="out")(keras.layers.Flatten()(both))
    keras.utils.set_random_seed(5)
    keras.Model(inputs, out).save(tmp_path / "model.h5")
    network = de.load(tmp_path / "model.h5")
    x = de.text.pairs(
        list(PAIRS.values())[::2], network=network, tokenizer=tmp_path / "tokenizer.json"
    )
    expected = [tokenizer.encode(*pair) for pair in SCORED]
    for name, of in zip(names, ("ids", "type_ids", "attention_mask"), strict=True):
        for row, encoded in zip(np.asarray(x.inputs[name]), expected, strict=True):
            values = getattr(encoded, of)
            assert row.tolist() == values + [0] * (20 - len(values))
    result = network.explainer().run(x.inputs, target=0, references=x.references)
    (first, *_) = de.text.texts_of_result(result, x)
    assert first.text == "\n".join(SCORED[0])
    assert first.total == pytest.approx(float(result.target_delta[0]), abs=1e-5)
    texts = [str(tmp_path / "model.h5"), str(table_of(tmp_path)), "--column", "passage"]
    start = ["score", *texts, "--tokenizer", str(tmp_path / "tokenizer.json"), "--target", "0"]
    path = tmp_path / "scores.h5"
    assert cli.main([*start, "-q", "-o", str(path), "--second-column", "question"]) == 0
    (again, *_) = de.text.scored_texts(path)
    assert off(again.scores, first.scores) < 1e-6
    alone = de.text.texts(["a good film"], network=network, tokenizer=tmp_path / "tokenizer.json")
    assert isinstance(alone, de.text.TextInput)
    mask_of_it = np.asarray(alone.with_forms(network)["attention_mask"])
    assert mask_of_it.tolist() == [[1] * 5 + [0] * 15]


def test_what_is_no_pair_is_refused(folder: Path) -> None:
    network, words = de.load(folder / "model.h5"), folder / "tokenizer.json"
    for source, message in (
        (["a", "b"], "pair 0 is 'a'"),
        ([("a",)], "expected two strings"),
        (folder / "pairs.csv", "say the two columns"),
        ([("...", "good")], "Nothing is left to score"),
    ):
        with pytest.raises(InputError, match=message):
            de.text.pairs(source, network=network, tokenizer=words)
    with pytest.raises(InputError, match="does not put two texts into one input"):
        de.text.pairs(SCORED, network=network, tokenizer=words, inputs=["passage"])
