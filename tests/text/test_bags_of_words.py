"""Bags of words: columns as Keras counts them, scores by word, in the text and by name.

Numbers in comments are the statements that the cases are from, as in `test_keras_words`.
"""

from __future__ import annotations

import functools
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
from deeplift_engine.tables.feature_scores import open_scores
from deeplift_engine.text.text_scores import TextScores
from deeplift_engine.text.text_vectorization import text_vectorization
from deeplift_engine.text.tokenizer_files import read_tokenizer
from tests.helpers import off

TEXTS = ["A good film, a good cast.", "it was a bad, bad film", "nothing known here good é É"]
NEW = [*TEXTS, "Unknown words, good!"]


def tokenizer_of_keras(**options: Any) -> Any:
    from keras.src.legacy.preprocessing.text import Tokenizer

    tokenizer = Tokenizer(**options)
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


@pytest.mark.parametrize("mode", ["binary", "count", "freq", "tfidf"])
@pytest.mark.parametrize("options", [{}, {"num_words": 5}, {"num_words": 5, "oov_token": "<O>"}])
def test_a_tokenizer_counts_as_keras(mode: str, options: dict[str, Any]) -> None:
    theirs = tokenizer_of_keras(**options)
    expected = theirs.texts_to_matrix(NEW, mode)
    x = de.text.texts(NEW, tokenizer=theirs, bag=mode)
    assert off(np.asarray(x), expected) < 1e-6
    assert x.shape == expected.shape
    assert np.array_equal(x[1:3], np.asarray(x)[1:3])


@pytest.mark.parametrize("mode", ["multi_hot", "count", "tf_idf"])
@pytest.mark.parametrize("more", [
    {},
    {"ngrams": 2},
    {"max_tokens": 40, "pad_to_max_tokens": True},
])  # fmt: skip
def test_a_text_vectorization_counts_as_keras(mode: str, more: dict[str, Any]) -> None:  # 11
    theirs = keras.layers.TextVectorization(output_mode=mode, **more)
    theirs.adapt(TEXTS)
    x = de.text.texts(NEW, tokenizer=theirs, bag=mode)
    expected = np.asarray(theirs(np.array(NEW, object)[:, np.newaxis]))
    assert off(np.asarray(x), expected) < 1e-6
    assert x.constants["feature"][0] == "[UNK]"


def test_weights_of_a_vocabulary_are_those_of_keras() -> None:
    for words in (["good", "bad"], ["[UNK]", "good", "bad"]):
        weights = [0.5, 2.0, 3.0][: len(words)]
        options: dict[str, Any] = {"output_mode": "tf_idf", "vocabulary": words}
        theirs = keras.layers.TextVectorization(idf_weights=weights, **options)
        ours = text_vectorization(theirs.get_config())
        expected = np.asarray(theirs(np.array([TEXTS[0]], object)))[0]
        assert off(ours.columns("tf_idf").row(ours.encode(TEXTS[0])), expected) < 1e-6
    with pytest.raises(InputError, match="needs an idf_weight for each of 3 words, and 0"):
        text_vectorization({"output_mode": "tf_idf", "vocabulary": ["a", "b"]}).columns("tf_idf")


def test_a_string_lookup_has_no_column_for_its_mask() -> None:  # 19
    for mode in ("multi_hot", "count"):
        theirs = keras.layers.StringLookup(vocabulary=["good"], mask_token="M", output_mode=mode)
        ours = text_vectorization(theirs.get_config())
        for word in ("good", "bad", "M"):
            assert (
                ours.columns(mode).row(ours.encode(word)).tolist()
                == theirs([word]).numpy().tolist()
            )


