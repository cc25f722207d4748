"""Crossings of a change within a span through convolutions and pooling."""

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
    sizes,
    within,
)
from deeplift_engine.explainers.perturbation.incremental.frames import (
    Change,
    Form,
    Frames,
    deferred,
    widened,
)
from deeplift_engine.layers import Convolution
from deeplift_engine.layers.spans import Span, Window, margins
from deeplift_engine.tensors.constants import constant
from deeplift_engine.util.typing import Tensor

WRITTEN = 20
"""Cost of an element that is written once and read once, in multiply-adds."""


class Convolve(Crossing):
    """Convolutions along one of their spatial axes: the kernel over the change alone."""

    def form(self, site: Site) -> Form | None:
        """The positions whose windows reach into the span."""
        span, layer = site.only, site.layer
        if span is None or not layer.has_kernel:
            return None
        window = layer.sliding_window(span.axis, span.length)
        return None if window is None else span.through(window, site.shape[span.axis])

    def work(self, site: Site, form: Form) -> float:
        """Cost of a convolution of the span with zeros around, or of a product at each position."""
        return min(self._works(site, form)) + ELEMENT * math.prod(site.at(form))

    def elements(self, site: Site, form: Form) -> int:
        """Number of elements of the output, or of the products."""
        convolved, by_products = self._works(site, form)
        if convolved <= by_products:
            return super().elements(site, form)
        assert site.only is not None
        return int(site.only.width * site.layer.kernel[:, 0].size)

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """Whichever is cheaper."""
        assert isinstance(form, Span)
        span = site.only
        assert span is not None
        convolved, by_products = self._works(site, form)
        change = frames.now(changes[0])
        inside = frames.inside
        if by_products < convolved:
            products = self._products(site.layer, change)
            window = _window(site, span)

            def added(positions: Tensor, tensor: Tensor) -> Tensor:
                return inside(positions, form, _shifted(tensor, window))

            return deferred(added, frames.positions(form), products)
        result = self._convolved(site, span, form, change)
        return deferred(
            lambda positions, tensor: inside(positions, form, tensor),
            frames.positions(form),
            result,
        )

    def _works(self, site: Site, form: Form) -> tuple[float, float]:
        layer, span = site.layer, site.only
        assert span is not None
        assert isinstance(form, Span)
        convolved = plain_work(site.node, site.sources) * form.width / form.length
        if layer.kernel.ndim != 3 or layer.groups > 1 or layer.strides != (1,):
            return convolved, math.inf
        taps, inner, outer = layer.kernel.shape
        return convolved, span.width * taps * outer * (inner + WRITTEN)

    def _convolved(self, site: Site, span: Span, form: Span, change: Tensor) -> Tensor:
        layer, shape = site.layer, sizes(site.sources[0])
        read = span.read_by(_window(site, span), form)
        around = [
            margins(layer.padding, *numbers)
            for numbers in zip(
                shape, layer.kernel.shape[:-2], layer.dilation, layer.strides, strict=False
            )
        ]
        before, after = read.margins(span)
        if min(before, after) < 0:
            change, before, after = widened(change, span, read), 0, 0
        around[span.axis] = (before, after)
        return layer.framed(change, around)

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
        """The windows that reach into the span."""
        span, layer = site.only, site.layer
        if span is None or layer.has_kernel:
            return None
        window = layer.sliding_window(span.axis, span.length)
        return None if window is None else span.through(window, site.shape[span.axis])

    def work(self, site: Site, form: Form) -> float:
        """Each element that is read."""
        read = _read(site, form)
        return ELEMENT * math.prod(within(sizes(site.sources[0]), read))

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """Pooled without padding, which is put around before: of elements that do not count."""
        assert isinstance(form, Span)
        span, layer, read = site.only, site.layer, _read(site, form)
        assert span is not None
        change = widened(frames.now(changes[0]), span, read)
        positions = frames.positions(read)
        valid = (positions >= 0) & (positions < read.length)
        pool = _pool(layer, sizes(site.sources[0]), span.axis)
        if layer.kind == "linear":
            counts = tf.ones([frames.count, *change.shape[1:-1], 1], change.dtype)
            counts = pool(marked(valid, span.axis, counts, 0), 0)
            output = frames.merged(
                tf.math.divide_no_nan(frames.apart(pool(change, 0)), counts[:, tf.newaxis])
            )
        else:
            unperturbed = frames.at(site.sources[0].name, read)
            lowest = unperturbed.dtype.min
            new = frames.where(valid, span.axis, frames.added(change, unperturbed), lowest)
            old = marked(valid, span.axis, unperturbed, lowest)
            output = frames.without(pool(new, lowest), pool(old, lowest))
        return deferred(
            lambda at, tensor: frames.inside(at, form, tensor), frames.positions(form), output
        )


def marked(at: Tensor, axis: int, values: Tensor, otherwise: Any) -> Tensor:
    """Values (G, *features) where ``at`` (G, width) holds along feature axis ``axis``."""
    rank = values.shape.rank - 1
    shape = [values.shape[0], *(-1 if number == axis else 1 for number in range(rank))]
    return tf.where(tf.reshape(at, shape), values, tf.cast(otherwise, values.dtype))


def _window(site: Site, span: Span) -> Window:
    window: Window = site.layer.sliding_window(span.axis, span.length)
    return window


def _read(site: Site, form: Form) -> Span:
    span = site.only
    assert span is not None
    assert isinstance(form, Span)
    return span.read_by(_window(site, span), form)


def _pool(layer: Any, shape: tuple[int, ...], axis: int) -> Callable[[Tensor, Any], Tensor]:
    """Pooling along all axes, with padding of a value along those that are not ``axis``."""
    around = [(0, 0)] * (len(shape) + 1)
    for number in range(len(layer.size)):
        if number != axis:
            around[number + 1] = margins(
                layer.padding, shape[number], layer.size[number], 1, layer.strides[number]
            )
    inner = replace(layer, padding="valid")

    def pool(tensor: Tensor, value: Any) -> Tensor:
        if any(margin != (0, 0) for margin in around):
            tensor = tf.pad(tensor, around, constant_values=tf.cast(value, tensor.dtype))
        return inner.forward(tensor)

    return pool
