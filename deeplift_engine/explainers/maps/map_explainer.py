"""The base of class activation maps: their layer, and how a map is finished."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.task import AttributionPoint, Task
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.maps.feature_maps import (
    Interpolation,
    at_feature_maps,
    resized,
    source_of,
)
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.graph.layouts import layout
from deeplift_engine.util.options import Integer, Several, fits, shown
from deeplift_engine.util.typing import Array

Resize = str | Sequence[int] | None


class Maps(Explainer):
    """A method whose scores are maps over the positions of a layer.

    Parameters
    ----------
    relu
        Whether to keep the positive part of a map alone, as is published.
    resize
        ``"input"``, the size of the input; sizes, one for every axis of positions; or None, to
        keep the layer's.
    interpolation
        ``"linear"`` along every axis (bilinear for images), or ``"nearest"``.
    """

    traits = Traits(attributes_of=None, elementwise_scores=False)

    def __init__(
        self,
        task: Task,
        *,
        relu: bool = True,
        resize: Resize = "input",
        interpolation: Interpolation = "linear",
    ) -> None:
        super().__init__(at_feature_maps(task))
        self.relu, self.interpolation = relu, interpolation
        points = self.task.attribution_points
        self.layouts = [layout(self.task.graph, point.node) for point in points]
        self._sizes = [
            _wanted(self.task, point, resize, own.rank)
            for point, own in zip(points, self.layouts, strict=True)
        ]

    def finished(self, number: int, maps: Array, data: Sequence[Array]) -> Array:
        """Maps (T, n, *positions) of the point of that number, as the options say."""
        maps = np.maximum(maps, 0) if self.relu else maps
        sizes = self._sizes[number](data)
        return maps if sizes is None else resized(maps, sizes, 2, self.interpolation)


def result_of_maps(
    task: Task, maps: Sequence[Array], predictions: Mapping[str, Array] | None = None
) -> MethodResult:
    """The result whose scores have the axes of positions alone."""
    points = tuple(AttributionPoint(each.name, each.name) for each in task.attribution_points)
    return MethodResult(list(maps), predictions=predictions, points=points)


def _wanted(
    task: Task, point: AttributionPoint, resize: Resize, rank: int
) -> Callable[[Sequence[Array]], Sequence[int] | None]:
    """The size of a map, of the data."""
    if resize is None:
        return lambda data: None
    if isinstance(resize, str) and resize == "input":
        source = source_of(task, point)
        return lambda data: source.layout.sizes(data[source.number])
    if not fits(resize, Several(Integer(1), rank)):
        raise RuleError(
            f"resize is 'input', None, or {rank} sizes of 1 or more for {point.name!r}, "
            f"not {shown(resize)}."
        )
    sizes = [int(size) for size in resize]
    return lambda data: sizes
