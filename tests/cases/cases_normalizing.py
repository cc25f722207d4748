"""Cases of layers that normalise by the input's own statistics, or by those of the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers as L  # noqa: N812

from tests.cases.case import IMAGE, ROWS, SEQUENCE, VECTOR, Case, around, body

MAKERS: dict[str, tuple[tuple[int, ...], Callable[[], Any]]] = {
    "LayerNormalization": (SEQUENCE, lambda: L.LayerNormalization()),
    "LayerNormalization, vector, small epsilon": (
        VECTOR,
        lambda: L.LayerNormalization(epsilon=1e-12),
    ),
    "LayerNormalization, axes 1 2, no center": (
        SEQUENCE,
        lambda: L.LayerNormalization(axis=[1, 2], center=False),
    ),
    "LayerNormalization, axis 1 of an image, no scale": (
        IMAGE,
        lambda: L.LayerNormalization(axis=1, scale=False),
    ),
    "LayerNormalization, neither": (
        ROWS,
        lambda: L.LayerNormalization(scale=False, center=False),
    ),
    "RMSNormalization": (SEQUENCE, lambda: L.RMSNormalization()),
    "RMSNormalization, axes 1 2": (ROWS, lambda: L.RMSNormalization(axis=[1, 2], epsilon=1e-3)),
    "GroupNormalization": (SEQUENCE, lambda: L.GroupNormalization(groups=2)),
    "GroupNormalization, each channel": (IMAGE, lambda: L.GroupNormalization(groups=-1)),
    "GroupNormalization, one group, no scale": (
        VECTOR,
        lambda: L.GroupNormalization(groups=1, scale=False),
    ),
    "GroupNormalization, axis 1": (
        IMAGE,
        lambda: L.GroupNormalization(groups=4, axis=1, center=False),
    ),
    "GroupNormalization, axis -2": (
        (3, 6, 4),
        lambda: L.GroupNormalization(groups=3, axis=-2),
    ),
    "UnitNormalization": (SEQUENCE, lambda: L.UnitNormalization()),
    "UnitNormalization, axes 1 2": (IMAGE, lambda: L.UnitNormalization(axis=[1, 2])),
    "Normalization": (SEQUENCE, lambda: L.Normalization()),
    "Normalization, axis 1, inverse": (ROWS, lambda: L.Normalization(axis=1, invert=True)),
    "Normalization, axes 1 3": (IMAGE, lambda: L.Normalization(axis=(1, 3))),
    "Normalization, no axis": (
        ROWS,
        lambda: L.Normalization(axis=None, mean=2.5, variance=0.3),
    ),
    "Normalization, given, inverse": (
        VECTOR,
        lambda: L.Normalization(mean=np.arange(7) / 4.0, variance=np.arange(7) / 3.0, invert=True),
    ),
}


def free() -> keras.Model:
    """Group normalisation of images of any size, after layer normalisation over all of one."""
    x = source = keras.Input((None, None, 3), name="image")
    x = L.Conv2D(6, 3, activation="tanh")(x)
    x = L.LayerNormalization()(x)
    x = L.GroupNormalization(groups=3)(x)
    return keras.Model(source, body(L.GlobalAveragePooling2D()(x)))


def cases() -> dict[str, Case]:
    """All of them."""
    found = {name: Case(around(make, shape)) for name, (shape, make) in MAKERS.items()}
    found["normalised images of any size"] = Case(free)
    return found
