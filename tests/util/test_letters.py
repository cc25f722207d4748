"""Which axis of an array has letters is told by the data."""

from __future__ import annotations

import numpy as np
import pytest

from deeplift_engine.util.letters import has_letters, letter_axis

DNA = np.eye(4, dtype="float32")[np.random.default_rng(0).integers(4, size=(3, 11))]
UNKNOWN = DNA.copy()
UNKNOWN[0, 2], UNKNOWN[1, 3:5] = 0.25, 0


@pytest.mark.parametrize(
    ("array", "axis"),
    [
        (DNA, -1),
        (UNKNOWN, -1),
        (DNA[..., np.newaxis], -2),
        (DNA[:, np.newaxis], -1),
        (np.moveaxis(DNA, -1, 1), -2),
        (np.moveaxis(DNA, -1, 1)[:, :, np.newaxis], -3),
        (np.eye(5)[[0, 3]], -1),  # a category for each sample
        (DNA * 2 - 0.5, None),
        (DNA - 0.25, None),  # sums are 0, and entries negative
        (np.zeros((2, 11, 2)), None),  # an empty control track
        (np.ones((2, 11, 1)), None),
        (np.random.default_rng(1).normal(size=(2, 50, 12)), None),  # leads
        (np.eye(4, dtype=int)[[[0, 1]]], None),  # tokens
    ],
)
def test_letters_are_rows_that_are_one_hot_shares_or_zeros(
    array: np.ndarray, axis: int | None
) -> None:
    assert letter_axis(array) == axis
    if axis is not None:
        assert has_letters(array, axis)
        assert has_letters(array, axis + array.ndim)
        assert not has_letters(array, 0)
        assert not has_letters(array, array.ndim)
