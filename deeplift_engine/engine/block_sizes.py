"""How many samples, or pairs of sample and reference, fit into memory together."""

from __future__ import annotations

import math
from collections.abc import Iterable

from deeplift_engine.graph.graph import Graph

LARGE = 20_000
"""From so many elements per sample on, elementwise work is compiled into single kernels."""
TYPICAL_LENGTH = 1000
"""The length that a free axis counts as before there are data."""
BLOCK_BYTES = 28 << 20
"""Size of the largest tensor of a block: glibc keeps what is below 32 MiB for the next one and
returns what is above to the system, which then has to clear its pages again each time."""
TOTAL_BYTES = 512 << 20
"""Size of all the activations of a block together."""
MOST_PAIRS = 4096
"""Pairs of sample and reference in a block at most."""


def pairs_per_block(
    graph: Graph,
    names: Iterable[str],
    dtype: str,
    length: int = TYPICAL_LENGTH,
    total: int = TOTAL_BYTES,
) -> int:
    """How many samples, or pairs of input and reference, pass up to ``names`` together.

    ``length`` is that of free axes; ``total`` are the bytes of all the activations together.
    """
    names = list(names)
    largest = max(_size(graph.nodes[name].shape, length) for name in graph.ancestors(names))
    width = 8 if dtype == "float64" else 4
    by_largest = BLOCK_BYTES // max(1, largest * width)
    by_all = total // max(1, _elements(graph, names, length) * width)
    return max(1, min(MOST_PAIRS, by_largest, by_all))


def pairs_of_data(
    graph: Graph,
    names: Iterable[str],
    dtype: str,
    shapes: Iterable[tuple[int, ...]],
    total: int | None = None,
) -> int | None:
    """The same for data whose samples have these shapes, one for each of the graph's inputs.

    None where neither they nor ``total`` say more than the graph does.
    """
    free = [
        size
        for name, shape in zip(graph.inputs, shapes, strict=True)
        for size, stated in zip(shape, graph.nodes[name].shape, strict=True)
        if stated is None
    ]
    if not free and total is None:
        return None
    length = max(free, default=TYPICAL_LENGTH)
    return pairs_per_block(graph, names, dtype, length, TOTAL_BYTES if total is None else total)


def is_large(graph: Graph, names: Iterable[str]) -> bool:
    """Whether elementwise work up to ``names`` is worth compiling."""
    return _elements(graph, names) >= LARGE


def _elements(graph: Graph, names: Iterable[str], length: int = TYPICAL_LENGTH) -> int:
    """Elements of all the activations of one sample that ``names`` depend on."""
    total = 0
    for node in map(graph.nodes.__getitem__, graph.ancestors(names)):
        shapes = (node.shape, *node.layer.inner_shapes(node.shape))
        total += sum(_size(shape, length) for shape in shapes)
    return total


def _size(shape: Iterable[int | None], length: int) -> int:
    return math.prod(length if size is None else size for size in shape)
