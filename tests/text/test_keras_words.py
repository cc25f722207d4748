"""Words, numbers and characters as Keras's own Tokenizer and TextVectorization give them.

Numbers in comments are the statements that the cases are from: what those two really do.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from deeplift_engine.errors import InputError
from deeplift_engine.text.text_vectorization import text_vectorization
from deeplift_engine.text.tokenizer_files import read_tokenizer
from deeplift_engine.text.vocabulary_lookup import vocabulary_lookup

TEXTS = (
    "The cat's sat, the CAT sat on the mat.",
    "a\r\nb\tc\nd a\r",  # 2: \r is no filter
    "New York, san  francisco,new york",
    "well-known don't \N{LEFT DOUBLE QUOTATION MARK}Don\N{RIGHT SINGLE QUOTATION MARK}t",
    "\xc9t\xe9 e\u0301t\xe9 \u0130stanbul \u03a3\u039f\u03a3 stra\xdfe",  # 2, 10, 13
    "no\xa0break em\u2003space line\u2028sep nel\x85 file\x1csep\x0bv\x0cf",  # 2, 10
    "\N{GRINNING FACE} ok \N{GRINNING FACE}ok",
    "",
    "   ...  ",
)
NEW = "The unseen cat don't know \xc9T\xc9, well-known New York \u0130x"


def tokenizer_of_keras(**options: Any) -> Any:
    from keras.src.legacy.preprocessing.text import Tokenizer

    tokenizer = Tokenizer(**options)
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"oov_token": "<OOV>"},  # 4
        {"num_words": 5},  # 4: dropped
        {"num_words": 5, "oov_token": "<OOV>"},
        {"oov_token": "the"},  # 5
        {"lower": False, "filters": ""},
        {"char_level": True},  # 3
        {"split": ", ", "filters": ""},  # 6
        {"split": "|", "filters": "\n"},
        {"split": ", ", "filters": ".\n"},
    ],
)
def test_a_tokenizer_gives_the_numbers_of_keras(options: dict[str, Any], tmp_path: Path) -> None:
    theirs = tokenizer_of_keras(**options)
    once, twice = tmp_path / "once.json", tmp_path / "twice.json"
    once.write_text(theirs.to_json())
    twice.write_text(json.dumps(theirs.to_json()))
    for file in (once, twice):  # 1
        ours = read_tokenizer(file)
        for text, expected in zip(
            (*TEXTS, NEW), theirs.texts_to_sequences([*TEXTS, NEW]), strict=True
        ):
            tokens = ours.encode(text)
            assert [token.id for token in tokens] == expected
            check_spans(text, tokens)
    assert (ours.padding, ours.truncating) == ("pre", "pre")  # 9


def check_spans(text: str, tokens: list[Any]) -> None:
    """Characters of a span are those of the token, but for case, form and deleted ones."""
    for token in tokens:
        assert 0 <= token.begin < token.end <= len(text)
        letters, expected = (
            [
                one
                for one in unicodedata.normalize("NFKD", each).lower().replace("\u03c2", "\u03c3")
                if one.isalnum()
            ]
            for each in (text[token.begin : token.end], token.text)
        )
        if len(token.text) > 1:  # a character may be a part of one of the text
            assert letters == expected


def test_a_tokenizer_whose_unknown_word_has_no_number_is_refused() -> None:  # 5
    theirs = tokenizer_of_keras()
    theirs.oov_token = "<OOV>"
    assert None in theirs.texts_to_sequences([NEW])[0]
    with pytest.raises(InputError, match="gives no number to unknown words"):
        read_tokenizer(theirs)


@pytest.mark.parametrize("options", [
    {},
    {"standardize": "lower"},
    {"standardize": "strip_punctuation"},
    {"standardize": None},
    {"split": "character"},  # 13
    {"split": None},
    {"ngrams": 2},  # 12
    {"ngrams": (2,)},
    {"ngrams": (1, 3), "output_sequence_length": 9},
    {"max_tokens": 9, "output_sequence_length": 4},  # 11
])  # fmt: skip
def test_a_text_vectorization_gives_the_numbers_of_keras(options: dict[str, Any]) -> None:
    theirs = keras.layers.TextVectorization(**options)
    theirs.adapt(np.array(TEXTS, object))
    ours = read_tokenizer(theirs)
    texts = [*TEXTS, NEW]
    expected = np.asarray(theirs(np.array(texts, object)[:, np.newaxis]))
    for text, row in zip(texts, expected, strict=True):
        tokens = ours.encode(text)
        numbers = [token.id for token in tokens][: expected.shape[1]]
        assert numbers + [0] * (expected.shape[1] - len(numbers)) == row.tolist()
        check_spans(text, tokens)
    assert [ours.word(number) for number in range(theirs.vocabulary_size())] == (
        theirs.get_vocabulary()
    )
    assert (ours.padding, ours.truncating) == ("post", "post")  # 9


def test_vocabularies_begin_with_their_special_words_or_with_none() -> None:
    for words in (["cat", "mat"], ["", "[UNK]", "cat"], ["[UNK]", "cat"]):  # 11
        theirs = keras.layers.TextVectorization(vocabulary=words)
        ours = read_tokenizer(theirs)
        saved = text_vectorization(theirs.get_config())
        for text in ("cat mat [UNK] dog", "unk"):
            expected = np.asarray(theirs([text]))[0].tolist()
            assert [token.id for token in ours.encode(text)] == expected
            assert [token.id for token in saved.encode(text)] == expected
    with pytest.raises(InputError, match="max_tokens is 3"):
        vocabulary_lookup(["cat", "mat"], most=3)
    with pytest.raises(InputError, match="more than once"):
        vocabulary_lookup(["cat", "cat"])
    with pytest.raises(InputError, match="stands for padding"):
        vocabulary_lookup(["cat", ""])


@pytest.mark.parametrize("mask", [None, ""])
@pytest.mark.parametrize("buckets", [0, 1, 3])
def test_a_string_lookup_gives_the_numbers_of_keras(mask: str | None, buckets: int) -> None:  # 19
    theirs = keras.layers.StringLookup(
        vocabulary=["cat", "mat"], mask_token=mask, num_oov_indices=buckets
    )
    ours = text_vectorization(theirs.get_config())
    words = ["cat", "mat", *(["dog", "\xe9t\xe9", "new york"] if buckets else [])]
    assert [ours.encode(word)[0].id for word in words] == np.asarray(theirs(words)).tolist()
    if not buckets:
        with pytest.raises(InputError, match="no number for unknown words"):
            ours.encode("dog")


@pytest.mark.parametrize("mask", [None, ""])
def test_numbers_become_the_words_of_an_inverted_lookup(mask: str | None) -> None:  # 19
    theirs = keras.layers.StringLookup(vocabulary=["cat", "mat"], mask_token=mask, invert=True)
    ours = text_vectorization(theirs.get_config())
    known = range(ours.lookup.size)
    words = [word.decode() for word in np.asarray(theirs(np.array(known))).tolist()]
    assert [ours.word(number) for number in known] == words
    beyond = ours.lookup.size + 4  # of no word here, where Keras says the unknown one
    assert (ours.word(beyond), np.asarray(theirs([beyond])).tolist()) == ("", [b"[UNK]"])


def test_a_vocabulary_file_is_read_as_tensorflow_reads_it(tmp_path: Path) -> None:  # 14
    contents = (b"cat\r\nmat\r\nsat", "\ufeffcat\nline\u2028sep\nnel\x85\n".encode())
    for number, content in enumerate(contents):
        file = tmp_path / f"words{number}.txt"  # TensorFlow keeps tables by the names of files
        file.write_bytes(content)
        theirs = keras.layers.TextVectorization(vocabulary=str(file))
        ours = read_tokenizer(file)
        for text in ("cat mat sat", "\ufeffcat line\u2028sep nel\x85"):
            expected = np.asarray(theirs([text]))[0].tolist()
            assert [token.id for token in ours.encode(text)] == expected
    file = tmp_path / "words.txt"
    file.write_text("cat\n\nmat\n")
    with pytest.raises(InputError, match=r"words.txt, line 2: empty"):
        read_tokenizer(file)
    file.write_text("\n[UNK]\ncat")  # what get_vocabulary() gives, and .keras keeps
    assert read_tokenizer(file).encode("cat")[0].id == 2


@pytest.mark.parametrize(("content", "message"), [
    ("{", "damaged JSON"),
    ('{"a": 1}', "JSON of something else"),
    ('{"class_name": "Tokenizer", "config": {}}', "not what Tokenizer.to_json"),
])  # fmt: skip
def test_what_is_no_tokenizer_is_refused(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(content)
    with pytest.raises(InputError, match=message):
        read_tokenizer(file)
    with pytest.raises(InputError, match=r"a pickle may run any program .*to_json"):
        read_tokenizer(tmp_path / "tokenizer.pickle")
    with pytest.raises(InputError, match=r"no such file. Near it: tokenizer.json"):
        read_tokenizer(tmp_path / "tokeniser.json")
