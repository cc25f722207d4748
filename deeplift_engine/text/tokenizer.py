"""What a tokenizer gives, whatever file it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

Side = Literal["pre", "post"]
"""The beginning or the end of a text, in Keras's words."""
SIDES: tuple[Side, ...] = ("pre", "post")
ABSENT = -1
"""Begin and end of what no characters of the text stand for."""


class Token(NamedTuple):
    """One token of a text.

    Attributes
    ----------
    id
        Its number, which the network looks up.
    text
        What it is called.
    begin, end
        Its characters of the text, the end excluded; both `ABSENT` where it has none.
    fixed
        Whether it is there for the form of the input (a start, a separator), not for the text.
    type
        Its type, of a model that tells two texts apart by it.
    sequence
        Which text of a pair it is of, 0 or 1.
    """

    id: int
    text: str
    begin: int
    end: int
    fixed: bool = False
    type: int = 0
    sequence: int = 0

    @property
    def is_padding(self) -> bool:
        """Whether it fills up a short text."""
        return not self.text and self.begin == ABSENT and not self.fixed


@dataclass(frozen=True)
class SpecialTokens:
    """Tokens with a meaning of their own.

    Attributes
    ----------
    padding
        Fills up short texts.
    unknown, mask
        Stand for a word that is not in the vocabulary, and for one that is hidden; None where the
        tokenizer has none.
    fixed
        Those that hold the form of every input: start, end, separator.
    """

    padding: int = 0
    unknown: int | None = None
    mask: int | None = None
    fixed: tuple[int, ...] = ()


class Tokenizer(Protocol):
    """From a text to its tokens, of any number."""

    @property
    def name(self) -> str:
        """What it is, in words."""

    @property
    def special(self) -> SpecialTokens:
        """Tokens with a meaning of their own."""

    @property
    def padding(self) -> Side:
        """Where short texts are filled up unless told otherwise."""

    @property
    def truncating(self) -> Side:
        """Where long texts are cut unless told otherwise."""

    @property
    def length(self) -> int | None:
        """The number of tokens that it fills up or cuts to; None where it says none."""

    @property
    def size(self) -> int | None:
        """One more than the greatest number that it gives; None where it does not tell."""

    @property
    def capacity(self) -> int | None:
        """How many numbers it has at most, rare words that are left out counted, or None."""

    @property
    def notes(self) -> Sequence[str]:
        """What of its file is not done, or done otherwise, in sentences."""

    def encode(self, text: str) -> list[Token]:
        """All tokens of a text, neither cut nor filled up."""

    def word(self, token: int) -> str:
        """What a token is called."""


__all__ = ["ABSENT", "SIDES", "Side", "SpecialTokens", "Token", "Tokenizer"]
