"""Normalisation by fixed statistics."""

from __future__ import annotations

import numpy as np

from deeplift_engine.build.place import Place, Refused
from deeplift_engine.layers import Scale


def batch_normalization(place: Place) -> str:
    """BatchNormalization on any axis, with or without scale and centre.

    The factor and offset are computed in float64 and then rounded once.
    """
    if place.option("mode", 0) == 1:
        raise Refused("mode=1 of Keras 1 normalises each sample by its own statistics")
    axis = place.option("axis", -1)
    if isinstance(axis, tuple):
        if len(axis) != 1:
            raise Refused(f"axis={list(axis)}: only one axis can be normalised")
        axis = axis[0]
    rank = len(place.shape())
    axis = axis if axis > 0 else axis + rank + 1
    weights = {role: np.asarray(array, np.float64) for role, array in place.spec.weights.items()}
    factor = 1.0 / np.sqrt(weights["moving_variance"] + float(place.option("epsilon", 1e-3)))
    factor = factor * weights.get("gamma", 1.0)
    offset = weights.get("beta", 0.0) - weights["moving_mean"] * factor
    dtype = place.draft.dtype
    return place.scale(factor.astype(dtype), offset.astype(dtype), axis)


def rescaling(place: Place) -> str:
    """Rescaling: x · scale + offset."""
    dtype = place.draft.dtype
    factor = np.asarray(place.option("scale", 1.0), dtype)
    return place.add(Scale(factor, np.asarray(place.option("offset", 0.0), dtype)))
