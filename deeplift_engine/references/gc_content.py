"""Random sequences with as many G and C as each of some others."""

from __future__ import annotations

import numpy as np

from deeplift_engine.errors import ReferencesError
from deeplift_engine.references.random_streams import (
    keys_of,
    lane_streams,
    random_orders,
    random_words,
)
from deeplift_engine.references.shuffles import as_sequences
from deeplift_engine.util.typing import Array

STRONG = (1, 2)
"""C and G, in the order A, C, G, T."""
_COMPLEMENT = 3
"""What a letter's code is flipped by: A and T are 0 and 3, C and G 1 and 2."""
_COINS = 1 << 32


def gc_contents(sequences: Array, channel_axis: int | None = None) -> Array:
    """Share (n,) of G and C among the letters of one-hot sequences ``(n, *S)``, 0 without any."""
    letters = as_sequences(sequences, channel_axis, "gc_matched")[0].sum(axis=1, dtype=float)
    strong, all_letters = letters[:, STRONG].sum(axis=1), letters.sum(axis=1)
    share: Array = np.divide(strong, all_letters, np.zeros(len(letters)), where=all_letters > 0)
    return share


def with_gc_content(
    inputs: Array, count: int, seed: int = 0, first: int = 0, *, channel_axis: int | None = None
) -> Array:
    """Random sequences with the GC content of one-hot ``inputs`` ``(n, *S)``, count of each.

    Uniform over all sequences with as many G and C: positions are shuffled, and each letter is
    left as it is or becomes its complement. Columns that are no letter stay where they are.

    Returns
    -------
    ndarray
        ``(n, count, *S)`` of the dtype of ``inputs``.
    """
    sequences, restore = as_sequences(inputs, channel_axis, "gc_matched")
    n, length, channels = sequences.shape
    if channels != 1 + _COMPLEMENT:
        raise ReferencesError(f"gc_matched: the letters are A, C, G, T, not {channels}")
    letters = (sequences == 1).sum(axis=2) + (sequences != 0).sum(axis=2) == 2
    streams = lane_streams(keys_of(sequences), count, seed, first).reshape(-1)
    drawn_sequences = np.repeat(sequences, count, axis=0)
    codes, one_hot = sequences.argmax(axis=2), np.eye(channels, dtype=sequences.dtype)
    # of each sequence the codes of its letters, and behind them what is not asked for
    codes = np.take_along_axis(codes, np.argsort(~letters, axis=1, kind="stable"), axis=1)
    flips = np.arange(length, dtype=np.uint64) + np.uint64(_COINS)
    for block, order in random_orders(streams, length):
        row = np.arange(block.start, block.stop) // count
        drawn = np.take_along_axis(codes[row], order, axis=1)
        heads = random_words(streams[block, np.newaxis], flips) >> np.uint64(63) == 1
        drawn ^= heads * _COMPLEMENT
        there = letters[row]
        if there.all():
            np.take(one_hot, drawn, axis=0, out=drawn_sequences[block], mode="clip")
        else:
            drawn_sequences[block][there] = one_hot[drawn[order < there.sum(axis=1, keepdims=True)]]
    return restore(drawn_sequences.reshape(n, count, length, channels))
