"""Keras's Tokenizer from its JSON: the same words and numbers, with their characters."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.text.tokenizer import Side, SpecialTokens, Token
from deeplift_engine.text.traced_text import TracedText
from deeplift_engine.text.word_columns import OF_TOKENIZER, WordColumns, column_names
from deeplift_engine.util.typing import Array

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


@dataclass(frozen=True)
class KerasTokenizer:
    """Words by their rank, as ``keras.preprocessing.text.Tokenizer`` gives them.

    Text in lower case, each character of ``filters`` replaced by ``split``, and cut there. Words
    with a number of ``num_words`` or more, and those that were not met, are ``oov_token``, or are
    left out where there is none, so that later words move up.

    Attributes
    ----------
    word_index
        Numbers of words, from 1; all that were met, whatever ``num_words`` is.
    num_words, filters, lower, split, char_level, oov_token
        As in Keras.
    documents, document_counts
        How many texts it was fitted on, and how many of these have each number; for ``tfidf``.
    """

    word_index: Mapping[str, int]
    num_words: int | None = None
    filters: str = FILTERS
    lower: bool = True
    split: str = " "
    char_level: bool = False
    oov_token: str | None = None
    documents: int = 0
    document_counts: Mapping[int, int] = field(default_factory=dict)
    name: str = "Keras's Tokenizer"
    padding: Side = "pre"
    truncating: Side = "pre"
    length: int | None = None
    notes: tuple[str, ...] = ()
    _words: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.oov_token is not None and self.oov_token not in self.word_index:
            raise InputError(
                f"{self.name}: its oov_token {self.oov_token!r} is not in its word_index, so that "
                "Keras gives no number to unknown words. Fit it again with the oov_token set, or "
                "set oov_token to null in the file to leave unknown words out."
            )
        self._words.update({number: word for word, number in self.word_index.items()})

    @property
    def special(self) -> SpecialTokens:
        """Padding 0, and the unknown word if there is one."""
        return SpecialTokens(0, self._unknown)

    @property
    def size(self) -> int:
        """One more than the greatest number that a text can have."""
        most = self.num_words or math.inf
        numbers = (number for number in self.word_index.values() if number < most)
        return max(0, self._unknown or 0, *numbers) + 1

    @property
    def capacity(self) -> int:
        """``num_words``, or the number of words that were met and padding, if these are more."""
        return max(self.num_words or 0, len(self.word_index) + 1)

    @property
    def _unknown(self) -> int | None:
        return None if self.oov_token is None else self.word_index[self.oov_token]

    def encode(self, text: str) -> list[Token]:
        """The words that have a number."""
        tokens = []
        for word in self._split(TracedText.of(text)):
            number = self.word_index.get(word.characters)
            if number is None or (self.num_words and number >= self.num_words):
                number = self._unknown
            if number is not None:
                tokens.append(Token(number, word.characters, *word.span))
        return tokens

    def word(self, token: int) -> str:
        """The word of a number; empty of padding."""
        return self._words.get(token, "")

    def columns(self, mode: str) -> WordColumns:
        """The columns of ``texts_to_matrix(texts, mode)``.

        Raises
        ------
        InputError
            For another mode, and for ``tfidf`` of a Tokenizer that was fitted on no texts.
        """
        if mode not in OF_TOKENIZER:
            raise InputError(f"bag={mode!r}: {self.name} counts as {', '.join(OF_TOKENIZER)}.")
        width = self.num_words or len(self.word_index) + 1
        factors = self._rarity(width) if mode == "tfidf" else np.ones(width)
        return WordColumns(mode, column_names(map(self.word, range(width))), factors)

    def _rarity(self, width: int) -> Array:
        """Keras's factors of tf-idf: log(1 + documents / (1 + documents with the word))."""
        if not self.documents:
            raise InputError(
                f"{self.name} was fitted on no texts (document_count is 0), which tfidf needs."
            )
        having = np.array([self.document_counts.get(number, 0) for number in range(width)])
        return np.asarray(np.log(1 + self.documents / (1 + having)))

    def _split(self, text: TracedText) -> Iterator[TracedText]:
        text = text.lowered() if self.lower else text
        if self.char_level:
            return text.each_character()
        return text.translated(dict.fromkeys(self.filters, self.split)).words([self.split])


def keras_tokenizer(document: Mapping[str, Any], source: str) -> KerasTokenizer:
    """A Tokenizer of what ``tokenizer.to_json()`` wrote, as a mapping.

    Parameters
    ----------
    document
        ``{"class_name": "Tokenizer", "config": {...}}``, whose ``word_index`` is JSON text within.
    source
        Its file, for messages.

    Raises
    ------
    InputError
        If it is no such thing.
    """
    try:
        config = document["config"]
        index = config["word_index"]
        index = json.loads(index) if isinstance(index, str) else index
        documents = config.get("index_docs") or {}
        documents = json.loads(documents) if isinstance(documents, str) else documents
        return KerasTokenizer(
            {str(word): int(number) for word, number in index.items()},
            num_words=config.get("num_words") or None,
            filters=config.get("filters", FILTERS) or "",
            lower=bool(config.get("lower", True)),
            split=str(config.get("split", " ")),
            char_level=bool(config.get("char_level", False)),
            oov_token=config.get("oov_token"),
            documents=int(config.get("document_count") or 0),
            document_counts={int(number): int(count) for number, count in documents.items()},
            name=f"Keras's Tokenizer in {source}",
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{source}: not what Tokenizer.to_json() writes ({type(error).__name__}: {error}); "
            'expected {"class_name": "Tokenizer", "config": {"word_index": ..., ...}}.'
        ) from error


__all__ = ["KerasTokenizer", "keras_tokenizer"]
