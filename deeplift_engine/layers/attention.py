"""What masks do: to any activation, and to the scores of attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from deeplift_engine.layers.base import Composite, Joint, Linear
from deeplift_engine.tensors import LEADING, Tensor, safe_divide, summed_to


@dataclass(frozen=True)
class Masked(Joint):
    """The first input where the second, a mask, is 1, and ``rest`` where it is 0.

    x·μ + (1 - μ)·rest, so that a mask that is not its reference's has its share.
    """

    rest: float

    def forward(self, *inputs: Tensor) -> Tensor:
        """The mask is broadcast."""
        x, mask = inputs
        return x * mask + (1 - mask) * self.rest

    def gradient(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """M·μ and M·(x - rest)."""
        x, mask = points
        return [multiplier * mask, multiplier * (x - self.rest)]


@dataclass(frozen=True)
class Chosen(Joint):
    """The second input where the first, a mask, is 1, and the third where it is 0."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """All are broadcast."""
        mask, x, other = inputs
        return x * mask + other * (1 - mask)

    def gradient(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """M·(x - other), M·μ and M·(1 - μ)."""
        mask, x, other = points
        return [multiplier * (x - other), multiplier * mask, multiplier * (1 - mask)]


@dataclass(frozen=True)
class NewAxes(Linear):
    """Axes of size 1 at ``places``, counted from the end of the output, below 0, in order."""

    places: tuple[int, ...]
    broadcasts: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """More axes."""
        x = inputs[0]
        rank = x.shape.rank + len(self.places)
        for place in self.places:
            x = tf.expand_dims(x, place + rank)
        return x

    def transpose(self, multiplier: Tensor, shapes: object) -> list[Tensor]:
        """Without them."""
        return [tf.squeeze(multiplier, list(self.places))]


@dataclass(frozen=True)
class MaskedSoftmax(Composite):
    """Softmax over the scores that count, 0 for the others.

    Scores (..., queries, keys) count where the second input, a mask of 0 and 1 that is
    broadcast, is 1, whose key is not behind the query if ``causal``, and whose steps are less
    than ``window`` apart if that is not 0. A query none of whose keys counts has equal weights
    of all of them, or none if ``zeroed``.

    Its rule is that of `Softmax`, exp(x - a) with a = log Σ exp(x), each step by its own chord,
    for scores that count at both ends; what a score adds to the sum, or to the output, by
    counting at one end alone is its mask's. That is what scores of -r for what does not count
    give for ever larger r, but for the digits that a score of -10⁹ has not. A query none of
    whose keys counts at one end has its whole change from the masks that differ.

    Attributes
    ----------
    axes
        Over which the softmax is, from the end (below 0).
    """

    axes: tuple[int, ...] = (-1,)
    causal: bool = False
    window: int = 0
    zeroed: bool = False

    def forward(self, *inputs: Tensor) -> Tensor:
        """Same shape as the scores."""
        return self._end(inputs).weights

    def cross(
        self, inputs: Sequence[Tensor], references: Sequence[Tensor], multiplier: Tensor
    ) -> list[Tensor]:
        """Multipliers of the scores, and of the mask if there is one."""
        end, end0 = self._end(inputs), self._end(references)
        both = end.counts * end0.counts
        level = end.level - end0.level
        highest = tf.maximum(end.level, end0.level)
        part = end.weights * tf.exp(end.level - highest)
        part0 = end0.weights * tf.exp(end0.level - highest)
        score = inputs[0] - references[0]
        width = mean_decay(level)
        at_difference = (
            multiplier * both * tf.maximum(end.weights, end0.weights) * mean_decay(score - level)
        )
        total = self._sum(at_difference)
        sent = at_difference - total * both * tf.maximum(part, part0) * mean_decay(score) / width
        if len(inputs) == 1:
            return [sent]
        changed = end.counts - end0.counts
        direct = multiplier * (end.weights - end0.weights)
        known = end.any * end0.any
        owed = self._sum(direct * (1 - tf.abs(changed))) * (1 - known)
        shared = safe_divide(owed, self._sum(tf.abs(changed)) + tf.zeros_like(owed))
        at_mask = changed * (direct + shared - known * total * (part - part0) / width)
        mask = inputs[1] + references[1]
        return [sent, summed_to(at_mask, mask[tf.newaxis], LEADING)]

    def _end(self, inputs: Sequence[Tensor]) -> _End:
        x = inputs[0]
        counts = self._band(x)
        if len(inputs) > 1:
            counts = counts * inputs[1]
        counts = counts + tf.zeros_like(x)
        lowest = tf.where(counts > 0, x, x.dtype.min)
        top = tf.reduce_max(lowest, axis=list(self.axes), keepdims=True)
        exponentials = counts * tf.exp(tf.minimum(x - top, 0))
        total = self._sum(exponentials)
        known = tf.cast(total > 0, x.dtype)
        total = total + (1 - known)
        weights = exponentials / total
        if not self.zeroed and (self.window or len(inputs) > 1):
            ones = tf.ones_like(x)
            weights = weights + (1 - known) * ones / self._sum(ones)
        return _End(counts, weights, known * top + tf.math.log(total), known)

    def _sum(self, x: Tensor) -> Tensor:
        return tf.reduce_sum(x, axis=list(self.axes), keepdims=True)

    def _band(self, x: Tensor) -> Tensor:
        """1 for the pairs of steps that count, (queries, keys) or one number."""
        if not self.causal and not self.window:
            return tf.ones([], x.dtype)
        queries, keys = tf.shape(x)[-2], tf.shape(x)[-1]
        behind = tf.range(keys) - tf.range(queries)[:, tf.newaxis]
        kept = tf.ones_like(behind, tf.bool)
        if self.causal:
            kept &= behind <= 0
        if self.window:
            kept &= tf.abs(behind) < self.window
        return tf.cast(kept, x.dtype)


@dataclass(frozen=True)
class _End:
    """One end: which scores count, their weights, log Σ exp of them, and whether any does."""

    counts: Tensor
    weights: Tensor
    level: Tensor
    any: Tensor


def mean_decay(distance: Tensor) -> Tensor:
    """(1 - exp(-|d|)) / |d|, and 1 at 0.

    Times the larger of exp(x) and exp(x - d) it is the slope of the chord between them, without
    any cancelling.
    """
    size = tf.abs(distance)
    return tf.where(size == 0, tf.ones_like(size), safe_divide(-tf.math.expm1(-size), size))
