"""A tokenizer that cannot be that of the model's training is refused before anything is scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError
from deeplift_engine.text.text_vectorization import text_vectorization

ROWS = 30
WORDS = [f"word{number}" for number in range(1, ROWS + 1)]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Any:
    layers = [
        keras.Input((5,), dtype="int32"),
        keras.layers.Embedding(ROWS, 2, name="embed"),
        keras.layers.Flatten(),
        keras.layers.Dense(1),
    ]
    path = tmp_path_factory.mktemp("size") / "model.h5"
    keras.Sequential(layers).save(path)
    return de.load(path)


def of_keras(words: list[str], **options: Any) -> str:
    """The JSON of a Tokenizer that gives the words the numbers from 1 in this order."""
    from keras.src.legacy.preprocessing.text import Tokenizer

    tokenizer = Tokenizer(**options)
    tokenizer.fit_on_texts([" ".join(words[number:]) for number in range(len(words))][::-1])
    tokenizer.fit_on_texts([" ".join(words[: number + 1]) for number in range(len(words))] * 2)
    return str(tokenizer.to_json())


def of_library(words: list[str]) -> str:
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {word: number for number, word in enumerate(["[UNK]", *words])}
    model = tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return str(tokenizer.to_str())


FILES = {
    "keras.json": of_keras,
    "library.json": of_library,
    "words.txt": lambda words: "\n".join(words[:-1]),
}
"""Files of tokenizers whose greatest number is that of as many words."""


@pytest.mark.parametrize("name", FILES)
def test_a_number_without_a_row_is_refused_with_its_word(
    network: Any, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    file.write_text(FILES[name](WORDS))
    read = de.text.read_tokenizer(file)
    last = max(token.id for token in read.encode(" ".join(WORDS)))
    assert read.size == last + 1 == ROWS + 1
    with pytest.raises(InputError) as refused:  # though no text has such a word
        de.text.texts(["word1 word2"], network=network, tokenizer=file)
    for told in (
        str(file),
        "model.h5",
        "'embed'",
        f"up to {ROWS} ('{read.word(ROWS)}')",
        "30 rows",
    ):
        assert told in str(refused.value)
    file.write_text(FILES[name](WORDS[:-1]))
    fitting = de.text.texts([" ".join(WORDS)], network=network, tokenizer=file, truncating="post")
    assert not fitting.doubts


@pytest.mark.parametrize("options", [{"num_words": ROWS}, {"num_words": 9, "oov_token": "<OOV>"}])
def test_words_that_a_tokenizer_leaves_out_need_no_row(
    network: Any, tmp_path: Path, options: dict[str, Any]
) -> None:
    """Keras's Tokenizer keeps all words that it met, whatever ``num_words`` is."""
    file = tmp_path / "tokenizer.json"
    file.write_text(of_keras(WORDS * 2, **options))
    assert len(json.loads(json.loads(file.read_text())["config"]["word_index"])) >= ROWS
    assert not de.text.texts(["word1"], network=network, tokenizer=file).doubts


def test_far_too_few_words_are_told_where_no_training_explains_them(
    network: Any, tmp_path: Path
) -> None:
    few = tmp_path / "few.txt"
    few.write_text("\n".join(WORDS[:8]))
    read = de.text.texts(["word1 word2"], network=network, tokenizer=few)
    assert f"the vocabulary in {few} has 10 numbers, and the table of 'embed' 30 rows" in str(
        read.notes
    )
    capped = text_vectorization({"max_tokens": ROWS}, WORDS[:8])
    assert not de.text.texts(["word1"], network=network, tokenizer=capped).doubts
    rare = tmp_path / "rare.json"
    rare.write_text(of_keras(WORDS[:8], num_words=ROWS))
    assert not de.text.texts(["word1"], network=network, tokenizer=rare).doubts


def test_a_tokenizer_of_ones_own_that_tells_no_size_is_not_judged(network: Any) -> None:
    class Own:
        name, special = "mine", de.text.SpecialTokens()
        padding = truncating = "post"
        length, notes = None, ()

        def encode(self, text: str) -> list[de.text.Token]:
            return [de.text.Token(ROWS + 5, text, 0, len(text))]

        def word(self, token: int) -> str:
            return str(token)

    read = de.text.texts(["word1"], network=network, tokenizer=Own())
    with pytest.raises(InputError, match=r"the token at \(0,\) is 35, but the table of 'embed'"):
        network.predict(read)
