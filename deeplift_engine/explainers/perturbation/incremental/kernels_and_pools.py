"""Crossings of a change within a box through convolutions and pooling."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from deeplift_engine.explainers.perturbation.incremental.crossing import (
    ELEMENT,
    Crossing,
    Site,
    plain_work,
    share,
    sizes,
    within,
)
from deeplift_engine.explainers.perturbation.incremental.frames import (
    Change,
    Form,
    Frames,
    deferred,
    marks,
    widened,
    within_axes,
)
from deeplift_engine.layers import Convolution
from deeplift_engine.layers.spans import Box, Window, margins
from deeplift_engine.tensors.constants import constant
from deeplift_engine.util.typing import Tensor

WRITTEN = 20
"""Cost of an element that is written once and read once, in multiply-adds."""


class Convolve(Crossing):
    """Convolutions along their spatial axes: the kernel over the change alone."""

    def form(self, site: Site) -> Form | None:
        """The positions whose windows reach into the box."""
        return _through(site) if site.layer.has_kernel else None

    def work(self, site: Site, form: Form) -> float:
        """Cost of a convolution of the box with zeros around, or of a product at each position."""
        return min(self._works(site, form)) + ELEMENT * math.prod(site.at(form))

    def elements(self, site: Site, form: Form) -> int:
        """Number of elements of the output, or of the products."""
        convolved, by_products = self._works(site, form)
        if convolved <= by_products:
            return super().elements(site, form)
        assert site.only is not None
        return int(site.only[0].width * site.layer.kernel[:, 0].size)

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """Whichever is cheaper."""
        assert isinstance(form, tuple)
        box = site.only
        assert box is not None
        convolved, by_products = self._works(site, form)
        change = frames.now(changes[0])
        if by_products < convolved:
            products = self._products(site.layer, change)
            (window,) = _windows(site, box)

            def added(positions: Tensor, tensor: Tensor) -> Tensor:
                return frames.inside([positions], form, _shifted(tensor, window))

            return deferred(added, *frames.positions(form), products)
        return _inside(frames, form, self._convolved(site, box, form, change))

    def _works(self, site: Site, form: Form) -> tuple[float, float]:
        layer, box = site.layer, site.only
        assert box is not None
        assert isinstance(form, tuple)
        convolved = plain_work(site.node, site.sources) * share(form)
        if layer.kernel.ndim != 3 or layer.groups > 1 or layer.strides != (1,):
            return convolved, math.inf
        taps, inner, outer = layer.kernel.shape
        return convolved, box[0].width * taps * outer * (inner + WRITTEN)

    def _convolved(self, site: Site, box: Box, form: Box, change: Tensor) -> Tensor:
        layer, shape = site.layer, sizes(site.sources[0])
        around = [
            margins(layer.padding, *numbers)
            for numbers in zip(
                shape, layer.kernel.shape[:-2], layer.dilation, layer.strides, strict=False
            )
        ]
        read = _read(site, form)
        cut = []
        for span, wide in zip(box, read, strict=True):
            before, after = wide.margins(span)
            narrower = min(before, after) < 0
            around[span.axis] = (0, 0) if narrower else (before, after)
            cut.append(wide if narrower else span)
        return layer.framed(widened(change, box, tuple(cut)), around)

    def _products(self, layer: Convolution, change: Tensor) -> Tensor:
        """Each position times the kernel's taps, the last first: (n, width, taps · out)."""
        taps, inner, outer = layer.kernel.shape
        kernel = layer.kernel[::-1].transpose(1, 0, 2).reshape(inner, taps * outer)
        rows, width = change.shape[0], change.shape[1]
        result = tf.linalg.matmul(tf.reshape(change, [rows * width, inner]), constant(kernel))
        return tf.reshape(result, [rows, width, taps, outer])


