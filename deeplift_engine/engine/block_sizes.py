"""How many samples, or pairs of sample and reference, fit into memory together."""

from __future__ import annotations

import math
from collections.abc import Iterable

from deeplift_engine.graph.graph import Graph

LARGE = 20_000
"""From so many elements per sample on, elementwise work is compiled into single kernels."""
TYPICAL_LENGTH = 1000
"""The length that a free axis counts as."""
BLOCK_BYTES = 28 << 20
"""Size of the largest tensor of a block: glibc keeps what is below 32 MiB for the next one and
returns what is above to the system, which then has to clear its pages again each time."""
TOTAL_BYTES = 512 << 20
"""Size of all the activations of a block together."""
MOST_PAIRS = 4096
"""Pairs of sample and reference in a block at most."""


def pairs_per_block(graph: Graph, names: Iterable[str], dtype: str) -> int:
    """How many samples, or pairs of input and reference, pass up to ``names`` together."""
    names = list(names)
    largest = max(_size(graph.nodes[name].shape) for name in graph.ancestors(names))
    width = 8 if dtype == "float64" else 4
    by_largest = BLOCK_BYTES // max(1, largest * width)
    by_all = TOTAL_BYTES // max(1, _elements(graph, names) * width)
    return max(1, min(MOST_PAIRS, by_largest, by_all))


def is_large(graph: Graph, names: Iterable[str]) -> bool:
    """Whether elementwise work up to ``names`` is worth compiling."""
    return _elements(graph, names) >= LARGE


def _elements(graph: Graph, names: Iterable[str]) -> int:
    """Elements of all the activations of one sample that ``names`` depend on."""
    total = 0
    for node in map(graph.nodes.__getitem__, graph.ancestors(names)):
        total += sum(map(_size, (node.shape, *node.layer.inner_shapes(node.shape))))
    return total


def _size(shape: Iterable[int | None]) -> int:
    return math.prod(TYPICAL_LENGTH if length is None else length for length in shape)
