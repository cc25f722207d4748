"""Points of straight paths, as the layer that a graph begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from deeplift_engine.layers.layer import Layer
from deeplift_engine.tensors.tensor_ops import merge, unchanged
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class PathPoints(Layer):
    """An ``activation`` of the points of straight paths, (P · s, *S), a path's next to each other.

    What it reads are the starts and the ends of P paths, (P, *S) each, and s positions between
    them, from 0 to 1. It is compiled into one kernel if ``fused``.
    """

    activation: Callable[[Tensor], Tensor] = unchanged
    fused: bool = False
    kind: ClassVar[str] = "input"
    fuses_activation: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """The points of (starts, ends, positions)."""
        if not self.fused:
            return self._points(*inputs)
        compiled = tf.function(self._points, jit_compile=True, autograph=False)
        return compiled.get_concrete_function(*inputs)(*inputs)

    def _points(self, starts: Tensor, ends: Tensor, positions: Tensor) -> Tensor:
        at = tf.reshape(positions, [1, -1, *[1] * (starts.shape.rank - 1)])
        points = starts[:, tf.newaxis] + at * (ends - starts)[:, tf.newaxis]
        return self.activation(merge(points, 2))
