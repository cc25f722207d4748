"""Uniform random shuffles of letter codes that keep every pair of neighbours.

Such a shuffle is a walk that uses each edge of the sequence's letter graph once (one edge
``a -> b`` for each pair of neighbours ``ab``). By the BEST theorem (van Aardenne-Ehrenfest and
de Bruijn 1951) these walks correspond one to one to a tree of last exits, directed to the last
letter, and a free order of each letter's other exits. So: draw the tree uniformly (Wilson 1996),
order the other exits at random, walk. Every sequence with these pairs and this first letter
corresponds to the same number of walks, so all are equally likely.

All (sequence, replicate) pairs, the *lanes*, are walked together, position by position, and
each has a random stream of its own.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Codes: TypeAlias = NDArray[np.uint8]
Words: TypeAlias = NDArray[np.uint64]
Indices: TypeAlias = NDArray[np.intp]

LANES_AT_ONCE = 4096
"""Lanes walked together: enough to pay for numpy's calls, few enough to stay in the cache."""
LANES_SORTED_AT_ONCE = 16
"""Lanes whose exits are put in random order together; 8 bytes per lane and position."""
STEPS_TURNED_AT_ONCE = 64
"""Positions of all lanes that are turned from position-major to lane-major together."""

_LETTER_BITS = np.uint64(56)
_RANDOM_BITS = np.uint64(0x00FFFFFFFFFFFF00)
_TREE_STREAM = np.uint64(1 << 32)


def shuffle_codes(codes: Codes, keys: Words, count: int, seed: int) -> Codes:
    """Shuffle ``codes`` ``(n, L)`` to ``(n, count, L)``; see the module.

    ``keys`` ``(n,)`` stand for the sequences' contents in the random streams.
    """
    n, length = codes.shape
    shuffled = np.empty((n * count, length), np.uint8)
    if length < 4 or n == 0:  # the first and last letter stay, so there is nothing to shuffle
        shuffled[:] = np.repeat(codes, count, axis=0)
        return shuffled.reshape(n, count, length)
    graph = _Graph(codes)
    streams = lane_streams(keys, count, seed).reshape(-1)
    for start in range(0, n * count, LANES_AT_ONCE):
        lanes = slice(start, min(start + LANES_AT_ONCE, n * count))
        sequence = np.arange(lanes.start, lanes.stop) // count
        walked = _walk(graph, sequence, _exits(graph, sequence, streams[lanes]))
        for step in range(0, length, STEPS_TURNED_AT_ONCE):
            steps = slice(step, step + STEPS_TURNED_AT_ONCE)
            shuffled[lanes, steps] = np.ascontiguousarray(walked[steps].T)
    return shuffled.reshape(n, count, length)


def lane_streams(keys: Words, count: int, seed: int) -> Words:
    """``(n, count)``: where each lane's random stream starts."""
    seeded = _mix(keys ^ _mix(np.array([seed % 2**64], np.uint64)))
    return random_words(seeded[:, None], np.arange(1, count + 1, dtype=np.uint64))


def random_words(streams: Words, numbers: Words) -> Words:
    """Random word of each number in its stream (SplitMix64; Steele, Lea and Flood 2014)."""
    steps: Words = numbers * np.uint64(0x9E3779B97F4A7C15)
    return _mix(streams + steps)


class _Graph:
    """The letter graphs of ``codes`` ``(n, L)``, their edges in order of (letter, next letter)."""

    def __init__(self, codes: Codes) -> None:
        n, length = codes.shape
        size = int(codes.max()) + 1
        pairs = codes[:, :-1].astype(np.intp) * size + codes[:, 1:]
        flat = pairs + np.arange(n)[:, None] * size**2
        self.counts = np.bincount(flat.ravel(), minlength=n * size**2).reshape(n, size, size)
        ends = self.counts.reshape(n, -1).cumsum(axis=1).reshape(n, size, size)
        self.first_edge = ends - self.counts
        pairs.sort(axis=1)
        letters, following = np.divmod(pairs.astype(np.uint64), np.uint64(size))
        self.edges = (letters << _LETTER_BITS) | following
        self.first, self.last = codes[:, 0].astype(np.intp), codes[:, -1].astype(np.intp)
        self.size, self.length = size, length


