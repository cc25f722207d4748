"""Gradients averaged over many points of each sample, which cross the first linear layers once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deeplift_engine.engine.activation_pairs import AT_INPUT
from deeplift_engine.engine.blocks import padded_slices, slices
from deeplift_engine.engine.compiled import CompiledPasses, mean_arrivals
from deeplift_engine.engine.finite import at_a_point, finite_values
from deeplift_engine.engine.linear_front import LinearFront
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.target_weights import filled, repeated, weighted
from deeplift_engine.engine.task import Task
from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.graph.inputs import padded
from deeplift_engine.layers import Input
from deeplift_engine.layers.path_points import PathPoints
from deeplift_engine.util.typing import Array, Tensor


class _MeanGradients:
    """Passes from the target to the cut behind the first linear layers, and from there on."""

    def __init__(self, task: Task, front: LinearFront, behind: Task) -> None:
        self.task, self._front = task, front
        passes = CompiledPasses(behind, (task.target,), mean_arrivals, compares=False)
        self._passes, self._forward = passes, passes.forward_pass(AT_INPUT)

    def _at_cut(
        self, given: Sequence[Any], weights: Array, shares: Array, rows: slice
    ) -> Iterator[tuple[slice, list[Tensor]]]:
        """Mean gradients (T, P, *Z) at the nodes of the cut, some targets after the other.

        ``given`` are the values of the compiled graph's inputs, ``weights`` (T, P or 1, *shape)
        those of the target's units, ``shares`` (s,) those of the points, of which the first
        ``rows`` paths are no filling.
        """
        size, count = weights.shape[1], len(shares)
        activations = self._forward.tensors(given)
        level = np.asarray(activations[self.task.target])
        values = weighted(level, repeated(weights, count))
        finite_values(values[:, : (rows.stop - rows.start) * count], at_a_point)
        for targets in slices(len(weights), max(1, self.task.pairs // (size * count))):
            start = weights[targets][:, :, np.newaxis]
            yield (
                targets,
                self._passes.backward(activations, {}, start, size, shares)["multipliers"],
            )


class PathGradients(_MeanGradients):
    """Gradients at the inputs of a task, averaged along straight paths.

    It is compiled when it is created. Behind the cut the points of a path lie between the cut's
    activations at the path's two ends.
    """

    def __init__(self, task: Task) -> None:
        front = LinearFront(task)
        fused = front.behind.fuses
        behind = replace(front.behind, graph=_between(front.behind.graph, task.dtype, fused))
        super().__init__(task, front, behind)

    def __call__(
        self, paths: Samples, positions: Array, shares: Array, batch_size: int | None
    ) -> list[Array]:
        """Mean gradients (T, P, *S) of each input on P paths, from first references to samples.

        ``positions`` (s,) are those of the points, from 0 to 1, ``shares`` (s,) their weights.
        """
        most = batch_size or self.task.pairs
        means = [np.zeros((len(paths.weights), *x.shape), self.task.dtype) for x in paths.data]
        for some in slices(len(positions), most):
            count = some.stop - some.start
            at = positions[some].astype(self.task.dtype)
            for rows, size in padded_slices(paths.count, max(1, most // count)):
                points = [padded(array, rows.start, size) for array in paths.data]
                begin = [padded(array[:, 0], rows.start, size) for array in paths.references]
                ends, starts = self._front.at(points), self._front.at(begin)
                given = [*self._of_cut(starts), *self._of_cut(ends), at]
                weights = _of_each(paths.weights, rows.start, size)
                for targets, gradients in self._at_cut(given, weights, shares[some], rows):
                    for mean, sent in zip(means, self._front.back(ends, gradients), strict=True):
                        mean[targets, rows] += np.asarray(sent)[:, : rows.stop - rows.start]
        return means

    def _of_cut(self, activations: Mapping[str, Tensor]) -> list[Tensor]:
        return [activations[name] for name in self._front.nodes]


def _between(graph: Graph, dtype: str, fused: bool) -> Graph:
    """The graph with points of paths as its inputs, from starts, ends and positions on them."""
    names = dict(graph.nodes)

    def added(name: str, shape: tuple[int | None, ...]) -> str:
        while name in names:
            name += "_"
        names[name] = Node(name, Input(shape, dtype), (), shape, dtype, "Paths", name)
        return name

    ends = [
        tuple(added(f"{end} of {name}", graph.nodes[name].shape) for name in graph.inputs)
        for end in ("starts", "ends")
    ]
    positions = added("positions", ())
    first = {name: names[name] for name in names if name not in graph.nodes}
    points = {
        name: replace(
            graph.nodes[name], layer=PathPoints(fused=fused), inputs=(start, end, positions)
        )
        for name, start, end in zip(graph.inputs, *ends, strict=True)
    }
    nodes = {**first, **points}
    nodes |= {name: node for name, node in graph.nodes.items() if name not in nodes}
    return Graph(nodes, (*ends[0], *ends[1], positions), graph.outputs)


def _of_each(weights: Array, start: int, size: int) -> Array:
    """Weights (T, size, *shape) of paths from ``start``."""
    of_rows = filled(weights, start, size)
    return np.broadcast_to(of_rows, (len(weights), size, *weights.shape[2:]))
