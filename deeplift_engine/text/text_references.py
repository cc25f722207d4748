"""What the words of a text are compared with, and why."""

from __future__ import annotations

from typing import NamedTuple

from deeplift_engine.references.fixed import replaced
from deeplift_engine.references.reference_set import References
from deeplift_engine.text.tokenizer import Tokenizer


class TextReferences(NamedTuple):
    """References of an input of tokens, and a sentence that says what they are."""

    references: References
    words: str


def text_references(tokenizer: Tokenizer, left_out: int | None) -> TextReferences:
    """Each text with every word replaced, but what holds its form: padding, start, end.

    A word is replaced by the tokenizer's mask, else by its unknown word, else by padding where the
    network reads padding as any token. Where it leaves padding out, a text of padding alone has
    nothing left, and its mean is 0 / 0: then by the first word of the vocabulary.

    Parameters
    ----------
    tokenizer
        Whose tokens the texts are.
    left_out
        The token that the network's mask leaves out, if it has one.
    """
    special = tokenizer.special
    keep = {special.padding, *special.fixed}
    keep |= set() if left_out is None else {left_out}
    choices = (
        (special.mask, "the mask"),
        (special.unknown, "the unknown word"),
        (None if left_out == special.padding else special.padding, "padding"),
    )
    fallback = next(number for number in range(len(keep) + 1) if number not in keep)
    by, what = next(
        ((token, what) for token, what in choices if token is not None and token != left_out),
        (fallback, "a word, as the tokenizer has neither a mask nor an unknown word"),
    )
    name = tokenizer.word(by)
    words = f"every word replaced by {what}, token {by}" + f" ({name})" * bool(name)
    words += "; kept: " + ", ".join(
        f"{token} ({tokenizer.word(token) or 'padding'})" for token in sorted(keep - {by})
    ) * bool(keep - {by})
    return TextReferences(replaced(by, keep=sorted(keep - {by})), words.removesuffix("; kept: "))


__all__ = ["TextReferences", "text_references"]
