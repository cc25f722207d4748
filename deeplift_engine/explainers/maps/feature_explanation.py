"""Feature-based explanation: where the channels of a layer are far above their mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import tensorflow as tf

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.forward import computed, traced
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import Task
from deeplift_engine.explainers.maps.feature_maps import Interpolation
from deeplift_engine.explainers.maps.map_explainer import Maps, Resize, result_of_maps
from deeplift_engine.explainers.method import Method
from deeplift_engine.graph.layouts import Layout
from deeplift_engine.util.options import NotNegative
from deeplift_engine.util.typing import Tensor


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
        nodes = (*self.task.attribution_nodes, *self.task.graph.outputs)
        self._mapped = traced(self.task.graph, nodes, self._maps)

    def attribute(self, request: Request) -> MethodResult:
        """Maps (T, N, *positions)."""
        blocks = computed(self._mapped, request.data, request.batch_size or self.task.pairs)
        arrays = list(map(np.concatenate, zip(*(each for _, each in blocks), strict=True)))
        maps = [
            self.finished(number, arrays[number][np.newaxis], request.data)
            for number in range(len(self.layouts))
        ]
        outputs = dict(zip(self.task.graph.outputs, arrays[len(maps) :], strict=True))
        every = [np.repeat(each, len(request.weights), axis=0) for each in maps]
        return result_of_maps(self.task, every, outputs)

    def _maps(self, activations: list[Tensor]) -> list[Tensor]:
        """Maps (n, *positions) of each point, and the outputs as they are."""
        count = len(self.layouts)
        return [*map(self._map, self.layouts, activations[:count]), *activations[count:]]

    def _map(self, layout: Layout, activations: Tensor) -> Tensor:
        """The sum of the means of the channels that count."""
        rank = len(activations.shape)
        channels = rank + (layout.axis or -1)
        positions = [axis for axis in range(1, rank) if axis != channels]
        mean, variance = tf.nn.moments(activations, positions, keepdims=True)
        counts = activations >= mean + self.factor * tf.sqrt(variance)
        return tf.reduce_sum(tf.where(counts, mean, tf.zeros_like(mean)), channels)


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
