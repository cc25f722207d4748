"""Linear layers: one transposed map, and one more for the half-difference where there is one."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from deeplift_engine.layers import Linear
from deeplift_engine.rules.rule import Ends, Multiplier, deltas, full, merged, pairwise, unmerged
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class Transposed:
    """The Linear rule (section 3.5.1 of the paper) in the algebra of mean and half-difference.

    With a kernel W: s' = Wᵀs + sign(Δ)·(|W|ᵀd), d' = 0, and the output's spread is |W||Δ|.
    Without mixing: s' = Wᵀs, d' = |W|ᵀd, and the spread is |W|A.

    ``infinite`` says that what arrives may be: a coefficient of 0 passes on nothing of it, where
    the product with it would be NaN.
    """

    name: str = "linear"
    complete: bool = True
    infinite: bool = False

    @property
    def additive(self) -> bool:
        """Of finite multipliers."""
        return not self.infinite

    def cross(self, layer: Linear, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the inputs."""
        shapes = ends.shapes()
        if layer.last_axis_slice is not None and isinstance(shapes[0][-1], int):
            elements = (*layer.last_axis_slice, shapes[0][-1])
            return [replace(self._full(layer, ends, arrived), slice=elements)]
        arrived = self._full(layer, ends, arrived)
        if self.infinite and layer.has_kernel:
            means = _apart(layer, arrived.mean, shapes)
        else:
            means = unmerged(layer.transpose(merged(arrived.mean), shapes), arrived.mean)
        if arrived.half_difference is None:
            return [Multiplier(mean) for mean in means]
        half = arrived.half_difference
        halves = unmerged(layer.absolute().transpose(merged(half), shapes), half)
        sent = [Multiplier(mean, half) for mean, half in zip(means, halves, strict=True)]
        if not layer.has_kernel:
            return sent
        return [
            multiplier.folded(delta) for multiplier, delta in zip(sent, deltas(ends), strict=True)
        ]

    @staticmethod
    def _full(layer: Linear, ends: Ends, arrived: Multiplier) -> Multiplier:
        if layer.broadcasts:
            return arrived
        half = None if arrived.half_difference is None else full(arrived.half_difference, ends)
        return Multiplier(full(arrived.mean, ends), half)

    def spread(self, layer: Linear, ends: Ends) -> Tensor:
        """Spread of the output."""
        sizes = [tf.abs(delta) for delta in deltas(ends)] if layer.has_kernel else ends.spreads()
        return pairwise(layer.absolute().linear, sizes)


def _transposed(layer: Linear, multiplier: Tensor, shapes: Sequence[Any]) -> list[Tensor]:
    return unmerged(layer.transpose(merged(multiplier), shapes), multiplier)


def _apart(layer: Linear, multiplier: Tensor, shapes: Sequence[Any]) -> list[Tensor]:
    """The transposed map of a multiplier whose infinite elements reach what they are mixed with."""
    known = tf.math.is_finite(multiplier)

    def apart() -> list[Tensor]:
        finite = _transposed(layer, tf.where(known, multiplier, tf.zeros_like(multiplier)), shapes)
        beside = _transposed(layer.absolute(), tf.cast(~known, multiplier.dtype), shapes)
        mixed = _transposed(layer, multiplier, shapes)
        return [tf.where(b > 0, m, f) for b, m, f in zip(beside, mixed, finite, strict=True)]

    usual = functools.partial(_transposed, layer, multiplier, shapes)
    sent: list[Tensor] = tf.cond(tf.reduce_all(known), usual, apart)
    return sent
