"""Crossings that move a change within a box, or let it leave the box."""

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
    marks,
    within_axes,
)
from deeplift_engine.layers.spans import Box
from deeplift_engine.tensors.constants import constant
from deeplift_engine.util.typing import Tensor


class Move(Crossing):
    """Layers that put positions elsewhere, or repeat them: padding, cropping, reshaping."""

    def form(self, site: Site) -> Form | None:
        """The box in its new position."""
        box, layer = site.only, site.layer
        if box is None or (layer.pads and site.node.tokens):
            return None
        before = sizes(site.sources[0])
        moved = [layer.moved_span(span, before, site.shape) for span in box]
        behind = tuple(span for span in moved if span is not None)
        return behind if len({span.axis for span in behind}) == len(box) else None

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """The same map of the box's elements."""
        box, layer = site.only, site.layer
        assert box is not None
        assert isinstance(form, tuple)
        for span in box:
            layer = layer.within(span.axis, site.at(form))

        def moved(*tensors: Tensor) -> Tensor:
            *positions, change = tensors
            output = layer.linear(change)
            return output if site.node.tokens else frames.inside(positions, form, output)

        return deferred(moved, *frames.positions(form), changes[0])


class Average(Crossing):
    """The mean over the box's axes: a sum over what changed alone."""

    def form(self, site: Site) -> Form | None:
        """Anywhere."""
        box = site.only
        return None if box is None or _averaged(site, box) is None else ANYWHERE

    def work(self, site: Site, form: Form) -> float:
        """Each element that changed."""
        return _elements(site)

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """The sum over the positions that count, divided by how many there are."""
        box = site.only
        assert box is not None
        mean_over = _averaged(site, box)
        assert mean_over is not None
        lasts, axes, keepdims = mean_over
        shape = sizes(site.sources[0])
        beside = set(axes) - {span.axis for span in box}
        number = math.prod(lasts) * math.prod(shape[axis] for axis in beside)

        def mean(*tensors: Tensor) -> Tensor:
            *positions, change = tensors
            counts = [
                (each >= 0) & (each < last) for each, last in zip(positions, lasts, strict=True)
            ]
            counted = frames.where(counts, box, change)
            total = tf.reduce_sum(counted, axis=[axis + 1 for axis in axes], keepdims=keepdims)
            return total / tf.cast(number, total.dtype)

        return deferred(mean, *frames.positions(box), changes[0])


def _averaged(site: Site, box: Box) -> tuple[list[int], tuple[int, ...], bool] | None:
    """Number of positions of a mean along each axis of a box, its axes, and whether these stay."""
    before, after = sizes(site.sources[0]), site.shape
    means = [site.layer.averages(span.axis, before, after) for span in box]
    if any(mean is None for mean in means):
        return None
    return [last for last, _ in means], means[0][1], len(before) == len(after)


class Greatest(Crossing):
    """The maximum over the box's axes: of what changed, and of what is beside the box."""

    def form(self, site: Site) -> Form | None:
        """Anywhere."""
        box, layer = site.only, site.layer
        over = box is not None and all(layer.greatest_along(span.axis) for span in box)
        return ANYWHERE if over else None

    def work(self, site: Site, form: Form) -> float:
        """Each element that changed; the others are shared by the rows."""
        return _elements(site) + ELEMENT * math.prod(sizes(site.sources[0])) / site.rows

    def elements(self, site: Site, form: Form) -> int:
        """Number of elements of the input, which the rows share, or of the change."""
        changed = math.prod(within(sizes(site.sources[0]), site.forms[0] or ANYWHERE))
        return max(changed, math.prod(sizes(site.sources[0])) // site.rows)

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """The larger of the two, minus what the maximum was."""
        box, layer, name = site.only, site.layer, site.sources[0].name
        assert box is not None
        positions = frames.positions(box)
        unperturbed = frames.at(name, box)
        lowest = unperturbed.dtype.min
        new = frames.added(frames.now(changes[0]), unperturbed)
        new = layer.forward(frames.where(within_axes(positions, box), box, new, lowest))
        covered = []
        for span, own in zip(box, positions, strict=True):
            first, every = own[:, :1], tf.range(span.length)[tf.newaxis]
            covered.append((every >= first) & (every < first + span.width))
        unperturbed = frames.everywhere(name)
        under = tf.squeeze(marks(covered, box, unperturbed), 1)
        rest = layer.forward(tf.where(under, lowest, unperturbed))
        new = frames.merged(tf.maximum(frames.apart(new), rest[:, tf.newaxis]))
        return frames.without(new, layer.forward(unperturbed))


class Rows(Crossing):
    """A dense layer behind a flattened span: those rows of its kernel that what changed meets."""

    def form(self, site: Site) -> Form | None:
        """Anywhere."""
        box = site.only
        reads = site.layer.rows is not None and len(sizes(site.sources[0])) == 1
        return ANYWHERE if reads and box is not None else None

    def work(self, site: Site, form: Form) -> float:
        """The rows times the change, and fetching them, which the rows of a frame share."""
        width = _width(site)
        return width * math.prod(site.shape) * (1 + ELEMENT / site.rows)

    def elements(self, site: Site, form: Form) -> int:
        """Number of elements of the kernel's rows, which a frame shares, or of the change."""
        width = _width(site)
        return max(width, width * math.prod(site.shape) // site.rows)

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """One product for each frame."""
        assert site.only is not None
        (positions,), (span,) = frames.positions(site.only), site.only
        positions = tf.clip_by_value(positions, 0, span.length - 1)
        rows = tf.gather(constant(site.layer.rows), positions)
        change = frames.apart(frames.now(changes[0]))
        return frames.merged(tf.linalg.matmul(change, rows))


def _width(site: Site) -> int:
    """Of the only span."""
    assert site.only is not None
    (span,) = site.only
    return span.width


def _elements(site: Site) -> float:
    assert site.only is not None
    return float(ELEMENT * math.prod(within(sizes(site.sources[0]), site.only)))


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
            if isinstance(way, tuple)
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
    if not isinstance(form, tuple):
        return tensor
    otherwise = frames.repeated(frames.everywhere(node.name)) if node.tokens else None
    return frames.scattered(tensor, form, otherwise)
