"""Random numbers that depend on a sample's content, a seed and a replicate's number, and no more.

Each (sample, replicate) pair has a stream, and each number in a stream its own random word: so a
batch, the order of samples and the number of replicates change nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.errors import ReferencesError
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.typing import Array

Words: TypeAlias = NDArray[np.uint64]
Indices: TypeAlias = NDArray[np.intp]

WORDS_AT_ONCE = 1 << 15
"""Random words that are sorted together: as many as stay in the cache."""


def content_keys(contents: Iterable[bytes]) -> Words:
    """Give each content a number that stands for it in random streams (equal on all machines)."""
    digests = b"".join(hashlib.blake2b(content, digest_size=8).digest() for content in contents)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def keys_of(samples: Array) -> Words:
    """`content_keys` of ``(n, *S)`` numbers, whatever their type; -0.0 is 0.0."""
    return content_keys((np.asarray(sample, np.float32) + 0).tobytes() for sample in samples)


def lane_streams(keys: Words, count: int, seed: int, first: int = 0) -> Words:
    """``(n, count)``: where the streams of replicates ``first`` … of each key start.

    Raises
    ------
    ReferencesError
        For a seed that is no whole number of 0 or more; see `checked_seed`.
    """
    seeded = _mix(keys ^ _mix(np.array([checked_seed(seed) % 2**64], np.uint64)))
    return random_words(seeded[:, None], np.arange(first + 1, first + count + 1, dtype=np.uint64))


def checked_seed(seed: int) -> int:
    """The seed of references, as Python's own number.

    Raises
    ------
    ReferencesError
        If it is no whole number of 0 or more.
    """
    number: int = checked("seed", seed, Integer(0, None), ReferencesError)
    return number


def random_words(streams: Words, numbers: Words) -> Words:
    """Random word of each number in its stream (SplitMix64; Steele, Lea and Flood 2014)."""
    steps: Words = numbers * np.uint64(0x9E3779B97F4A7C15)
    return _mix(streams + steps)


def random_orders(streams: Words, length: int) -> Iterator[tuple[slice, Indices]]:
    """The numbers below ``length`` in the random order ``(b, length)`` of each stream, in blocks.

    One sort of random words does it, whose lowest bits are the number.
    """
    numbers = np.arange(length, dtype=np.uint64)
    lowest = np.uint64((1 << length.bit_length()) - 1)
    rows = max(1, WORDS_AT_ONCE // max(1, length))
    for start in range(0, len(streams), rows):
        block = slice(start, min(start + rows, len(streams)))
        words = random_words(streams[block, np.newaxis], numbers)
        words &= ~lowest
        words |= numbers
        words.sort(axis=1)
        words &= lowest
        yield block, words.astype(np.intp)


def _mix(words: Words) -> Words:
    """SplitMix64's finalizer, in place where it can be."""
    mixed: NDArray[Any] = words ^ (words >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
