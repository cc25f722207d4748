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


def traced(
    graph: Graph, names: Iterable[str], then: Callable[[list[Tensor]], list[Tensor]] = list
) -> Any:
    """A function of a tensor (n, ...) for each input, to the activations (n, ...) of ``names``.

    Or to what ``then`` makes of them. It is traced here and never again.
    """
    wanted = list(names)

    def forward(*values: Tensor) -> list[Tensor]:
        activations = graph.forward(dict(zip(graph.inputs, values, strict=True)), wanted)
        return then([activations[name] for name in wanted])

    signature = [
        tf.TensorSpec([None, *graph.nodes[name].shape], graph.nodes[name].dtype, name=f"input_{i}")
        for i, name in enumerate(graph.inputs)
    ]
    function = tf.function(forward, input_signature=signature, autograph=False)
    return function.get_concrete_function()


def computed(
    function: Any, points: Sequence[Array], most: int
) -> Iterator[tuple[slice, list[Array]]]:
    """What a function of `traced` gives for ``points`` (M, ...) of each input, block by block."""
    for rows, size in padded_slices(len(points[0]), most):
        arrays = [padded(array, rows.start, size) for array in points]
        tensors = function(*map(tf.constant, arrays))
        yield rows, [np.asarray(tensor)[: rows.stop - rows.start] for tensor in tensors]


class ForwardPass:
    """The target's values, and activations of other nodes, at any number of points.

    It is compiled when it is created. Points go through in blocks.
    """

    def __init__(self, task: Task, nodes: Iterable[str] = ()) -> None:
        sized = [name for name in task.explained if None in task.graph.nodes[name].shape]
        self.task, self.nodes = task, tuple(dict.fromkeys((task.target, *sized, *nodes)))
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

    def target_shape(self, data: Sequence[Array]) -> Any:
        """See the function `target_shape`."""
        return target_shape(self.task, data, lambda: self)

    def _blocks(
        self, points: Sequence[Array], batch_size: int | None
    ) -> Iterator[tuple[slice, list[Array]]]:
        return computed(self._function, points, batch_size or self.most)


def target_shape(task: Task, data: Sequence[Array], forward: Callable[[], ForwardPass]) -> Any:
    """Shape of the target's layer without batch axis, or by name of that of each head.

    A free axis is that of the data: only for one ``forward`` is asked for a pass to the target.
    """
    shapes: list[tuple[Any, ...]] = [task.graph.nodes[name].shape for name in task.explained]
    if any(None in shape for shape in shapes):
        met = forward().tensors([array[:1] for array in data])
        shapes = [
            tuple(met[name].shape[1:]) if None in shape else shape
            for name, shape in zip(task.explained, shapes, strict=True)
        ]
    return dict(zip(task.heads, shapes, strict=True)) if task.heads else shapes[0]
