"""Score-CAM: channels of a layer as masks of the input, by forward passes alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, groupby

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.blocks import EVERY, blocks, put
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.samples import samples_of
from deeplift_engine.engine.target_weights import repeated
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import InputError
from deeplift_engine.explainers.maps.feature_maps import Interpolation, resized, source_of
from deeplift_engine.explainers.maps.map_explainer import Maps, Resize, result_of_maps
from deeplift_engine.explainers.method import Method
from deeplift_engine.util.options import Count
from deeplift_engine.util.probabilities import softmax
from deeplift_engine.util.typing import Array


class ScoreCam(Maps):
    """Channels weighted by the target where each of them alone shows the input.

    Each channel of the layer, brought to the size of the input and to values from 0 to 1, is a
    mask. What it hides has the value of the reference, zeros as is published. At the layers that
    are named, or by default at the last convolution in front of the target, behind its own
    normalisation and activation. Scores are maps (N, *positions), without an axis of channels.

    Parameters
    ----------
    softmax
        Whether the weights are the softmax of the target over the channels, as is published;
        False: its rise above the target at the reference.
    channels
        How many channels to take of each sample, those that vary most over the positions; None
        takes all.
    relu
        Whether to keep the positive part of a map alone, as is published.
    resize
        ``"input"``, the size of the input; sizes, one for every axis of positions; or None, to
        keep the layer's.
    interpolation
        ``"linear"`` along every axis (bilinear for images), or ``"nearest"``; of masks too.
    """

    traits = replace(Maps.traits, supports_per_reference=False)

    def __init__(
        self,
        task: Task,
        *,
        softmax: bool = True,
        channels: Count | None = None,
        relu: bool = True,
        resize: Resize = "input",
        interpolation: Interpolation = "linear",
    ) -> None:
        super().__init__(task, relu=relu, resize=resize, interpolation=interpolation)
        self.softmax, self.channels = softmax, channels
        self._sources = [source_of(self.task, point) for point in self.task.attribution_points]
        for point, source in zip(self.task.attribution_points, self._sources, strict=True):
            if source.layout.axis is None:
                raise InputError(
                    f"{point.name!r} reads tokens, which no mask can be multiplied with: take the "
                    "method grad_cam."
                )

    def attribute(self, request: Request) -> MethodResult:
        """Maps (T, N, *positions)."""
        maps = [self._at(number, request) for number in range(len(self._sources))]
        return result_of_maps(self.task, maps)

    def _at(self, number: int, request: Request) -> Array:
        """Maps (T, N, *positions) of the point of that number."""
        maps: dict[int, Array] = {}
        count, total = self._count(number), len(request.weights)
        most = request.batch_size or self.task.pairs
        drawn = blocks(request, (1 + count) * request.count, most, " masks")
        for rows, of_rows in groupby(samples_of(request, drawn), key=lambda each: each.block.rows):
            first = next(of_rows)
            references = first.references[self._sources[number].number]
            activations = self._at_points(first.data, request.batch_size)[number]
            chosen = most_varied(self.layouts[number].last(activations), count)
            nothing = np.zeros_like(chosen[..., :1])  # as a mask it hides everything
            masks = np.concatenate([nothing, chosen], axis=-1)
            values: dict[int, Array] = {}
            for samples in chain([first], of_rows):
                columns = samples.block.columns
                shown, beside = np.divmod(np.arange(columns.start, columns.stop), request.count)
                points = self._masked(
                    number, samples.data, references[:, beside], masks[..., shown]
                )
                weights = repeated(samples.weights, len(shown))
                level = self.values(points, weights, request.batch_size)
                level = level.reshape(total, -1, len(shown))
                totals = (*level.shape[:2], (1 + count) * request.count)
                put(values, 0, totals, (EVERY, EVERY, columns), level)
            means = values[0].reshape(*values[0].shape[:2], -1, request.count).mean(axis=-1)
            weighted = np.einsum("tnc,n...c->tn...", self._weights(means), chosen)
            finished = self.finished(number, weighted, first.data)
            put(maps, 0, (total, request.samples), (EVERY, rows), finished)
        return maps[0]

    def _count(self, number: int) -> int:
        """How many channels are taken."""
        node = self.task.graph.nodes[self.task.attribution_nodes[number]]
        channels = node.shape[self.layouts[number].axis or 0]
        if channels is None:
            raise InputError(f"{node.name!r} has a free number of channels; name another layer.")
        return min(channels, self.channels or channels)

    def _masked(
        self, number: int, data: list[Array], references: Array, masks: Array
    ) -> list[Array]:
        """Inputs (n · d, ...) of references (n, d, ...), shown by masks (n, *positions, d)."""
        source = self._sources[number]
        x = data[source.number][:, np.newaxis]
        masks = resized(np.moveaxis(masks, -1, 1), source.layout.sizes(x), 2, self.interpolation)
        points = x - references
        points *= source.layout.spread(from_0_to_1(masks))
        points += references
        inputs = [np.repeat(array, points.shape[1], axis=0) for array in data]
        inputs[source.number] = points.reshape(-1, *points.shape[2:])
        return inputs

    def _weights(self, values: Array) -> Array:
        """Of the channels (T, n, C), for the target's values (T, n, 1 + C) behind the masks."""
        rises = values[..., 1:] - values[..., :1]
        return softmax(rises) if self.softmax else rises


def most_varied(activations: Array, count: int) -> Array:
    """The ``count`` channels of (n, *positions, channels) that vary most over the positions."""
    if activations.shape[-1] == count:
        return activations
    spread = activations.std(axis=tuple(range(1, activations.ndim - 1)), keepdims=True)
    order = np.argsort(-spread, axis=-1, kind="stable")[..., :count]
    return np.take_along_axis(activations, order, axis=-1)


def from_0_to_1(masks: Array) -> Array:
    """Masks (n, d, *sizes), each from 0 to 1; one without differences is 0."""
    axes = tuple(range(2, masks.ndim))
    low, high = masks.min(axes, keepdims=True), masks.max(axes, keepdims=True)
    return np.asarray((masks - low) / np.where(high > low, high - low, 1))


METHODS = (
    Method(
        "score_cam",
        "map",
        ScoreCam,
        "A layer's channels, weighted by the target where each of them masks the input.",
        "Wang 2020, arXiv:1910.01279",
        "N·(2 + K·(1 + channels))",
        aliases=("scorecam",),
    ),
)
