"""Which axis of an array has letters: one-hot rows, shares of letters, or nothing at all."""

from __future__ import annotations

import numpy as np

from deeplift_engine.util.typing import Array

_ROUNDING = 1e-4


def letter_rows(array: Array, axis: int) -> Array:
    """Whether each row along ``axis`` may be a letter: not negative, and its sum is 1 or 0."""
    totals = array.sum(axis=axis)
    is_share = np.minimum(np.abs(totals), np.abs(totals - 1)) <= _ROUNDING
    return np.asarray(is_share & (array.min(axis=axis) >= 0))


def has_letters(array: Array, axis: int) -> bool:
    """Whether all rows of ``(N, ...)`` along an axis, but that of N, are letters.

    Rows have two entries or more, and are one-hot, shares that sum to 1 (as where a letter is
    unknown), or zeros. Not all are zeros: an empty control track has no letters. Neither have
    tokens, which are whole numbers.
    """
    if not (0 < axis < array.ndim or -array.ndim < axis < 0) or array.shape[axis] < 2:
        return False
    is_number = array.dtype.kind == "f"
    return bool(is_number and array.any() and letter_rows(array, axis).all())


def letter_axis(array: Array) -> int | None:
    """The last axis of ``(N, ...)`` that `has_letters`, from the end; None where none has."""
    return next((axis for axis in range(-1, -array.ndim, -1) if has_letters(array, axis)), None)
