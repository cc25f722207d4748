"""Sparsemax (Martins & Astudillo 2016), as Keras computes it, and as the paper does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from deeplift_engine.layers.activations import ReLU
from deeplift_engine.layers.families import Composite
from deeplift_engine.tensors.tensor_ops import epsilon, safe_divide, vjp
from deeplift_engine.util.typing import Tensor

POINTS = 9


@dataclass(frozen=True)
class Sparsemax(Composite):
    """max(x - τ(x), 0) over the last axis.

    The paper's τ makes the outputs sum to 1. Keras 3 adds up the cumulative sums of the support
    where the paper takes the last one, so theirs do not; a saved model means what Keras does.

    Its rule: Rescale for the maximum; τ is piecewise linear, its gradient averaged along the
    path and set right along Δ, so that it explains Δτ exactly.

    Attributes
    ----------
    on_simplex
        Whether τ is the paper's, as in tensorflow-addons.
    """

    on_simplex: bool = False
    is_gate: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """Same shape as the input."""
        return tf.maximum(inputs[0] - self.threshold(inputs[0]), 0)

    def cross(
        self, inputs: Sequence[Tensor], references: Sequence[Tensor], multiplier: Tensor
    ) -> list[Tensor]:
        """m_x = m_u - w · Σ m_u, with u = x - τ and w the share of each element in Δτ."""
        (x,), (x0,) = inputs, references
        tau, tau0 = self.threshold(x), self.threshold(x0)
        at_u = multiplier * ReLU().slope(x - tau, x0 - tau0)
        delta = x - x0
        shares = tf.zeros_like(delta)
        for point in range(POINTS):
            middle = x0 + delta * ((point + 0.5) / POINTS)
            tau_here = self.threshold(middle)
            shares += vjp(self.threshold, [middle], tf.ones_like(tau_here))[0] / POINTS
        missing = (tau - tau0) - tf.reduce_sum(shares * delta, axis=-1, keepdims=True)
        length = tf.reduce_sum(delta * delta, axis=-1, keepdims=True)
        tiny = length <= epsilon(x.dtype) ** 2 * tf.reduce_sum(x * x, axis=-1, keepdims=True)
        repaired = shares + tf.where(
            tiny, tf.zeros_like(delta), delta * safe_divide(missing, length)
        )
        return [at_u - repaired * tf.reduce_sum(at_u, axis=-1, keepdims=True)]

    def threshold(self, x: Tensor) -> Tensor:
        """τ(x), shape (..., 1)."""
        ordered = tf.sort(x, axis=-1, direction="DESCENDING")
        ranks = tf.cast(tf.range(1, tf.shape(x)[-1] + 1), x.dtype)
        sums = tf.cumsum(ordered, axis=-1)
        inside = ordered - (sums - 1) / ranks > 0  # Keras's form: ties round as they do there
        count = tf.reduce_sum(tf.cast(inside, x.dtype), axis=-1, keepdims=True)
        terms = ordered if self.on_simplex else sums
        total = tf.reduce_sum(tf.where(inside, terms, tf.zeros_like(terms)), axis=-1, keepdims=True)
        return (total - 1) / count
