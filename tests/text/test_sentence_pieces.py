"""Pieces of sentencepiece with their characters; numbers are those of `test_library_words`."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from deeplift_engine.errors import DeepliftEngineError, InputError
from deeplift_engine.text.tokenizer import ABSENT
from deeplift_engine.text.tokenizer_files import read_tokenizer

TEXTS = ("a good film with café and \N{LATIN SMALL LIGATURE FI}lm words", "it was a bad, bad film")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library: Any = pytest.importorskip("sentencepiece", minversion="0.2.3")
    written = io.BytesIO()
    library.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 30), model_writer=written, vocab_size=60, minloglevel=2,
        hard_vocab_limit=False, byte_fallback=False, user_defined_symbols=["[MASK]"], pad_id=3,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("pieces") / "words.model"
    path.write_bytes(written.getvalue())
    return path


@pytest.mark.parametrize("text", [
    "  a good \N{LATIN SMALL LIGATURE FI}lm",
    "cafe\u0301 zz\N{GRINNING FACE}z  film",
    "a [MASK] film",
    "caf\xe9 \N{CJK UNIFIED IDEOGRAPH-4E2D} was bad",
])  # fmt: skip
def test_pieces_have_the_characters_of_the_text(model: Path, text: str) -> None:  # 34
    import sentencepiece

    theirs = sentencepiece.SentencePieceProcessor(model_file=str(model))
    ours = read_tokenizer(model)
    assert (ours.special.unknown, ours.special.padding, ours.word(ours.special.mask or 0)) == (
        0, 3, "[MASK]"
    )  # fmt: skip
    tokens = ours.encode(text)
    assert [token.id for token in tokens] == theirs.encode(text)
    assert read_tokenizer(theirs).encode(text) == tokens
    shown = [text[token.begin : token.end] for token in tokens if token.begin != ABSENT]
    assert "".join(shown) == "".join(text.split())
    assert all(each == each.strip() for each in shown)
    for token in tokens:  # the first piece may be a mark of a blank alone, at (0, 0)
        assert (token.begin == ABSENT) == (token.text == "▁")


def test_files_that_hold_no_pieces_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece", minversion="0.2.3")
    with pytest.raises(InputError, match=r"no such file"):
        read_tokenizer(tmp_path / "words.model")
    (tmp_path / "words.model").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"sentencepiece .* does not take it"):
        read_tokenizer(tmp_path / "words.model")


def test_the_library_is_asked_for_where_it_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    (tmp_path / "words.model").write_bytes(b"nothing")
    with pytest.raises(
        DeepliftEngineError, match=r'pip install "deeplift_engine\[sentencepiece\]"'
    ):
        read_tokenizer(tmp_path / "words.model")
