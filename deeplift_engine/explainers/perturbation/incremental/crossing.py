"""Crossings of a change within a box through a layer, which compute only what changes.

A linear map takes the change alone; no halo of unchanged activations is read, and what lies outside
the sequence adds nothing, as zeros do. Anything else f gives f(k + Δ) - f(k) with the kept k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from deeplift_engine.explainers.perturbation.incremental.frames import (
    ANYWHERE,
    Change,
    Form,
    Frames,
    deferred,
    widened,
)
from deeplift_engine.graph.graph import Node
from deeplift_engine.layers.layer import ELEMENT_WORK
from deeplift_engine.layers.spans import Box, union
from deeplift_engine.util.typing import Tensor

ELEMENT = 40
"""Cost of an element of an elementwise pass, in multiply-adds of a convolution."""


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
        """Shape of the node's output."""
        return sizes(self.node)

    @property
    def only(self) -> Box | None:
        """The box of the only input's change, if it has one."""
        form = self.forms[0]
        return form if len(self.forms) == 1 and isinstance(form, tuple) else None

    def at(self, form: Form) -> tuple[int, ...]:
        """Shape of the node's change."""
        return within(self.shape, form)


def sizes(node: Node) -> tuple[int, ...]:
    """Shape of a node's output; free axes are refused before."""
    return tuple(size or 0 for size in node.shape)


def within(shape: tuple[int, ...], form: Form) -> tuple[int, ...]:
    """The part of a shape that a change fills, of axes that are as long as its box says."""
    if not isinstance(form, tuple):
        return shape
    widths = {(span.axis, span.length): span.width for span in form}
    return tuple(widths.get(each, each[1]) for each in enumerate(shape))


def share(box: Box) -> float:
    """The share of all positions that are within a box."""
    return math.prod(span.width / span.length for span in box)


class Crossing:
    """One way for changes to cross some layers."""

    def form(self, site: Site) -> Form | None:
        """The form of the output's change; None if this crossing does not apply."""
        raise NotImplementedError

    def work(self, site: Site, form: Form) -> float:
        """Cost for one row, in multiply-adds."""
        return ELEMENT * math.prod(site.at(form))

    def elements(self, site: Site, form: Form) -> int:
        """Number of elements of the largest tensor of one row."""
        return math.prod(site.at(form))

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """The node's change, of those of its inputs, None where they have none."""
        raise NotImplementedError


def plain_work(node: Node, sources: Sequence[Node]) -> float:
    """About what a layer costs for one sample, in multiply-adds."""
    return node.layer.core.work([sizes(source) for source in sources], sizes(node))


class Pointwise(Crossing):
    """Layers that do the same at every position of the box's axes by itself."""

    def form(self, site: Site) -> Form | None:
        """The box that holds those of all inputs."""
        changed = [form for form in site.forms if form is not None]
        if ANYWHERE in changed:
            return None
        box = union(form for form in changed if isinstance(form, tuple))
        if box is None or not all(self._crosses(site, box, span.axis) for span in box):
            return None
        tokens = (
            form for form, source in zip(site.forms, site.sources, strict=True) if source.tokens
        )
        return box if all(form in (None, box) for form in tokens) else None

    @staticmethod
    def _crosses(site: Site, box: Box, axis: int) -> bool:
        """Whether positions along one axis stay where they are."""
        length = next(span.length for span in box if span.axis == axis)
        if not site.layer.pointwise_along(axis, len(sizes(site.sources[0]))):
            return False
        rank = len(site.shape)
        for source in site.sources:
            shape = sizes(source)
            along = shape[axis] if len(shape) > axis else 1
            if len(site.forms) > 1 and (len(shape) != rank or along not in (1, length)):
                return False
        return rank > axis and site.shape[axis] == length

    def work(self, site: Site, form: Form) -> float:
        """The cost of kernels, and of each element."""
        assert isinstance(form, tuple)
        linear = site.layer.kind == "linear"
        unperturbed = 0.0 if linear else ELEMENT_WORK * math.prod(site.at(form))
        of_rows = share(form) * plain_work(site.node, site.sources) + super().work(site, form)
        return of_rows + unperturbed / site.rows

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """The linear map of the changes, or what the function of changed activations adds."""
        assert isinstance(form, tuple)
        layer = site.layer
        wide = [
            change
            if change is None or box == form
            else deferred(lambda tensor, box=box: widened(tensor, box, form), change)
            for change, box in zip(changes, site.forms, strict=True)
        ]
        tokens = [source.tokens for source in site.sources]
        if layer.kind == "linear" and not any(tokens):
            return self._linear(layer, site, form, frames, wide)
        unperturbed = [frames.at(source.name, form) for source in site.sources]
        changed = [number for number, change in enumerate(wide) if change is not None]
        axes = len(form)

        def added(*tensors: Tensor) -> Tensor:
            positions, tensors = tensors[:axes], tensors[axes:]
            before, new = tensors[: len(unperturbed)], tensors[len(unperturbed) :]
            values = []
            for number, known in enumerate(before):
                if number not in changed:
                    values.append(frames.repeated(known))
                elif tokens[number]:
                    values.append(new[changed.index(number)])
                else:
                    values.append(frames.added(new[changed.index(number)], known))
            output = layer.forward(*values)
            if site.node.tokens:
                return output
            change = frames.without(output, layer.forward(*before))
            return frames.inside(positions, form, change)

        new = [wide[number] for number in changed]
        if layer.fuses:
            return deferred(added, *frames.positions(form), *unperturbed, *new)
        return added(*frames.positions(form), *unperturbed, *map(frames.now, new))

    def _linear(
        self, layer: Any, site: Site, form: Box, frames: Frames, wide: Sequence[Change]
    ) -> Change:
        tensors = []
        for source, change in zip(site.sources, wide, strict=True):
            if change is None:
                shape = within(sizes(source), form)
                change = tf.zeros([frames.count * frames.rows, *shape], source.dtype)
            tensors.append(change)
        if layer.fuses:
            return deferred(layer.linear, *tensors)
        return layer.linear(*map(frames.now, tensors))
