"""Normalisation, by fixed statistics and by the input's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplift_engine.layers import Composite, Scale
from deeplift_engine.layers.normalizing import Grouped, Standardized
from deeplift_engine.translate.layer_context import LayerContext, Refusal
from deeplift_engine.util.typing import Array

KERAS_EPSILON = 1e-7
"""What Keras's Normalization has its deviations at least as large as."""


def batch_normalization(context: LayerContext) -> str:
    """BatchNormalization on any axes, with or without scale and centre.

    The factor and offset are computed in float64 and then rounded once. A mask matters in
    training alone.
    """
    if context.option("mode", 0) == 1:
        raise Refusal("mode=1 of Keras 1 normalises each sample by its own statistics")
    context.argument("mask")
    weights = {role: np.asarray(array, np.float64) for role, array in context.spec.weights.items()}
    factor = 1.0 / np.sqrt(weights["moving_variance"] + float(context.option("epsilon", 1e-3)))
    factor = factor * weights.get("gamma", 1.0)
    offset = weights.get("beta", 0.0) - weights["moving_mean"] * factor
    dtype = context.builder.dtype
    axes = _axes(context)
    if len(axes) == 1:
        position = axes[0] + len(context.shape()) + 1
        return context.scale(factor.astype(dtype), offset.astype(dtype), position)
    along = [_along(context, array.astype(dtype), axes) for array in (factor, offset)]
    return context.add(Scale(*along))


def rescaling(context: LayerContext) -> str:
    """Rescaling: x · scale + offset."""
    rank = len(context.shape())
    factor, offset = (
        context.aligned(context.option(name, default), rank, f"its {name}")
        for name, default in (("scale", 1.0), ("offset", 0.0))
    )
    source = context.widened(context.inputs[0], [factor, offset])
    return context.add(Scale(factor, offset), source)


def layer_normalization(context: LayerContext) -> str:
    """LayerNormalization over any axes.

    With ``rms_scaling`` Keras divides the input, its mean left in, by its standard deviation.
    """
    axes = _axes(context)
    layer = Standardized(
        axes,
        float(context.option("epsilon", 1e-3)),
        centred=not context.option("rms_scaling", False),
    )
    return _scaled(context, layer, *(_optional(context, role, axes) for role in ("gamma", "beta")))


def rms_normalization(context: LayerContext) -> str:
    """RMSNormalization: Keras broadcasts its scale as it is, to the last axes."""
    epsilon = float(context.option("epsilon", 1e-6))
    layer = Standardized(_axes(context), epsilon, centred=False, about_mean=False)
    return _scaled(context, layer, context.weight("scale"))


def group_normalization(context: LayerContext) -> str:
    """GroupNormalization: statistics over all of a group, of every axis but the batch."""
    (axis,) = axes = _axes(context)
    rank = len(context.shape())
    channels = context.shape()[axis]
    groups = int(context.option("groups", 32))
    if channels is None:
        raise Refusal(f"axis={context.option('axis')} has no fixed size")
    groups = channels if groups == -1 else groups
    if channels % groups:
        raise Refusal(f"its {channels} channels cannot be split into {groups} groups")
    within = tuple(position for position in range(-rank - 1, 0) if position != axis - 1)
    layer = Grouped(Standardized(within, float(context.option("epsilon", 1e-3))), groups, axis)
    return _scaled(context, layer, *(_optional(context, role, axes) for role in ("gamma", "beta")))


def unit_normalization(context: LayerContext) -> str:
    """UnitNormalization: to length 1 over any axes."""
    return context.add(unit_length(_axes(context), 1e-12 if context.builder.era >= 3 else 1e-6))


def unit_length(axes: tuple[int, ...], shortest: float) -> Standardized:
    """x over its length, or over ``shortest`` where that is larger; axes from the end."""
    return Standardized(axes, 0.0, centred=False, about_mean=False, shortest=shortest)


def normalization(context: LayerContext) -> str:
    """Normalization by statistics of the data, or its inverse.

    The mean is taken off before anything is scaled, as in Keras: data far from 0 lose no digits.
    """
    axes = _axes(context)
    mean, variance = (_statistic(context, role, axes) for role in ("mean", "variance"))
    deviation = np.maximum(np.sqrt(variance), KERAS_EPSILON)
    dtype = context.builder.dtype
    if context.option("invert", False):
        return context.add(Scale(deviation.astype(dtype), mean.astype(dtype)))
    one = np.ones((), dtype)
    centred = context.add(Scale(one, -mean.astype(dtype)), suffix="/centred")
    return context.add(Scale((1 / deviation).astype(dtype)), centred)


def _axes(context: LayerContext) -> tuple[int, ...]:
    """The option ``axis`` as axes from the end."""
    axis = context.option("axis", -1)
    rank = len(context.shape())
    axes = () if axis is None else axis if isinstance(axis, Sequence) else (axis,)
    negative = tuple(int(entry) if entry < 0 else int(entry) - rank - 1 for entry in axes)
    if any(not -rank <= entry < 0 for entry in negative):
        raise Refusal(f"axis={axis} is no feature axis of a rank-{rank + 1} input")
    return negative


def _along(context: LayerContext, array: Array, axes: Sequence[int]) -> Array:
    """An array over ``axes``, in their order in the input, to be broadcast against it."""
    shape = [1] * len(context.shape())
    for axis in axes:
        shape[axis] = context.shape()[axis] or 1
    return array.reshape(shape)


def _optional(context: LayerContext, role: str, axes: Sequence[int]) -> Array | None:
    array = context.optional(role)
    return None if array is None else _along(context, array, axes)


def _scaled(
    context: LayerContext, layer: Composite, factor: Array | None, offset: Array | None = None
) -> str:
    """The layer, times ``factor`` plus ``offset``."""
    if factor is None and offset is None:
        return context.add(layer)
    inner = context.add(layer, suffix="/standardized")
    one = np.ones((), context.builder.dtype)
    return context.add(Scale(one if factor is None else factor, offset), inner)


def _statistic(context: LayerContext, role: str, axes: Sequence[int]) -> Array:
    """The mean or variance along ``axes`` in float64, from the options or the weights."""
    option = context.option(role)
    values = np.asarray(context.spec.weights[role] if option is None else option, np.float64)
    if option is None:
        return _along(context, values, sorted(axes))
    array_axes = sorted(axes)[len(axes) - values.ndim :] if values.ndim <= len(axes) else ()
    if len(array_axes) == values.ndim:  # fewer axes than are kept belong to the last of these
        shape = [1] * len(context.shape())
        for axis, size in zip(array_axes, values.shape, strict=True):
            shape[axis] = size
        return values.reshape(shape)
    return values
