"""Softmax and log-softmax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from deeplift_engine.layers.activations import NEAR, TANH_SERIES
from deeplift_engine.layers.families import Composite
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class Softmax(Composite):
    """Softmax over feature axes (negative numbers, from the end), or its logarithm.

    Its rule is that of the chain exp(x - a) with a = log Σ exp(x), each step by its own chord:
    the exponential by Rescale, a by the chords of exp, of the sum and of the logarithm. Taking
    a quotient exp(x) / Σ instead is as complete, but its two parts grow without bound where
    the logits of input and reference lie far apart; here every factor stays at or below 1.
    """

    reads_outputs: ClassVar[bool] = True
    reads_logits: ClassVar[bool] = True
    axes: tuple[int, ...] = (-1,)
    logarithm: bool = False

    def forward(self, *inputs: Tensor) -> Tensor:
        """Same shape as the input."""
        x = inputs[0]
        if self.logarithm:
            return x - tf.reduce_logsumexp(x, axis=list(self.axes), keepdims=True)
        return normalized(x, self.axes)

    def cross_from(
        self,
        inputs: Sequence[Tensor],
        references: Sequence[Tensor],
        outputs: Sequence[Tensor],
        multiplier: Tensor,
    ) -> list[Tensor]:
        """m_x = m_u - w · Σ m_u, with u = x - a and w the chord of a in x."""
        (x,), (x0,), (y, y0) = inputs, references, outputs
        axes, at_u = list(self.axes), multiplier
        if self.logarithm:
            y, y0 = tf.exp(y), tf.exp(y0)
        a, a0 = (
            # the largest x is a + log of the largest y, and neither cancels
            tf.reduce_max(end, axis=axes, keepdims=True)
            - tf.math.log(tf.reduce_max(share, axis=axes, keepdims=True))
            for end, share in ((x, y), (x0, y0))
        )
        if not self.logarithm:
            at_u = multiplier * logarithmic_mean(y, y0, (x - x0) - (a - a0))
        weights = _chord(x, x0, a, a0, y, y0)
        return [at_u - weights * tf.reduce_sum(at_u, axis=axes, keepdims=True)]

    @property
    def is_gate(self) -> bool:  # type: ignore[override]
        """Whether outputs are shares, not their logarithms."""
        return not self.logarithm

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along axes that are not normalised over."""
        return all(axis != other % rank for other in self.axes)


def normalized(x: Tensor, axes: Sequence[int]) -> Tensor:
    """exp(x) / Σ exp(x) over ``axes``, from the end."""
    if tuple(axes) == (-1,):
        return tf.nn.softmax(x)
    powers = tf.exp(x - tf.reduce_max(x, axis=list(axes), keepdims=True))
    return powers / tf.reduce_sum(powers, axis=list(axes), keepdims=True)


def logarithmic_mean(y: Tensor, y0: Tensor, distance: Tensor) -> Tensor:
    """(y - y₀) / d, the slope of the exponential, for y and y₀ whose logarithms are d apart.

    Where d is small, by y - y₀ = (y + y₀)·tanh(d / 2), in which nothing cancels.
    """
    half = distance / 2
    square = tf.minimum(half * half, NEAR * NEAR)
    series = tf.zeros_like(half) + TANH_SERIES[-1]
    for coefficient in TANH_SERIES[-2::-1]:
        series = series * square + coefficient
    far = tf.abs(half) > NEAR
    quotient = (y - y0) / tf.where(far, distance, tf.ones_like(distance))
    return tf.where(far, quotient, series * (y + y0) / 2)


def chord_of_logarithm(x: Tensor, x0: Tensor, a: Tensor, a0: Tensor) -> Tensor:
    """Multipliers of a = log Σ exp(x) in x, by the chords of exp, of the sum and of log.

    Their sum times Δx is Δa; none is above the larger softmax of the two ends.
    """
    return _chord(x, x0, a, a0, tf.exp(x - a), tf.exp(x0 - a0))


def _chord(x: Tensor, x0: Tensor, a: Tensor, a0: Tensor, y: Tensor, y0: Tensor) -> Tensor:
    """The same multipliers, from y = exp(x - a) too."""
    highest = tf.maximum(a, a0)
    scale, scale0 = tf.exp(a - highest), tf.exp(a0 - highest)
    return logarithmic_mean(y * scale, y0 * scale0, x - x0) / logarithmic_mean(
        scale, scale0, a - a0
    )
