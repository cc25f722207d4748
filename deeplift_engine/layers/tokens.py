"""Layers that read tokens: embeddings, masks and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import tensorflow as tf

from deeplift_engine.layers.families import Composite, Lookup
from deeplift_engine.tensors.constants import captured
from deeplift_engine.tensors.tensor_ops import safe_divide
from deeplift_engine.util.typing import Array, Tensor


@dataclass(frozen=True, eq=False)
class Embedding(Lookup):
    """One row of ``table`` (tokens, features) for every token."""

    table: Array
    is_gate: ClassVar[bool] = False

    @property
    def vocabulary(self) -> int:
        """Number of rows."""
        return len(self.table)

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along every axis."""
        return True

    def forward(self, *inputs: Tensor) -> Tensor:
        """(n, ...) of whole numbers → (n, ..., features)."""
        return tf.gather(self._captured, tf.cast(inputs[0], tf.int32))

    @cached_property
    def _captured(self) -> Tensor:
        return captured(self.table)


@dataclass(frozen=True)
class TokenFunction(Lookup):
    """Any function of tokens, element by element: comparisons, casts.

    Several tensors of tokens are broadcast against each other; what the output contributes is
    shared equally by those of its tokens that are not their references. ``is_condition`` says
    that it gives 0 and 1, as masks are made.
    """

    function: Callable[..., Tensor]
    is_condition: bool = field(default=False, kw_only=True)  # type: ignore[misc]

    def forward(self, *inputs: Tensor) -> Tensor:
        """The function's value."""
        return self.function(*inputs)

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along every axis."""
        return True


@dataclass(frozen=True)
class UsedSteps(Composite):
    """The mask of a Masking layer: 1 for steps that hold anything but ``value``, else 0.

    ``value`` is a number, or one for each feature.

    A step whose mask changed holds at least one feature that did; they share the mask's
    contribution by the squares of their differences.
    """

    value: float | tuple[float, ...] = 0.0
    is_gate: ClassVar[bool] = True
    is_condition: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """(n, ..., features) → (n, ...)."""
        return tf.cast(tf.reduce_any(self._differs(inputs[0]), axis=-1), inputs[0].dtype)

    def _differs(self, values: Tensor) -> Tensor:
        return values != tf.constant(self.value, values.dtype)

    def cross(
        self, inputs: Sequence[Tensor], references: Sequence[Tensor], multiplier: Tensor
    ) -> list[Tensor]:
        """m_x = m · Δμ · Δx / Σ Δx²."""
        delta = inputs[0] - references[0]
        change = self.forward(*inputs) - self.forward(*references)
        largest = tf.reduce_max(tf.abs(delta), axis=-1, keepdims=True)
        unit = safe_divide(delta, largest + tf.zeros_like(delta))
        length = tf.reduce_sum(unit * unit, axis=-1, keepdims=True) * largest
        shares = safe_divide(unit, length + tf.zeros_like(unit))
        return [(multiplier * change)[..., tf.newaxis] * shares]

    def share(self, inputs: Sequence[Tensor], relevance: Tensor) -> list[Tensor]:
        """Equal shares to the features for which the step is used."""
        used = tf.cast(self._differs(inputs[0]), relevance.dtype)
        count = tf.reduce_sum(used, axis=-1, keepdims=True)
        return [relevance[..., tf.newaxis] * safe_divide(used, count + tf.zeros_like(used))]