def _shifted(products: Tensor, window: Window) -> Tensor:
    """Products (n, width, taps, out) each moved to where its tap puts it, and added."""
    total = None
    for tap in range(window.size):
        moved = tap * window.dilation
        product = tf.pad(products[:, :, tap], [(0, 0), (moved, window.reach - moved), (0, 0)])
        total = product if total is None else total + product
    return total


class Pool(Crossing):
    """Average and maximum pooling."""

    def form(self, site: Site) -> Form | None:
        """The windows that reach into the box."""
        return None if site.layer.has_kernel else _through(site)

    def work(self, site: Site, form: Form) -> float:
        """Each element that is read."""
        assert isinstance(form, tuple)
        return ELEMENT * math.prod(within(sizes(site.sources[0]), _read(site, form)))

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """Pooled without padding, which is put around before: of elements that do not count."""
        assert isinstance(form, tuple)
        box, layer, read = site.only, site.layer, _read(site, form)
        assert box is not None
        change = widened(frames.now(changes[0]), box, read)
        valid = within_axes(frames.positions(read), read)
        pool = _pool(layer, sizes(site.sources[0]), [span.axis for span in box])
        if layer.kind == "linear":
            counts = tf.ones([frames.count, *change.shape[1:-1], 1], change.dtype)
            counts = pool(marked(valid, read, counts, 0), 0)
            output = frames.merged(
                tf.math.divide_no_nan(frames.apart(pool(change, 0)), counts[:, tf.newaxis])
            )
        else:
            unperturbed = frames.at(site.sources[0].name, read)
            lowest = unperturbed.dtype.min
            new = frames.where(valid, read, frames.added(change, unperturbed), lowest)
            old = marked(valid, read, unperturbed, lowest)
            output = frames.without(pool(new, lowest), pool(old, lowest))
        return _inside(frames, form, output)


def _inside(frames: Frames, form: Box, output: Tensor) -> Change:
    """What of an output lies between the ends of its axes."""
    return deferred(
        lambda *tensors: frames.inside(tensors[:-1], form, tensors[-1]),
        *frames.positions(form),
        output,
    )


def marked(at: Sequence[Tensor], box: Box, values: Tensor, otherwise: Any) -> Tensor:
    """Values (G, *features) where ``at`` (G, width) holds along each axis of a box."""
    apart = values[:, tf.newaxis]
    other = tf.cast(otherwise, values.dtype)
    return tf.squeeze(tf.where(marks(at, box, values), apart, other), 1)


def _windows(site: Site, box: Box) -> list[Window]:
    return [site.layer.sliding_window(span.axis, span.length) for span in box]


def _through(site: Site) -> Form | None:
    """The box behind windows along all of its axes."""
    box = site.only
    if box is None:
        return None
    windows = [site.layer.sliding_window(span.axis, span.length) for span in box]
    spans = [
        None if window is None else span.through(window, site.shape[span.axis])
        for span, window in zip(box, windows, strict=True)
    ]
    behind = tuple(span for span in spans if span is not None)
    return behind if len(behind) == len(box) else None


def _read(site: Site, form: Form) -> Box:
    """The positions of the only input that a box reads."""
    box = site.only
    assert box is not None
    assert isinstance(form, tuple)
    return tuple(
        span.read_by(window, outputs)
        for span, window, outputs in zip(box, _windows(site, box), form, strict=True)
    )


def _pool(
    layer: Any, shape: tuple[int, ...], axes: Sequence[int]
) -> Callable[[Tensor, Any], Tensor]:
    """Pooling along all axes, with padding of a value along those that are not ``axes``."""
    around = [(0, 0)] * (len(shape) + 1)
    for number in range(len(layer.size)):
        if number not in axes:
            around[number + 1] = margins(
                layer.padding, shape[number], layer.size[number], 1, layer.strides[number]
            )
    inner = replace(layer, padding="valid")

    def pool(tensor: Tensor, value: Any) -> Tensor:
        if any(margin != (0, 0) for margin in around):
            tensor = tf.pad(tensor, around, constant_values=tf.cast(value, tensor.dtype))
        return inner.forward(tensor)

    return pool
