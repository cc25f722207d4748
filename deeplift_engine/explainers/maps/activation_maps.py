"""Class activation maps: where in a layer of feature maps the target is found.

A layer has activations A (N, *positions, channels). A map is the sum over its channels of weights
times activations, its positive part, brought to the size of the input.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.backward import BackwardPass
from deeplift_engine.engine.blocks import put
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import AttributionPoint, Task
from deeplift_engine.errors import InputError
from deeplift_engine.explainers.maps.feature_maps import Interpolation, source_of
from deeplift_engine.explainers.maps.map_explainer import Maps, Resize, result_of_maps
from deeplift_engine.explainers.method import Method
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array, Tensor

Axes = list[int]


def _mean_gradient(gradients: Tensor, activations: Tensor, positions: Axes) -> Tensor:
    """Grad-CAM: a channel's weight is the mean of its gradient (equation 1)."""
    return tf.reduce_mean(gradients, positions, keepdims=True)


def _closed_form(gradients: Tensor, activations: Tensor, positions: Axes) -> Tensor:
    """Grad-CAM++: the positive gradients g weighted by α = g² / (2g² + ΣA·g³) (equation 19).

    Of the target's exponential, as there; its factor, which is the same everywhere, is left out.
    Only g > 0 counts, where α is 1 / (2 + ΣA·g).
    """
    positive = tf.nn.relu(gradients)
    below = tf.reduce_sum(activations, positions, keepdims=True) * positive + 2.0
    return tf.reduce_sum(tf.math.divide_no_nan(positive, below), positions, keepdims=True)


def _positive_gradient(gradients: Tensor, activations: Tensor, positions: Axes) -> Tensor:
    """Layer-CAM: every position has its own weight, the positive gradient (equation 4)."""
    return tf.nn.relu(gradients)


WEIGHTS: Mapping[str, Callable[[Tensor, Tensor, Axes], Tensor]] = {
    "grad_cam": _mean_gradient,
    "grad_cam_plus_plus": _closed_form,
    "layer_cam": _positive_gradient,
}
"""Weights for gradients (T, N, ...) and activations (1, N, ...), by the axes of the positions."""


