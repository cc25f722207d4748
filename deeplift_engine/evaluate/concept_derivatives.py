"""How coefficients of concepts change with a layer's activations: least squares, differentiated.

The coefficients u of activations a (C,) are those of least squares that are 0 or more,
``min |a - uW|²`` for directions W (R, C). At the minimum the concepts S with u > 0 solve the plain
least squares among themselves, and the others stay 0 nearby: u is linear in a, with the
pseudo-inverse of W_S as its derivative (implicit differentiation of the optimality conditions).
"""

from __future__ import annotations

import numpy as np

from deeplift_engine.util.optional import optional
from deeplift_engine.util.typing import Array


def derivatives(directions: Array, activations: Array, concepts: Array) -> Array:
    """Derivatives (len(concepts), M, C) of concepts' coefficients by activations (M, C).

    Their products with the activations, added over the channels, are the coefficients.

    Raises
    ------
    DeepliftEngineError
        If scipy is not installed.
    """
    nnls = optional("scipy.optimize", "scipy").nnls
    active = np.array([nnls(directions.T, row)[0] > 0 for row in activations])
    patterns, own = np.unique(active, axis=0, return_inverse=True)
    slopes = np.zeros((len(patterns), *directions.shape))
    for slope, pattern in zip(slopes, patterns, strict=True):
        slope[pattern] = np.linalg.pinv(directions[pattern]).T
    return np.stack([slopes[own.ravel(), concept] for concept in concepts])


__all__ = ["derivatives"]
