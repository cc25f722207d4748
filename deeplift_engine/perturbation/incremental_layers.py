"""How a change within a span crosses a layer: what of it has to be computed again, and what not.

A linear map takes the change alone; no halo of unchanged activations is read, and what lies outside
the sequence adds nothing, as zeros do. Anything else f gives f(k + Δ) - f(k) with the kept k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from deeplift_engine.constants import Array, constant
from deeplift_engine.graph import Node
from deeplift_engine.layers import (
    AveragePool,
    AxisMatrix,
    Concatenate,
    Convolution,
    Crop,
    Dense,
    Difference,
    Elementwise,
    Embedding,
    Identity,
    Layer,
    Linear,
    Maximum,
    MaxPool,
    Mean,
    Minimum,
    Pad,
    Part,
    PReLU,
    Product,
    Repeat,
    Reshape,
    Scale,
    Softmax,
    Sum,
    TokenFunction,
    Transpose,
)
from deeplift_engine.layers.distributed import (
    DistributedJoint,
    DistributedLinear,
    DistributedSelection,
)
from deeplift_engine.layers.functions import Function
from deeplift_engine.layers.normalizing import Standardized
from deeplift_engine.perturbation.incremental_frames import (
    WHOLE,
    Change,
    Form,
    Frames,
    deferred,
    widened,
)
from deeplift_engine.perturbation.spans import Span, Window, margins, reshaped, union
from deeplift_engine.tensors import Tensor

ELEMENT = 40
"""What an element of an elementwise pass costs, in multiply-adds of a convolution."""
WRITTEN = 20
"""What an element costs that is only written and read."""


@dataclass(frozen=True)
class Site:
    """A node, the nodes that it reads, and the forms of their changes, None where there is none."""

    node: Node
    sources: tuple[Node, ...]
    forms: tuple[Form | None, ...]
    rows: int

    @property
    def layer(self) -> Any:
        """The node's layer."""
        return self.node.layer

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the node's output."""
        return sizes(self.node)

    @property
    def only(self) -> Span | None:
        """The span of the only input's change, if it has one."""
        form = self.forms[0]
        return form if len(self.forms) == 1 and isinstance(form, Span) else None

    def at(self, form: Form) -> tuple[int, ...]:
        """Shape of the node's change."""
        return within(self.shape, form)


def sizes(node: Node) -> tuple[int, ...]:
    """Shape of a node's output; free axes are refused before."""
    return tuple(size or 0 for size in node.shape)


def within(shape: tuple[int, ...], form: Form) -> tuple[int, ...]:
    """The part of a shape that a change fills."""
    if form == WHOLE:
        return shape
    return (*shape[: form.axis], form.width, *shape[form.axis + 1 :])


class Crossing:
    """One way for changes to cross some layers.

    ``light`` ones are deferred, to be computed together with what follows.
    """

    light: ClassVar[bool] = False

    def form(self, site: Site) -> Form | None:
        """What becomes of the change; None where it is not the way."""
        raise NotImplementedError

    def work(self, site: Site, form: Form) -> float:
        """What that costs for one row, in multiply-adds."""
        return ELEMENT * math.prod(site.at(form))

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """The node's change, of those of its inputs, None where they have none."""
        raise NotImplementedError


# ---------------------------------------------------------------- position by position


