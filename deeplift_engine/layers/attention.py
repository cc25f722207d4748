"""Masks of activations and of the scores of attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from deeplift_engine.layers.families import Composite, Joint, Linear
from deeplift_engine.layers.softmax import logarithmic_mean, normalized
from deeplift_engine.tensors.tensor_ops import LEADING, safe_divide, summed_to
from deeplift_engine.util.typing import Tensor


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
    """New axes of size 1; ``axes`` count from the end of the output, below 0, in order."""

    axes: tuple[int, ...]
    broadcasts: ClassVar[bool] = True
    moves: ClassVar[bool] = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """More axes."""
        x = inputs[0]
        rank = x.shape.rank + len(self.axes)
        for axis in self.axes:
            x = tf.expand_dims(x, axis + rank)
        return x

    def transpose(self, multiplier: Tensor, shapes: object) -> list[Tensor]:
        """Without them."""
        return [tf.squeeze(multiplier, list(self.axes))]


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

    reads_outputs: ClassVar[bool] = True
    axes: tuple[int, ...] = (-1,)
    causal: bool = False
    window: int = 0
    zeroed: bool = False
    is_gate: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """Same shape as the scores."""
        x, counts = inputs[0], self._counts(inputs)
        # of numbers that are all alike, however low, softmax has equal weights
        weights = normalized(tf.where(counts > 0, x, x.dtype.min), self.axes)
        return weights * counts if self.zeroed else weights

    def cross_from(
        self,
        inputs: Sequence[Tensor],
        references: Sequence[Tensor],
        outputs: Sequence[Tensor],
        multiplier: Tensor,
    ) -> list[Tensor]:
        """Multipliers of the scores, and of the mask if there is one."""
        y, y0 = outputs
        counts, known, top = self._counting(inputs)
        counts0, known0, top0 = self._counting(references)
        a, a0 = (
            end - tf.math.log(tf.reduce_max(share, axis=list(self.axes), keepdims=True) + 1 - any_)
            for end, share, any_ in ((top, y, known), (top0, y0, known0))
        )
        highest = tf.maximum(a, a0)
        scale, scale0 = tf.exp(a - highest), tf.exp(a0 - highest)
        width = logarithmic_mean(scale, scale0, a - a0)
        scaled, scaled0 = y * scale, y0 * scale0
        both = counts * counts0
        score = inputs[0] - references[0]
        at_difference = multiplier * both * logarithmic_mean(y, y0, score - (a - a0))
        total = self._sum(at_difference) / width
        sent = at_difference - total * both * logarithmic_mean(scaled, scaled0, score)
        if len(inputs) == 1:
            return [sent]
        changed = counts - counts0
        direct = multiplier * (y - y0)
        mask = (inputs[1] + references[1])[tf.newaxis]

        def at_mask() -> Tensor:
            by_sum = known * known0 * total * (scaled - scaled0)
            return summed_to(changed * (direct - by_sum), mask, LEADING)

        def owed() -> Tensor:
            size = tf.abs(changed) + tf.zeros_like(direct)
            shared = safe_divide(self._sum(direct * (1 - size)), self._sum(size))
            return summed_to(tf.abs(known - known0) * changed * shared, mask, LEADING)

        def nothing() -> Tensor:
            axes = tf.concat([tf.shape(direct)[:LEADING], tf.shape(mask)[LEADING:]], 0)
            return tf.zeros(axes, direct.dtype)

        of_mask = tf.cond(tf.reduce_any(changed != 0), at_mask, nothing)
        if not self.zeroed:
            of_mask += tf.cond(tf.reduce_any(known != known0), owed, nothing)
        return [sent, of_mask]

    def _counting(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Which scores count, whether any does, and the largest of these, else 0."""
        x, axes, counts = inputs[0], list(self.axes), self._counts(inputs)
        known = tf.reduce_max(counts, axis=axes, keepdims=True)
        top = tf.reduce_max(tf.where(counts > 0, x, x.dtype.min), axis=axes, keepdims=True)
        return counts, known, tf.where(known > 0, top, tf.zeros_like(top))

    def _sum(self, x: Tensor) -> Tensor:
        return tf.reduce_sum(x, axis=list(self.axes), keepdims=True)

    def _counts(self, inputs: Sequence[Tensor]) -> Tensor:
        """1 for the scores that count, of the rank of these and broadcast against them."""
        x = inputs[0]
        counts = self._band(x)
        return counts * inputs[1] if len(inputs) > 1 else counts

    def _band(self, x: Tensor) -> Tensor:
        """1 for the pairs of steps that count, of the rank of ``x``."""
        in_front = [1] * (x.shape.rank - 2)
        if not self.causal and not self.window:
            return tf.ones([*in_front, 1, 1], x.dtype)
        queries, keys = tf.shape(x)[-2], tf.shape(x)[-1]
        behind = tf.range(keys) - tf.range(queries)[:, tf.newaxis]
        counting = tf.ones_like(behind, tf.bool)
        if self.causal:
            counting &= behind <= 0
        if self.window:
            counting &= tf.abs(behind) < self.window
        return tf.reshape(tf.cast(counting, x.dtype), [*in_front, queries, keys])
