"""Softmax and log-softmax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from deeplift_engine.layers.activations import Activation
from deeplift_engine.layers.base import Composite
from deeplift_engine.tensors import Tensor, safe_divide


@dataclass(frozen=True)
class Softmax(Composite):
    """Softmax over feature axes (negative numbers, from the end), or its logarithm.

    Its rule is that of the chain exp(x - a) with a = log Σ exp(x), each step by its own chord:
    the exponential by Rescale, a by the chords of exp, of the sum and of the logarithm. Taking
    a quotient exp(x) / Σ instead is as complete, but its two parts grow without bound where
    the logits of input and reference lie far apart; here every factor stays at or below 1.
    """

    axes: tuple[int, ...] = (-1,)
    logarithm: bool = False

    def forward(self, *inputs: Tensor) -> Tensor:
        """Same shape as the input."""
        shifted = inputs[0] - tf.reduce_logsumexp(inputs[0], axis=list(self.axes), keepdims=True)
        return shifted if self.logarithm else tf.exp(shifted)

    def cross(
        self, inputs: Sequence[Tensor], references: Sequence[Tensor], multiplier: Tensor
    ) -> list[Tensor]:
        """m_x = m_u - w · Σ m_u, with u = x - a and w the chord of a in x."""
        (x,), (x0,) = inputs, references
        axes = list(self.axes)
        a = tf.reduce_logsumexp(x, axis=axes, keepdims=True)
        a0 = tf.reduce_logsumexp(x0, axis=axes, keepdims=True)
        exponential = Activation("exponential")
        at_u = multiplier
        if not self.logarithm:
            at_u = multiplier * exponential.slope(x - a, x0 - a0)
        weights = chord_of_logarithm(x, x0, a, a0)
        return [at_u - weights * tf.reduce_sum(at_u, axis=axes, keepdims=True)]


def chord_of_logarithm(x: Tensor, x0: Tensor, a: Tensor, a0: Tensor) -> Tensor:
    """Multipliers of a = log Σ exp(x) in x, by the chords of exp, of the sum and of log.

    Their sum times Δx is Δa; none is above the larger softmax of the two ends.
    """
    exponential = Activation("exponential")
    highest = tf.maximum(a, a0)
    return safe_divide(
        exponential.slope(x - highest, x0 - highest),
        exponential.slope(a - highest, a0 - highest),
    )
