"""LocallyConnected1D and LocallyConnected2D of Keras 1 and 2, in each of their three layouts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.layers import LocallyConnected
from deeplift_engine.translate.kernels import numbers, on_channels_last, source_shape
from deeplift_engine.translate.layer_context import LayerContext, Refusal
from deeplift_engine.util.typing import Array

Sizes = tuple[int, ...]


def locally_connected(context: LayerContext) -> str:
    """A kernel of its own at every position; strides, valid and same padding."""
    shape = source_shape(context)
    if None in shape:
        raise Refusal(
            f"its kernel belongs to one size of input, met {context.shape()}",
            "Give the model's input the shape that it was trained with.",
        )
    windows = _windows(context, tuple(size or 0 for size in shape))
    implementation = int(context.option("implementation", 1))
    if implementation not in LAYOUTS:
        raise Refusal(f"implementation={implementation}: the layout of its kernel is not known")
    try:
        kernel = LAYOUTS[implementation](windows, context.weight("kernel"))
    except ValueError as error:
        raise Refusal(
            f"its kernel has shape {context.weight('kernel').shape}, which does not fit its options"
            f" and an input of shape {context.shape()} under implementation={implementation}",
            "Check that the architecture belongs to these weights.",
        ) from error
    bias = context.optional("bias")
    if bias is not None and windows.first:
        # Keras adds the bias (positions..., filters) as if its numbers came channels first.
        bias = np.moveaxis(bias.reshape(windows.filters, *windows.positions), 0, -1)
    layer = LocallyConnected(kernel, bias, windows.strides, windows.margins())
    return on_channels_last(context, layer)


@dataclass(frozen=True)
class _Windows:
    """Where each output reads: sizes of the input, windows, positions, along spatial axes.

    ``starts`` says how far before its position a window begins.
    """

    sizes: Sizes
    channels: int
    size: Sizes
    strides: Sizes
    starts: Sizes
    positions: Sizes
    filters: int
    first: bool

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.sizes)

    @property
    def shape(self) -> Sizes:
        """(positions..., window..., in, out)."""
        return (*self.positions, *self.size, self.channels, self.filters)

    def margins(self) -> list[tuple[int, int]]:
        """Zeros around the input for windows that reach over its ends."""
        return [
            (start, (count - 1) * stride + size - start - length)
            for start, count, stride, size, length in zip(
                self.starts, self.positions, self.strides, self.size, self.sizes, strict=True
            )
        ]

    def index(self, axis: int) -> NDArray[np.int64]:
        """Index along an axis of `shape`, to be broadcast against the others."""
        along = [1] * len(self.shape)
        along[axis] = -1
        return np.arange(self.shape[axis]).reshape(along)

    def reads(self, axis: int) -> NDArray[np.int64]:
        """Place of the input that is read, along a spatial axis."""
        start = self.index(axis) * self.strides[axis] - self.starts[axis]
        return start + self.index(self.rank + axis)

    def inside(self) -> NDArray[np.bool_]:
        """Which of `shape` read the input, not what lies around it."""
        inside = np.ones(self.shape, bool)
        for axis, size in enumerate(self.sizes):
            inside &= (self.reads(axis) >= 0) & (self.reads(axis) < size)
        return inside

    def flat(self, positions: Sequence[Array], channel: Array, sizes: Sequence[int]) -> Array:
        """Index into a flattened tensor in the layer's data format."""
        order = [channel, *positions] if self.first else [*positions, channel]
        lengths = [sizes[-1], *sizes[:-1]] if self.first else sizes
        total = np.zeros(self.shape, np.int64)
        for index, length in zip(order, lengths, strict=True):
            total = total * length + index
        return total


def _windows(context: LayerContext, shape: Sizes) -> _Windows:
    *sizes, channels = shape
    rank = len(sizes)
    size = numbers(context.option("kernel_size"), rank)
    strides = numbers(context.option("strides", 1), rank)
    same = context.option("padding", "valid") == "same"
    return _Windows(
        tuple(sizes),
        channels,
        size,
        strides,
        tuple(length // 2 if same else 0 for length in size),
        tuple(
            -(-(length if same else length - window + 1) // stride)
            for length, window, stride in zip(sizes, size, strides, strict=True)
        ),
        int(context.option("filters")),
        context.option("data_format") == "channels_first",
    )


def _of_windows(windows: _Windows, kernel: Array) -> Array:
    """Implementation 1: (positions, window · in, out), channels before the window if first."""
    if not windows.first:
        return kernel.reshape(windows.shape)
    channels_first = (*windows.positions, windows.channels, *windows.size, windows.filters)
    return np.moveaxis(kernel.reshape(channels_first), windows.rank, -2)


def _of_pairs(windows: _Windows, kernel: Array) -> Array:
    """Implementation 2: a number for every pair of an input and an output, most not used."""
    rank = windows.rank
    if windows.first:  # (in, spatial..., out, positions...)
        kernel = np.moveaxis(np.moveaxis(kernel, 0, rank), rank + 1, -1)
    expected = (*windows.sizes, windows.channels, *windows.positions, windows.filters)
    if kernel.shape != expected:
        raise ValueError(f"shape {kernel.shape}, expected {expected}")
    positions = [
        np.clip(windows.reads(axis), 0, size - 1) for axis, size in enumerate(windows.sizes)
    ]
    outputs = [windows.index(axis) for axis in range(rank)]
    spread = kernel[(*positions, windows.index(2 * rank), *outputs, windows.index(2 * rank + 1))]
    return np.where(windows.inside(), spread, 0)


def _of_a_list(windows: _Windows, kernel: Array) -> Array:
    """Implementation 3: the numbers in use, by the output's flat index and then the input's."""
    rank = windows.rank
    outputs = [windows.index(axis) for axis in range(rank)]
    positions = [windows.reads(axis) for axis in range(rank)]
    ending = windows.flat(
        outputs, windows.index(2 * rank + 1), (*windows.positions, windows.filters)
    )
    starting = windows.flat(positions, windows.index(2 * rank), (*windows.sizes, windows.channels))
    inside = windows.inside().ravel()
    order = np.lexsort((starting.ravel()[inside], ending.ravel()[inside]))
    if kernel.shape != order.shape:
        raise ValueError(f"{kernel.shape} numbers, expected {order.shape}")
    spread = np.zeros(math.prod(windows.shape), kernel.dtype)
    spread[np.flatnonzero(inside)[order]] = kernel
    return spread.reshape(windows.shape)


LAYOUTS = {1: _of_windows, 2: _of_pairs, 3: _of_a_list}
"""How each implementation of Keras keeps the kernel."""
