"""The forward pass: activations and the target's values at any number of points."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.engine.blocks import padded_slices
from deeplift_engine.engine.target_weights import of_samples, weighted
from deeplift_engine.engine.task import Task
from deeplift_engine.graph.graph import Graph
from deeplift_engine.graph.inputs import padded
from deeplift_engine.util.typing import Array, Tensor


def traced(graph: Graph, names: Iterable[str]) -> Any:
    """A function of a tensor (n, ...) for each input, to the activations (n, ...) of ``names``.

    It is traced here and never again.
    """
    wanted = list(names)

    def forward(*values: Tensor) -> list[Tensor]:
        activations = graph.forward(dict(zip(graph.inputs, values, strict=True)), wanted)
        return [activations[name] for name in wanted]

    signature = [
        tf.TensorSpec([None, *graph.nodes[name].shape], graph.nodes[name].dtype, name=f"input_{i}")
        for i, name in enumerate(graph.inputs)
    ]
    function = tf.function(forward, input_signature=signature, autograph=False)
    return function.get_concrete_function()


class ForwardPass:
    """The target's values, and activations of other nodes, at any number of points.

    It is compiled when it is created. Points go through in blocks.
    """

    def __init__(self, task: Task, nodes: Iterable[str] = ()) -> None:
        self.task, self.nodes = task, tuple(dict.fromkeys((task.target, *nodes)))
        self._function = traced(task.graph, self.nodes)

    @functools.cached_property
    def most(self) -> int:
        """How many points a block has at most, where a run does not say."""
        return self.task.pairs

    def __call__(
        self, points: Sequence[Array], weights: Array, batch_size: int | None = None
    ) -> Array:
        """Values (T, M) at ``points`` (M, ...) of each input; ``weights`` (T, M or 1, *shape)."""
        values = []
        for rows, activations in self._blocks(points, batch_size):
            values.append(weighted(activations[0], of_samples(weights, rows)))
        return np.concatenate(values, axis=1)

    def tensors(self, points: Sequence[Array]) -> dict[str, Tensor]:
        """Activations (M, ...) by node, in one block."""
        return dict(zip(self.nodes, self._function(*map(tf.constant, points)), strict=True))

    def activations(self, points: Sequence[Array]) -> list[Array]:
        """The target's and the other nodes' activations (M, ...), in one block."""
        return list(map(np.asarray, self._function(*map(tf.constant, points))))

    def in_blocks(
        self, points: Sequence[Array], names: Sequence[str], batch_size: int | None = None
    ) -> list[Array]:
        """The activations (M, ...) of some of the nodes, computed in blocks."""
        numbers = [self.nodes.index(name) for name in names]
        blocks = [
            [activations[number] for number in numbers]
            for _, activations in self._blocks(points, batch_size)
        ]
        return [np.concatenate(arrays) for arrays in zip(*blocks, strict=True)]

    def target_shape(self, data: Sequence[Array]) -> tuple[int, ...]:
        """Shape of the target's layer without batch axis; a free one is that of the data."""
        return target_shape(self.task, data, lambda: self)

    def _blocks(
        self, points: Sequence[Array], batch_size: int | None
    ) -> Iterator[tuple[slice, list[Array]]]:
        for rows, size in padded_slices(len(points[0]), batch_size or self.most):
            arrays = [padded(array, rows.start, size) for array in points]
            tensors = self._function(*map(tf.constant, arrays))
            yield rows, [np.asarray(tensor)[: rows.stop - rows.start] for tensor in tensors]


def target_shape(
    task: Task, data: Sequence[Array], forward: Callable[[], ForwardPass]
) -> tuple[int, ...]:
    """Shape of the target's layer without batch axis; a free one is that of the data.

    Only for a free one ``forward`` is asked for a pass to the target.
    """
    shape = task.graph.nodes[task.target].shape
    if None not in shape:
        return tuple(size or 0 for size in shape)
    return forward().activations([array[:1] for array in data])[0].shape[1:]
