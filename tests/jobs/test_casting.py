"""Values are stored as they are, or refused with the sample and what to do."""

from __future__ import annotations

import numpy as np
import pytest

from deeplift_engine.errors import OutputError
from deeplift_engine.jobs.array_plan import ArrayPlan
from deeplift_engine.jobs.casting import cast

ROWS = slice(100, 103)


def of(dtype: str, values: list[object], source: object = None) -> np.ndarray:
    return cast(ArrayPlan("x", (), dtype, ()), np.array(values, dtype=source), ROWS)


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("float32", [0.5, -1e30, 1e-40]),
        ("float16", [0.5, 65504.0, 0.0]),
        ("int8", [-128, 0, 127]),
        ("int8", [-128.0, 0.0, 127.0]),
        ("uint8", [0, 1, 255]),
        ("int64", [-(2**63), 0, 2**63 - 1]),
        ("bool", [0, 1, 1]),
        ("bool", [True, False, True]),
        ("float64", [1e300, 0, 1e-300]),
    ],
)
def test_values_that_fit_are_equal(dtype: str, values: list[object]) -> None:
    stored = of(dtype, values)
    assert stored.dtype == dtype
    assert stored.tolist() == np.array(values, dtype).tolist()


@pytest.mark.parametrize(
    ("dtype", "values", "words"),
    [
        ("float16", [1.0, 70000.0, 1.0], "sample 101: 70000.0 does not fit float16.*as float32"),
        ("float32", [1.0, 1.0, 1e39], "sample 102: 1e\\+39 does not fit float32.*as float64"),
        ("float16", [1e-9, 1.0, 1.0], "sample 100: its values, up to 1e-09, all become zero"),
        ("float32", [1e-60, 1.0, 1.0], "all become zero as float32. Plan the array as float64"),
        ("int8", [0, 300, 1], "sample 101: 300 does not fit int8 .-128 to 127"),
        ("int8", [0, 0.5, 1], "0.5 does not fit int8 .*no fractions"),
        ("uint8", [-1, 0, 0], "-1 does not fit uint8"),
        ("int64", [0, 1e30, 0], "1e\\+30 does not fit int64"),
        ("int64", [0, np.nan, 0], "nan is not finite"),
        ("bool", [0, 2, 1], "2 is neither 0 nor 1"),
        ("float32", [0, 1, np.nan], "sample 102: nan is not finite"),
        ("float32", [0, -np.inf, 0], "sample 101: -inf is not finite"),
        ("float32", ["a", "b", "c"], "dtype <U1: expected numbers"),
        ("float32", [1j, 0, 0], "expected numbers"),
        ("str", [1, 2, 3], "1 at .0,.: expected text"),
        ("float32", [0, 1], r"shape \(2,\): expected \(3,\)"),
    ],
)
def test_values_that_do_not_fit_are_named(dtype: str, values: list[object], words: str) -> None:
    with pytest.raises(OutputError, match=words):
        of(dtype, values)


def test_an_unsigned_number_does_not_wrap() -> None:
    with pytest.raises(OutputError, match="9223372036854775808 does not fit int64"):
        of("int64", [0, 2**63, 0], np.uint64)


def test_small_values_beside_larger_ones_become_zero() -> None:
    plan = ArrayPlan("x", (2,), "float16", ("bin",))
    stored = cast(plan, np.array([[1e-9, 1.0], [0, 0], [1, 1]]), ROWS)
    assert stored.tolist() == [[0, 1], [0, 0], [1, 1]]


def test_only_failed_samples_are_exempt() -> None:
    plan, values = ArrayPlan("x", (2,), "float32", ("bin",)), np.full((3, 2), np.nan)
    with pytest.raises(OutputError, match=r"sample 101 at \(0,\)"):
        cast(plan, values, ROWS, failed=[100, 102, 7])
    assert np.isnan(cast(plan, values, ROWS, failed=[100, 101, 102])).all()


def test_text_is_not_cut() -> None:
    assert of("str", ["", "a" * 1000, "☃"]).tolist() == ["", "a" * 1000, "☃"]
