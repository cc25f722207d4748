"""Tokens of the library ``tokenizers``: cut by nobody, each with the characters that it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deeplift_engine.text.library_tokenizer import library_tokenizer
from deeplift_engine.text.text_layout import TextLayout
from deeplift_engine.text.tokenizer import ABSENT

tokenizers = pytest.importorskip("tokenizers")
TEXT = "A GOOD film, newer xxgood caf\xe9 cafe\u0301 zz \N{GRINNING FACE} ends"
WORDS = ("good", "film", ",", "new", "##er", "cafe", "a", "ends")


def of(tokenizer: Any) -> Any:
    return library_tokenizer(json.loads(tokenizer.to_str()), "t.json")


def word_piece() -> Any:
    names = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS)
    model = tokenizers.models.WordPiece(
        {name: number for number, name in enumerate(names)}, unk_token="[UNK]"
    )
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def test_what_a_file_adds_is_switched_off_and_told() -> None:  # 30
    tokenizer = word_piece()
    plain = of(tokenizer).encode(TEXT)
    tokenizer.enable_truncation(5)
    tokenizer.enable_padding(length=30, pad_id=0, direction="left")
    ours = of(tokenizer)
    assert ours.encode(TEXT) == plain
    assert len(ours.notes) == 2
    assert (ours.length, ours.padding, ours.truncating) == (5, "pre", "post")
    assert (ours.special.unknown, ours.special.mask, ours.special.fixed) == (1, 4, (2, 3))


def test_special_tokens_have_no_characters_and_the_others_theirs() -> None:  # 25, 26, 29
    tokens = of(word_piece()).encode(TEXT)
    assert [(token.text, token.fixed) for token in tokens if token.begin == ABSENT] == [
        ("[CLS]", True),
        ("[SEP]", True),
    ]
    shown = [(token.text, TEXT[token.begin : token.end]) for token in tokens if not token.fixed]
    assert shown[:5] == [
        ("a", "A"),
        ("good", "GOOD"),
        ("film", "film"),
        (",", ","),
        ("new", "new"),
    ]
    assert ("##er", "er") in shown
    assert ("[UNK]", "xxgood") in shown
    assert ("cafe", "caf\xe9") in shown


@pytest.mark.parametrize("length", [3, 6, 40])
@pytest.mark.parametrize("side", ["left", "right"])
def test_texts_are_cut_and_filled_up_as_the_library_does(length: int, side: str) -> None:
    tokenizer = word_piece()
    ours = of(tokenizer)
    tokenizer.enable_truncation(length, direction=side)
    tokenizer.enable_padding(length=length, direction=side)
    end = "pre" if side == "left" else "post"
    layout = TextLayout(length, end, end, 0)
    assert layout.numbers(layout.arrange(ours.encode(TEXT))).tolist() == tokenizer.encode(TEXT).ids


def test_offsets_that_slide_are_put_right() -> None:  # 27
    model = tokenizers.models.BPE(
        {"g": 0, "o": 1, "d": 2, "go": 3, "od": 4}, [("g", "o"), ("o", "d")]
    )
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    text = "xxgood good"
    theirs = tokenizer.encode(text)
    assert [text[begin:end] for begin, end in theirs.offsets] != ["go", "od", "go", "od"]
    tokens = of(tokenizer).encode(text)
    assert [text[token.begin : token.end] for token in tokens] == ["go", "od", "go", "od"]
    assert [token.begin for token in tokens] == [2, 4, 7, 9]


def test_dropout_is_off() -> None:  # 32
    vocabulary = {"a": 0, "b": 1, "ab": 2}
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.BPE(vocabulary, [("a", "b")], dropout=0.9, unk_token=None)
    )
    ours = of(tokenizer)
    assert {tuple(token.id for token in ours.encode("ab")) for _ in range(20)} == {(2,)}
    assert "dropout" in ours.notes[0]


def test_blanks_are_no_characters_of_a_token() -> None:  # 33
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = tokenizers.trainers.BpeTrainer(
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(["hello world caf\xe9 film"] * 3, trainer)
    text = "hello  world caf\xe9 \N{GRINNING FACE}"
    tokens = of(tokenizer).encode(text)
    shown = [text[token.begin : token.end] for token in tokens if token.begin != ABSENT]
    assert shown[0] == "hello"
    assert "world" in shown
    assert "caf\xe9" in shown
    assert shown[-1] == "\N{GRINNING FACE}"
    assert all(each == each.strip() for each in shown)


def test_added_tokens_go_by_their_number() -> None:  # 28
    tokenizer = word_piece()
    tokenizer.add_tokens([tokenizers.AddedToken("GOOD", normalized=True, single_word=True)])
    text = "Good film"
    (good, *_) = (token for token in of(tokenizer).encode(text) if not token.fixed)
    assert (good.id, good.text) == (len(WORDS) + 5, "GOOD")
    assert text[good.begin : good.end] == "Good"


def test_marks_of_a_vocabulary_are_no_characters() -> None:  # 26, 27, 34
    pieces = [
        ("<unk>", 0.0),
        ("\u2581good", -1.0),
        ("\u2581", -2.0),
        ("\u2581film", -1.0),
        ("s", -3.0),
    ]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram(pieces, unk_id=0))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    tokenizer.normalizer = tokenizers.normalizers.NFKC()
    ours = of(tokenizer)
    text = "good  films zz\xe9z \N{LATIN SMALL LIGATURE FI}lm"
    tokens = [token for token in ours.encode(text) if token.begin != ABSENT]
    assert [text[token.begin : token.end] for token in tokens] == [
        "good",
        "film",
        "s",
        "zz\xe9z",
        "\N{LATIN SMALL LIGATURE FI}lm",
    ]
    assert "no token of padding" in ours.notes[0]
