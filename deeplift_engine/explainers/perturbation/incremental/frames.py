"""Tensors of changes, in frames that several windows share.

R windows, the rows, begin in one frame; a block has G frames, each of one sample. A change is a
tensor (G·R, *features): what the perturbation adds to a node's activation, along the axes of its
box only where the spans are. Of tokens it is their new values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import tensorflow as tf

from deeplift_engine.layers.spans import Box, Span
from deeplift_engine.util.typing import Tensor

Form = Box | Literal["anywhere"]
"""The form of a change: within a box, or anywhere."""
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
    samples
        Of each frame its sample, (G,).
    frames
        And its number along each axis of boxes, (G, A).
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
    _positions: dict[tuple[int, Span], Tensor] = field(default_factory=dict)

    def now(self, change: Change) -> Tensor:
        """The tensor of a change that may be deferred."""
        if not isinstance(change, Deferred):
            return change
        if not self.fused:
            return change.function(*change.tensors)
        compiled = tf.function(change.function, jit_compile=True, autograph=False)
        return compiled.get_concrete_function(*change.tensors)(*change.tensors)

    # ------------------------------------------------------------ what is known of the samples

    def positions(self, box: Box) -> list[Tensor]:
        """Positions of a box in each frame along each of its axes, (G, width)."""
        for number, span in enumerate(box):
            if (number, span) not in self._positions:
                first = self._first(number, span)
                self._positions[number, span] = first[:, tf.newaxis] + tf.range(span.width)
        return [self._positions[key] for key in enumerate(box)]

    def _first(self, number: int, span: Span) -> Tensor:
        """The first position of a span in each frame, (G,)."""
        return self.frames[:, number] * span.step + span.start

    def at(self, name: str, box: Box) -> Tensor:
        """Activations of a node in a box, (G, *features); the last ones again past the ends.

        Along axes that are not as long as the box says, all of them.
        """
        unperturbed = self.unperturbed[name]
        rank = unperturbed.shape.rank
        sizes = unperturbed.shape.as_list()
        spans = [
            (span, positions)
            for span, positions in zip(box, self.positions(box), strict=True)
            if rank > span.axis + 1 and sizes[span.axis + 1] == span.length
        ]
        axes = [span.axis + 1 for span, _ in spans]
        order = [0, *axes, *(axis for axis in range(1, rank) if axis not in axes)]
        back = [order.index(axis) for axis in range(rank)]
        in_order = back == list(range(rank))
        lines = unperturbed if in_order else tf.transpose(unperturbed, order)
        lines = tf.reshape(lines, [-1, *(sizes[axis] for axis in order[1 + len(axes) :])])
        index = tf.reshape(self.samples, [-1, *[1] * len(spans)])
        for number, (span, positions) in enumerate(spans):
            inside = tf.clip_by_value(positions, 0, span.length - 1)
            shape = [-1 if axis in (0, number + 1) else 1 for axis in range(1 + len(spans))]
            shape[number + 1] = span.width
            index = index * span.length + tf.reshape(inside, shape)
        gathered = tf.gather(lines, index)
        return gathered if in_order else tf.transpose(gathered, back)

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

    def where(self, at: Sequence[Tensor], box: Box, change: Tensor, otherwise: Any = 0) -> Tensor:
        """A change where ``at`` (G, width) holds along each axis of a box."""
        other = tf.cast(otherwise, change.dtype)
        return self.merged(tf.where(marks(at, box, change), self.apart(change), other))

    def inside(self, positions: Sequence[Tensor], box: Box, change: Tensor) -> Tensor:
        """A change without what lies before the first positions or behind the last."""
        return self.where(within_axes(positions, box), box, change)

    def scattered(self, change: Tensor, box: Box, otherwise: Tensor | None = None) -> Tensor:
        """A change anywhere, of one within a box; ``otherwise`` (G·R, *features) elsewhere."""
        covered = []
        apart = self.apart(change)
        for number, span in enumerate(box):
            offsets = tf.range(span.length) - self._first(number, span)[:, tf.newaxis]
            covered.append((offsets >= 0) & (offsets < span.width))
            inside = tf.clip_by_value(offsets, 0, span.width - 1)
            apart = tf.gather(apart, inside, axis=span.axis + 2, batch_dims=1)
        other = tf.zeros([], change.dtype) if otherwise is None else self.apart(otherwise)
        return self.merged(tf.where(marks(covered, box, change), apart, other))


def within_axes(positions: Sequence[Tensor], box: Box) -> list[Tensor]:
    """Whether positions (G, width) lie between the ends of a box's axes."""
    return [(each >= 0) & (each < span.length) for each, span in zip(positions, box, strict=True)]


def marks(at: Sequence[Tensor], box: Box, change: Tensor) -> Tensor:
    """Whether ``at`` (G, width) holds along each axis of a box, for a change (G, R, *features)."""
    every = None
    for span, own in zip(box, at, strict=True):
        shape = [1] * (change.shape.rank + 1)
        shape[0], shape[span.axis + 2] = own.shape[0], own.shape[1]
        mark = tf.reshape(own, shape)
        every = mark if every is None else every & mark
    return every


def widened(change: Tensor, box: Box, to: Box, value: Any = 0) -> Tensor:
    """A change within a box within another one, with ``value`` beside; cut where that ends."""
    padding = [(0, 0)] * change.shape.rank
    index = [slice(None)] * change.shape.rank
    for span, wide in zip(box, to, strict=True):
        before, after = wide.margins(span)
        padding[span.axis + 1] = (max(before, 0), max(after, 0))
        index[span.axis + 1] = slice(max(-before, 0), span.width - max(-after, 0))
    if box != to:
        change = change[tuple(index)]
    if all(margins == (0, 0) for margins in padding):
        return change
    return tf.pad(change, padding, constant_values=tf.cast(value, change.dtype))
