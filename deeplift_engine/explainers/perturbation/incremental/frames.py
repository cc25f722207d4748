"""Tensors of changes, in frames that several windows share.

R windows, the rows, begin in one frame; a block has G frames, each of one sample. A change is a
tensor (G·R, *features): what the perturbation adds to a node's activation, along the axis of its
`Span` only where the span is. Of tokens it is their new values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import tensorflow as tf

from deeplift_engine.layers.spans import Span
from deeplift_engine.util.typing import Tensor

Form = Span | Literal["anywhere"]
"""The form of a change: within a span, or anywhere."""
ANYWHERE: Literal["anywhere"] = "anywhere"


@dataclass(frozen=True)
class Deferred:
    """A function of tensors, not called yet, so that what follows can join it in one kernel."""

    function: Callable[..., Tensor]
    tensors: tuple[Tensor, ...]


Change = Any  # a tensor, or Deferred


def deferred(function: Callable[..., Tensor], *values: Change) -> Deferred:
    """``function`` of values, some of which may be deferred themselves."""
    all_deferred = [
        value if isinstance(value, Deferred) else Deferred(lambda tensor: tensor, (value,))
        for value in values
    ]

    def joined(*tensors: Tensor) -> Tensor:
        left = iter(tensors)
        return function(*(each.function(*islice(left, len(each.tensors))) for each in all_deferred))

    return Deferred(joined, tuple(tensor for each in all_deferred for tensor in each.tensors))


@dataclass
class Frames:
    """A block of G frames with R rows each.

    Attributes
    ----------
    unperturbed
        Activations (N, ...) of the unperturbed samples, by node.
    samples, frames
        Of each frame its sample and its number, (G,).
    count, rows
        G and R.
    fused
        Whether to compile what is deferred into single kernels.
    """

    unperturbed: Mapping[str, Tensor]
    samples: Tensor
    frames: Tensor
    count: int
    rows: int
    fused: bool
    _positions: dict[Span, Tensor] = field(default_factory=dict)

    def now(self, change: Change) -> Tensor:
        """The tensor of a change that may be deferred."""
        if not isinstance(change, Deferred):
            return change
        if not self.fused:
            return change.function(*change.tensors)
        compiled = tf.function(change.function, jit_compile=True, autograph=False)
        return compiled.get_concrete_function(*change.tensors)(*change.tensors)

    # ------------------------------------------------------------ what is known of the samples

    def positions(self, span: Span) -> Tensor:
        """Positions of a span in each frame, (G, width)."""
        if span not in self._positions:
            first = self.frames * span.step + span.start
            self._positions[span] = first[:, tf.newaxis] + tf.range(span.width)
        return self._positions[span]

    def at(self, name: str, span: Span) -> Tensor:
        """Activations of a node at a span, (G, *features); the last ones again past the ends."""
        unperturbed, axis = self.unperturbed[name], span.axis + 1
        rank = unperturbed.shape.rank
        order = [0, axis, *(other for other in range(1, rank) if other != axis)]
        lines = tf.transpose(unperturbed, order) if axis > 1 else unperturbed
        sizes = lines.shape[2:].as_list()
        lines = tf.reshape(lines, [-1, *sizes])
        inside = tf.clip_by_value(self.positions(span), 0, span.length - 1)
        gathered = tf.gather(lines, self.samples[:, tf.newaxis] * span.length + inside)
        back = [order.index(number) for number in range(rank)]
        return tf.transpose(gathered, back) if axis > 1 else gathered

    def everywhere(self, name: str) -> Tensor:
        """Activations of a node, (G, *features)."""
        return tf.gather(self.unperturbed[name], self.samples)

    # ------------------------------------------------------------ changes and what is known

    def apart(self, change: Tensor) -> Tensor:
        """Frames and rows as axes of their own: (G·R, ...) to (G, R, ...)."""
        return tf.reshape(change, [self.count, self.rows, *change.shape[1:]])

    def merged(self, change: Tensor) -> Tensor:
        """Undo `apart`."""
        return tf.reshape(change, [self.count * self.rows, *change.shape[2:]])

    def added(self, change: Tensor, unperturbed: Tensor) -> Tensor:
        """Changed activations (G·R, ...), of a change (G·R, ...) and what was there (G, ...)."""
        return self.merged(self.apart(change) + unperturbed[:, tf.newaxis])

    def repeated(self, unperturbed: Tensor) -> Tensor:
        """Unperturbed activations (G, ...) for every row, (G·R, ...)."""
        sizes = unperturbed.shape[1:].as_list()
        return self.merged(
            tf.broadcast_to(unperturbed[:, tf.newaxis], [self.count, self.rows, *sizes])
        )

    def without(self, change: Tensor, unperturbed: Tensor) -> Tensor:
        """The change again, of changed activations: undoes `added`."""
        return self.merged(self.apart(change) - unperturbed[:, tf.newaxis])

    def where(self, at: Tensor, axis: int, change: Tensor, otherwise: Any = 0) -> Tensor:
        """A change where ``at`` (G, width) holds along feature axis ``axis``."""
        rank = change.shape.rank - 1
        shape = [self.count, 1, *(-1 if number == axis else 1 for number in range(rank))]
        other = tf.cast(otherwise, change.dtype)
        return self.merged(tf.where(tf.reshape(at, shape), self.apart(change), other))

    def inside(self, positions: Tensor, span: Span, change: Tensor) -> Tensor:
        """A change without what lies before the first position or behind the last."""
        valid = (positions >= 0) & (positions < span.length)
        return self.where(valid, span.axis, change)

    def scattered(self, change: Tensor, span: Span, otherwise: Tensor | None = None) -> Tensor:
        """A change anywhere, of one within a span; ``otherwise`` (G·R, *features) elsewhere."""
        first = self.frames * span.step + span.start
        offsets = tf.range(span.length) - first[:, tf.newaxis]
        covered = (offsets >= 0) & (offsets < span.width)
        inside = tf.clip_by_value(offsets, 0, span.width - 1)
        gathered = tf.gather(self.apart(change), inside, axis=span.axis + 2, batch_dims=1)
        rank = change.shape.rank - 1
        shape = [self.count, 1, *(-1 if axis == span.axis else 1 for axis in range(rank))]
        other = tf.zeros([], change.dtype) if otherwise is None else self.apart(otherwise)
        return self.merged(tf.where(tf.reshape(covered, shape), gathered, other))


def widened(change: Tensor, span: Span, to: Span, value: Any = 0) -> Tensor:
    """A change within a span within another one, with ``value`` beside; cut where that ends."""
    before, after = to.margins(span)
    axis, rank = span.axis + 1, change.shape.rank
    if min(before, after) < 0:
        remaining = slice(max(-before, 0), span.width - max(-after, 0))
        change = change[(slice(None),) * axis + (remaining,)]
        before, after = max(before, 0), max(after, 0)
    if before == after == 0:
        return change
    padding = [(before, after) if number == axis else (0, 0) for number in range(rank)]
    return tf.pad(change, padding, constant_values=tf.cast(value, change.dtype))
