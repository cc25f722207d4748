"""Locally connected layers: convolutions with a kernel of its own at every position."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import tensorflow as tf

from deeplift_engine.layers.channel_scaling import along, scaled_outputs
from deeplift_engine.layers.correlation import Margins, spread_out
from deeplift_engine.layers.families import Linear
from deeplift_engine.layers.layer import Shape
from deeplift_engine.tensors.constants import captured, constant
from deeplift_engine.util.typing import Array, Tensor


@dataclass(frozen=True, eq=False)
class LocallyConnected(Linear):
    """Windows of a sequence or an image, each times its own matrix.

    Attributes
    ----------
    kernel
        (positions..., window..., in, out).
    bias
        (positions..., out), or None.
    strides
        Between windows, along each spatial axis.
    margins
        Zeros before and after, along each spatial axis; below 0 where the last windows end
        before the input does.
    """

    kernel: Array
    bias: Array | None
    strides: tuple[int, ...]
    margins: Margins
    has_kernel: ClassVar[bool] = True
    kernel_family: ClassVar[str | None] = "convolution"

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, spatial..., in) → (n, positions..., out)."""
        x = tf.pad(inputs[0], [(0, 0), *((max(a, 0), max(b, 0)) for a, b in self.margins), (0, 0)])
        spans = [
            [
                slice(start, start + (count - 1) * stride + 1, stride)
                for start, count, stride in zip(tap, self._positions, self.strides, strict=True)
            ]
            for tap in self._taps()
        ]
        windows = tf.concat([x[(slice(None), *span)] for span in spans], axis=-1)
        count = math.prod(self._positions)
        flat = tf.reshape(windows, [-1, count, self._matrices.shape[1]])
        output = tf.einsum("npk,pkf->npf", flat, self._matrices)
        return tf.reshape(output, [-1, *self._positions, self.kernel.shape[-1]])

    def forward(self, *inputs: Tensor) -> Tensor:
        """The map with its bias."""
        output = self.linear(*inputs)
        return output if self.bias is None else output + constant(self.bias)

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """(n, positions..., out) → (n, spatial..., in): the sum of every window's share."""
        count = math.prod(self._positions)
        flat = tf.reshape(multiplier, [-1, count, self.kernel.shape[-1]])
        windows = tf.einsum("npf,pkf->npk", flat, self._matrices)
        padded = [
            size + max(before, 0) + max(after, 0)
            for size, (before, after) in zip(shapes[0][:-1], self.margins, strict=True)
        ]
        taps = tf.split(
            tf.reshape(windows, [-1, *self._positions, windows.shape[-1]]),
            len(list(self._taps())),
            axis=-1,
        )
        total = tf.add_n(
            [
                self._at_tap(of_tap, tap, padded)
                for of_tap, tap in zip(taps, self._taps(), strict=True)
            ]
        )
        inside = [
            slice(max(before, 0), max(before, 0) + size)
            for size, (before, _) in zip(shapes[0][:-1], self.margins, strict=True)
        ]
        return [total[(slice(None), *inside)]]

    @property
    def _positions(self) -> tuple[int, ...]:
        return self.kernel.shape[: len(self.strides)]

    def _taps(self) -> Iterator[tuple[int, ...]]:
        """Every tap of a window."""
        sizes = self.kernel.shape[len(self.strides) : 2 * len(self.strides)]
        return itertools.product(*map(range, sizes))

    @cached_property
    def _matrices(self) -> Tensor:
        """One tensor (positions, window · in, out) for every function that is traced."""
        count = math.prod(self._positions)
        return captured(self.kernel.reshape(count, -1, self.kernel.shape[-1]))

    def _at_tap(self, of_tap: Tensor, tap: Sequence[int], sizes: Sequence[int]) -> Tensor:
        """The share of one tap of all windows at the positions that it reads, zeros elsewhere."""
        margins = []
        axes = enumerate(zip(tap, self._positions, self.strides, sizes, strict=True), start=1)
        for axis, (start, count, stride, size) in axes:
            reach = (count - 1) * stride + 1
            of_tap = spread_out(of_tap, axis, stride, reach)
            margins.append((start, size - start - reach))
        return tf.pad(of_tap, [(0, 0), *margins, (0, 0)])

    def work(self, inputs: Sequence[Shape], output: Shape) -> float:
        """Every coefficient is used once."""
        return float(self.kernel.size)

    def scaled_after(self, factor: Array, offset: Array | None) -> Linear | None:
        """The kernel and the bias times the factor."""
        merged = scaled_outputs(
            self.kernel, self.bias, (factor, offset), self.kernel.shape[-1], along(-1)
        )
        return merged and replace(self, kernel=merged[0], bias=merged[1])
