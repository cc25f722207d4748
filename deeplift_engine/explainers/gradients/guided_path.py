"""Guided integrated gradients: a path that goes where the gradient is small first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.scoring import PairResults
from deeplift_engine.engine.task import Task
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.gradients.integrated_gradients import CLOSE
from deeplift_engine.explainers.gradients.paths import (
    add_paths,
    paths,
    points_per_path,
    target_at_ends,
    without_tokens,
)
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.util.options import Count, Number, Share
from deeplift_engine.util.typing import Array


class GuidedIntegratedGradients(Explainer):
    """The gradient integrated along a path that first moves what the target is least sensitive to.

    At each step all elements together come nearer to the input by one share of their distance;
    those with the smallest gradients go first, a group at a time. Each target has its own path.

    Parameters
    ----------
    steps
        How many steps a path has.
    fraction
        The share of the elements that is moved together.
    max_distance
        How far an element may be ahead of, or behind, the straight path, as a share of it; 0 is
        that path, 1 sets no bound.
    """

    traits = Traits(
        attributes_layer_outputs=True,
        holds_masks=True,
        has_reference_errors=True,
        advice="More steps= make the sum more exact.",
    )

    def __init__(
        self,
        task: Task,
        *,
        steps: Count = 200,
        fraction: Share = 0.25,
        max_distance: Annotated[float, Number(least=0, most=1)] = 0.02,
    ) -> None:
        super().__init__(task)
        without_tokens(self.task)
        self.steps, self.fraction, self.max_distance = steps, fraction, max_distance
        self._backward = self.backward_pass()

    @property
    def tolerance(self) -> float:
        """As of integrated gradients with so many steps."""
        return CLOSE

    def attribute(self, request: Request) -> MethodResult:
        """Scores, and the sums that they should have."""
        results, at_ends = PairResults(request), target_at_ends(self.values, request)
        for samples in paths(request, points_per_path(request, self.task.pairs)):
            add_paths(results, samples.block, self._guided(samples), ends=at_ends(samples))
        return results.result()

    def _guided(self, samples: Samples) -> list[Array]:
        """Scores (T, P, *S); the paths of several targets are taken as if of several samples."""
        targets, shape = len(samples.weights), samples.weights.shape[2:]
        weights = np.broadcast_to(samples.weights, (targets, samples.count, *shape))
        weights = weights.reshape(1, targets * samples.count, *shape)
        shapes = [array.shape[1:] for array in samples.data]
        start = np.tile(_flat([array[:, 0] for array in samples.references]), (targets, 1))
        delta = np.tile(_flat(samples.differences), (targets, 1))
        # elements that have nowhere to go are the last in any order: only the others take part
        most = int(np.count_nonzero(delta, axis=1).max(initial=0))
        going = _flat_indices(
            np.argsort(delta == 0, axis=1, kind="stable")[:, :most], start.shape[1]
        )
        begin, delta = start.take(going), delta.take(going)
        distance, moved, total = np.abs(delta), np.zeros(delta.shape), np.zeros_like(delta)
        moving = zip(samples.request.inputs, shapes, strict=True)
        size = sum(math.prod(shape) for info, shape in moving if not info.held)
        group = max(1, int(self.fraction * size))
        for step in range(1, self.steps + 1):
            start.reshape(-1)[going] = begin + moved * delta
            result = self._backward(_unflat(start, shapes), weights, samples.request.batch_size)
            gradient = _flat([values[0] for values in result.multipliers]).take(going)
            bounds = [
                min(max(step / self.steps + side * self.max_distance, 0.0), 1.0) for side in (-1, 1)
            ]
            following = advanced(
                moved, distance, np.abs(gradient), step / self.steps, bounds, group
            )
            total += (following - moved) * delta * gradient
            moved = following
        scores = np.zeros(start.shape, total.dtype)
        scores.reshape(-1)[going] = total
        return [
            values.reshape(targets, samples.count, *shape)
            for values, shape in zip(_unflat(scores, shapes), shapes, strict=True)
        ]


def advanced(
    moved: Array,
    distance: Array,
    sizes: Array,
    share: float,
    bounds: Sequence[float],
    group: int,
) -> Array:
    """How far each element has come after a step (Kapishnikov 2021, algorithm 1), all (P, F).

    Groups of elements go to the upper bound in the order of their gradients, until as much of
    the whole distance is left as the straight path would leave; the last group goes part of the
    way.

    Parameters
    ----------
    moved
        How far each has come, between 0 and 1.
    distance
        Of each, from reference to input.
    sizes
        Of the gradients.
    share
        How far the straight path has come after the step.
    bounds
        How far each may have come at least and at most.
    group
        How many elements are in a group.
    """
    least, most = bounds
    moved = np.maximum(moved, least)
    room = distance * np.maximum(most - moved, 0.0)
    budget = (distance * (1 - moved)).sum(axis=1) - distance.sum(axis=1) * (1 - share)
    count = distance.shape[1]
    starts = np.arange(0, count, group)
    # only the borders between groups: no order is wanted inside
    order = np.argpartition(np.where(room > 0, sizes, np.inf), starts[1:], axis=1)
    order = _flat_indices(order, count)
    capacity = np.add.reduceat(room.take(order), starts, axis=1)
    used = np.clip(budget[:, np.newaxis] - (capacity.cumsum(axis=1) - capacity), 0.0, capacity)
    share_used = np.divide(used, capacity, out=np.zeros_like(used), where=capacity > 0)
    each = np.empty_like(moved)
    each.reshape(-1)[order] = np.repeat(share_used, group, axis=1)[:, :count]
    return np.asarray(moved + each * np.maximum(most - moved, 0.0))


def _flat_indices(columns: Array, count: int) -> Array:
    """Columns (P, M) of each row as indices into a flat array of (P, count)."""
    return np.asarray(columns + count * np.arange(len(columns))[:, np.newaxis])


def _flat(arrays: Sequence[Array]) -> Array:
    """All inputs (P, F) side by side."""
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)


def _unflat(values: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    sizes = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    arrays = np.split(values, sizes, axis=1)
    return [array.reshape(-1, *shape) for array, shape in zip(arrays, shapes, strict=True)]


METHODS = (
    Method(
        "guided_integrated_gradients",
        "gradient",
        GuidedIntegratedGradients,
        "The gradient integrated along a path that moves what matters least first.",
        "Kapishnikov 2021, arXiv:2106.09788",
        "2·N·K·T·steps + N + N·K",
        complete=True,
        aliases=("guided_ig",),
    ),
)
