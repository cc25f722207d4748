"""Feature-based explanation: where the channels of a layer are far above their mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import Task
from deeplift_engine.explainers.maps.feature_maps import Interpolation
from deeplift_engine.explainers.maps.map_explainer import Maps, Resize, result_of_maps
from deeplift_engine.explainers.method import Method
from deeplift_engine.util.options import NotNegative
from deeplift_engine.util.typing import Array


class FeatureExplanation(Maps):
    """The channels of a layer where they are rare and large, weighted by their means.

    A position counts for a channel where its activation is ``factor`` standard deviations above
    the channel's mean over the positions, or more; the map is the sum of the means of those
    channels. It reads no gradient and no output: all targets have the same map. The layer is, by
    default, the last convolution in front of the target, behind its own activation.

    Parameters
    ----------
    factor
        K in the publication.
    resize
        ``"input"``, the size of the input; sizes, one for every axis of positions; or None, to
        keep the layer's.
    interpolation
        ``"linear"`` along every axis (bilinear for images), or ``"nearest"``.
    """

    traits = replace(Maps.traits, uses_references=False)

    def __init__(
        self,
        task: Task,
        *,
        factor: NotNegative = 2.0,
        resize: Resize = "input",
        interpolation: Interpolation = "linear",
    ) -> None:
        super().__init__(task, relu=False, resize=resize, interpolation=interpolation)
        self.factor = factor

    def attribute(self, request: Request) -> MethodResult:
        """Maps (T, N, *positions)."""
        activations = self._at_points(request.data, request.batch_size)
        maps = [
            self.finished(number, self._map(own.last(values))[np.newaxis], request.data)
            for number, (own, values) in enumerate(zip(self.layouts, activations, strict=True))
        ]
        return result_of_maps(
            self.task, [np.repeat(each, len(request.weights), axis=0) for each in maps]
        )

    def _map(self, activations: Array) -> Array:
        """The sum of the means of the channels that count, for (N, *positions, channels)."""
        axes = tuple(range(1, activations.ndim - 1))
        mean, spread = (end(activations, axis=axes, keepdims=True) for end in (np.mean, np.std))
        counts = activations >= mean + self.factor * spread
        return np.asarray((counts * mean).sum(axis=-1))


METHODS = (
    Method(
        "fem",
        "map",
        FeatureExplanation,
        "Where a layer's channels are far above their means, weighted by these.",
        "Fuad 2020, doi:10.1109/IPTA50016.2020.9286629",
        "N",
    ),
)
