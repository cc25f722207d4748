"""Numbers of words as Keras's StringLookup and TextVectorization give them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError

MASK, UNKNOWN = "", "[UNK]"


@dataclass(frozen=True)
class VocabularyLookup:
    """The words of a vocabulary behind the special ones.

    Attributes
    ----------
    words
        Without the special ones, in order.
    mask
        The word that is number 0, or None.
    unknown
        What words that are not in the vocabulary are called.
    buckets
        How many numbers those have, behind the mask; with several, a hash of the word tells which.
    source
        The layer, for messages.
    """

    words: tuple[str, ...]
    mask: str | None = MASK
    unknown: str = UNKNOWN
    buckets: int = 1
    source: str = "the vocabulary"

    def __post_init__(self) -> None:
        twice = [word for word, count in Counter(self.words).items() if count > 1]
        if twice:
            raise InputError(f"{self.source}: {twice[0]!r} is in the vocabulary more than once.")
        if self.mask is not None and self.mask in self.words:
            raise InputError(
                f"{self.source}: {self.mask!r}, which stands for padding, is a word of the "
                "vocabulary. Leave it out, or begin with "
                f"{', '.join(map(repr, self.special))}."
            )

    @property
    def special(self) -> list[str]:
        """The words in front: mask and unknown."""
        return [*([] if self.mask is None else [self.mask]), *[self.unknown] * self.buckets]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.special) + len(self.words)

    @property
    def first_unknown(self) -> int | None:
        """The number of an unknown word, the first where there are several."""
        return (self.mask is not None) * 1 if self.buckets else None

    def number(self, word: str) -> int:
        """The number of a word.

        Raises
        ------
        InputError
            For a word that is not in a vocabulary without unknown words.
        """
        if word == self.mask:
            return 0
        number = self._numbers.get(word)
        if number is not None:
            return number
        if self.first_unknown is None:
            raise InputError(
                f"{self.source} has no {word!r}, and no number for unknown words "
                "(num_oov_indices=0)."
            )
        return self.first_unknown + (_bucket(word, self.buckets) if self.buckets > 1 else 0)

    def word(self, number: int) -> str:
        """The word of a number; empty of those that there are not."""
        names = self._names
        return names[number] if 0 <= number < len(names) else ""

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words, len(self.special))}

    @cached_property
    def _names(self) -> list[str]:
        return [*self.special, *self.words]


def _bucket(word: str, buckets: int) -> int:
    """The hash that tells which number an unknown word has."""
    import tensorflow as tf

    return int(np.asarray(tf.strings.to_hash_bucket_fast(word, buckets)))


def vocabulary_lookup(
    vocabulary: Sequence[str],
    *,
    mask: str | None = MASK,
    unknown: str = UNKNOWN,
    buckets: int = 1,
    most: int | None = None,
    source: str = "the vocabulary",
) -> VocabularyLookup:
    """A lookup of a vocabulary that may begin with its special words, all of them or none.

    Parameters
    ----------
    vocabulary
        As ``vocabulary=`` of Keras's layers, or as their ``get_vocabulary()``.
    mask, unknown, buckets
        As in `VocabularyLookup`.
    most
        Keras's ``max_tokens``, special words counted.
    source
        The layer, for messages.

    Raises
    ------
    InputError
        If it is empty, too long, or has a word twice.
    """
    words = tuple(map(str, vocabulary))
    bare = VocabularyLookup((), mask, unknown, buckets, source)
    if list(words[: len(bare.special)]) == bare.special:
        words = words[len(bare.special) :]
    if not words:
        raise InputError(f"{source}: the vocabulary is empty.")
    lookup = VocabularyLookup(words, mask, unknown, buckets, source)
    if most is not None and lookup.size > most:
        raise InputError(
            f"{source}: a vocabulary of {lookup.size} numbers, and max_tokens is {most}."
        )
    return lookup


def lookup_of_layer(config: Mapping[str, Any], source: str) -> VocabularyLookup:
    """The lookup of a StringLookup, or of the one in a TextVectorization, as it was saved.

    Raises
    ------
    InputError
        If its vocabulary is not in the file.
    """
    vocabulary = config.get("vocabulary")
    if isinstance(vocabulary, str):
        raise InputError(
            f"{source}: its vocabulary is not in the model's file, which names another, "
            f"{vocabulary!r}. Say it: tokenizer={vocabulary!r} (--tokenizer)."
        )
    if vocabulary is None:
        raise InputError(
            f"{source}: its vocabulary is not in the model's file (HDF5 keeps none, and .keras "
            "only of a layer that was adapted or had a list). Write what get_vocabulary() gives, "
            "a word a line, and say tokenizer='vocabulary.txt' (--tokenizer)."
        )
    has_mask = config.get("output_mode", "int") == "int"
    words = list(vocabulary)
    if not has_mask and words[:1] == [MASK]:  # as a layer of numbers of words gives its own
        words = words[1:]
    return vocabulary_lookup(
        words,
        mask=config.get("mask_token", MASK) if has_mask else None,
        unknown=str(config.get("oov_token", UNKNOWN)),
        buckets=int(config.get("num_oov_indices", 1)),
        most=config.get("max_tokens"),
        source=source,
    )


__all__ = ["MASK", "UNKNOWN", "VocabularyLookup", "lookup_of_layer", "vocabulary_lookup"]
