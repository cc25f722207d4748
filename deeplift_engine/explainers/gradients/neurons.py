"""Units inside a network: how much passes through them, and how much inputs do to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.backward import BackwardPass
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.scoring import PairResults
from deeplift_engine.engine.target_weights import repeated
from deeplift_engine.engine.targets import resolve
from deeplift_engine.engine.task import Task, attribution_point
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.gradients.integrated_gradients import CLOSE
from deeplift_engine.explainers.gradients.paths import (
    add_paths,
    along,
    mean_over,
    on_paths,
    paths,
    per_path,
    points_per_path,
    target_at_ends,
    without_tokens,
)
from deeplift_engine.explainers.gradients.quadrature import quadrature
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.util.options import Count, shown
from deeplift_engine.util.typing import Array


class LayerPath(Explainer):
    """Gradients and activations of layers while the inputs go straight from the reference.

    Parameters
    ----------
    steps
        How many steps the path has.
    """

    traits = Traits(has_reference_errors=True, advice="More steps= make the sum more exact.")

    def __init__(self, task: Task, *, steps: Count = 50) -> None:
        super().__init__(task)
        without_tokens(task)
        self.steps = steps
        self._backward = BackwardPass(task.under(task.assigned()), task.attribution_nodes)

    @property
    def tolerance(self) -> float:
        """As of integrated gradients with so many steps."""
        return CLOSE

    def _at_layers(
        self,
        request: Request,
        count: int,
        points: Callable[[Samples], list[Array]],
        score: Callable[[Array, Array], Array],
        at_ends: Callable[[Samples], tuple[Array, Array]] | None = None,
    ) -> MethodResult:
        """Call ``score`` with gradients (T, P, s, *Y) and activations (P, s, *Y) of each layer.

        ``points`` gives (P · s, *S) for P pairs, ``count`` is s.
        """
        results = PairResults(request)
        for samples in paths(request, points_per_path(request, self.task.pairs, count)):
            result = self._backward(
                points(samples), repeated(samples.weights, count), request.batch_size
            )
            scores = [
                score(per_path(values, count), per_path(result.outputs[node][np.newaxis], count)[0])
                for values, node in zip(
                    result.multipliers, self.task.attribution_nodes, strict=True
                )
            ]
            ends = None if at_ends is None else at_ends(samples)
            add_paths(results, samples.block, scores, ends=ends)
        return results.result()


class LayerConductance(LayerPath):
    """How much of the target's difference passes through each unit of layers.

    The gradient at a unit times the change of the unit, added up along the path. Where all ways
    to the target go through the layers, it sums to the target's difference.

    Parameters
    ----------
    steps
        How many steps the path has.
    """

    def attribute(self, request: Request) -> MethodResult:
        """Conductance (T, N, *Y)."""
        positions, _ = quadrature("trapezoid", self.steps + 1)
        nodes = self.task.attribution_nodes
        graph = self.task.graph.starting_at(nodes, [self.task.target])
        at_ends = None
        if set(graph.inputs) <= set(nodes):
            at_ends = target_at_ends(self.values, request)
        points = partial(on_paths, positions=positions)
        return self._at_layers(request, len(positions), points, along, at_ends)


class InternalInfluence(LayerPath):
    """The gradient at each unit of layers, averaged along the inputs' path.

    Parameters
    ----------
    steps
        How many points of the path are taken (Gauss-Legendre).
    points
        A distribution of interest in place of the path: a function of inputs (n, *S) and their
        references (n, *S) that gives points (n, s, *S), as many for each and the same whenever it
        is called, over which gradients are averaged. Of several inputs both are lists, and so is
        what it gives.
    """

    traits = replace(LayerPath.traits, attributes_of="unit")

    def __init__(self, task: Task, *, steps: Count = 50, points: Any = None) -> None:
        super().__init__(task, steps=steps)
        if points is not None and not callable(points):
            raise RuleError(f"points is a function of inputs and references, not {shown(points)}.")
        self.points = points

    def attribute(self, request: Request) -> MethodResult:
        """Influence (T, N, *Y)."""
        points: Callable[[Samples], list[Array]] = self._chosen
        if self.points is None:
            positions, weights = quadrature("gauss_legendre", self.steps)
            points = partial(on_paths, positions=positions)
        else:
            count = len(self._chosen(next(paths(request, 1)))[0])
            weights = np.full(count, 1 / count)
        return self._at_layers(
            request, len(weights), points, lambda gradients, _: mean_over(gradients, weights)
        )

    def _chosen(self, samples: Samples) -> list[Array]:
        """Points (P · s, *S) of the distribution of interest, those of a pair in a row."""
        references = [array[:, 0] for array in samples.references]
        several = len(references) > 1
        points = self.points(
            samples.data if several else samples.data[0],
            references if several else references[0],
        )
        arrays = [np.asarray(array) for array in (points if several else [points])]
        for array, end in zip(arrays, samples.data, strict=False):
            if array.ndim != end.ndim + 1 or (len(array), *array.shape[2:]) != end.shape:
                raise RuleError(
                    f"points gives an array of shape {array.shape} for inputs of shape "
                    f"{end.shape}: expected ({len(end)}, s, *{end.shape[1:]})."
                )
        counts = {array.shape[1] for array in arrays}
        if len(arrays) != len(samples.data) or len(counts) != 1 or 0 in counts:
            raise RuleError(
                f"points gives {len(arrays)} arrays of {sorted(counts)} points: expected as many, "
                f"one or more, for each of {len(samples.data)} inputs."
            )
        return [
            array.reshape(-1, *end.shape[1:]).astype(end.dtype)
            for array, end in zip(arrays, samples.data, strict=True)
        ]


class NeuronConductance(Explainer):
    """How much of the target's difference passes from each input through units of a layer.

    Integrated gradients, of which only what goes through those units is counted.

    Parameters
    ----------
    layer
        The name of the layer.
    unit
        Its unit, or weights over its units, in any form of a target but a list. None: all of its
        units.
    steps
        How many points of the path are taken (Gauss-Legendre).
    """

    traits = Traits(attributes_layer_outputs=True, holds_masks=True)

    def __init__(self, task: Task, *, layer: str, unit: Any = None, steps: Count = 50) -> None:
        super().__init__(task)
        task = self.task
        without_tokens(task)
        if isinstance(unit, list):
            raise RuleError(f"unit is one target, not a list of them, {shown(unit)}.")
        if layer not in task.graph.nodes:
            raise RuleError(f"layer={layer!r} is no layer of this network.")
        self._point = attribution_point(task.graph, layer)
        inner = replace(task, attribution_points=(self._point,))
        if self._point.node not in task.graph.on_paths(task.attribution_nodes, [task.target]):
            raise InputError(
                f"Nothing goes from {task.attribution_nodes} to the target through {layer!r}."
            )
        self.unit = unit
        self.positions, self.weights = quadrature("gauss_legendre", steps)
        self._outer = BackwardPass(inner.under(inner.assigned()), inner.attribution_nodes)
        lower = replace(task, target=self._point.node, heads={})
        self._lower = BackwardPass(lower.under(lower.assigned()))

    def attribute(self, request: Request) -> MethodResult:
        """Contributions (T, N, *S) through the units."""
        results, count = PairResults(request), len(self.positions)
        for samples in paths(request, points_per_path(request, self.task.pairs, count)):
            points = on_paths(samples, self.positions)
            upper = self._outer(points, repeated(samples.weights, count), request.batch_size)
            gradients = upper.multipliers[0]
            lower = self._lower(points, gradients * self._weights(gradients), request.batch_size)
            multipliers = [
                mean_over(per_path(values, count), self.weights) for values in lower.multipliers
            ]
            scores = [m * delta for m, delta in zip(multipliers, samples.differences, strict=True)]
            add_paths(results, samples.block, scores, multipliers)
        return results.result()

    def _weights(self, gradients: Array) -> Array:
        """Weights over the units, as the layer's node has them."""
        if self.unit is None:
            return np.ones((), gradients.dtype)
        shape = gradients.shape[2:]
        moved = self._point.name != self._point.node
        if moved:
            shape = (shape[-1], *shape[:-1])
        values = resolve(self.unit, shape, 1, self.task.dtype)[0, 0]
        return np.moveaxis(values, 0, -1) if moved else values


METHODS = (
    Method(
        "layer_conductance",
        "gradient",
        LayerConductance,
        "How much of the target's difference passes through each unit of layers.",
        "Dhamdhere 2018, arXiv:1805.12233; Shrikumar 2018, arXiv:1807.09946",
        "2·N·K·(steps + 1)",
        aliases=("conductance",),
    ),
    Method(
        "internal_influence",
        "gradient",
        InternalInfluence,
        "The gradient at each unit of layers, averaged along the inputs' path.",
        "Leino 2018, arXiv:1802.03788",
        "2·N·K·steps",
    ),
    Method(
        "neuron_conductance",
        "gradient",
        NeuronConductance,
        "How much of the target's difference passes from each input through units of a layer.",
        "Dhamdhere 2018, arXiv:1805.12233",
        "3·N·K·steps",
    ),
)
