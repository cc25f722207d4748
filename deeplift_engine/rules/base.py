"""What a rule is, and what it may ask of the layer it crosses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import tensorflow as tf

from deeplift_engine.layers import Joint, Layer
from deeplift_engine.tensors import (
    Tensor,
    batched,
    expand_to,
    features,
    merge,
    split,
    summed_to,
    vjp,
)

LEADING = 3  # targets, inputs, references: the leading axes of a multiplier


@dataclass(frozen=True)
class Multiplier:
    """The multipliers of positive and negative parts as mean and half-difference.

    Both are (targets, inputs, references, ...), any leading axis 1 where nothing depends on
    it. ``half`` is None where the two parts have one multiplier. The contribution is
    ``mean * delta + half * spread``.
    """

    mean: Tensor
    half: Tensor | None = None

    def plus(self, other: Multiplier) -> Multiplier:
        """Sum of what arrives by two ways."""
        halves = [half for half in (self.half, other.half) if half is not None]
        return Multiplier(self.mean + other.mean, sum(halves[1:], halves[0]) if halves else None)

    def folded(self, delta: Tensor) -> Multiplier:
        """One multiplier for both parts, where the spread is the size of ``delta``."""
        if self.half is None:
            return self
        return Multiplier(self.mean + tf.sign(delta) * self.half)


class Ends(Protocol):
    """One node between its two ends, input and reference; leading axes (inputs, references)."""

    def inputs(self) -> list[Tensor]:
        """Activations that the node reads, at the input."""

    def references(self) -> list[Tensor]:
        """Activations that the node reads, at the reference."""

    def output(self) -> Tensor:
        """The node's activation at the input."""

    def output_reference(self) -> Tensor:
        """The node's activation at the reference."""

    def delta(self) -> Tensor:
        """The output's difference-from-reference (inputs, references, ...)."""

    def spreads(self) -> list[Tensor]:
        """Spread of each tensor that the node reads."""

    def shapes(self) -> list[Sequence[Any]]:
        """Feature shapes of the tensors that the node reads."""

    def shape(self) -> Sequence[Any]:
        """Feature shape of the node's output."""

    def inner(
        self,
        graph: Any,
        rules: Mapping[str, Rule],
        at_input: Mapping[str, Tensor],
        at_reference: Mapping[str, Tensor],
    ) -> Any:
        """The comparison of a graph within the layer, all of whose activations are given."""

    def fuse(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, compiled into one kernel where that pays."""


class Rule(Protocol):
    """How multipliers cross one layer."""

    @property
    def name(self) -> str:
        """Name in tables."""

    @property
    def complete(self) -> bool:
        """Whether contributions before and after the layer have one sum."""

    def cross(self, layer: Any, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the layer's inputs from that of its output."""

    def spread(self, layer: Any, ends: Ends) -> Tensor:
        """Spread of the layer's output."""


def collapsed(ends: Ends) -> Tensor:
    """The spread of a tensor whose parts nothing keeps apart: the size of its delta."""
    return tf.abs(ends.delta())


def deltas(ends: Ends) -> list[Tensor]:
    """Difference-from-reference of each tensor that the node reads."""
    return [x - x0 for x, x0 in zip(ends.inputs(), ends.references(), strict=True)]


def folded(ends: Ends, arrived: Multiplier) -> Tensor:
    """What arrived, as one multiplier of full size."""
    if arrived.half is None:
        return full(arrived.mean, ends)
    return arrived.folded(ends.delta()).mean


def full(multiplier: Tensor, ends: Ends) -> Tensor:
    """A multiplier with every feature axis at the size of the node's output."""
    if 1 not in multiplier.shape[LEADING:].as_list():
        return multiplier
    sizes = ends.shape()
    known = [size if isinstance(size, int) else None for size in sizes]
    if multiplier.shape[LEADING:].as_list() == known:
        return multiplier
    result = tf.broadcast_to(
        multiplier, tf.concat([tf.shape(multiplier)[:LEADING], tf.stack(list(sizes))], 0)
    )
    result.set_shape([None] * LEADING + known)
    return result


def transposed(
    function: Callable[[Tensor, Sequence[Any]], list[Tensor]],
    multiplier: Tensor,
    shapes: Sequence[Any],
) -> list[Tensor]:
    """Call a layer's ``transpose`` with the leading axes merged."""
    return batched(lambda merged: function(merged, shapes), multiplier, LEADING)


def pulled_back(layer: Layer, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
    """Gradient of ``layer`` at ``points`` (inputs, references, ...) against a multiplier."""
    points = [point[tf.newaxis] for point in points]
    closed = layer.gradient(points, multiplier) if isinstance(layer, Joint) else None
    if closed is not None:
        return [
            summed_to(part, point, LEADING) for part, point in zip(closed, points, strict=True)
        ]
    axes = tf.shape(multiplier)[:LEADING]
    for point in points:
        axes = tf.broadcast_dynamic_shape(axes, tf.shape(point)[:LEADING])
    merged = [merge(expand_to(point, axes, LEADING), LEADING) for point in points]
    sent = vjp(layer.forward, merged, merge(expand_to(multiplier, axes, LEADING), LEADING))
    return [split(part, axes, LEADING) for part in sent]


def pairwise(function: Callable[..., Tensor], tensors: Sequence[Tensor]) -> Tensor:
    """Call ``function`` of (n, ...) tensors on (inputs, references, ...) ones."""
    axes = tf.shape(tensors[0])[:2]
    for tensor in tensors[1:]:
        axes = tf.broadcast_dynamic_shape(axes, tf.shape(tensor)[:2])
    merged = [merge(expand_to(tensor, axes, 2), 2) for tensor in tensors]
    return split(function(*merged), axes, 2)


__all__ = [
    "LEADING",
    "Ends",
    "Multiplier",
    "Rule",
    "collapsed",
    "deltas",
    "features",
    "folded",
    "full",
    "pairwise",
    "pulled_back",
    "transposed",
]
