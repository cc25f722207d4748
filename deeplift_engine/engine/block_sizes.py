"""How many samples, or pairs of sample and reference, are computed together.

A block is as large as makes what each costs once cheap, and no larger: more takes memory, and is
further from the caches. Of DeepLIFT on the networks of docs/BENCHMARKS.md, as shares of the
processor time with four times `TOTAL_BYTES`, on two cores that others used too: half of them take
0.98 of it on the dilated network where these take 0.86, and 1.5 of an LSTM. Its steps are calls of
small kernels, as many for a block of any size, and have larger blocks. With half of `BLOCK_BYTES`
attention takes 1.1 to 1.25 x as long, and the genomics network as long.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from deeplift_engine.graph.graph import Graph

LARGE = 20_000
"""From so many elements per sample on, elementwise work is compiled into single kernels."""
TYPICAL_LENGTH = 1000
"""The length that a free axis counts as before there are data."""
BLOCK_BYTES = 28 << 20
"""Size of the largest tensor of a block. glibc keeps what is below 32 MiB for the next one and
returns what is above to the system, which then has to clear its pages again each time."""
TOTAL_BYTES = 128 << 20
"""Size of all the activations of a block together."""
STEPPED_TOTAL_BYTES = 4 * TOTAL_BYTES
"""The same where a layer goes step by step."""
MOST_PAIRS = 4096
"""Pairs of sample and reference in a block at most."""


def pairs_per_block(
    graph: Graph,
    names: Iterable[str],
    dtype: str,
    length: int = TYPICAL_LENGTH,
    most: int | None = None,
) -> int:
    """How many samples, or pairs of input and reference, pass up to ``names`` together.

    ``length`` is that of free axes; ``most`` bytes have all the activations together, if fewer
    than by default.
    """
    names = list(names)
    nodes = [graph.nodes[name] for name in graph.ancestors(names)]
    largest = max(_size(node.shape, length) for node in nodes)
    stepped = any(node.layer.inner_shapes(node.shape) for node in nodes)
    total = STEPPED_TOTAL_BYTES if stepped else TOTAL_BYTES
    width = 8 if dtype == "float64" else 4
    by_largest = BLOCK_BYTES // max(1, largest * width)
    allowed = total if most is None else min(total, most)
    by_all = allowed // max(1, _elements(graph, names, length) * width)
    return max(1, min(MOST_PAIRS, by_largest, by_all))


def pairs_of_data(
    graph: Graph,
    names: Iterable[str],
    dtype: str,
    shapes: Iterable[tuple[int, ...]],
    most: int | None = None,
) -> int | None:
    """The same for data whose samples have these shapes, one for each of the graph's inputs.

    None where neither they nor ``most`` say more than the graph does.
    """
    free = [
        size
        for name, shape in zip(graph.inputs, shapes, strict=True)
        for size, stated in zip(shape, graph.nodes[name].shape, strict=True)
        if stated is None
    ]
    if not free and most is None:
        return None
    return pairs_per_block(graph, names, dtype, max(free, default=TYPICAL_LENGTH), most)


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
