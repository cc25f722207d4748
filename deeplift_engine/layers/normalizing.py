"""Normalisation by an input's own statistics: layer, group, RMS and unit normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from deeplift_engine.layers.families import Composite
from deeplift_engine.tensors.tensor_ops import safe_divide
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class Standardized(Composite):
    """An input divided by its own spread.

    With p the numerator and q what is squared, each the input or, where ``centred`` and
    ``about_mean`` say so, its distance from the mean over ``axes``:

        s = mean of q²      σ = √(s + epsilon)      y = p / σ

    and where there is a ``shortest`` length, s is the sum and σ = max(√s, shortest).

    Its rule is that of this chain, each step by its own chord: p and q are linear in x, q² has
    the slope q + q₀, the root has 1 / (σ + σ₀), and the quotient is the product y·σ = p read
    backwards, Δp = σ̄·Δy + ȳ·Δσ with means over the two ends, so that

        m_p = m / σ̄         m_σ = -Σ m·ȳ / σ̄

    The Shapley value of p·(1/σ) is as complete, but its two parts grow without bound, and
    cancel, where the spread of the input or of the reference is small: an embedding of zeros
    has σ₀ = √epsilon. Here 1 / σ̄ is at most twice that of the larger end.

    Attributes
    ----------
    axes
        Over which the statistics are, from the end (below 0).
    """

    axes: tuple[int, ...]
    epsilon: float
    centred: bool = True
    about_mean: bool = True
    shortest: float = 0.0

    def forward(self, *inputs: Tensor) -> Tensor:
        """Same shape as the input."""
        numerator, _, _, spread = self._chain(inputs[0])
        return numerator / spread

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along axes that are not normalised over."""
        return all(axis != other % rank for other in self.axes)

    def cross(
        self, inputs: Sequence[Tensor], references: Sequence[Tensor], multiplier: Tensor
    ) -> list[Tensor]:
        """m_x = centred(m_p + m_σ · (q + q₀) / n / (σ + σ₀))."""
        p, q, s, sigma = self._chain(inputs[0])
        p0, q0, s0, sigma0 = self._chain(references[0])
        width = sigma + sigma0
        level = (p / sigma + p0 / sigma0) / 2
        at_numerator = 2 * multiplier / width
        at_spread = -self._sum(at_numerator * level)
        at_square = at_spread / width * self._share(s, s0, inputs[0])
        at_squared = at_square * (q + q0)
        if self.centred:
            at_numerator = at_numerator - self._mean(at_numerator)
        if self.about_mean and not self.centred:
            at_squared = at_squared - self._mean(at_squared)
        return [at_numerator + at_squared]

    def _chain(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """p, q, s and σ."""
        distance = x - self._mean(x) if self.centred or self.about_mean else x
        squared = distance if self.about_mean else x
        if self.shortest:
            total = self._sum(squared * squared)
            spread = tf.sqrt(tf.maximum(total, self.shortest**2))
        else:
            total = self._mean(squared * squared)
            spread = tf.sqrt(total + self.epsilon)
        return (distance if self.centred else x), squared, total, spread

    def _share(self, s: Tensor, s0: Tensor, x: Tensor) -> Tensor:
        """Slope of what is under the root in each square: 1 / n, or for a length that of max."""
        if not self.shortest:
            size: Any = 1
            for axis in self.axes:
                size = size * tf.shape(x)[axis]
            return 1 / tf.cast(size, x.dtype)
        floor = self.shortest**2
        change = tf.maximum(s, floor) - tf.maximum(s0, floor)
        return tf.where(s == s0, tf.cast(s > floor, x.dtype), safe_divide(change, s - s0))

    def _sum(self, x: Tensor) -> Tensor:
        return tf.reduce_sum(x, axis=list(self.axes), keepdims=True)

    def _mean(self, x: Tensor) -> Tensor:
        return tf.reduce_mean(x, axis=list(self.axes), keepdims=True)


@dataclass(frozen=True)
class Grouped(Composite):
    """``inner`` on an axis (from the end) split into ``groups``, one behind the other.

    ``inner`` sees (..., groups, size / groups, ...).
    """

    inner: Composite
    groups: int
    axis: int

    @property
    def label(self) -> str:
        """That of the inner layer."""
        return self.inner.label

    def forward(self, *inputs: Tensor) -> Tensor:
        """Same shape as the input."""
        return self._joined(self.inner.forward(self._split(inputs[0])))

    def cross(
        self, inputs: Sequence[Tensor], references: Sequence[Tensor], multiplier: Tensor
    ) -> list[Tensor]:
        """The inner layer's."""
        at_input, at_reference = ([self._split(x) for x in end] for end in (inputs, references))
        sent = self.inner.cross(at_input, at_reference, self._split(multiplier))
        return [self._joined(tensor) for tensor in sent]

    def _split(self, x: Tensor) -> Tensor:
        position = x.shape.rank + self.axis
        sizes = [self.groups, x.shape[position] // self.groups]
        return _reshaped(x, x.shape[:position], sizes, x.shape[position + 1 :])

    def _joined(self, x: Tensor) -> Tensor:
        position = x.shape.rank + self.axis - 1
        sizes = [self.groups * x.shape[position + 1]]
        return _reshaped(x, x.shape[:position], sizes, x.shape[position + 2 :])


def _reshaped(x: Tensor, before: Any, sizes: list[int], behind: Any) -> Tensor:
    """The axes between ``before`` and ``behind`` as others of ``sizes``."""
    shape = tf.shape(x)
    last = x.shape.rank - behind.rank
    result = tf.reshape(x, tf.concat([shape[: before.rank], sizes, shape[last:]], 0))
    result.set_shape([*before, *sizes, *behind])
    return result
