"""From texts to scores of words, and to what is shown and written of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.figures.text_figure import HIGH, NONE
from deeplift_engine.text.highlighting import blended, headline, scale_of, to_html, to_terminal
from deeplift_engine.text.text_exports import picture_of, write_texts
from deeplift_engine.text.text_scores import TextScores, stretches
from deeplift_engine.text.text_vectorization import text_vectorization
from tests.helpers import off

REVIEWS = {
    "a": "A good film. Not bad,  <b>good</b>!",
    "empty": "...",
    "b": "It was bad. The worst film\nof them all & more",
}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A masked mean of embedded words, behind the layer that makes words of text."""
    keras.utils.set_random_seed(1)
    words = keras.layers.TextVectorization(output_sequence_length=7)
    words.adapt(list(REVIEWS.values()))
    layers = [
        keras.Input((1,), dtype="string"),
        words,
        keras.layers.Embedding(30, 4, mask_zero=True, name="embed"),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(3, activation="tanh"),
        keras.layers.Dense(2, name="head"),
    ]
    path = tmp_path_factory.mktemp("text") / "model.keras"
    keras.Sequential(layers).save(path)
    return de.load(path)


@pytest.fixture(scope="module")
def read(network: Any) -> Any:
    return de.text.texts(REVIEWS, network=network)


@pytest.fixture(scope="module")
def scored(network: Any, read: Any) -> list[TextScores]:
    result = network.explainer().run(read, target=[0, 1], references=read.references)
    with pytest.raises(InputError, match="target is a whole number from 0 to 1, not 2"):
        next(de.text.texts_of_result(result, read, target=2))
    other = de.text.texts({**REVIEWS, "a": "Worst of all"}, network=network)
    with pytest.raises(InputError, match="not those that were scored"):
        next(de.text.texts_of_result(result, other))
    with pytest.raises(InputError, match=r"texts is what text\.texts or text\.pairs gives, not"):
        next(de.text.texts_of_result(result, list(REVIEWS)))
    assert np.max(result.relative_error) < 1e-5
    assert off(result.scores.sum(-1), result.target_delta) < 1e-5
    return list(de.text.texts_of_result(result, read, target=1))


def test_texts_are_the_tokens_of_the_models_own_layer(network: Any, read: Any) -> None:
    original = keras.models.load_model(network.spec.source)
    texts = [REVIEWS["a"], REVIEWS["b"]]
    assert read.names == ["a", "b"]
    assert np.array_equal(read, original.layers[0](np.array(texts, object)[:, np.newaxis]))
    assert np.array_equal(read[1], np.asarray(read)[1])
    assert off(network.predict(read), original.predict(np.array(texts, object), verbose=0)) < 1e-6
    assert network.verify(read).ok
    constants = read.constants
    assert constants["reason"].tolist() == ["", "no tokens", ""]
    assert constants["record"].tolist() == [0, 2]
    assert any(
        note.startswith("1 of 2 texts are cut to 7 tokens, at the end") for note in read.notes
    )
    shown = [
        texts[0][begin:end]
        for begin, end in zip(constants["begin"][0], constants["end"][0], strict=True)
        if begin >= 0
    ]
    assert shown == ["A", "good", "film", "Not", "bad", "b>good</b"]
    with pytest.raises(InputError, match=r"text 1: no tokens. Of all"):
        de.text.texts(REVIEWS, network=network, strict=True)


def test_words_are_compared_with_what_leaves_something_of_a_text(network: Any, read: Any) -> None:
    """Padding is kept, as a masked mean of nothing else would be 0 / 0."""
    reference = read.references.make(np.asarray(read), np.arange(2))[:, 0]
    padding = np.asarray(read) == 0
    assert (reference[padding] == 0).all()
    assert (reference[~padding] == 1).all()
    assert "the unknown word, token 1 ([UNK]); kept: 0 (padding)" in read.notes[-1]
    assert np.isfinite(network.predict(reference)).all()