def _exits(graph: _Graph, sequence: Indices, streams: Words) -> Codes:
    """``(lanes, L - 1)``: the next letters, by letter left and then in the order they are taken.

    One sort does it: of words whose highest bits are the letter, whose middle bits are random
    and whose lowest are the next letter. The last exits are given the highest middle bits.
    """
    tree = _last_exits(graph, sequence, streams)
    numbers = np.arange(graph.length - 1, dtype=np.uint64)
    exits = np.empty((len(sequence), graph.length - 1), np.uint8)
    for start in range(0, len(sequence), LANES_SORTED_AT_ONCE):
        part = slice(start, start + LANES_SORTED_AT_ONCE)
        words = random_words(streams[part, None], numbers)
        words &= _RANDOM_BITS
        words |= graph.edges[sequence[part]]
        lane, letter = np.nonzero(tree[part] >= 0)
        last = graph.first_edge[sequence[part][lane], letter, tree[part][lane, letter]]
        words[lane, last] |= _RANDOM_BITS
        words.sort(axis=1)
        exits[part] = words.astype(np.uint8)
    return exits


def _last_exits(graph: _Graph, sequence: Indices, streams: Words) -> Indices:
    """``(lanes, letters)``: where each letter is left to for the last time, -1 where never.

    A uniform spanning tree towards the last letter, by loop-erased random walks.
    """
    exits = graph.counts * (1 - np.eye(graph.size, dtype=np.intp))  # a loop is no tree's edge
    cumulative = exits.cumsum(axis=2)
    tree = np.full((len(sequence), graph.size), -1, np.intp)
    reached = cumulative[sequence, :, -1] == 0
    reached[np.arange(len(sequence)), graph.last[sequence]] = True
    drawn = np.full(len(sequence), _TREE_STREAM)
    for letter in range(graph.size):
        branch = np.flatnonzero(~reached[:, letter])
        lanes, at = branch, np.full(len(branch), letter)
        while len(lanes):
            steps = cumulative[sequence[lanes], at]
            word = random_words(streams[lanes], drawn[lanes]) >> np.uint64(32)
            drawn[lanes] += np.uint64(1)
            pick = (word * steps[:, -1].astype(np.uint64)) >> np.uint64(32)
            following = (steps <= pick.astype(np.intp)[:, None]).sum(axis=1)
            tree[lanes, at] = following
            on = ~reached[lanes, following]
            lanes, at = lanes[on], following[on]
        lanes, at = branch, np.full(len(branch), letter)
        while len(lanes):
            reached[lanes, at] = True
            following = tree[lanes, at]
            on = ~reached[lanes, following]
            lanes, at = lanes[on], following[on]
    tree[np.arange(len(sequence)), graph.last[sequence]] = -1
    return tree


def _walk(graph: _Graph, sequence: Indices, exits: Codes) -> Codes:
    """``(L, lanes)``: take the exits in order, from the first letter."""
    lanes = len(sequence)
    edges = graph.length - 1
    position = graph.first_edge[sequence, :, 0] + np.arange(lanes)[:, None] * edges
    flat_position, flat_exits = position.reshape(-1), exits.reshape(-1)
    row = np.arange(lanes) * graph.size
    walked = np.empty((graph.length, lanes), np.uint8)
    walked[0] = graph.first[sequence]
    for step in range(edges):
        letter = row + walked[step]
        taken = flat_position[letter]
        flat_exits.take(taken, out=walked[step + 1], mode="clip")
        taken += 1
        flat_position[letter] = taken
    return walked


def _mix(words: Words) -> Words:
    """SplitMix64's finalizer, in place where it can be."""
    mixed: NDArray[Any] = words ^ (words >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
