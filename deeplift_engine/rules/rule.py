"""The interface of a rule, and what it can read of the layer that it crosses."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import tensorflow as tf

from deeplift_engine.layers import Layer, Selection
from deeplift_engine.tensors.tensor_ops import (
    LEADING,
    expand_to,
    features,
    leading_sizes,
    merge,
    split,
    split_like,
    summed_to,
    vector,
    vjp,
)
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class Multiplier:
    """The multipliers of positive and negative parts as mean and half-difference.

    Both are (targets, inputs, references, ...), any leading axis 1 where nothing depends on
    it. ``half_difference`` is None where the two parts have one multiplier. The contribution is
    ``mean * delta + half_difference * spread``. Where ``slice`` is given, the tensors are those
    of elements start to stop of the last axis, of a size; the others are zeros.

    The mean is ``unscaled`` times ``scale``, if there is one. It is multiplied when it is read:
    a rule that takes the two as they are spares a pass over memory.
    """

    unscaled: Tensor
    half_difference: Tensor | None = None
    slice: tuple[int, int, int] | None = None
    scale: Tensor | None = None

    @functools.cached_property
    def mean(self) -> Tensor:
        """The mean of the two multipliers."""
        return self.unscaled if self.scale is None else self.unscaled * self.scale

    def folded(self, delta: Tensor) -> Multiplier:
        """One multiplier for both parts, where the spread is the size of ``delta``."""
        if self.half_difference is None:
            return self
        return Multiplier(self.mean + tf.sign(delta) * self.half_difference)


def total(arrived: Sequence[Multiplier]) -> Multiplier:
    """The sum of several multipliers; slices are joined rather than padded."""
    if len(arrived) == 1 and arrived[0].slice is None:
        return arrived[0]
    means = _joined([(each.slice, each.mean) for each in arrived])
    halves = _joined(
        [(each.slice, each.half_difference) for each in arrived if each.half_difference is not None]
    )
    return Multiplier(sum(means[1:], means[0]), sum(halves[1:], halves[0]) if halves else None)


def _joined(tensors: Sequence[tuple[tuple[int, int, int] | None, Tensor]]) -> list[Tensor]:
    """Tensors of full size with the same sum: slices that do not overlap become one."""
    full_size = [tensor for elements, tensor in tensors if elements is None]
    rest = [(elements, tensor) for elements, tensor in tensors if elements is not None]
    while rest:
        end, pieces, left = 0, [], []
        size = rest[0][0][2]
        for (start, stop, _), tensor in sorted(rest, key=lambda each: each[0]):
            if start < end:
                left.append(((start, stop, size), tensor))
                continue
            pieces += [(start - end, tensor)]
            end = stop
        full_size.append(_concatenated(pieces, size - end))
        rest = left
    return full_size


def _concatenated(pieces: Sequence[tuple[int, Tensor]], after: int) -> Tensor:
    """Tensors along the last axis, each behind a number of zeros, and zeros ``after`` them."""
    axes = tf.shape(pieces[0][1])[:-1]
    for _, tensor in pieces[1:]:
        axes = tf.broadcast_dynamic_shape(axes, tf.shape(tensor)[:-1])
    joined = []
    for gap, tensor in [*pieces, (after, None)]:
        if gap:
            zeros = tf.zeros(tf.concat([axes, [gap]], 0), pieces[0][1].dtype)
            zeros.set_shape([*pieces[0][1].shape[:-1].as_list(), gap])
            joined.append(zeros)
        if tensor is not None:
            result = tf.broadcast_to(tensor, tf.concat([axes, tf.shape(tensor)[-1:]], 0))
            result.set_shape([*[None] * (tensor.shape.rank - 1), tensor.shape[-1]])
            joined.append(result if len(pieces) > 1 else tensor)
    return joined[0] if len(joined) == 1 else tf.concat(joined, -1)


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

    def known(self) -> bool:
        """Whether the output is already known."""

    def bounded(self) -> bool:
        """Whether the multiplier that arrives is finite: no function with a pole is ahead."""

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

    def fuse(self, function: Callable[..., Any], many_steps: bool = False) -> Callable[..., Any]:
        """The function, compiled into one kernel where that pays.

        Of ``many_steps``, for which TensorFlow takes several times as long, it pays in small
        networks too, but for the shortest of inputs.
        """


class Rule(Protocol):
    """How multipliers cross one layer."""

    @property
    def name(self) -> str:
        """Name in tables."""

    @property
    def complete(self) -> bool:
        """Whether contributions before and after the layer have one sum."""

    @property
    def additive(self) -> bool:
        """Whether what it sends for a weighted sum of multipliers is that sum of what it sends."""

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
    """The multiplier that arrived, as one of full size."""
    if arrived.half_difference is None:
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
    axes = leading_sizes(multiplier, LEADING)
    result = tf.broadcast_to(multiplier, tf.concat([axes, vector(sizes)], 0))
    result.set_shape([None] * LEADING + known)
    return result


def merged(tensor: Tensor) -> Tensor:
    """Make one axis of the leading ones, for a layer."""
    return merge(tensor, LEADING)


def unmerged(outputs: Sequence[Tensor], like: Tensor) -> list[Tensor]:
    """The leading axes of ``like`` again, behind a layer."""
    return split_like(outputs, like, LEADING)


def pulled_back(layer: Layer, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
    """Gradient of ``layer`` at ``points`` (inputs, references, ...) against a multiplier.

    Where a layer selects, those that tie have equal shares.
    """
    above = [tf.expand_dims(point, 0) for point in points]
    closed: list[Tensor] | None
    if isinstance(layer, Selection):
        closed = _equal_shares(layer, above, multiplier)
    else:
        closed = layer.gradient(above, multiplier)
    if closed is None:
        return pulled_back_by_tensorflow(layer, points, multiplier)
    return [summed_to(each, point, LEADING) for each, point in zip(closed, above, strict=True)]


def at_input(layer: Layer, ends: Ends, multiplier: Tensor) -> list[Tensor]:
    """`pulled_back` at the input; a selection is compiled where that pays."""

    def crossing(points: list[Tensor], multiplier: Tensor) -> list[Tensor]:
        return pulled_back(layer, points, multiplier)

    if not isinstance(layer, Selection):
        return crossing(ends.inputs(), multiplier)
    sent: list[Tensor] = ends.fuse(crossing, layer.many_steps)(ends.inputs(), multiplier)
    return sent


def pulled_back_by_tensorflow(
    layer: Layer, points: Sequence[Tensor], multiplier: Tensor
) -> list[Tensor]:
    """TensorFlow's own gradient: of a window all is the first winner's."""
    above = [tf.expand_dims(point, 0) for point in points]
    axes = _common_axes([multiplier, *above])
    together = [merge(expand_to(point, axes, LEADING), LEADING) for point in above]
    sent = vjp(layer.forward, together, merge(expand_to(multiplier, axes, LEADING), LEADING))
    return [split(each, axes, LEADING) for each in sent]


def _equal_shares(layer: Selection, points: list[Tensor], multiplier: Tensor) -> list[Tensor]:
    axes = _common_axes([multiplier, *points])
    pairs = [merge(expand_to(point[0], axes[1:], 2), 2) for point in points]
    arrived = merge(expand_to(multiplier, axes, LEADING), LEADING)
    shares = layer.equal_shares(pairs, split(arrived, tf.stack([axes[0], -1]), 2))
    return [split(merge(each, 2), axes, LEADING) for each in shares]


def _common_axes(tensors: Sequence[Tensor], leading: int = LEADING) -> Tensor:
    """Sizes of the ``leading`` axes that all broadcast to."""
    return functools.reduce(
        tf.broadcast_dynamic_shape, [leading_sizes(tensor, leading) for tensor in tensors]
    )


def pairwise(function: Callable[..., Tensor], tensors: Sequence[Tensor]) -> Tensor:
    """Call ``function`` of (n, ...) tensors on (inputs, references, ...) ones."""
    if len(tensors) == 1:
        return split_like([function(merge(tensors[0], 2))], tensors[0], 2)[0]
    axes = _common_axes(tensors, 2)
    together = [merge(expand_to(tensor, axes, 2), 2) for tensor in tensors]
    return split(function(*together), axes, 2)


__all__ = [
    "LEADING",
    "Ends",
    "Multiplier",
    "Rule",
    "at_input",
    "collapsed",
    "deltas",
    "features",
    "folded",
    "full",
    "merged",
    "pairwise",
    "pulled_back",
    "pulled_back_by_tensorflow",
    "total",
    "unmerged",
]