@pytest.mark.parametrize(
    ("special", "left_out", "by", "kept"),
    [
        (de.text.SpecialTokens(0, 1, 4, (2, 3)), 0, 4, [0, 2, 3]),
        (de.text.SpecialTokens(0, 1), None, 1, [0]),
        (de.text.SpecialTokens(0), None, 0, []),
        (de.text.SpecialTokens(0), 0, [1, 2, 3, 4, 5, 6, 7], [0]),
        (de.text.SpecialTokens(0, fixed=(1,)), 0, [2, 3, 4, 5, 6, 7], [0, 1]),
        (de.text.SpecialTokens(1, 0), 0, 1, [0]),  # a mask that leaves the unknown word out
    ],
)
def test_the_reference_is_the_mask_the_unknown_word_or_padding(
    special: Any, left_out: int | None, by: int | list[int], kept: list[int]
) -> None:
    from deeplift_engine.text.text_references import text_references

    class Words:
        """A tokenizer without words."""

        def __init__(self) -> None:
            self.special = special

        def word(self, token: int) -> str:
            return str(token)

    tokens = np.arange(8)[np.newaxis]
    chosen = text_references(Words(), left_out, 8)  # type: ignore[arg-type]
    replacements = np.atleast_1d(by)
    rows = chosen.references.make(tokens, np.zeros(1, int))[0]
    expected = [np.where(np.isin(tokens[0], kept), tokens[0], one) for one in replacements]
    assert np.array_equal(rows, expected)
    assert f" {replacements[0]} (" in chosen.words


def test_words_and_sentences_have_the_sum_of_their_tokens(scored: list[TextScores]) -> None:
    for text in scored:
        for level in ("token", "word", "sentence"):
            pieces = text.pieces(level)
            assert sum(piece.score for piece in pieces) == pytest.approx(text.total, abs=1e-6)
            for piece in pieces:
                assert piece.text == text.text[piece.begin : piece.end]
    words = [piece.text for piece in scored[0].pieces("word")]
    assert words == ["A", "good", "film.", "Not", "bad,", "<b>good</b>!"]
    sentences = [piece.text for piece in scored[1].pieces("sentence")]
    assert sentences == ["It was bad.", "The worst film", "of them all & more"]


def test_a_token_of_several_words_is_shared_by_them() -> None:  # 12
    spans = np.array([[0, 3], [4, 7], [0, 7], [-1, -1], [-1, -1]])
    scores = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    text = TextScores("n", "new age", ["new", "age", "new age", "[SEP]", ""], spans, scores)
    assert [piece.score for piece in text.pieces("word")] == [3.0, 4.0, 8.0, 16.0]
    shown = [(each.text, each.score, each.shown) for each in stretches(text)]
    assert shown == [
        ("new", 5.0, True),
        (" ", 4.0, True),
        ("age", 6.0, True),
        ("[SEP]", 8.0, False),
    ]
    assert "hidden padding 1 (+16)" in headline(text)


def test_blanks_alone_are_a_word() -> None:
    text = TextScores("n", "  ", [" ", " "], np.array([[0, 1], [1, 2]]), np.ones(2))
    assert [piece.score for piece in text.pieces("word")] == [2.0]


def test_a_contrast_is_of_one_text(scored: list[TextScores]) -> None:
    contrast = scored[0].minus(scored[0])
    assert contrast.total == 0
    assert contrast.target == "unit 1 minus unit 1"
    with pytest.raises(InputError, match="different tokens"):
        scored[0].minus(scored[1])


def test_words_at_the_embedding_are_those_at_the_input(
    network: Any, read: Any, scored: list[TextScores]
) -> None:
    result = network.explainer(layers="embed").run(read, target=1, references=read.references)
    inside = list(de.text.texts_of_result(result, read, input="embed"))
    for ours, expected in zip(inside, scored, strict=True):
        assert off(ours.scores, expected.scores) < 1e-4


