"""Uniform random shuffles of letter codes that keep every word of k letters.

A sequence is a walk over its words of k - 1 letters, the *nodes*, with one edge for each word of k
letters; with one more node that leads from its end to its start, the *mark*, it is a circle. The
shuffles with the same words of k letters and the same ends are the circles that use each edge
once, cut at the mark. By the BEST theorem (van Aardenne-Ehrenfest and de Bruijn 1951) the walks
round such circles from a node, the *root*, correspond one to one to a tree of the other nodes' last
exits, directed to the root, and an order of all the other exits. So: draw the tree uniformly, order
the other exits at random, walk, cut. Each shuffle corresponds to the same number of walks, so all
are equally likely; and with the most frequent node as root, the tree is soon drawn.

All (sequence, replicate) pairs, the *lanes*, are walked together, step by step, and each has a
random stream of its own.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from deeplift_engine.references.random_streams import WORDS_AT_ONCE, Indices, Words, random_words

Codes: TypeAlias = NDArray[np.uint8]

LANES_AT_ONCE = 4096
"""Lanes walked together: enough to pay for numpy's calls, few enough to stay in the cache."""
NODES_AT_ONCE = 1 << 20
"""And at most so many nodes of all lanes together."""
STEPS_TURNED_AT_ONCE = 64
"""Steps of all lanes that are turned from step-major to lane-major together."""

FEW = 4096
"""Where there can be more nodes than this, those that occur are numbered."""

THREADS = 2
"""Blocks of lanes that are shuffled side by side: numpy leaves other threads alone."""

_ONE, _HALF, _WORD = np.uint64(1), np.uint64(32), np.uint64(64)
_TREE_STREAM = 1 << 32