class GradientMaps(Maps):
    """Weights from the target's gradient at a layer.

    At the layers that are named, or by default at the last convolution in front of the target,
    behind its own normalisation and activation. Scores are maps (N, *positions), without an axis
    of channels.

    Parameters
    ----------
    weights
        ``"grad_cam"``, ``"grad_cam_plus_plus"`` or ``"layer_cam"``.
    relu
        Whether to keep the positive part of a map alone, as is published.
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
        weights: str = "grad_cam",
        relu: bool = True,
        resize: Resize = "input",
        interpolation: Interpolation = "linear",
    ) -> None:
        super().__init__(task, relu=relu, resize=resize, interpolation=interpolation)
        self._weights = WEIGHTS[weights]
        names = (*self.task.graph.outputs, *self.task.attribution_nodes)
        self._backward = BackwardPass(self.task.under(self.task.assigned()), names)
        self._weighted = [
            self._weighing(number) for number in range(len(self.task.attribution_points))
        ]

    def attribute(self, request: Request) -> MethodResult:
        """Maps (T, N, *positions)."""
        weights = request.weights
        totals = (len(weights), request.samples)
        maps: dict[int, Array] = {}
        outputs: dict[str, Array] = {}
        with bar(math.prod(totals), request.progress, " maps") as tick:
            for block, result in self._backward.blocks(request.data, weights, request.batch_size):
                where, count = (block.targets, block.rows), block.rows.stop - block.rows.start
                for number, node in enumerate(self.task.attribution_nodes):
                    weighted = self._weighted[number](
                        result.multipliers[number], result.outputs[node]
                    )
                    values = np.asarray(weighted)[:, :count]
                    put(maps, number, totals, where, self.finished(number, values, request.data))
                for name in self.task.graph.outputs if block.targets.start == 0 else ():
                    values = np.asarray(result.outputs[name])[:count]
                    put(outputs, name, totals[1:], where[1:], values)
                tick(len(result.values) * count)
        return result_of_maps(self.task, list(maps.values()), outputs)

    def _weighing(self, number: int) -> Any:
        """The compiled function of gradients (T, n, ...) and activations (n, ...), to maps."""
        node = self.task.graph.nodes[self.task.attribution_nodes[number]]
        rank = len(node.shape) + 2
        channels = rank + (self.layouts[number].axis or -1)
        positions = [axis for axis in range(2, rank) if axis != channels]

        def weigh(gradients: Tensor, activations: Tensor) -> Tensor:
            activations = activations[tf.newaxis]
            weights = self._weights(gradients, activations, positions)
            return tf.reduce_sum(weights * activations, channels)

        signature = [
            tf.TensorSpec([*leading, *node.shape], self.task.dtype)
            for leading in ([None, None], [None])
        ]
        return tf.function(
            weigh, input_signature=signature, autograph=False
        ).get_concrete_function()


class GuidedGradCam(GradientMaps):
    """Guided backprop at the input, times the Grad-CAM of a layer.

    Scores have the shape of the input that the layer's positions are those of.

    Parameters
    ----------
    interpolation
        ``"linear"`` along every axis (bilinear for images), or ``"nearest"``.
    """

    traits = replace(GradientMaps.traits, elementwise_scores=True)

    def __init__(self, task: Task, *, interpolation: Interpolation = "linear") -> None:
        super().__init__(task, interpolation=interpolation)
        self._sources = [source_of(self.task, point) for point in self.task.attribution_points]
        names = [self.task.graph.inputs[source.number] for source in self._sources]
        for point, name in zip(self.task.attribution_points, names, strict=True):
            if self.task.graph.nodes[name].tokens:
                raise InputError(
                    f"{point.name!r} reads the tokens of {name!r}, which guided backprop gives no "
                    "gradient of: take the method grad_cam."
                )
        at_inputs = replace(
            self.task, attribution_points=tuple(AttributionPoint(name, name) for name in names)
        )
        self._guided = BackwardPass(at_inputs.under(at_inputs.assigned("guided_backprop")))

    def attribute(self, request: Request) -> MethodResult:
        """Products (T, N, *S)."""
        result = super().attribute(request)
        guided = self._guided(request.data, request.weights, request.batch_size)
        scores = [
            gradients * source.layout.spread(maps)
            for gradients, source, maps in zip(
                guided.multipliers, self._sources, result.scores, strict=True
            )
        ]
        return replace(result, scores=scores)


GRADIENTS = (
    (
        "grad_cam",
        "A layer's channels, weighted by the mean of the target's gradient, where they add up.",
        "Selvaraju 2017, arXiv:1610.02391",
        ("gradcam",),
    ),
    (
        "grad_cam_plus_plus",
        "Grad-CAM with positive gradients alone, so weighted that small objects count as large.",
        "Chattopadhyay 2018, arXiv:1710.11063",
        ("grad_cam++", "gradcam++"),
    ),
    (
        "layer_cam",
        "A layer's activations times the positive gradients there, added over the channels.",
        "Jiang 2021, doi:10.1109/TIP.2021.3089943",
        ("layercam",),
    ),
)

METHODS = (
    *(
        Method(
            name,
            "map",
            GradientMaps,
            summary,
            source,
            "2·N",
            aliases=aliases,
            fixed={"weights": name},
        )
        for name, summary, source, aliases in GRADIENTS
    ),
    Method(
        "guided_grad_cam",
        "map",
        GuidedGradCam,
        "Guided backprop at the input, times the Grad-CAM of a layer.",
        "Selvaraju 2017, arXiv:1610.02391",
        "4·N",
        aliases=("guided_gradcam",),
    ),
)