@functools.cache
def vectorized() -> keras.Model:
    """A model behind a TextVectorization; Keras 3.13 cannot load it from its own file."""
    words = keras.layers.TextVectorization(output_mode="tf_idf")
    words.adapt(TEXTS)
    layers = [keras.Input((1,), dtype="string"), words, keras.layers.Dense(1, name="out")]
    return keras.Sequential(layers)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of counted words, and one behind a TextVectorization that was adapted."""
    path = tmp_path_factory.mktemp("bags")
    keras.utils.set_random_seed(3)
    tokenizer = tokenizer_of_keras(num_words=9)
    (path / "tokenizer.json").write_text(json.dumps(tokenizer.to_json()))
    dense = [keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1, name="out")]
    keras.Sequential([keras.Input((9,)), *dense]).save(path / "model.h5")
    vectorized().save(path / "model.keras")
    (path / "texts.txt").write_text("\n".join(TEXTS) + "\n")
    return path


def test_a_model_in_a_file_reads_its_own_weights(folder: Path) -> None:
    network = de.load(folder / "model.keras")
    x = de.text.texts(TEXTS, network=network)
    original = vectorized()
    expected = original.predict(np.array(TEXTS, object), verbose=0)
    assert off(network.predict(x), expected) < 1e-5
    memory = de.text.texts(TEXTS, network=de.convert(original))
    assert off(np.asarray(memory), np.asarray(x)) < 1e-6


def test_words_have_the_scores_of_their_columns(folder: Path) -> None:
    network = de.load(folder / "model.h5")
    x = de.text.texts(TEXTS, network=network, tokenizer=folder / "tokenizer.json", bag="count")
    assert "compared with a text without any word: zeros" in x.notes[-1]
    result = network.explainer().run(x, target=0, references=x.references)
    names = x.constants["feature"].tolist()
    for text, row in zip(de.text.texts_of_result(result, x), result.scores, strict=True):
        assert text.total == pytest.approx(row.sum(), abs=1e-6)
        for token, (begin, end), score in zip(text.tokens, text.spans, text.scores, strict=True):
            if token:
                places = sum(each == token for each in text.tokens)
                assert score == pytest.approx(row[names.index(token)] / places, abs=1e-6)
                assert text.text[begin:end].lower() == token
    away = network.explainer().run(x, target=0, references=np.ones((1, 9), "float32"))
    absent: TextScores = next(iter(de.text.texts_of_result(away, x)))
    assert absent.total == pytest.approx(away.scores[0].sum(), abs=1e-6)
    assert "(no bad)" in absent.tokens


def test_the_command_line_asks_how_words_are_counted(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [str(folder / "model.h5"), str(folder / "texts.txt")]
    start = ["score", *texts, "--tokenizer", str(folder / "tokenizer.json"), "-q"]
    path = tmp_path / "scores.h5"
    assert cli.main([*start, "-o", str(path)]) == 4
    told = capsys.readouterr().err
    assert "reads 9 numbers and no tokens" in told
    assert "--bag" in told
    assert cli.main([*start, "-o", str(path), "--bag", "tfidf", "--target", "0"]) == 0
    assert cli.main(["draw", str(path)]) == 0
    assert "good(" in capsys.readouterr().out
    pytest.importorskip("matplotlib")
    swarm = ["draw", str(path), "--kind", "table", "-o", str(tmp_path / "swarm.png")]
    assert cli.main(swarm) == 0
    by_word = open_scores(open_scored(path))
    assert by_word.features[:3] == ("(column 0)", "a", "good")
    pytest.importorskip("jinja2")
    assert cli.main(["report", str(path), "-o", str(tmp_path / "report.html"), "--no-model"]) == 0


def test_columns_that_do_not_fit_are_refused(folder: Path) -> None:
    network = de.load(folder / "model.h5")
    with pytest.raises(InputError, match=r"reads 9 columns, and .* has 12"):
        de.text.texts(TEXTS, network=network, tokenizer=tokenizer_of_keras(), bag="count")
    with pytest.raises(InputError, match="counts as binary, count, freq, tfidf"):
        de.text.texts(TEXTS, tokenizer=tokenizer_of_keras(), bag="multi_hot")
    theirs = tokenizer_of_keras()
    theirs.document_count = 0
    with pytest.raises(InputError, match="fitted on no texts"):
        read_tokenizer(theirs).columns("tfidf")  # type: ignore[attr-defined]
