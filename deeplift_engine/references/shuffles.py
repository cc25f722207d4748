"""Shuffled sequences: positions at random, or all pairs (words of k) of neighbouring letters kept.

A shuffle depends on the sequence's own letters, the seed and the replicate's number, and on
nothing else: not on the batch, the order of samples, their neighbours, nor the number of
replicates asked for. `eulerian` tells how the words are kept.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.errors import ReferencesError
from deeplift_engine.references.eulerian import shuffle_codes
from deeplift_engine.references.random_streams import (
    content_keys,
    keys_of,
    lane_streams,
    random_orders,
)
from deeplift_engine.util.typing import Array

MOST_LETTERS, LONGEST_WORD = 256, 8


# ---------------------------------------------------------------- for users


def shuffle_words(
    inputs: Array,
    count: int,
    seed: int = 0,
    k: int = 2,
    *,
    first: int = 0,
    channel_axis: int | None = None,
) -> Array:
    """Shuffle one-hot sequences uniformly among those with the same words of k letters.

    The first k - 1 letters stay first and the last ones last, so that the counts of shorter words
    stay too. A column of zeros (N) is a letter like the others, and so is any other column that
    occurs, such as 0.25 throughout: there are as many runs of N after the shuffle as before, a
    padded end stays padded, and runs inside may move.

    Parameters
    ----------
    inputs
        ``(n, *S)`` where ``S`` has an axis of letters, one axis of positions and otherwise
        axes of size 1: ``(L, 4)``, ``(4, L)``, ``(1, L, 4)``, ``(4, L, 1)`` …
    count
        Shuffles per sequence, K.
    seed
        A whole number of 0 or more.
    k
        2 keeps pairs of neighbours (dinucleotides), 3 trinucleotides, and so on.
    first
        The number of the first shuffle: those of 3 and ``first=2`` are the last of 5.
    channel_axis
        The axis of the letters in one sample; if not given, the only one of size 4.

    Returns
    -------
    ndarray
        ``(n, K, *S)`` of the dtype of ``inputs``.

    Raises
    ------
    ReferencesError
        If the axes are not as above, or the columns are no letters (over 256 different ones).
    """
    name = "dinucleotide_shuffle" if checked_word(k) == 2 else "kmer_shuffle"
    sequences, restore = as_sequences(inputs, channel_axis, name)
    codes, letters, keys = _encode(sequences)
    return restore(_spell(letters, shuffle_codes(codes, lane_streams(keys, count, seed, first), k)))


def shuffle_dinucleotides(
    inputs: Array, count: int, seed: int = 0, *, channel_axis: int | None = None
) -> Array:
    """`shuffle_words` of two letters."""
    return shuffle_words(inputs, count, seed, channel_axis=channel_axis)


def shuffle_positions(
    inputs: Array,
    count: int,
    seed: int = 0,
    *,
    first: int = 0,
    channel_axis: int | None = None,
) -> Array:
    """Put the positions of each sequence in random order.

    Parameters and returns as for `shuffle_words`; the columns may hold anything.
    """
    sequences, restore = as_sequences(inputs, channel_axis, "shuffle")
    n, length, channels = sequences.shape
    streams = lane_streams(keys_of(sequences), count, seed, first).reshape(-1)
    shuffled = np.empty((n * count, length, channels), sequences.dtype)
    for block, order in random_orders(streams, length):
        rows = np.arange(block.start, block.stop)[:, np.newaxis] // count
        shuffled[block] = sequences[rows, order]
    return restore(shuffled.reshape(n, count, length, channels))


def shuffle_text(sequence: str, count: int = 1, seed: int = 0, k: int = 2) -> list[str]:
    """Shuffle a text of any letters uniformly among those with the same words of k letters.

    Upper and lower case are different letters. For ``ACGTN`` the shuffles are those that
    `shuffle_words` gives for the one-hot form.

    >>> shuffle_text("ACTGACTGACTG")
    ['ACTGACTGACTG']
    """
    order = {letter: i for i, letter in enumerate("ACGTN")}
    alphabet = sorted(set(sequence), key=lambda letter: (order.get(letter, 5), letter))
    if len(alphabet) > MOST_LETTERS:
        raise ReferencesError(
            f"a sequence of {len(alphabet)} different letters; at most {MOST_LETTERS} can be "
            "shuffled"
        )
    codes = np.array([[alphabet.index(letter) for letter in sequence]], dtype=np.uint8)
    checked_word(k)
    streams = lane_streams(content_keys([sequence.encode()]), count, seed)
    shuffled = shuffle_codes(codes, streams, k)[0]
    return ["".join(alphabet[code] for code in row) for row in shuffled]


def dinucleotide_shuffle_sequence(sequence: str, count: int = 1, seed: int = 0) -> list[str]:
    """`shuffle_text` with all pairs of neighbours kept."""
    return shuffle_text(sequence, count, seed)


def checked_word(k: int) -> int:
    """Refuse a length of words to keep that is not a whole number from 2 on, or too large."""
    if not isinstance(k, numbers.Integral) or not 2 <= k <= LONGEST_WORD:
        raise ReferencesError(
            f"kmer_shuffle: k is a whole number from 2 to {LONGEST_WORD}, not {k!r}; to keep the "
            "letters alone use references.shuffle(...)"
        )
    return int(k)


# ---------------------------------------------------------------- arrays of any layout


def find_channel_axis(
    shape: tuple[int, ...], channel_axis: int | None, channels: int, what: str
) -> int:
    """Find the axis of the letters in a sample of ``shape``, counted from 0."""
    if channel_axis is None:
        candidates = [axis for axis, size in enumerate(shape) if size == channels]
        if len(candidates) != 1:
            raise ReferencesError(
                f"{what}: {len(candidates) or 'no'} axes of size {channels} in inputs of shape "
                f"{shape}; say which axis holds the letters: channel_axis=... (batch axis not "
                "counted)"
            )
        return candidates[0]
    if not -len(shape) <= channel_axis < len(shape):
        raise ReferencesError(
            f"{what}: channel_axis={channel_axis}, but inputs of shape {shape} have axes "
            f"0 to {len(shape) - 1} (batch axis not counted)"
        )
    return channel_axis % len(shape)


def as_sequences(
    inputs: Array, channel_axis: int | None, what: str
) -> tuple[Array, Callable[[Array], Array]]:
    """View ``(n, *S)`` as ``(n, L, C)``; and how to bring ``(n, K, L, C)`` to ``(n, K, *S)``."""
    shape = inputs.shape[1:]
    channel = find_channel_axis(shape, channel_axis, 4, what)
    others = [axis for axis in range(len(shape)) if axis != channel]
    if not others or sum(shape[axis] != 1 for axis in others) > 1:
        raise ReferencesError(
            f"{what}: inputs of shape {shape} with the letters on axis {channel} need exactly one "
            "axis of positions beside it, all others of size 1; shuffle these with "
            "references.function(f, count)"
        )
    moved = np.moveaxis(inputs, channel + 1, -1)
    rest = moved.shape[1:-1]

    def restore(sequences: Array) -> Array:
        n, count, _, channels = sequences.shape
        return np.moveaxis(sequences.reshape(n, count, *rest, channels), -1, channel + 2)

    return moved.reshape(len(inputs), math.prod(rest), shape[channel]), restore


def _encode(sequences: Array) -> tuple[NDArray[np.uint8], Array, NDArray[np.uint64]]:
    """Letters of ``(n, L, C)``: codes ``(n, L)``, what each code stands for ``(A, C)``, and a key.

    Codes 0 … C-1 are the one-hot columns, C is the column of zeros, the rest are any other
    columns in ascending order: a sequence's letters keep their order whatever its neighbours.
    """
    channels = sequences.shape[2]
    letters = np.zeros((channels + 1, channels), sequences.dtype)
    np.fill_diagonal(letters, 1)
    numbers = np.arange(1, channels + 1, dtype=np.float32)
    ranks = np.einsum("nlc,c->nl", sequences, numbers)  # 1 … C, and 0 for zeros
    codes = np.clip(ranks - 1, 0, channels).astype(np.uint8)
    codes[ranks == 0] = channels
    odd = (sequences != _spell(letters, codes)).any(axis=2)
    if odd.any():
        columns, inverse = np.unique(sequences[odd], axis=0, return_inverse=True)
        if len(columns) + len(letters) > MOST_LETTERS:
            raise ReferencesError(
                f"dinucleotide_shuffle: {len(columns)} different columns that are not one-hot; "
                "is the axis of the letters the right one (channel_axis=...)? Shuffle whole "
                "positions of other data with references.shuffle(...)"
            )
        codes[odd] = inverse.reshape(-1) + len(letters)
        letters = np.concatenate([letters, columns])
    symbols = b"ACGTN" if channels == 4 else bytes(range(channels + 1))
    texts = np.frombuffer(symbols + bytes(MOST_LETTERS), np.uint8)[codes]
    values = [
        np.ascontiguousarray(sequence, np.float32).tobytes() if strange else text.tobytes()
        for sequence, text, strange in zip(sequences, texts, odd.any(axis=1), strict=True)
    ]
    return codes, letters, content_keys(values)


def _spell(letters: Array, codes: NDArray[np.uint8]) -> Array:
    """``letters[codes]``; five times as fast where a letter fills one machine number."""
    number = {4: np.uint32, 8: np.uint64, 16: np.complex128}.get(letters[0].nbytes)
    if number is None:
        return letters[codes]
    spelt: Array = letters.view(number)[:, 0][codes]
    return spelt.view(letters.dtype).reshape(*codes.shape, letters.shape[1])