def shuffle_codes(codes: Codes, streams: Words, k: int = 2) -> Codes:
    """Shuffle ``codes`` ``(n, L)`` to ``(n, count, L)``, all words of ``k`` letters kept.

    ``streams`` ``(n, count)`` is the random stream of each shuffle. See the module.
    """
    n, length = codes.shape
    count = streams.shape[1]
    shuffled = np.empty((n, count, length), np.uint8)
    if length < k + 2 or n == 0:  # the ends stay, and there is nothing between them
        shuffled[:] = codes[:, np.newaxis]
        return shuffled
    most = min(length, int(codes.max() + 1) ** (k - 1)) + 1
    together = max(1, min(LANES_AT_ONCE, NODES_AT_ONCE // most) // count)

    def shuffle(start: int) -> None:
        block = slice(start, start + together)
        graph = _Graph(codes[block], k)
        sequence = np.repeat(np.arange(len(codes[block])), count)
        exits = _exits(graph, sequence, streams[block].reshape(-1))
        walked = _cut(_walk(graph, sequence, exits), graph.mark)
        shuffled[block, :, : k - 2] = codes[block, np.newaxis, : k - 2]
        shuffled[block, :, k - 2 :] = graph.letters[walked].reshape(-1, count, length - k + 2)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(shuffle, range(0, n, together)))
    return shuffled


class _Graph:
    """The circles of ``codes`` ``(n, L)``, their edges in order of (node, next node).

    ``exits``, ``loops`` and ``below`` count each node's edges, those to itself and those to nodes
    of lower number; ``first`` is the number of its first edge.
    """

    def __init__(self, codes: Codes, k: int) -> None:
        nodes, self.letters = _nodes(codes, k - 1)
        n, self.mark = len(nodes), len(self.letters)
        self.size = self.mark + 1
        circle = np.concatenate([nodes, np.full((n, 1), self.mark)], axis=1)
        following = np.roll(circle, -1, axis=1)
        flat = circle + np.arange(n)[:, np.newaxis] * self.size
        self.exits, self.loops, self.below = (
            np.bincount(flat[which].reshape(-1), minlength=n * self.size).reshape(n, self.size)
            for which in (..., circle == following, circle > following)
        )
        self.first = self.exits.cumsum(axis=1) - self.exits
        self.root = self.exits.argmax(axis=1)
        self.bits = np.uint64(self.mark.bit_length())
        edges = circle.astype(np.uint64) << self.bits | following.astype(np.uint64)
        edges.sort(axis=1)
        following = edges & ((_ONE << self.bits) - _ONE)
        self.following = following.astype(np.intp)
        self.edges = (edges >> self.bits) << (_WORD - self.bits) | following


def _nodes(codes: Codes, width: int) -> tuple[Indices, Codes]:
    """The words of ``width`` letters ``(n, L - width + 1)`` as numbers, and their last letters."""
    letters = np.flatnonzero(np.bincount(codes.reshape(-1)))
    rank_of, base = np.zeros(letters[-1] + 1, np.intp), len(letters)
    rank_of[letters] = np.arange(base)
    ranks = rank_of[codes]
    numbers = ranks
    for step in range(1, width):
        numbers = numbers[:, :-1] * base + ranks[:, step:]
    if base**width <= FEW:
        return numbers, letters[np.arange(base**width) % base].astype(np.uint8)
    words, inverse = np.unique(numbers, return_inverse=True)
    return inverse.reshape(numbers.shape), letters[words % base].astype(np.uint8)


def _exits(graph: _Graph, sequence: Indices, streams: Words) -> NDArray[Any]:
    """``(lanes, edges)``: the next nodes, by node left and then in the order they are taken.

    One sort does it: of words whose highest bits are the node, whose middle bits are random and
    whose lowest are the next node. The last exits are given the highest middle bits.
    """
    tree = _last_exits(graph, sequence, streams)
    numbers = np.arange(graph.edges.shape[1], dtype=np.uint64)
    lowest = (_ONE << graph.bits) - _ONE
    middle = ((_ONE << (_WORD - graph.bits)) - _ONE) ^ lowest
    exits = np.empty((len(sequence), len(numbers)), np.min_scalar_type(graph.mark))
    rows = max(1, WORDS_AT_ONCE // len(numbers))
    for start in range(0, len(sequence), rows):
        block = slice(start, start + rows)
        words = random_words(streams[block, np.newaxis], numbers)
        words >>= graph.bits
        words &= middle
        words |= graph.edges[sequence[block]]
        lane, node = np.nonzero(tree[block] >= 0)
        words[lane, tree[block][lane, node]] |= middle
        words.sort(axis=1)
        words &= lowest
        exits[block] = words
    return exits


def _last_exits(graph: _Graph, sequence: Indices, streams: Words) -> Indices:
    """``(lanes, nodes)``: the number of the edge by which each node is left last, or -1.

    A uniform spanning tree towards the root, by cycle popping (Wilson 1996): each node draws an
    exit, and those on a cycle draw again, until there is none.
    """
    tree = np.full(len(sequence) * graph.size, -1)
    offset = np.arange(len(sequence)) * graph.size
    root = np.repeat(offset + graph.root[sequence], graph.size)
    ahead = root.copy()
    drawing = np.flatnonzero(graph.exits[sequence])
    waiting = drawing = drawing[drawing != root[drawing]]
    turn = 0
    while len(waiting):
        turn += 1
        lane, node = np.divmod(drawing, graph.size)
        at = sequence[lane], node
        first = graph.first[at]
        words = random_words(streams[lane], (first + turn * _TREE_STREAM).astype(np.uint64))
        loops = graph.loops[at]  # which are no tree's edges
        free = (graph.exits[at] - loops).astype(np.uint64)
        pick = ((words >> _HALF) * free >> _HALF).astype(np.intp)
        edge = first + pick + loops * (pick >= graph.below[at])
        tree[drawing] = edge
        ahead[drawing] = graph.following[sequence[lane], edge] + offset[lane]
        far = ahead.copy()
        for _ in range(graph.mark.bit_length()):
            far[waiting] = far[far[waiting]]
        arrived = far[waiting] == root[waiting]
        ahead[waiting[arrived]] = root[waiting[arrived]]
        waiting = waiting[~arrived]
        on_cycle = np.zeros(len(tree), bool)
        on_cycle[far[waiting]] = True
        drawing = waiting[on_cycle[waiting]]
    return tree.reshape(-1, graph.size)


def _walk(graph: _Graph, sequence: Indices, exits: NDArray[Any]) -> NDArray[Any]:
    """``(nodes, lanes)``: once round, taking the exits in order, from the root."""
    lanes, edges = exits.shape
    position = graph.first[sequence] + np.arange(lanes)[:, np.newaxis] * edges
    flat_position, flat_exits = position.reshape(-1), exits.reshape(-1)
    row = np.arange(lanes) * graph.size
    walked = np.empty((edges, lanes), exits.dtype)
    walked[0] = graph.root[sequence]
    for step in range(edges - 1):
        node = row + walked[step]
        taken = flat_position[node]
        flat_exits.take(taken, out=walked[step + 1], mode="clip")
        taken += 1
        flat_position[node] = taken
    return walked


def _cut(walked: NDArray[Any], mark: int) -> NDArray[Any]:
    """``(lanes, nodes - 1)``: what follows the mark in circles ``(nodes, lanes)``."""
    edges, lanes = walked.shape
    twice = np.empty((lanes, 2, edges), walked.dtype)
    for step in range(0, edges, STEPS_TURNED_AT_ONCE):
        steps = slice(step, step + STEPS_TURNED_AT_ONCE)
        twice[:, :, steps] = np.ascontiguousarray(walked[steps].T)[:, np.newaxis]
    behind = np.argmax(twice[:, 0] == mark, axis=1) + 1
    windows = sliding_window_view(twice.reshape(-1), edges - 1)
    cut: NDArray[Any] = windows[np.arange(lanes) * 2 * edges + behind]
    return cut
