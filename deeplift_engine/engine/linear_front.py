"""The linear layers in front of a network, as a cut that many points cross together.

Behind the cut activations z are affine in the inputs x, z = Ax + b. So they go straight where the
inputs do, and gradients at any number of points, weighted and summed, go back as their sum,

    Σ w_s ∇x f(x_s) = Aᵀ Σ w_s ∇z f(z_s),

through the front once. It is the first layer that costs most beside what it computes: few channels
come in, and many go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from deeplift_engine.engine.activation_pairs import AT_INPUT
from deeplift_engine.engine.compiled import CompiledPasses, arrivals
from deeplift_engine.engine.joint_task import with_outputs
from deeplift_engine.engine.task import AttributionPoint, Task
from deeplift_engine.util.typing import Tensor


def front_of(task: Task) -> tuple[str, ...]:
    """The nodes behind the linear layers in front of a task that starts at its points.

    They are the points themselves where no kernel is in front, or nothing else behind.
    """
    graph, points = task.graph, task.attribution_nodes
    on_paths = graph.on_paths(points, [task.target])
    linear = set(points)
    for name, node in graph.nodes.items():
        affine = node.layer.kind == "linear" and bool(node.inputs)
        if name in on_paths and affine and linear.issuperset(node.inputs):
            linear.add(name)
    no_kernel = not any(graph.nodes[name].layer.has_kernel for name in linear.difference(points))
    if no_kernel or not linear.isdisjoint(task.explained):
        return points
    readers = graph.readers()
    return tuple(
        name
        for name in graph.nodes
        if name in linear and any(r.name in on_paths - linear for r in readers[name])
    )


class LinearFront:
    """The linear layers in front of a task that starts at its points.

    Attributes
    ----------
    nodes
        The cut behind them: of the paths from the points to the target.
    at_cut
        The task of the gradient at the cut.
    behind
        The same, starting there.
    """

    def __init__(self, task: Task) -> None:
        self.nodes = front_of(task)
        points = tuple(AttributionPoint(name, name) for name in self.nodes)
        fused = True if task.fuses else task.fused
        at_cut = replace(task, attribution_points=points, fused=fused)
        self.at_cut = at_cut.under(at_cut.assigned())
        self.behind = self.at_cut.starting_at_points()
        self._passes = None
        if self.nodes != task.attribution_nodes:
            self._passes = _passes(task, self.nodes)
            self._forward = self._passes.forward_pass(AT_INPUT)

    def at(self, points: Sequence[Any]) -> Mapping[str, Tensor]:
        """Activations of the cut, among others, at ``points`` (P, *S) of each input."""
        if self._passes is None:
            return dict(zip(self.nodes, map(tf.constant, points), strict=True))
        return self._forward.tensors(points)

    def back(self, at_points: Mapping[str, Tensor], gradients: Sequence[Tensor]) -> list[Tensor]:
        """Gradients (T, P, *S) of each input, of those at the nodes of the cut (T, P, *Z)."""
        if self._passes is None:
            return list(gradients)
        if len(gradients) > 1:
            sizes = tf.shape(gradients[0])[:2]
            flat = [tf.reshape(each, [*sizes, -1]) for each in gradients]
            gradients = [tf.concat(flat, -1)]
        rows = gradients[0].shape[1]
        start = gradients[0][:, :, tf.newaxis]
        sent: list[Tensor] = self._passes.backward(at_points, {}, start, rows, [1.0])["multipliers"]
        return sent


def _passes(task: Task, nodes: Sequence[str]) -> CompiledPasses:
    """From the points to the ``nodes`` of the cut, and back from all of them."""
    graph, target = task.graph, nodes[0]
    if len(nodes) > 1:
        graph, target = with_outputs(graph, {name: name for name in nodes}, "front")
    front = replace(task, graph=graph, target=target, heads={})
    return CompiledPasses(front.under(front.assigned()), nodes, arrivals, compares=False)
