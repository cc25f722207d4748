"""XRAI: regions of an image, ranked by what another method finds in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import AttributionPoint, Task
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.maps.map_explainer import result_of_maps
from deeplift_engine.explainers.method import Method
from deeplift_engine.graph.layouts import Layout, layout
from deeplift_engine.references.reference_set import References
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import Among, Count, Integer, Number, Several, Share
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array

SCALES = (50.0, 100.0, 150.0, 250.0, 500.0, 1200.0)
OVER_CHANNELS: Mapping[str, Any] = {"max": np.max, "sum": np.sum}


def _black_and_white(images: Array, indices: Array) -> Array:
    axes = tuple(range(1, images.ndim))
    ends = np.stack([images.min(axes), images.max(axes)], axis=1)
    ends = ends.reshape(*ends.shape, *(1 for _ in axes))
    return np.broadcast_to(ends, (*ends.shape[:2], *images.shape[1:]))


BLACK_AND_WHITE = References("black and white", 2, False, _black_and_white)
"""The smallest and the largest value of each sample, everywhere."""


class Regions(Explainer):
    """The regions of an image, largest mean score of another method first.

    The image is divided at several scales by its colours (Felzenszwalb 2004, by scikit-image).
    Of all these regions the one in which the scores' mean is largest is taken, over the pixels
    that no region before it has, again and again; each pixel's score is that of the region that
    took it. Scores are maps (N, height, width), without an axis of channels.

    Without ``references`` each image is compared with a black and a white one, which have its
    smallest and its largest value everywhere.

    Parameters
    ----------
    of
        The name of the method.
    of_options
        Its options.
    over_channels
        What a pixel has of the scores of its channels: ``"max"``, as in the authors' program, or
        ``"sum"``.
    scales
        Of the division; larger ones give larger regions.
    sigma
        Width of the smoothing before it.
    size
        Height and width that the image is divided at; None for its own.
    min_size
        Pixels of the smallest region there.
    dilation
        By how many pixels of the image a region is extended.
    least
        How many pixels a region must add to those before it.
    area
        The share of the image from which on no more regions are taken; the pixels that are left
        have their own mean.
    segments
        In place of the division: labels (height, width), or (divisions, height, width), whole
        numbers that are equal within a region; masks (regions, height, width) of True and False,
        which are not extended and may overlap; or a function of an image (height, width, channels)
        that gives such.
    algorithm
        ``"full"``, or ``"fast"``, as in the authors' program: regions are ordered once, by the mean
        over all their pixels, and none is looked at twice.
    """

    def __init__(
        self,
        task: Task,
        *,
        of: str = "integrated_gradients",
        of_options: Mapping[str, Any] | None = None,
        over_channels: Annotated[str, Among(OVER_CHANNELS)] = "max",
        scales: Annotated[Sequence[float], Several(Number(above=0))] = SCALES,
        sigma: Annotated[float, Number(least=0, most=1_000_000)] = 0.8,
        size: Annotated[Sequence[int], Several(Integer(1), 2)] | None = (224, 224),
        min_size: Annotated[int, Integer(0)] = 150,
        dilation: Annotated[int, Integer(0)] = 5,
        least: Count = 50,
        area: Share = 1.0,
        segments: Any = None,
        algorithm: Annotated[str, Among(("full", "fast"))] = "full",
    ) -> None:
        super().__init__(task)
        optional("skimage", "scikit-image")
        self.layouts = [_image(task, point) for point in task.attribution_points]
        self.inner = task.create_method(of, task, of_options or {})
        if not self.inner.traits.elementwise_scores or len(
            self.inner.task.attribution_points
        ) != len(task.attribution_points):
            raise RuleError(
                f"Regions are ranked by scores of an image's elements, and {of!r} gives maps: give "
                "another method as of=."
            )
        self.traits = replace(
            self.inner.traits,
            attributes_of=None,
            attributes_layer_outputs=False,
            default_references=BLACK_AND_WHITE,
            supports_per_reference=False,
            has_reference_errors=False,
            elementwise_scores=False,
        )
        self.over_channels = OVER_CHANNELS[over_channels]
        division = Division(scales, sigma, min_size, size)
        self.ranking = Ranking(division, dilation, least, area, segments, algorithm == "fast")

    def attribute(self, request: Request) -> MethodResult:
        """Maps (T, N, height, width)."""
        result = self.inner.attribute(request.replace(average=True))
        maps = [
            self._ranked(request, node, own, scores)
            for node, own, scores in zip(
                self.task.attribution_nodes, self.layouts, result.scores, strict=True
            )
        ]
        return result_of_maps(self.task, maps, result.predictions)

    def _ranked(self, request: Request, node: str, own: Layout, scores: Array) -> Array:
        """Maps (T, N, height, width) of scores (T, N, *image)."""
        images = own.last(request.data[self.task.graph.inputs.index(node)])
        pixels = self.over_channels(own.last(scores), axis=-1)
        maps: Array = np.empty_like(pixels)
        with bar(request.samples, request.progress, " images") as tick:
            for sample, image in enumerate(images):
                maps[:, sample] = self.ranking(image, pixels[:, sample])
                tick(1)
        return maps


@dataclass(frozen=True)
class Division:
    """An image divided at several scales; see `Regions` for the fields."""

    scales: Sequence[float] = SCALES
    sigma: float = 0.8
    min_size: int = 150
    size: Sequence[int] | None = (224, 224)

    def __call__(self, image: Array) -> Array:
        """The number of each pixel's region (scales, height, width), for (height, width, c).

        The image is brought to values from -1 to 1, which the scales are made for.
        """
        segmentation = optional("skimage.segmentation", "scikit-image")
        transform = optional("skimage.transform", "scikit-image")
        low, high = float(image.min()), float(image.max())
        scaled = (image.astype(float) - low) * (2 / (high - low) if high > low else 1) - 1
        if self.size is not None:
            scaled = transform.resize(
                scaled, self.size, order=3, mode="constant", anti_aliasing=True
            )
        shared = {"sigma": self.sigma, "min_size": self.min_size}
        labels = np.stack(
            [segmentation.felzenszwalb(scaled, scale=scale, **shared) for scale in self.scales]
        )
        pixels = [
            ((np.arange(new) + 0.5) * old / new).astype(int)
            for old, new in zip(labels.shape[1:], image.shape[:2], strict=True)
        ]
        return np.asarray(labels[(slice(None), *np.ix_(*pixels))])


@dataclass(frozen=True)
class Ranking:
    """Regions of an image, ranked by scores of its pixels; see `Regions` for the fields."""

    division: Division = Division()
    dilation: int = 5
    least: int = 50
    area: float = 1.0
    segments: Any = None
    fast: bool = False

    def __call__(self, image: Array, pixels: Array) -> Array:
        """Maps (T, height, width) of scores of the same shape, for (height, width, channels).

        Raises
        ------
        RuleError
            If segments are neither labels nor masks of the image.
        """
        masks = self._masks(image)
        ranks = ordered if self.fast else ranked
        maps = [ranks(values.ravel(), masks, self.least, self.area) for values in pixels]
        return np.stack(maps).reshape(pixels.shape)

    def _masks(self, image: Array) -> Array:
        """Whether each pixel is in each region (pixels, regions)."""
        if self.segments is None:
            return regions(self.division(image), self.dilation)
        met = self.segments(image) if callable(self.segments) else self.segments
        try:
            labels = np.asarray(met)
        except ValueError:
            labels = np.asarray(None)
        labels = labels[np.newaxis] if labels.ndim == 2 else labels
        if labels.dtype.kind not in "biu" or labels.shape[1:] != image.shape[:2] or not len(labels):
            raise RuleError(
                f"segments of shape {labels.shape}, {labels.dtype}: expected whole numbers, or "
                f"masks (regions, *{image.shape[:2]}) of True and False, for each pixel of an "
                f"image of {image.shape[:2]}."
            )
        if labels.dtype.kind == "b":
            return labels.reshape(len(labels), -1).T
        return regions(labels, self.dilation)


def regions(labels: Array, dilation: int) -> Array:
    """Whether each pixel is in each region (pixels, regions), for labels (scales, *image).

    A region has the pixels that are at most ``dilation`` away from one with its label.
    """
    kinds = [np.unique(level, return_inverse=True)[1].reshape(level.shape) for level in labels]
    firsts = np.cumsum([0, *(level.max() + 1 for level in kinds)])
    steps = np.arange(-dilation, dilation + 1)
    disk = steps[:, np.newaxis] ** 2 + steps**2 <= dilation**2
    inside = np.zeros((labels[0].size, firsts[-1]), bool)
    pixels = np.arange(len(inside))[:, np.newaxis]
    for first, level in zip(firsts[:-1], kinds, strict=True):
        around = np.pad(level, dilation, mode="edge")
        near = sliding_window_view(around, disk.shape)[:, :, disk]
        inside[pixels, first + near.reshape(len(inside), -1)] = True
    return inside


def ranked(values: Array, inside: Array, least: int, area: float) -> Array:
    """The mean over its region for each pixel's value, where the best region goes first.

    Parameters
    ----------
    values
        (pixels,).
    inside
        Whether each pixel is in each region (pixels, regions).
    least, area
        See `Regions`.
    """
    free = np.ones(len(values), bool)
    means = np.zeros(len(values))
    counts = np.count_nonzero(inside, axis=0)
    sums = values.astype(float) @ inside
    while (counts >= least).any() and np.count_nonzero(~free) <= area * len(values):
        best = np.argmax(np.where(counts >= least, sums / np.maximum(counts, 1), -np.inf))
        new = np.flatnonzero(free & inside[:, best])
        means[new] = values[new].mean(dtype=float)
        free[new] = False
        taken = inside[new]
        counts = counts - np.count_nonzero(taken, axis=0)
        sums = sums - values[new].astype(float) @ taken
    return _with_the_rest(values, means, free)


def ordered(values: Array, inside: Array, least: int, area: float) -> Array:
    """The same, where regions go by the mean over all of their pixels; ``area`` is not read."""
    free = np.ones(len(values), bool)
    means = np.zeros(len(values))
    counts = np.count_nonzero(inside, axis=0)
    all_means = values.astype(float) @ inside / np.maximum(counts, 1)
    for region in np.argsort(-all_means, kind="stable"):
        new = np.flatnonzero(free & inside[:, region])
        if len(new) >= least:
            means[new] = values[new].mean(dtype=float)
            free[new] = False
    return _with_the_rest(values, means, free)


def _with_the_rest(values: Array, means: Array, free: Array) -> Array:
    """The means, that of the pixels that are left among them."""
    if free.any():
        means[free] = values[free].mean(dtype=float)
    return means.astype(values.dtype)


def _image(task: Task, point: AttributionPoint) -> Layout:
    """How an image is laid out; anything else is refused."""
    node = task.graph.nodes[point.node]
    if node.inputs or node.tokens or len(node.shape) != 3:
        raise InputError(
            f"XRAI divides images, inputs of height, width and channels; {point.name!r} has shape "
            f"{node.shape}{' and is no input' if node.inputs else ''}. Name an image as layers=."
        )
    return layout(task.graph, point.node)


METHODS = (
    Method(
        "xrai",
        "map",
        Regions,
        "Regions of an image, ranked by the mean of another method's scores in them.",
        "Kapishnikov 2019, arXiv:1906.02825",
        "P; of the method",
    ),
)