class Pointwise(Crossing):
    """Layers that do the same at every position of the span's axis by itself."""

    light = True

    def form(self, site: Site) -> Form | None:
        """The span that holds those of all inputs."""
        changed = [form for form in site.forms if form is not None]
        if WHOLE in changed:
            return None
        found = union(form for form in changed if isinstance(form, Span))
        if found is None or not _same_everywhere(site.layer, found, site):
            return None
        rank = len(site.shape)
        for source, form in zip(site.sources, site.forms, strict=True):
            shape = sizes(source)
            if source.tokens and form not in (None, found):
                return None
            along = shape[found.axis] if len(shape) > found.axis else 1
            if len(site.forms) > 1 and (len(shape) != rank or along not in (1, found.length)):
                return None
        fits = len(site.shape) > found.axis and site.shape[found.axis] == found.length
        return found if fits else None

    def work(self, site: Site, form: Form) -> float:
        """Of kernels, and of each element."""
        assert isinstance(form, Span)
        share = form.width / form.length
        return share * plain_work(site.node, site.sources) + super().work(site, form)

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """The linear map of the changes, or what the function of changed activations adds."""
        assert isinstance(form, Span)
        layer: Layer = site.layer
        wide = [
            change
            if change is None or span == form
            else deferred(lambda tensor, span=span: widened(tensor, span, form), change)
            for change, span in zip(changes, site.forms, strict=True)
        ]
        if isinstance(layer, Linear):
            return self._linear(layer, site, form, frames, wide)
        tokens = [source.tokens for source in site.sources]
        kept = [
            frames.at(source.name, form)
            if len(sizes(source)) > form.axis and sizes(source)[form.axis] == form.length
            else frames.whole(source.name)
            for source in site.sources
        ]
        changed = [number for number, change in enumerate(wide) if change is not None]

        def added(positions: Tensor, *tensors: Tensor) -> Tensor:
            before, new = tensors[: len(kept)], tensors[len(kept) :]
            values = []
            for number, known in enumerate(before):
                if number not in changed:
                    values.append(frames.repeated(known))
                elif tokens[number]:
                    values.append(new[changed.index(number)])
                else:
                    values.append(frames.added(new[changed.index(number)], known))
            found = layer.forward(*values)
            if site.node.tokens:
                return found
            change = frames.without(found, layer.forward(*before))
            return frames.inside(positions, form, change)

        new = [wide[number] for number in changed]
        return deferred(added, frames.positions(form), *kept, *new)

    def _linear(
        self, layer: Linear, site: Site, form: Span, frames: Frames, wide: Sequence[Change]
    ) -> Change:
        rows = frames.count * frames.rows
        zeros = [
            tf.zeros(
                [rows, *(within(sizes(s), form) if sizes(s)[form.axis] > 1 else sizes(s))],
                s.dtype,
            )
            if change is None
            else None
            for s, change in zip(site.sources, wide, strict=True)
        ]
        parts = [
            zero if change is None else change for zero, change in zip(zeros, wide, strict=True)
        ]
        if isinstance(layer, LIGHT):
            return deferred(layer.linear, *parts)
        return layer.linear(*map(frames.now, parts))


def _same_everywhere(layer: Layer, span: Span, site: Site) -> bool:
    """Whether the layer treats all positions of the span's axis alike, and each by itself."""
    axis, rank = span.axis, len(sizes(site.sources[0]))
    if isinstance(layer, PReLU):
        return _constant_along(layer.alpha, axis, rank)
    if isinstance(layer, Function):
        return all(_constant_along(array, axis, rank) for array in layer.constants)
    if isinstance(layer, Scale):
        return _constant_along(layer.factor, axis, rank)
    if isinstance(layer, Softmax):
        return all(axis != place % rank for place in layer.axes)
    if isinstance(layer, Standardized):
        return all(axis != place % rank for place in layer.axes)
    if isinstance(layer, Mean):
        return all(place - 1 > axis for place in layer.axes)
    if isinstance(layer, Concatenate | AxisMatrix | Repeat):
        return layer.axis - 1 != axis
    if isinstance(layer, Dense | Part):
        return axis < rank - 1
    if isinstance(layer, DistributedLinear | DistributedSelection | DistributedJoint):
        return axis == 0
    return isinstance(
        layer,
        Elementwise
        | Identity
        | Sum
        | Difference
        | Product
        | Maximum
        | Minimum
        | Embedding
        | TokenFunction,
    )


LIGHT = (Scale, Identity, Sum, Difference, Concatenate)
"""Linear layers that a kernel of XLA's computes well."""


def _constant_along(array: Array, axis: int, rank: int) -> bool:
    shape = np.shape(array)
    place = axis - rank
    return len(shape) < -place or shape[place] == 1


# ---------------------------------------------------------------- windows


