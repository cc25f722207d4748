"""The tokens of texts as a run keeps them, and the scores of its arrays by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.text.tokenizer import ABSENT
from deeplift_engine.util.typing import Array

FEW = 10
"""Words of a bag that are not in a text and are shown one by one; the others are one sum."""
_TEXT = "text"


@dataclass(frozen=True, eq=False)
class TokenTable:
    """N texts and their tokens, as `TextInput.constants` and `BagInput.constants` have them.

    Attributes
    ----------
    texts
        The texts (N,).
    begin, end
        Characters of tokens (N, M), -1 of those that have none.
    tokens
        Names of tokens (N, M); None of a bag of words.
    columns
        Of a bag of words, the column that each word is counted in (N, M), -1 of none.
    features
        Names of these columns (V,).
    """

    texts: Sequence[Any]
    begin: Array
    end: Array
    tokens: Array | None = None
    columns: Array | None = None
    features: Sequence[str] = ()

    def text(self, number: int) -> str:
        """A text."""
        return _word(self.texts[number])

    def scored(self, number: int, scores: Array) -> tuple[list[str], Array, Array]:
        """Names (M,), spans (M, 2) and scores (M,) of the tokens of a text.

        Those at an embedding are added up. The score of a column is shared by the words that are
        counted in it; columns of words that the text does not have are tokens without characters.

        Raises
        ------
        InputError
            If scores have no axis of tokens.
        """
        length = self.begin.shape[1] if self.columns is None else len(self.features)
        if scores.ndim == 0 or len(scores) != length:
            what = "tokens" if self.columns is None else "columns of words"
            raise InputError(
                f"scores of shape {scores.shape}, and the texts have {length} {what}: score at the "
                "input, or at the layer that embeds it."
            )
        by_row = np.asarray(scores, np.float64).reshape(length, -1).sum(axis=1)
        spans = np.stack([self.begin[number], self.end[number]], axis=1)
        if self.columns is None:
            assert self.tokens is not None
            return [_word(token) for token in self.tokens[number]], spans, by_row
        return self._of_bag(self.columns[number], spans, by_row)

    def _of_bag(
        self, columns: Array, spans: Array, scores: Array
    ) -> tuple[list[str], Array, Array]:
        present = columns != ABSENT
        counts = np.bincount(columns[present], minlength=len(scores))
        shares = scores / np.maximum(counts, 1)
        others = np.flatnonzero((counts == 0) & (scores != 0))
        others = others[np.argsort(-np.abs(scores[others]), kind="stable")]
        few, rest = others[:FEW], others[FEW:]
        names = [self.features[column] if column != ABSENT else "" for column in columns]
        names += [f"(no {self.features[column]})" for column in few]
        values = [np.where(present, shares[columns], 0), scores[few]]
        if len(rest):
            names.append(f"({len(rest)} other words that are not there)")
            values.append(scores[rest].sum(keepdims=True))
        nowhere = np.full((len(names) - len(spans), 2), ABSENT)
        return names, np.concatenate([spans, nowhere]), np.concatenate(values)


def token_tables(constants: Mapping[str, Any]) -> dict[str, TokenTable]:
    """The texts that a run keeps, by the input that reads them, ``""`` for the only one."""
    names = [name for name in constants if name.partition(".")[0] == _TEXT]
    return {
        name.partition(".")[2]: table
        for name in names
        if (table := _table(constants, name.removeprefix(_TEXT))) is not None
    }


def _table(constants: Mapping[str, Any], suffix: str) -> TokenTable | None:
    texts, begin, end, tokens, columns = (
        constants.get(f"{name}{suffix}") for name in (_TEXT, "begin", "end", "token", "column")
    )
    if texts is None or begin is None or end is None or (tokens is None and columns is None):
        return None
    features = [_word(feature) for feature in constants.get("feature", ())]
    return TokenTable(texts, np.asarray(begin), np.asarray(end), tokens, columns, features)


def _word(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


__all__ = ["TokenTable", "token_tables"]
