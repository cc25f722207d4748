"""Crossings that move a change within a span, or let it leave the span."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    ANYWHERE,
    Change,
    Form,
    Frames,
    deferred,
)
from deeplift_engine.explainers.perturbation.incremental.kernels_and_pools import marked
from deeplift_engine.layers.spans import Span
from deeplift_engine.tensors.constants import constant
from deeplift_engine.util.typing import Tensor


class Move(Crossing):
    """Layers that put positions elsewhere, or repeat them: padding, cropping, reshaping."""

    def form(self, site: Site) -> Form | None:
        """The span in its new position."""
        span, layer = site.only, site.layer
        if span is None:
            return None
        if layer.pads and site.node.tokens:
            return None
        moved: Span | None = layer.moved_span(span, sizes(site.sources[0]), site.shape)
        return moved

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """The same map of the span's elements."""
        span, layer = site.only, site.layer
        assert span is not None
        assert isinstance(form, Span)
        layer = layer.within(span.axis, site.at(form))

        def moved(positions: Tensor, change: Tensor) -> Tensor:
            output = layer.linear(change)
            return output if site.node.tokens else frames.inside(positions, form, output)

        return deferred(moved, frames.positions(form), changes[0])


class Average(Crossing):
    """The mean over the span's axis: a sum over what changed alone."""

    def form(self, site: Site) -> Form | None:
        """Anywhere."""
        span = site.only
        return None if span is None or _averaged(site, span) is None else ANYWHERE

    def work(self, site: Site, form: Form) -> float:
        """Each element that changed."""
        return _elements(site)

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """The sum over the positions that count, divided by how many there are."""
        span = site.only
        assert span is not None
        mean_over = _averaged(site, span)
        assert mean_over is not None
        last, axes, keepdims = mean_over
        shape = sizes(site.sources[0])
        number = last * math.prod(shape[axis] for axis in axes if axis != span.axis)

        def mean(positions: Tensor, change: Tensor) -> Tensor:
            counted = frames.where((positions >= 0) & (positions < last), span.axis, change)
            total = tf.reduce_sum(counted, axis=[axis + 1 for axis in axes], keepdims=keepdims)
            return total / tf.cast(number, total.dtype)

        return deferred(mean, frames.positions(span), changes[0])


def _averaged(site: Site, span: Span) -> tuple[int, tuple[int, ...], bool] | None:
    """Number of positions of a mean, its axes, and whether the axes stay."""
    before, after = sizes(site.sources[0]), site.shape
    mean_over = site.layer.averages(span.axis, before, after)
    return mean_over and (*mean_over, len(before) == len(after))


