"""Tokens: what their embedding contributes is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from deeplift_engine.layers import Lookup
from deeplift_engine.rules.rule import LEADING, Ends, Multiplier, collapsed, deltas, folded
from deeplift_engine.tensors.tensor_ops import safe_divide
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class Tokens:
    """A token's multiplier is its contribution, the sum over all that was looked up for it.

    Several tokens of one output that changed have equal shares of it. Tokens have a
    difference-from-reference of 1 by convention: see `Comparison.delta`. Those that come as
    floats have their own, by which the contribution is divided.

    Where nothing is ``compared`` with, as under gradients, the contribution is that against zeros
    in the place of what was looked up, and floats have a difference of 1 too.
    """

    name: str = "tokens"
    complete: bool = True
    compared: bool = True
    additive: ClassVar[bool] = True

    def cross(self, layer: Lookup, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Contributions of the tokens."""
        contribution = folded(ends, arrived) * (ends.delta() if self.compared else ends.output())
        if len(ends.shapes()) > 1:
            return [Multiplier(share) for share in self._shared(contribution, ends)]
        features = range(
            contribution.shape.rank - (len(ends.shape()) - len(ends.shapes()[0])),
            contribution.shape.rank,
        )
        total = tf.reduce_sum(contribution, axis=list(features))
        if not self.compared or not ends.inputs()[0].dtype.is_floating:
            return [Multiplier(total)]
        return [Multiplier(safe_divide(total, deltas(ends)[0] + tf.zeros_like(total)))]

    def spread(self, layer: Lookup, ends: Ends) -> Tensor:
        """Size of the output's delta."""
        return collapsed(ends)

    def _shared(self, contribution: Tensor, ends: Ends) -> list[Tensor]:
        """Equal shares for those tokens of each output that are not their references."""
        pairs = zip(ends.inputs(), ends.references(), strict=True)
        changed = [
            tf.cast(x != x0 if self.compared else tf.ones_like(x), contribution.dtype)
            for x, x0 in pairs
        ]
        each = safe_divide(contribution, sum(changed[1:], changed[0]) + tf.zeros_like(contribution))
        return [
            summed_to_shape(each * share, shape, ends.shape())
            for share, shape in zip(changed, ends.shapes(), strict=True)
        ]


def summed_to_shape(share: Tensor, shape: Sequence[Any], output: Sequence[Any]) -> Tensor:
    """The sum over the axes along which a tensor of ``shape`` was repeated."""
    axes = [
        axis
        for axis, (size, full) in enumerate(zip(shape, output, strict=True), LEADING)
        if isinstance(size, int) and size == 1 and not (isinstance(full, int) and full == 1)
    ]
    return tf.reduce_sum(share, axis=axes, keepdims=True)
