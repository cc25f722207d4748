"""Kernels into which a scale of their channels is merged, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deeplift_engine.util.typing import Array

Change = Callable[[Array, Array], Array]
"""A kernel and one factor for each channel to the scaled kernel."""


def of_channels(array: Array | None, channels: int) -> Array | None:
    """One number for each channel in float64, zeros for None; None where it is no such array."""
    values = np.zeros(()) if array is None else np.asarray(array, np.float64)
    if values.size not in (1, channels) or values.shape[-1:] not in ((), (1,), (channels,)):
        return None
    return np.broadcast_to(values.ravel(), (channels,))


def scaled_outputs(
    kernel: Array,
    bias: Array | None,
    scale: tuple[Array, Array | None],
    channels: int,
    change: Change,
) -> tuple[Array, Array] | None:
    """Kernel and bias of ``(x·W + b) * factor + offset``; None where the scale is of no channels.

    Parameters
    ----------
    kernel, bias
        W, and b (channels,), or (positions..., channels), or None.
    scale
        Factor and offset.
    channels
        Number of output channels.
    change
        How the factors multiply the kernel.
    """
    factor, offset = (of_channels(array, channels) for array in scale)
    if factor is None or offset is None:
        return None
    old = np.zeros(channels) if bias is None else np.asarray(bias, np.float64)
    return cast(change, kernel, factor), (old * factor + offset).astype(kernel.dtype)


def cast(change: Change, kernel: Array, factor: Array) -> Array:
    """The change in float64, in the kernel's dtype."""
    return change(np.asarray(kernel, np.float64), factor).astype(kernel.dtype)


def along(axis: int) -> Change:
    """Multiplies a kernel along an axis, from the end."""
    return lambda kernel, factor: kernel * factor.reshape(-1, *[1] * (-axis - 1))


def by_copies(kernel: Array, factor: Array) -> Array:
    """Multiplies each copy of each channel of a depthwise kernel (..., in, multiplier)."""
    return kernel * factor.reshape(kernel.shape[-2:])


def grouped(groups: int) -> Change:
    """Multiplies the inputs (in / groups) of each group's outputs (out / groups)."""

    def change(kernel: Array, factor: Array) -> Array:
        pieces = zip(np.split(kernel, groups, axis=-1), np.split(factor, groups), strict=True)
        return np.concatenate([piece * own[:, np.newaxis] for piece, own in pieces], axis=-1)

    return change


__all__ = ["along", "by_copies", "cast", "grouped", "of_channels", "scaled_outputs"]
