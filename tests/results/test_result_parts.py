"""Inputs are those of a result, or are refused, whoever read them."""

from __future__ import annotations

import numpy as np
import pytest

from deeplift_engine.errors import InputError
from deeplift_engine.results.result_parts import check_inputs

X = np.random.default_rng(0).random((6, 5, 3)).astype("float32")


@pytest.mark.parametrize("rows", [None, [0, 4]])
def test_the_same_numbers_pass_in_any_dtype_and_but_for_rounding(rows: list[int] | None) -> None:
    tokens = np.array([[30_000], [30_001], [3], [4], [5], [6]])
    check_inputs(X, X * np.float32(255) / np.float32(255), rows)
    check_inputs(X.astype("float16"), X, rows)
    check_inputs({"a": tokens, "b": X}, {"x": X.astype(float)}, rows)
    check_inputs(tokens[:, 0], tokens, rows)  # an input (None, 1) that was handed a column
    for other in (X[::-1], X[..., ::-1], X[:, 1:], X + 1e-4, np.moveaxis(X, 1, 2)):
        with pytest.raises(InputError, match="not those that were scored"):
            check_inputs({"a": tokens, "b": X}, other, rows)
    with pytest.raises(InputError, match="not those that were scored"):
        check_inputs(tokens, tokens + 1, rows)
