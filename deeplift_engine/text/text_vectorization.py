"""Keras's TextVectorization from its configuration: the same numbers, with their characters."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.text.tokenizer import Side, SpecialTokens, Token
from deeplift_engine.text.traced_text import TracedText
from deeplift_engine.text.vocabulary_lookup import VocabularyLookup, lookup_of_layer
from deeplift_engine.text.word_columns import WEIGHINGS, WordColumns, column_names
from deeplift_engine.util.typing import Array

WHITESPACE = " \t\n\r\v\f"
"""What TensorFlow splits at: ASCII alone."""
_LOWER = dict(zip(string.ascii_uppercase, string.ascii_lowercase, strict=True))
_NO_PUNCTUATION = dict.fromkeys(string.punctuation, "")
STANDARDIZE: Mapping[str | None, Mapping[str, str]] = {
    None: {},
    "lower": _LOWER,
    "strip_punctuation": _NO_PUNCTUATION,
    "lower_and_strip_punctuation": _LOWER | _NO_PUNCTUATION,
}
"""What becomes of characters: TensorFlow lowers ASCII alone, and deletes punctuation."""
SPLIT = (None, "whitespace", "character")


@dataclass(frozen=True)
class TextVectorization:
    """Numbers of words, or of characters, and of runs of them, as Keras's layer gives them.

    Attributes
    ----------
    lookup
        The vocabulary.
    standardize
        A key of `STANDARDIZE`.
    split
        ``"whitespace"``, ``"character"``, or None for the whole text as one word.
    ngrams
        Sizes of the runs of words: those of the first size first, words between blanks.
    length
        ``output_sequence_length``.
    name
        The layer, for messages.
    mode
        ``output_mode``: ``"int"``, or that of a bag of words.
    depth
        ``max_tokens`` of a bag with ``pad_to_max_tokens``: as many columns, the last ones empty.
    weights
        ``idf_weights``, of ``tf_idf``.
    columnless
        The word that has no column in a bag: the mask of a StringLookup.
    capacity
        ``max_tokens``, or how many numbers a vocabulary has that is not the layer's own.
    """

    lookup: VocabularyLookup
    standardize: str | None = "lower_and_strip_punctuation"
    split: str | None = "whitespace"
    ngrams: tuple[int, ...] = (1,)
    length: int | None = None
    name: str = "TextVectorization"
    mode: str = "int"
    depth: int | None = None
    weights: tuple[float, ...] = ()
    columnless: str | None = None
    capacity: int | None = None
    padding: Side = "post"
    truncating: Side = "post"
    notes: tuple[str, ...] = ()

    @property
    def special(self) -> SpecialTokens:
        """Padding 0 and the first number of unknown words."""
        return SpecialTokens(0, self.lookup.first_unknown)

    @property
    def size(self) -> int:
        """How many numbers the vocabulary has."""
        return self.lookup.size

    def encode(self, text: str) -> list[Token]:
        """The words, or runs of words, in Keras's order."""
        words = list(self._split(TracedText.of(text).translated(STANDARDIZE[self.standardize])))
        return [
            Token(self.lookup.number(name), name, words[start].span[0], words[end].span[1])
            for name, start, end in self._runs(words)
            if name != self.columnless
        ]

    def word(self, token: int) -> str:
        """The word of a number; empty of padding."""
        return self.lookup.word(token)

    def columns(self, mode: str) -> WordColumns:
        """The columns that the layer gives.

        Raises
        ------
        InputError
            If it gives others, or its weights are not known.
        """
        if mode != self.mode or mode not in WEIGHINGS:
            raise InputError(f"bag={mode!r}: {self.name} has output_mode={self.mode!r}; say that.")
        names = [self.word(number) for number in range(self.depth or self.lookup.size)]
        factors = self._rarity(len(names)) if mode == "tf_idf" else np.ones(len(names))
        return WordColumns(mode, column_names(names), factors)

    def _rarity(self, width: int) -> Array:
        """Keras's ``idf_weights`` by column: their mean for unknown words, 0 behind the last."""
        size, weights = self.lookup.size, np.array(self.weights[: self.lookup.size])
        special = size - len(weights)
        if special not in (0, len(self.lookup.special)):
            raise InputError(
                f"{self.name}: tf_idf needs an idf_weight for each of {size} words, and "
                f"{len(weights)} are known. Only .keras has those of a layer that was adapted."
            )
        padded = np.pad(weights, (special, width - size), constant_values=(np.mean(weights), 0))
        return np.asarray(padded, np.float64)

    def _runs(self, words: Sequence[TracedText]) -> Iterator[tuple[str, int, int]]:
        """Runs of words with the numbers of their first and last one."""
        for size in self.ngrams:
            for start in range(len(words) - size + 1):
                run = words[start : start + size]
                yield " ".join(word.characters for word in run), start, start + size - 1

    def _split(self, text: TracedText) -> Iterable[TracedText]:
        if self.split == "whitespace":
            return text.words(WHITESPACE)
        if self.split == "character":
            return text.each_character()
        return [text] if len(text) else []


def text_vectorization(
    config: Mapping[str, Any], vocabulary: Sequence[str] | None = None, name: str = ""
) -> TextVectorization:
    """A TextVectorization, or a StringLookup of whole texts, of its saved configuration.

    Parameters
    ----------
    config
        As ``get_config()`` of Keras's layer.
    vocabulary
        The words, instead of those in the configuration.
    name
        The layer's, for messages.

    Raises
    ------
    InputError
        If it runs code of its user, or has no vocabulary.
    """
    label = name or str(config.get("name") or "TextVectorization")
    options = config if vocabulary is None else {**config, "vocabulary": list(vocabulary)}
    mode = _MODES.get(str(options.get("output_mode")), str(options.get("output_mode") or "int"))
    is_text = "standardize" in options or "split" in options
    standardize = options.get("standardize", "lower_and_strip_punctuation") if is_text else None
    split = options.get("split", "whitespace") if is_text else None
    for option, value, known in (
        ("standardize", standardize, tuple(STANDARDIZE)),
        ("split", split, SPLIT),
    ):
        if value is not None and value not in known:
            raise InputError(
                f"{label}: {option} is a function of its own, which the file does not hold. Apply "
                "the layer yourself, and score the numbers: load(..., behind=...)."
            )
    ngrams = options.get("ngrams")
    sizes = range(1, ngrams + 1) if isinstance(ngrams, int) else ngrams or (1,)
    lookup = lookup_of_layer({**options, "output_mode": mode}, label)
    return TextVectorization(
        lookup,
        standardize,
        split,
        tuple(int(size) for size in sizes),
        options.get("output_sequence_length"),
        label,
        mode,
        int(options["max_tokens"]) if mode != "int" and options.get("pad_to_max_tokens") else None,
        tuple(map(float, np.ravel(options.get("idf_weights") or ()))),
        None if mode == "int" or is_text else options.get("mask_token"),
        options.get("max_tokens") or (None if vocabulary is None else lookup.size),
    )


_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
"""Modes by the names that they had."""


__all__ = ["STANDARDIZE", "WHITESPACE", "TextVectorization", "text_vectorization"]
