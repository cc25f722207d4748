"""A layer applied to every step of a sequence: Keras's TimeDistributed.

Steps are merged with the batch around the inner layer. What works on trailing axes alone needs
no wrapper, and stays what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from deeplift_engine.layers.families import Joint, Linear, Selection
from deeplift_engine.layers.layer import Layer
from deeplift_engine.layers.recurrence import Recurrence
from deeplift_engine.tensors.tensor_ops import merge, split
from deeplift_engine.util.typing import Array, Tensor


def over_time(layer: Layer) -> Layer:
    """The layer for inputs (n, steps, ...) that does to every step what ``layer`` does."""
    if isinstance(layer, Recurrence):
        return replace(layer, axis=layer.axis + 1)
    if layer.any_rank:
        return layer
    if isinstance(layer, Linear):
        return DistributedLinear(layer)
    if isinstance(layer, Selection):
        return DistributedSelection(layer)
    if isinstance(layer, Joint):
        return DistributedJoint(layer)
    return layer


def _stepwise(function: Any, tensors: Sequence[Tensor]) -> Tensor:
    axes = tf.shape(tensors[0])[:2]
    output = split(function(*(merge(tensor, 2) for tensor in tensors)), axes, 2)
    output.set_shape([None, tensors[0].shape[1], *output.shape[2:]])
    return output


@dataclass(frozen=True)
class DistributedLinear(Linear):
    """A linear layer at every step."""

    inner: Linear

    @property
    def core(self) -> Layer:
        """The inner layer."""
        return self.inner.core

    @property
    def has_kernel(self) -> bool:  # type: ignore[override]
        """As the inner layer."""
        return self.inner.has_kernel

    def linear(self, *inputs: Tensor) -> Tensor:
        """The inner map of every step."""
        return _stepwise(self.inner.linear, inputs)

    def forward(self, *inputs: Tensor) -> Tensor:
        """The inner layer of every step."""
        return _stepwise(self.inner.forward, inputs)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """The inner transposed map of every step."""
        axes = tf.shape(multiplier)[:2]
        steps = multiplier.shape[1]
        transposed = self.inner.transpose(merge(multiplier, 2), [shape[1:] for shape in shapes])
        sent = []
        for tensor, shape in zip(transposed, shapes, strict=True):
            steps_apart = split(tensor, axes, 2)
            known = [size if isinstance(size, int) else None for size in shape[1:]]
            # the transposed map may leave axes at size 1 for what reads them to broadcast
            sizes = [
                size if own != 1 else own
                for size, own in zip(known, tensor.shape[1:].as_list(), strict=True)
            ]
            steps_apart.set_shape([None, steps, *sizes])
            sent.append(steps_apart)
        return sent

    def absolute(self) -> Linear:
        """The inner layer's, at every step."""
        return DistributedLinear(self.inner.absolute())

    def scaled_after(self, factor: Array, offset: Array | None) -> Linear | None:
        """The inner layer's, at every step."""
        merged = self.inner.scaled_after(factor, offset)
        return DistributedLinear(merged) if isinstance(merged, Linear) else None

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along the steps."""
        return axis == 0


@dataclass(frozen=True)
class DistributedSelection(Selection):
    """A selection at every step."""

    inner: Selection

    @property
    def sign(self) -> int:  # type: ignore[override]
        """As the inner layer."""
        return self.inner.sign

    @property
    def pools(self) -> bool:  # type: ignore[override]
        """As the inner layer."""
        return self.inner.pools

    @property
    def many_steps(self) -> bool:  # type: ignore[override]
        """As the inner layer."""
        return self.inner.many_steps

    def forward(self, *inputs: Tensor) -> Tensor:
        """The inner layer of every step."""
        return _stepwise(self.inner.forward, inputs)

    def equal_shares(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor]:
        """The inner layer's, at every step."""
        axes = tf.shape(multiplier)[:3]
        steps = split(merge(multiplier, 3), tf.stack([axes[0], -1]), 2)
        shares = self.inner.equal_shares([merge(point, 2) for point in points], steps)
        return [split(merge(each, 2), axes, 3) for each in shares]

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along the steps."""
        return axis == 0


@dataclass(frozen=True)
class DistributedJoint(Joint):
    """A joint layer at every step."""

    inner: Joint

    @property
    def exact(self) -> bool:  # type: ignore[override]
        """As the inner layer."""
        return self.inner.exact

    @property
    def nodes(self) -> int:
        """As the inner layer."""
        return self.inner.nodes

    def forward(self, *inputs: Tensor) -> Tensor:
        """The inner layer of every step."""
        return _stepwise(self.inner.forward, inputs)

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Along the steps."""
        return axis == 0
