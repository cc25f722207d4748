"""Keras's TextVectorization from its configuration: the same numbers, with their characters."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deeplift_engine.errors import InputError
from deeplift_engine.text.tokenizer import Side, SpecialTokens, Token
from deeplift_engine.text.traced_text import TracedText
from deeplift_engine.text.vocabulary_lookup import VocabularyLookup, lookup_of_layer

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
    """

    lookup: VocabularyLookup
    standardize: str | None = "lower_and_strip_punctuation"
    split: str | None = "whitespace"
    ngrams: tuple[int, ...] = (1,)
    length: int | None = None
    name: str = "TextVectorization"
    padding: Side = "post"
    truncating: Side = "post"
    notes: tuple[str, ...] = ()

    @property
    def special(self) -> SpecialTokens:
        """Padding 0 and the first number of unknown words."""
        return SpecialTokens(0, self.lookup.first_unknown)

    def encode(self, text: str) -> list[Token]:
        """The words, or runs of words, in Keras's order."""
        words = list(self._split(TracedText.of(text).translated(STANDARDIZE[self.standardize])))
        return [
            Token(self.lookup.number(name), name, words[start].span[0], words[end].span[1])
            for name, start, end in self._runs(words)
        ]

    def word(self, token: int) -> str:
        """The word of a number; empty of padding."""
        return self.lookup.word(token)

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
        If it runs code of its user, gives no numbers of words, or has no vocabulary.
    """
    label = name or str(config.get("name") or "TextVectorization")
    options = config if vocabulary is None else {**config, "vocabulary": list(vocabulary)}
    if options.get("output_mode", "int") != "int":
        raise InputError(
            f"{label} gives output_mode={options['output_mode']!r}, a column for each word of the "
            "vocabulary and no place in the text: score these columns as a table, with the "
            "vocabulary as their names."
        )
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
    return TextVectorization(
        lookup_of_layer(options, label),
        standardize,
        split,
        tuple(int(size) for size in sizes),
        options.get("output_sequence_length"),
        label,
    )


__all__ = ["STANDARDIZE", "WHITESPACE", "TextVectorization", "text_vectorization"]
