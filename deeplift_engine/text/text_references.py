"""What the words of a text are compared with, and why."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from deeplift_engine.references.fixed import replaced
from deeplift_engine.references.reference_set import References
from deeplift_engine.text.tokenizer import Tokenizer

FEW = 10
"""Words that texts are compared with where there is no word that stands for any other."""


class TextReferences(NamedTuple):
    """References of an input of tokens, and a sentence that says what they are."""

    references: References
    words: str


def text_references(
    tokenizer: Tokenizer, left_out: int | None, rows: int | None = None
) -> TextReferences:
    """Each text with every word replaced, but what holds its form: padding, start, end.

    A word is replaced by the tokenizer's mask, else by its unknown word, else by padding where the
    network reads padding as any token. Where it leaves padding out, a text of padding alone has
    nothing left, and its mean is 0 / 0: then by the first `FEW` words of the vocabulary, in turn.

    Parameters
    ----------
    tokenizer
        Whose tokens the texts are.
    left_out
        The token that the network's mask leaves out, if it has one.
    rows
        How many tokens the network has a row for, where it is known.
    """
    special = tokenizer.special
    keep = {special.padding, *special.fixed, *([] if left_out is None else [left_out])}
    choices = (
        (special.mask, "the mask"),
        (special.unknown, "the unknown word"),
        (special.padding, "padding"),
    )
    stands_for_any = [
        (token, what) for token, what in choices if token is not None and token != left_out
    ]
    if stands_for_any:
        token, name = stands_for_any[0]
        replacements, what = [token], f"{name}, token"
    else:
        numbers = (number for number in range(rows or FEW + len(keep)) if number not in keep)
        replacements = list(islice(numbers, FEW))
        what = "frequent words, as the tokenizer has neither a mask nor an unknown word: tokens"
    left = sorted(keep - set(replacements))
    words = f"every word replaced by {what} {_named(tokenizer, replacements)}"
    words += f"; kept: {_named(tokenizer, left)}" * bool(left)
    return TextReferences(replaced(replacements, keep=left), words)


def _named(tokenizer: Tokenizer, tokens: Sequence[int]) -> str:
    padding = tokenizer.special.padding
    names = {token: tokenizer.word(token) or "padding" * (token == padding) for token in tokens}
    return ", ".join(f"{token} ({name})" if name else str(token) for token, name in names.items())


__all__ = ["TextReferences", "text_references"]
