"""Values as probabilities along an axis."""

from __future__ import annotations

import numpy as np

from deeplift_engine.util.typing import Array


def softmax(values: Array, axis: int = -1) -> Array:
    """Exponentials that sum to 1 along an axis, in the dtype of the values; never overflows."""
    powers = np.exp(values - values.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


__all__ = ["softmax"]
