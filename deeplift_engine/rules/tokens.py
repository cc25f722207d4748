"""Tokens: what their embedding contributes is theirs."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from deeplift_engine.layers import Lookup
from deeplift_engine.rules.base import Ends, Multiplier, collapsed, deltas, folded
from deeplift_engine.tensors import Tensor, safe_divide


@dataclass(frozen=True)
class Tokens:
    """A token's multiplier is its contribution, the sum over all that was looked up for it.

    Tokens have a difference-from-reference of 1 by convention: see `Comparison.delta`. Those
    that come as floats have their own, by which the contribution is divided.
    """

    name: str = "tokens"
    complete: bool = True

    def cross(self, layer: Lookup, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Contributions of the tokens."""
        contribution = folded(ends, arrived) * ends.delta()
        features = range(
            contribution.shape.rank - (len(ends.shape()) - len(ends.shapes()[0])),
            contribution.shape.rank,
        )
        total = tf.reduce_sum(contribution, axis=list(features))
        if not ends.inputs()[0].dtype.is_floating:
            return [Multiplier(total)]
        return [Multiplier(safe_divide(total, deltas(ends)[0] + tf.zeros_like(total)))]

    def spread(self, layer: Lookup, ends: Ends) -> Tensor:
        """Size of the output's delta."""
        return collapsed(ends)
