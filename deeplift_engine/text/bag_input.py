"""Texts as bags of words: the columns that a network reads, and the places of their words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.references.fixed import zeros
from deeplift_engine.text.text_array import TextArray
from deeplift_engine.text.text_references import TextReferences
from deeplift_engine.text.tokenizer import ABSENT
from deeplift_engine.text.word_columns import OF_LAYER, OF_TOKENIZER, WordColumns
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.text.tokenizer import Tokenizer

NO_WORDS = TextReferences(zeros(), "a text without any word: zeros")


@dataclass(frozen=True, eq=False, kw_only=True)
class BagInput(TextArray):
    """N texts as an array (N, V) of how much of each word they have; see `TextArray`.

    Attributes
    ----------
    tokenizer
        How they become words.
    columns
        How words become columns.
    """

    tokenizer: Tokenizer
    columns: WordColumns

    @property
    def width(self) -> int:
        """V."""
        return len(self.columns.names)

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32."""
        return np.dtype("float32")

    def row(self, number: int) -> Array:
        """The columns of a text."""
        return self.columns.row(self.tokenizer.encode(self.texts[number]))

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The axis of words."""
        return ("feature",)

    @property
    def notes(self) -> list[str]:
        """What a reader of scores must know, in sentences."""
        return [
            *self.tokenizer.notes,
            f"by default texts are compared with {self.compared.words}",
        ]

    @property
    def about(self) -> dict[str, str]:
        """What the description of a run tells of them."""
        return {
            "kind": "text",
            "tokenizer": self.tokenizer.name,
            "bag": self.columns.mode,
            **({"texts": self.path} if self.path else {}),
            **({"text_input": self.input} if self.input else {}),
        }

    @cached_property
    def constants(self) -> dict[str, Any]:
        """What is kept beside the scores, as `Job` takes it.

        ``sample``, ``text`` and ``record`` have an entry for each text, ``feature`` and ``group``
        (V) are the words of the columns. The words of the texts stand one behind the other, in
        rows of the longest: ``column`` (N, M) is which column each is counted in, ``begin`` and
        ``end`` its characters; all -1 behind the end of a text.
        """
        encoded = [self.tokenizer.encode(text) for text in self.texts]
        shape = (len(encoded), max(map(len, encoded), default=0))
        column, begin, end = (np.full(shape, ABSENT, np.int64) for _ in range(3))
        for row, tokens in enumerate(encoded):
            for position, token in enumerate(tokens):
                column[row, position] = token.id
                begin[row, position], end[row, position] = token.begin, token.end
        features = np.array(self.columns.names, object)
        return {
            **self.labels,
            "text": np.array(self.texts, object),
            "feature": features,
            "group": features,
            "column": column,
            "begin": begin,
            "end": end,
            **self.records.constants,
        }


def bag_columns(tokenizer: Tokenizer, mode: str, width: int | None, name: str) -> WordColumns:
    """The columns that a tokenizer counts words in, as many as an input reads.

    Parameters
    ----------
    tokenizer
        Keras's Tokenizer, or a TextVectorization.
    mode
        One of ``word_columns.BAGS``.
    width
        V of the input, where it is known.
    name
        Of the input, for messages.

    Raises
    ------
    InputError
        If the tokenizer has no such columns, or others in number.
    """
    make = getattr(tokenizer, "columns", None)
    if make is None:
        raise InputError(
            f"bag={mode!r}: {tokenizer.name} counts no words; Keras's Tokenizer does "
            f"({', '.join(OF_TOKENIZER)}), and TextVectorization ({', '.join(OF_LAYER)})."
        )
    columns: WordColumns = make(mode)
    if width not in (None, len(columns.names)):
        raise InputError(
            f"the input {name!r} reads {width} columns, and {tokenizer.name} has "
            f"{len(columns.names)}: it is not the one of the training, or has another "
            "num_words or max_tokens."
        )
    return columns


__all__ = ["NO_WORDS", "BagInput", "bag_columns"]
