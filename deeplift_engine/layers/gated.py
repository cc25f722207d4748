"""Gated linear units (Dauphin et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from deeplift_engine.layers.activations import Activation
from deeplift_engine.layers.families import Composite
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class GatedLinear(Composite):
    """a · sigmoid(b), with a and b the two halves of the last axis.

    Its rule is that of the product of a and sigmoid(b), and Rescale for the sigmoid.
    """

    def forward(self, *inputs: Tensor) -> Tensor:
        """(n, ..., 2·c) → (n, ..., c)."""
        value, gate = tf.split(inputs[0], 2, axis=-1)
        return value * tf.sigmoid(gate)

    def cross(
        self, inputs: Sequence[Tensor], references: Sequence[Tensor], multiplier: Tensor
    ) -> list[Tensor]:
        """m_a = m · mean of sigmoid(b); m_b = m · mean of a · slope of the sigmoid."""
        (value, gate), (value0, gate0) = (
            tf.split(end, 2, axis=-1) for end in (*inputs, *references)
        )
        at_value = multiplier * (tf.sigmoid(gate) + tf.sigmoid(gate0)) / 2
        at_gate = multiplier * (value + value0) / 2 * Activation("sigmoid").slope(gate, gate0)
        return [tf.concat([at_value, at_gate], axis=-1)]

    def share(self, inputs: Sequence[Tensor], relevance: Tensor) -> list[Tensor]:
        """All to the value, none to its gate."""
        return [tf.concat([relevance, tf.zeros_like(relevance)], axis=-1)]