class Greatest(Crossing):
    """The maximum over the span's axis: of what changed, and of what is beside the span."""

    def form(self, site: Site) -> Form | None:
        """Anywhere."""
        span, layer = site.only, site.layer
        return ANYWHERE if span is not None and layer.greatest_along(span.axis) else None

    def work(self, site: Site, form: Form) -> float:
        """Each element that changed; the others are shared by the rows."""
        return _elements(site) + ELEMENT * math.prod(sizes(site.sources[0])) / site.rows

    def elements(self, site: Site, form: Form) -> int:
        """Number of elements of the input, which the rows share, or of the change."""
        changed = math.prod(within(sizes(site.sources[0]), site.forms[0] or ANYWHERE))
        return max(changed, math.prod(sizes(site.sources[0])) // site.rows)

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """The larger of the two, minus what the maximum was."""
        span, layer, name = site.only, site.layer, site.sources[0].name
        assert span is not None
        positions = frames.positions(span)
        valid = (positions >= 0) & (positions < span.length)
        unperturbed = frames.at(name, span)
        lowest = unperturbed.dtype.min
        new = frames.added(frames.now(changes[0]), unperturbed)
        new = layer.forward(frames.where(valid, span.axis, new, lowest))
        first = positions[:, :1]
        positions_of_axis = tf.range(span.length)[tf.newaxis]
        beside = (positions_of_axis < first) | (positions_of_axis >= first + span.width)
        unperturbed = frames.everywhere(name)
        rest = layer.forward(marked(beside, span.axis, unperturbed, lowest))
        new = frames.merged(tf.maximum(frames.apart(new), rest[:, tf.newaxis]))
        return frames.without(new, layer.forward(unperturbed))


class Rows(Crossing):
    """A dense layer behind a flattened span: those rows of its kernel that what changed meets."""

    def form(self, site: Site) -> Form | None:
        """Anywhere."""
        span = site.only
        reads = site.layer.rows is not None and len(sizes(site.sources[0])) == 1
        return ANYWHERE if reads and span is not None else None

    def work(self, site: Site, form: Form) -> float:
        """The rows times the change, and fetching them, which the rows of a frame share."""
        span = site.only
        assert span is not None
        return span.width * math.prod(site.shape) * (1 + ELEMENT / site.rows)

    def elements(self, site: Site, form: Form) -> int:
        """Number of elements of the kernel's rows, which a frame shares, or of the change."""
        span = site.only
        assert span is not None
        return max(span.width, span.width * math.prod(site.shape) // site.rows)

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """One product for each frame."""
        span = site.only
        assert span is not None
        positions = tf.clip_by_value(frames.positions(span), 0, span.length - 1)
        rows = tf.gather(constant(site.layer.rows), positions)
        change = frames.apart(frames.now(changes[0]))
        return frames.merged(tf.linalg.matmul(change, rows))


def _elements(site: Site) -> float:
    span = site.only
    assert span is not None
    return float(ELEMENT * math.prod(within(sizes(site.sources[0]), span)))


class Recompute(Crossing):
    """Any layer, computed as a whole on what changed and what did not."""

    def form(self, site: Site) -> Form:
        """Anywhere."""
        return ANYWHERE

    def work(self, site: Site, form: Form) -> float:
        """The layer, and putting changes where they are."""
        read = sum(
            math.prod(sizes(source))
            for source, way in zip(site.sources, site.forms, strict=True)
            if isinstance(way, Span)
        )
        return plain_work(site.node, site.sources) + ELEMENT * (read + math.prod(site.shape))

    def elements(self, site: Site, form: Form) -> int:
        """Number of elements of the largest input or of the output."""
        return max(math.prod(site.shape), *(math.prod(sizes(source)) for source in site.sources))

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """The map of the changes if it is linear, else of the changed activations."""
        layer: Any = site.layer
        scattered = [
            None if change is None else anywhere(frames, change, source, way)
            for change, source, way in zip(changes, site.sources, site.forms, strict=True)
        ]
        if layer.is_identity:
            return scattered[0]
        if layer.kind == "linear" and not any(source.tokens for source in site.sources):
            rows = frames.count * frames.rows
            return layer.linear(
                *(
                    tf.zeros([rows, *sizes(source)], source.dtype) if change is None else change
                    for change, source in zip(scattered, site.sources, strict=True)
                )
            )
        values = []
        for change, source in zip(scattered, site.sources, strict=True):
            if change is not None and source.tokens:
                values.append(change)
            else:
                unperturbed = frames.everywhere(source.name)
                values.append(
                    frames.repeated(unperturbed)
                    if change is None
                    else frames.added(change, unperturbed)
                )
        output = layer.forward(*values)
        output = tf.ensure_shape(output, [frames.count * frames.rows, *site.shape])
        if site.node.tokens:
            return output
        return frames.without(output, frames.everywhere(site.node.name))


def anywhere(frames: Frames, change: Change, node: Any, form: Form | None) -> Tensor:
    """A node's change as one of its whole tensor."""
    tensor = frames.now(change)
    if not isinstance(form, Span):
        return tensor
    otherwise = frames.repeated(frames.everywhere(node.name)) if node.tokens else None
    return frames.scattered(tensor, form, otherwise)