def test_occlusion_of_pairs_of_words_is_the_loss_of_the_target(network: Any, read: Any) -> None:
    result = network.explainer("occlusion", window=2).run(
        read, target=1, references=read.references
    )
    data = np.asarray(read)
    level, loss = network.predict(data)[:, 1], np.zeros(data.shape)
    for start in range(data.shape[1] - 1):
        changed = data.copy()
        window = changed[:, start : start + 2]
        window[window != 0] = 1
        loss[:, start : start + 2] += (level - network.predict(changed)[:, 1])[:, np.newaxis] / 2
    counts = np.array([1, *[2] * (data.shape[1] - 2), 1])
    assert off(result.scores, loss / counts) < 1e-4


def test_a_terminal_shows_the_text_and_obeys_none_of_it(scored: list[TextScores]) -> None:
    coloured = to_terminal(scored)
    assert "\x1b[48;2;" in coloured
    assert "sum" in coloured
    wicked = TextScores("n\x1b[2J", "a\x1b[31mb", ["ab"], np.array([[0, 7]]), np.ones(1))
    plain = to_terminal([wicked], colour=False)
    assert "\x1b" not in plain
    assert "(+1)" in plain


def test_a_page_shows_what_is_in_a_file_as_text(scored: list[TextScores]) -> None:
    pytest.importorskip("jinja2")
    wicked = TextScores(
        "<script>n</script>", "x <img src=y onerror=z> \"'", ["<s>", ""],
        np.array([[0, 1], [-1, -1]]), np.array([1.0, 0.0]), "<i>",
    )  # fmt: skip
    page = to_html([*scored, wicked], title="<title>")
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;b&gt;good&lt;/b&gt;" in page.replace("</span>", "").replace("\n", "") or (
        "b&gt;good&lt;/b" in page
    )
    assert "&lt;s&gt;" in page  # 36
    assert "src=" not in page.replace("src=y", "")
    assert f"sum {scored[0].total:+.3g}" in page


def test_scores_are_as_many_as_tokens_and_of_any_size() -> None:  # 36
    spans = np.array([[0, 3], [4, 7]])
    large = TextScores("n", "bad day", ["bad", "day"], spans, np.array([40.0, 20.0]))
    half = blended(20.0, scale_of([large]))
    assert blended(40.0, scale_of([large])) == HIGH != half != NONE
    assert "bad(+40) day(+20)" in to_terminal([large], colour=False)
    for count in (1, 3):
        with pytest.raises(InputError, match=rf"2 tokens, 2 spans and {count} scores"):
            replace(large, scores=np.ones(count))


def test_a_picture_draws_each_word_once_with_its_colour(scored: list[TextScores]) -> None:  # 60
    pytest.importorskip("matplotlib")
    twice = TextScores(
        "n", "$5 and $6 and $5", ["5", "6", "5"],
        np.array([[0, 2], [7, 9], [14, 16]]), np.array([1.0, -1.0, 0.5]),
    )  # fmt: skip
    figure = picture_of([*scored, twice])
    axes = figure.axes[0]
    shown = [each.get_text() for each in axes.texts]
    assert shown.count("$5") == 2
    colours = [patch.get_facecolor() for patch in axes.patches][-3:]
    assert len(set(colours)) == 3
    assert figure.axes[1].get_xlabel() == "contribution (units of head)"
    left = [each.get_position()[0] for each in axes.texts]
    assert max(left) < figure.get_figwidth() * 72


