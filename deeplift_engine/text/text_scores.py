"""Scores of the tokens of a text, and of its words and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.text.tokenizer import ABSENT
from deeplift_engine.util.typing import Array

LEVELS = ("token", "word", "sentence")
_WORD = re.compile(r"\S+")
_SENTENCE = re.compile(r"\S.*?(?:[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？]+|(?=\s*(?:\n|$)))", re.DOTALL)
_PATTERNS = {"word": _WORD, "sentence": _SENTENCE}


class Piece(NamedTuple):
    """A token, a word or a sentence: its characters, begin and end in the text, and its score.

    What has no characters begins and ends at -1: tokens that only hold the form of the input.
    """

    text: str
    begin: int
    end: int
    score: float


@dataclass(frozen=True, eq=False)
class TextScores:
    """Scores of the L tokens of one text.

    Attributes
    ----------
    name
        Of the sample.
    text
        The text.
    tokens
        Names of the tokens (L); empty of padding.
    spans
        Their characters (L, 2), begin and end; -1 of those that have none.
    scores
        Theirs (L).
    target
        What they explain.
    predictions
        What the model gives for the text, its outputs one behind the other; may be empty.
    unit
        What a score is, in words.

    Raises
    ------
    InputError
        If there are not as many spans and scores as tokens.
    """

    name: str
    text: str
    tokens: Sequence[str]
    spans: Array
    scores: Array
    target: str = ""
    predictions: tuple[float, ...] = ()
    unit: str = "score"

    def __post_init__(self) -> None:
        counts = len(self.tokens), len(self.spans), len(self.scores)
        if len(set(counts)) > 1:
            tokens, spans, scores = counts
            raise InputError(
                f"text {self.name!r} has {tokens} tokens, {spans} spans and {scores} scores: "
                "expected as many of each."
            )

    @property
    def total(self) -> float:
        """The sum of all scores, padding's too."""
        return float(np.sum(self.scores, dtype=np.float64))

    @property
    def is_padding(self) -> Array:
        """Which tokens are padding (L,)."""
        nameless = [not token for token in self.tokens]
        return np.asarray(np.array(nameless, bool) & (self.spans[:, 0] == ABSENT))

    def pieces(self, level: str) -> list[Piece]:
        """The scores of tokens, words or sentences, in the order of the text.

        The sum is always that of all tokens. Padding is left out where its score is 0, and is one
        piece ``""`` without characters where it is not.

        Parameters
        ----------
        level
            ``"token"``; ``"word"``, what stands between blanks; or ``"sentence"``, up to a mark
            that ends one and a blank behind it, or the end of a line. A word, or sentence, has the
            tokens that begin in it or behind it; of a token that is in several each has the same
            share.

        Raises
        ------
        InputError
            For another level.
        """
        if level not in LEVELS:
            raise InputError(f"level={level!r}: expected {', '.join(LEVELS)}")
        tokens = self._tokens()
        if level == "token":
            return [*tokens, *self._padding()]
        outside = [piece for piece in tokens if piece.begin == ABSENT]
        return [*self._over(_PATTERNS[level], tokens), *outside, *self._padding()]

    def minus(self, other: TextScores) -> TextScores:
        """What speaks for this target and against another, of the same tokens.

        Raises
        ------
        InputError
            If the other is of another text.
        """
        if self.text != other.text or list(self.tokens) != list(other.tokens):
            raise InputError(
                f"the scores of {self.name!r} and {other.name!r} are of different tokens: a "
                "contrast is of two targets of one text"
            )
        return replace(
            self, scores=self.scores - other.scores, target=f"{self.target} minus {other.target}"
        )

    def _tokens(self) -> list[Piece]:
        """Every token that is not padding."""
        rows = zip(
            self.tokens, self.spans.tolist(), self.scores.tolist(), self.is_padding, strict=True
        )
        return [
            Piece(name if begin == ABSENT else self.text[begin:end], begin, end, score)
            for name, (begin, end), score, padding in rows
            if not padding
        ]

    def _padding(self) -> list[Piece]:
        score = float(np.sum(self.scores[self.is_padding], dtype=np.float64))
        return [Piece("", ABSENT, ABSENT, score)] if score else []

    def _over(self, pattern: re.Pattern[str], tokens: Sequence[Piece]) -> list[Piece]:
        """The stretches of the text that a pattern tells, with the scores of their tokens."""
        spans = [match.span() for match in pattern.finditer(self.text)] or [(0, len(self.text))]
        begins = np.array([begin for begin, _ in spans])
        scores = np.zeros(len(spans))
        for token in tokens:
            if token.begin != ABSENT:
                first = max(0, int(np.searchsorted(begins, token.begin, "right")) - 1)
                end = max(first + 1, int(np.searchsorted(begins, token.end, "left")))
                scores[first:end] += token.score / (end - first)
        return [
            Piece(self.text[begin:end], begin, end, score)
            for (begin, end), score in zip(spans, scores.tolist(), strict=True)
        ]


class Stretch(NamedTuple):
    """Neighbouring characters with the same tokens, or a token without characters.

    Attributes
    ----------
    text
        What is shown.
    score
        The sum of the scores of its tokens; None where there is none.
    tokens
        Numbers of its tokens.
    shown
        Whether ``text`` is of the text; else it is the name of a token without characters.
    """

    text: str
    score: float | None
    tokens: tuple[int, ...]
    shown: bool = True


def stretches(scores: TextScores) -> Iterator[Stretch]:
    """The text cut wherever a token begins or ends, padding hidden, as it is highlighted.

    Tokens without characters stand in front of the token that follows them.
    """
    spans = scores.spans
    edges = np.unique(np.clip([0, len(scores.text), *spans.ravel().tolist()], 0, len(scores.text)))
    bare = _without_characters(scores)
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield from bare.pop(begin, ())
        covering = np.flatnonzero((spans[:, 0] <= begin) & (spans[:, 1] >= end))
        total = float(np.sum(scores.scores[covering])) if len(covering) else None
        yield Stretch(scores.text[begin:end], total, tuple(covering.tolist()))
    for last in bare.values():
        yield from last


def _without_characters(scores: TextScores) -> dict[int, list[Stretch]]:
    """Tokens without characters, by the character in front of which they stand."""
    waiting: dict[int, list[Stretch]] = {}
    character, is_padding = len(scores.text), scores.is_padding
    for number in range(len(scores.tokens) - 1, -1, -1):
        begin = int(scores.spans[number, 0])
        if begin != ABSENT:
            character = begin
        elif not is_padding[number]:
            stretch = Stretch(scores.tokens[number], float(scores.scores[number]), (number,), False)
            waiting.setdefault(character, []).insert(0, stretch)
    return waiting


__all__ = ["LEVELS", "Piece", "Stretch", "TextScores", "stretches"]