class Convolve(Crossing):
    """Convolutions along one of their spatial axes: the kernel over the change alone."""

    def form(self, site: Site) -> Form | None:
        """The positions whose windows reach into the span."""
        span, layer = site.only, site.layer
        if span is None or not isinstance(layer, Convolution) or span.axis >= layer.kernel.ndim - 2:
            return None
        return span.through(self._window(site, span), site.shape[span.axis])

    def work(self, site: Site, form: Form) -> float:
        """Of a convolution of the span with zeros around, or of a product at each position."""
        return min(self._works(site, form)) + ELEMENT * math.prod(site.at(form))

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
            window = self._window(site, span)

            def added(positions: Tensor, tensor: Tensor) -> Tensor:
                return inside(positions, form, _shifted(tensor, window))

            return deferred(added, frames.positions(form), products)
        found = self._convolved(site, span, form, change)
        return deferred(
            lambda positions, tensor: inside(positions, form, tensor), frames.positions(form), found
        )

    def _window(self, site: Site, span: Span) -> Window:
        layer, axis = site.layer, span.axis
        size, dilation, stride = layer.kernel.shape[axis], layer.dilation[axis], layer.strides[axis]
        before, _ = margins(layer.padding, span.length, size, dilation, stride)
        return Window(size, dilation, stride, before)

    def _works(self, site: Site, form: Form) -> tuple[float, float]:
        layer, span = site.layer, site.only
        assert span is not None
        convolved = math.prod(site.at(form)) * math.prod(layer.kernel.shape[:-1])
        if layer.kernel.ndim != 3 or layer.groups > 1 or layer.strides != (1,):
            return convolved, math.inf
        taps, inner, outer = layer.kernel.shape
        return convolved, span.width * taps * outer * (inner + WRITTEN)

    def _convolved(self, site: Site, span: Span, form: Span, change: Tensor) -> Tensor:
        layer, shape = site.layer, sizes(site.sources[0])
        read = span.read_by(self._window(site, span), form)
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
        found = tf.linalg.matmul(tf.reshape(change, [rows * width, inner]), constant(kernel))
        return tf.reshape(found, [rows, width, taps, outer])


def _shifted(products: Tensor, window: Window) -> Tensor:
    """Products (n, width, taps, out) each moved to where its tap puts it, and added."""
    total = None
    for tap in range(window.size):
        moved = tap * window.dilation
        part = tf.pad(products[:, :, tap], [(0, 0), (moved, window.reach - moved), (0, 0)])
        total = part if total is None else total + part
    return total


class Pool(Crossing):
    """Average and maximum pooling in windows."""

    def form(self, site: Site) -> Form | None:
        """The windows that reach into the span."""
        span, layer = site.only, site.layer
        if span is None or not isinstance(layer, AveragePool | MaxPool):
            return None
        if span.axis >= len(layer.size):
            return None
        return span.through(self._window(site, span), site.shape[span.axis])

    def work(self, site: Site, form: Form) -> float:
        """Each element that is read."""
        span = site.only
        assert span is not None
        assert isinstance(form, Span)
        read = span.read_by(self._window(site, span), form)
        return ELEMENT * math.prod(within(sizes(site.sources[0]), read))

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """Pooled in windows without padding, which is put around before."""
        span, layer, shape = site.only, site.layer, sizes(site.sources[0])
        assert span is not None
        assert isinstance(form, Span)
        read = span.read_by(self._window(site, span), form)
        change = widened(frames.now(changes[0]), span, read)
        positions = frames.positions(read)
        pool = replace(layer, padding="valid")
        around = [(0, 0)] * (len(shape) + 1)
        for axis in range(len(layer.size)):
            if axis != span.axis:
                around[axis + 1] = self._margins(layer, shape, axis)
        if isinstance(layer, AveragePool):
            there = frames.inside(positions, read, tf.ones([frames.count * frames.rows, *change.shape[1:]], change.dtype))
            total = pool.forward(tf.pad(change, around))
            number = pool.forward(tf.pad(there, around))
            found = tf.math.divide_no_nan(total, number)
        else:
            kept = frames.at(site.sources[0].name, read)
            lowest = kept.dtype.min
            there = (positions >= 0) & (positions < read.length)
            new = frames.where(there, span.axis, frames.added(change, kept), lowest)
            shape_there = [-1 if axis == span.axis + 1 else 1 for axis in range(kept.shape.rank)]
            shape_there[0] = frames.count
            old = tf.where(tf.reshape(there, shape_there), kept, lowest)
            new, old = (
                pool.forward(tf.pad(tensor, around, constant_values=lowest))
                for tensor in (new, old)
            )
            found = frames.without(new, old)
        return deferred(
            lambda at, tensor: frames.inside(at, form, tensor), frames.positions(form), found
        )

    def _window(self, site: Site, span: Span) -> Window:
        layer, axis = site.layer, span.axis
        before, _ = self._margins(layer, sizes(site.sources[0]), axis)
        return Window(layer.size[axis], 1, layer.strides[axis], before)

    def _margins(self, layer: Any, shape: tuple[int, ...], axis: int) -> tuple[int, int]:
        return margins(layer.padding, shape[axis], layer.size[axis], 1, layer.strides[axis])
