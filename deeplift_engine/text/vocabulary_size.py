"""Whether the numbers that a tokenizer gives are those that a network has rows for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deeplift_engine.errors import InputError

if TYPE_CHECKING:
    from deeplift_engine.graph.inputs import InputInfo
    from deeplift_engine.text.tokenizer import Tokenizer

_MUCH = 2
"""How many times as many rows as words are told: a training that rounds up has fewer."""


def check_size(words: Tokenizer, info: InputInfo | None, model: str) -> None:
    """Refuse a tokenizer that gives numbers without a row in the table of an input.

    Parameters
    ----------
    words
        The tokenizer; one of a user's own may tell no ``size``, and is not judged.
    info
        The input, where there is a network.
    model
        The file of the network, for the message.

    Raises
    ------
    InputError
        Naming both, and the word of the greatest number.
    """
    size = getattr(words, "size", None)
    if info is None or info.table is None or size is None or size <= info.table.rows:
        return
    rows = info.table.rows
    raise InputError(
        f"{words.name} gives numbers up to {size - 1} ({words.word(size - 1)!r}), and the table of "
        f"{info.table.layer!r} in {model} has {rows} rows, for tokens 0 to {rows - 1}: take the "
        "tokenizer of the model's training. If it is, and rarer words were left out there, the "
        f"file has to say so: num_words={rows} of Keras's Tokenizer, or a vocabulary that ends "
        f"with word {rows - 1}."
    )


def doubts(words: Tokenizer, info: InputInfo | None) -> list[str]:
    """A sentence on a table that is far larger than any training with this tokenizer makes it."""
    capacity = getattr(words, "capacity", None)
    if info is None or info.table is None or capacity is None:
        return []
    if capacity * _MUCH >= info.table.rows:
        return []
    return [
        f"{words.name} has {capacity} numbers, and the table of {info.table.layer!r} "
        f"{info.table.rows} rows: make sure that it is the tokenizer of the model's training"
    ]


__all__ = ["check_size", "doubts"]
