"""Tokens of a text in an array of one length: where texts are cut, and where filled up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.text.tokenizer import ABSENT, SIDES, Side, Token
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class TextLayout:
    """The form of an input of tokens.

    Attributes
    ----------
    length
        L.
    padding, truncating
        Whether texts are filled up, and cut, at their beginning (``"pre"``) or end (``"post"``).
        Tokens that are there for the form of the input are never cut.
    filler
        The token of padding.
    dtype
        Of the array.

    Raises
    ------
    InputError
        For another side.
    """

    length: int
    padding: Side
    truncating: Side
    filler: int
    dtype: str = "int32"

    def __post_init__(self) -> None:
        for option in ("padding", "truncating"):
            if getattr(self, option) not in SIDES:
                raise InputError(
                    f"{option}={getattr(self, option)!r}: expected 'pre', the beginning of a text, "
                    "or 'post', its end"
                )

    def arrange(self, tokens: Sequence[Token]) -> list[Token]:
        """The L tokens of a text, padding with an empty name among them.

        Raises
        ------
        InputError
            If the tokens that are never cut are more than L.
        """
        over = len(tokens) - self.length
        if over > 0:
            return self._cut(tokens, over)
        filling = [Token(self.filler, "", ABSENT, ABSENT)] * -over
        return [*filling, *tokens] if self.padding == "pre" else [*tokens, *filling]

    def numbers(self, tokens: Sequence[Token]) -> Array:
        """The numbers of tokens."""
        return np.array([token.id for token in tokens], self.dtype)

    def _cut(self, tokens: Sequence[Token], over: int) -> list[Token]:
        content = [number for number, token in enumerate(tokens) if not token.fixed]
        first = [number for number in content if not tokens[number].sequence]
        second = [number for number in content if tokens[number].sequence]
        if over > len(content):
            raise InputError(
                f"length={self.length}: the tokenizer adds {len(tokens) - len(content)} tokens to "
                "every text, which are more; say a greater length."
            )
        stays = _shares(len(first), len(second), len(content) - over)
        cut: set[int] = set()
        for numbers, most in zip((first, second), stays, strict=True):
            surplus = len(numbers) - most
            cut.update(numbers[:surplus] if self.truncating == "pre" else numbers[most:])
        return [token for number, token in enumerate(tokens) if number not in cut]


def _shares(first: int, second: int, most: int) -> tuple[int, int]:
    """How many tokens of two texts stay: the longer is cut, and both where half is not enough.

    As ``longest_first`` of the library tokenizers.
    """
    low = min(first, second, most // 2)
    return (low, most - low) if first <= second else (most - low, low)


def empty_columns(samples: int, length: int) -> dict[str, Any]:
    """Arrays (N, L) of the names and characters of tokens, to be filled row by row."""
    return {
        "token": np.full((samples, length), "", object),
        "begin": np.full((samples, length), ABSENT, np.int64),
        "end": np.full((samples, length), ABSENT, np.int64),
    }


__all__ = ["TextLayout", "empty_columns"]
