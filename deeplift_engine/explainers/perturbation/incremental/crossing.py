"""Crossings of a change within a span through a layer, which compute only what changes.

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
from deeplift_engine.layers.spans import Span, union
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
    if form == ANYWHERE:
        return shape
    return (*shape[: form.axis], form.width, *shape[form.axis + 1 :])


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
    """Layers that do the same at every position of the span's axis by itself."""

    def form(self, site: Site) -> Form | None:
        """The span that holds those of all inputs."""
        changed = [form for form in site.forms if form is not None]
        if ANYWHERE in changed:
            return None
        span = union(form for form in changed if isinstance(form, Span))
        rank = len(sizes(site.sources[0]))
        if span is None or not site.layer.pointwise_along(span.axis, rank):
            return None
        rank = len(site.shape)
        for source, form in zip(site.sources, site.forms, strict=True):
            shape = sizes(source)
            if source.tokens and form not in (None, span):
                return None
            along = shape[span.axis] if len(shape) > span.axis else 1
            if len(site.forms) > 1 and (len(shape) != rank or along not in (1, span.length)):
                return None
        fits = len(site.shape) > span.axis and site.shape[span.axis] == span.length
        return span if fits else None

    def work(self, site: Site, form: Form) -> float:
        """The cost of kernels, and of each element."""
        assert isinstance(form, Span)
        share = form.width / form.length
        linear = site.layer.kind == "linear"
        unperturbed = 0.0 if linear else ELEMENT_WORK * math.prod(site.at(form))
        of_rows = share * plain_work(site.node, site.sources) + super().work(site, form)
        return of_rows + unperturbed / site.rows

    def cross(self, site: Site, form: Form, frames: Frames, changes: Sequence[Change]) -> Change:
        """The linear map of the changes, or what the function of changed activations adds."""
        assert isinstance(form, Span)
        layer = site.layer
        wide = [
            change
            if change is None or span == form
            else deferred(lambda tensor, span=span: widened(tensor, span, form), change)
            for change, span in zip(changes, site.forms, strict=True)
        ]
        tokens = [source.tokens for source in site.sources]
        if layer.kind == "linear" and not any(tokens):
            return self._linear(layer, site, form, frames, wide)
        unperturbed = [
            frames.at(source.name, form)
            if len(sizes(source)) > form.axis and sizes(source)[form.axis] == form.length
            else frames.everywhere(source.name)
            for source in site.sources
        ]
        changed = [number for number, change in enumerate(wide) if change is not None]

        def added(positions: Tensor, *tensors: Tensor) -> Tensor:
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
            return deferred(added, frames.positions(form), *unperturbed, *new)
        return added(frames.positions(form), *unperturbed, *map(frames.now, new))

    def _linear(
        self, layer: Any, site: Site, form: Span, frames: Frames, wide: Sequence[Change]
    ) -> Change:
        tensors = []
        for source, change in zip(site.sources, wide, strict=True):
            if change is None:
                shape = sizes(source)
                shape = within(shape, form) if shape[form.axis] == form.length else shape
                change = tf.zeros([frames.count * frames.rows, *shape], source.dtype)
            tensors.append(change)
        if layer.fuses:
            return deferred(layer.linear, *tensors)
        return layer.linear(*map(frames.now, tensors))
