"""Normalisation, by fixed statistics and by the input's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeplift_engine.layers import Composite, Scale
from deeplift_engine.layers.normalizing import Grouped, Standardized
from deeplift_engine.translate.layer_context import Place, Refused
from deeplift_engine.util.typing import Array

KERAS_EPSILON = 1e-7
"""What Keras's Normalization has its deviations at least as large as."""


def batch_normalization(place: Place) -> str:
    """BatchNormalization on any axes, with or without scale and centre.

    The factor and offset are computed in float64 and then rounded once. A mask matters in
    training alone.
    """
    if place.option("mode", 0) == 1:
        raise Refused("mode=1 of Keras 1 normalises each sample by its own statistics")
    place.argument("mask")
    weights = {role: np.asarray(array, np.float64) for role, array in place.spec.weights.items()}
    factor = 1.0 / np.sqrt(weights["moving_variance"] + float(place.option("epsilon", 1e-3)))
    factor = factor * weights.get("gamma", 1.0)
    offset = weights.get("beta", 0.0) - weights["moving_mean"] * factor
    dtype = place.draft.dtype
    axes = _axes(place)
    if len(axes) == 1:
        position = axes[0] + len(place.shape()) + 1
        return place.scale(factor.astype(dtype), offset.astype(dtype), position)
    along = [_along(place, array.astype(dtype), axes) for array in (factor, offset)]
    return place.add(Scale(*along))


def rescaling(place: Place) -> str:
    """Rescaling: x · scale + offset."""
    dtype = place.draft.dtype
    factor = np.asarray(place.option("scale", 1.0), dtype)
    return place.add(Scale(factor, np.asarray(place.option("offset", 0.0), dtype)))


def layer_normalization(place: Place) -> str:
    """LayerNormalization over any axes.

    With ``rms_scaling`` Keras divides the input, its mean left in, by its standard deviation.
    """
    axes = _axes(place)
    layer = Standardized(
        axes, float(place.option("epsilon", 1e-3)), centred=not place.option("rms_scaling", False)
    )
    return _scaled(place, layer, *(_optional(place, role, axes) for role in ("gamma", "beta")))


def rms_normalization(place: Place) -> str:
    """RMSNormalization: Keras broadcasts its scale as it is, to the last axes."""
    epsilon = float(place.option("epsilon", 1e-6))
    layer = Standardized(_axes(place), epsilon, centred=False, about_mean=False)
    return _scaled(place, layer, place.weight("scale"))


def group_normalization(place: Place) -> str:
    """GroupNormalization: statistics over all of a group, of every axis but the batch."""
    (axis,) = axes = _axes(place)
    rank = len(place.shape())
    channels = place.shape()[axis]
    groups = int(place.option("groups", 32))
    if channels is None:
        raise Refused(f"axis={place.option('axis')} has no fixed size")
    groups = channels if groups == -1 else groups
    if channels % groups:
        raise Refused(f"its {channels} channels cannot be split into {groups} groups")
    within = tuple(position for position in range(-rank - 1, 0) if position != axis - 1)
    layer = Grouped(Standardized(within, float(place.option("epsilon", 1e-3))), groups, axis)
    return _scaled(place, layer, *(_optional(place, role, axes) for role in ("gamma", "beta")))


def unit_normalization(place: Place) -> str:
    """UnitNormalization: to length 1 over any axes."""
    return place.add(unit_length(_axes(place), 1e-12 if place.draft.era >= 3 else 1e-6))


def unit_length(axes: tuple[int, ...], shortest: float) -> Standardized:
    """x over its length, or over ``shortest`` where that is larger; axes from the end."""
    return Standardized(axes, 0.0, centred=False, about_mean=False, shortest=shortest)


def normalization(place: Place) -> str:
    """Normalization by statistics of the data, or its inverse.

    The mean is taken off before anything is scaled, as in Keras: data far from 0 lose no digits.
    """
    axes = _axes(place)
    mean, variance = (_statistic(place, role, axes) for role in ("mean", "variance"))
    deviation = np.maximum(np.sqrt(variance), KERAS_EPSILON)
    dtype = place.draft.dtype
    if place.option("invert", False):
        return place.add(Scale(deviation.astype(dtype), mean.astype(dtype)))
    one = np.ones((), dtype)
    centred = place.add(Scale(one, -mean.astype(dtype)), suffix="/centred")
    return place.add(Scale((1 / deviation).astype(dtype)), centred)


def _axes(place: Place) -> tuple[int, ...]:
    """The option ``axis`` as axes from the end."""
    axis = place.option("axis", -1)
    rank = len(place.shape())
    axes = () if axis is None else axis if isinstance(axis, Sequence) else (axis,)
    found = tuple(int(entry) if entry < 0 else int(entry) - rank - 1 for entry in axes)
    if any(not -rank <= entry < 0 for entry in found):
        raise Refused(f"axis={axis} is no feature axis of a rank-{rank + 1} input")
    return found


def _along(place: Place, array: Array, axes: Sequence[int]) -> Array:
    """An array over ``axes``, in their order in the input, to be broadcast against it."""
    shape = [1] * len(place.shape())
    for axis in axes:
        shape[axis] = place.shape()[axis] or 1
    return array.reshape(shape)


def _optional(place: Place, role: str, axes: Sequence[int]) -> Array | None:
    array = place.optional(role)
    return None if array is None else _along(place, array, axes)


def _scaled(
    place: Place, layer: Composite, factor: Array | None, offset: Array | None = None
) -> str:
    """The layer, times ``factor`` plus ``offset``."""
    if factor is None and offset is None:
        return place.add(layer)
    inner = place.add(layer, suffix="/standardized")
    one = np.ones((), place.draft.dtype)
    return place.add(Scale(one if factor is None else factor, offset), inner)


def _statistic(place: Place, role: str, axes: Sequence[int]) -> Array:
    """The mean or variance along ``axes`` in float64, from the options or the weights."""
    given = place.option(role)
    values = np.asarray(place.spec.weights[role] if given is None else given, np.float64)
    if given is None:
        return _along(place, values, sorted(axes))
    kept = sorted(axes)[len(axes) - values.ndim :] if values.ndim <= len(axes) else ()
    if len(kept) == values.ndim:  # fewer axes than are kept belong to the last of these
        shape = [1] * len(place.shape())
        for axis, size in zip(kept, values.shape, strict=True):
            shape[axis] = size
        return values.reshape(shape)
    return values
