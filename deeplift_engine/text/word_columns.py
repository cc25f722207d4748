"""Bags of words: a column for each word of a vocabulary, and how often it is in a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.text.tokenizer import Token

Weighing = Callable[[Array, int, Array], Array]
"""The columns (V,) of a text: from how often it has each word (V,), how many words it has, and
factors of the columns (V,)."""
WEIGHINGS: Mapping[str, Weighing] = {
    "binary": lambda counts, total, factors: counts > 0,
    "count": lambda counts, total, factors: counts,
    "freq": lambda counts, total, factors: counts / max(total, 1),
    "tfidf": lambda counts, total, factors: _damped(counts) * factors,
    "multi_hot": lambda counts, total, factors: counts > 0,
    "one_hot": lambda counts, total, factors: counts > 0,
    "tf_idf": lambda counts, total, factors: counts * factors,
}
"""By mode, in the words of Keras's Tokenizer and of its layers."""
OF_TOKENIZER = ("binary", "count", "freq", "tfidf")
"""The modes of ``Tokenizer.texts_to_matrix``."""
OF_LAYER = ("multi_hot", "count", "tf_idf")
"""The output modes of TextVectorization that give columns."""
BAGS = tuple(dict.fromkeys((*OF_TOKENIZER, *OF_LAYER)))
TOKENS = "tokens"
"""What is said of an input of tokens that looks like one of columns."""


@dataclass(frozen=True, eq=False)
class WordColumns:
    """The columns of a bag of words.

    Attributes
    ----------
    mode
        One of `BAGS`.
    names
        The words, one a column, each name once.
    factors
        What ``tfidf`` and ``tf_idf`` multiply each column with (V,); else 1.
    """

    mode: str
    names: tuple[str, ...]
    factors: Array

    def row(self, tokens: Iterable[Token]) -> Array:
        """The columns (V,) of a text."""
        numbers = [token.id for token in tokens]
        counts = np.bincount(np.array(numbers, np.int64), minlength=len(self.names))
        weigh = WEIGHINGS[self.mode]
        return np.asarray(weigh(counts, len(numbers), self.factors), np.float64)


def _damped(counts: Array) -> Array:
    """1 + log of what is there, else 0."""
    return np.asarray(np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0))


def column_names(words: Iterable[str]) -> tuple[str, ...]:
    """Names of columns, each once: a nameless one has its number, a second of a name another."""
    seen: Counter[str] = Counter()
    names = []
    for number, word in enumerate(words):
        name = word or f"(column {number})"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


__all__ = [
    "BAGS",
    "OF_LAYER",
    "OF_TOKENIZER",
    "TOKENS",
    "WordColumns",
    "column_names",
]