def test_files_have_the_scores(scored: list[TextScores], tmp_path: Path) -> None:
    write_texts(scored, tmp_path / "t.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text(encoding="utf-8"))))
    for name, text in zip("ab", scored, strict=True):
        for level in ("token", "word", "sentence"):
            own = [row for row in rows if (row["sample"], row["level"]) == (name, level)]
            assert sum(float(row["score"]) for row in own) == pytest.approx(text.total, abs=1e-6)
    write_texts(iter(scored), tmp_path / "t.jsonl")
    objects = [json.loads(line) for line in lines(tmp_path / "t.jsonl")]
    assert [each["sample"] for each in objects] == ["a", "b"]
    first = objects[0]
    assert first["sum"] == pytest.approx(sum(token["score"] for token in first["tokens"]))
    for piece in first["words"]:
        assert first["text"][piece["begin"] : piece["end"]] == piece["text"]
    with pytest.raises(OutputError, match=r"not as \.txt"):
        write_texts(scored, tmp_path / "t.txt")
    with pytest.raises(OutputError, match="exists"):
        write_texts(scored, tmp_path / "t.csv")


def lines(path: Path) -> Iterator[str]:
    yield from path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("content", "suffix", "options", "expected"),
    [
        ("good\r\nbad\n", ".txt", {}, ["good", "bad"]),
        ('\ufeffid,review\n7,good\n8,"a\n b"\n', ".csv", {"column": "review"}, ["good", "a\n b"]),
        ("id\treview\n7\tgood\n", ".tsv", {"column": "review"}, ["good"]),
        ('{"review": "good"}\n\n{"review": "bad"}\n', ".jsonl", {}, ["good", "bad"]),
    ],
)
def test_texts_are_read_from_files(
    content: str, suffix: str, options: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    from deeplift_engine.text.text_files import named_texts

    file = tmp_path / f"texts{suffix}"
    file.write_bytes(content.encode())
    assert named_texts(file, **options).texts == expected
    if suffix == ".csv":
        assert named_texts(file, "review", "id").names == ["7", "8"]
        with pytest.raises(InputError, match=r"no column 'reviews'.*Near it: review"):
            named_texts(file, "reviews")
        with pytest.raises(InputError, match="say which column holds the texts"):
            named_texts(file)


def test_texts_of_a_data_frame_are_a_column_by_its_name(network: Any) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"good": [1, 2], "text": ["good film", "bad film"]}, index=["u", "v"])
    read = de.text.texts(frame, network=network, column="text")
    assert (read.names, list(read.texts)) == (["u", "v"], ["good film", "bad film"])
    assert de.text.texts(frame, network=network, column="text", names="good").names == ["1", "2"]
    with pytest.raises(InputError, match=r"say which column holds the texts.* It has good, text"):
        de.text.texts(frame, network=network)
    with pytest.raises(InputError, match="for files and data frames"):
        de.text.texts(["good film"], network=network, column="text")
    with pytest.raises(InputError, match="nothing to score: give one record or more"):
        de.text.texts([], network=network)


def test_a_layer_without_its_words_asks_for_them(network: Any, read: Any, tmp_path: Path) -> None:
    original = keras.models.load_model(network.spec.source)
    original.save(tmp_path / "model.h5")  # 17
    bare = de.load(tmp_path / "model.h5")
    with pytest.raises(InputError, match="vocabulary is not in the model's file"):
        de.text.texts(REVIEWS, network=bare)
    words = tmp_path / "words.txt"
    words.write_text("\n".join(original.layers[0].get_vocabulary()))
    assert np.array_equal(de.text.texts(REVIEWS, network=bare, tokenizer=words), read)
    named = {"standardize": "lower", "vocabulary": "/data/words.txt"}  # 15
    with pytest.raises(InputError, match=r"which names another, '/data/words.txt'"):
        text_vectorization(named)
    with pytest.raises(InputError, match="split is a function of its own"):
        text_vectorization({"split": {"class_name": "function"}, "vocabulary": ["a"]})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "id,review\n1,good\n2,good, bad\n", r"line 3 \(record 1\) has 3 columns.*header"),
        ("t.csv", "id,review\n1,good\n2\n", r"line 3 \(record 1\) has 1 columns"),
        ("t.csv", "review,review\ngood,bad\n", "2 columns 'review'"),
        ("t.csv", 'id,review\n1,"good\n', "line 2 begins no row"),
        ("t.csv", "review\ngood\0\n", r"line 2 is not UTF-8 text, at byte 11"),
        ("t.jsonl", '{"review": "a"}\n\n{"text": "b"}\n', r"line 3 \(record 1\) has no 'review'"),
        ("t.jsonl", '{"review": "a"}\n{"review": ["b"]}\n', r"line 2 .*list, not a str"),
        ("t.jsonl", '{"review": "a"}\n{"review"\n', r"line 2 \(record 1\): damaged JSON"),
    ],
)
def test_rows_without_a_text_are_named(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    from deeplift_engine.text.text_files import named_texts

    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=rf"{name}.*{message}"):
        named_texts(tmp_path / name, "review")
