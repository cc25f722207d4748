"""Values in the dtype of their array, or an error that names the first one that does not fit."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from deeplift_engine.errors import OutputError
from deeplift_engine.jobs.array_plan import ArrayPlan
from deeplift_engine.util.typing import Array


def cast(plan: ArrayPlan, values: Array, rows: slice, failed: Collection[int] = ()) -> Array:
    """The values of a shard in the dtype of their array.

    Parameters
    ----------
    plan
        The array.
    values
        ``(rows, *plan.shape)``.
    rows
        The samples that they belong to.
    failed
        Samples without results: theirs may be NaN.

    Returns
    -------
    array
        Of ``plan.dtype``; of text, an array of objects.

    Raises
    ------
    OutputError
        For another shape or kind of values, and for the first value that is not finite, overflows,
        wraps around or has a fraction that the dtype does not hold; also for a sample whose values
        all become zero though they are not.
    """
    values = np.asarray(values)
    expected = (rows.stop - rows.start, *plan.shape)
    if values.shape != expected:
        raise OutputError(
            f"array {plan.name!r} of samples {rows.start} to {rows.stop - 1} has shape "
            f"{values.shape}: expected {expected}"
        )
    if plan.dtype == "str":
        return text(plan.name, values)
    if values.dtype.kind not in "biuf":
        raise OutputError(
            f"array {plan.name!r} has values of dtype {values.dtype}: expected numbers for "
            f"{plan.dtype}"
        )
    with np.errstate(all="ignore"):
        stored = values.astype(plan.dtype, copy=False)
    if stored.dtype.kind == "f":
        wrong = ~np.isfinite(stored)
        wrong[[row - rows.start for row in failed if rows.start <= row < rows.stop]] = False
    else:
        wrong = stored != values
    if np.any(wrong):
        raise _misfit(plan, values, rows, np.unravel_index(np.argmax(wrong), wrong.shape))
    if not np.can_cast(values.dtype, stored.dtype):
        _refuse_vanished(plan, values, stored, rows)
    return stored


def unfit_samples(plan: ArrayPlan, values: Array) -> dict[int, str]:
    """Samples whose values ``(n, *plan.shape)`` the dtype of the array does not hold, and why.

    Those that overflow, and those that all become zero though they are not. By row.
    """
    if plan.dtype != "float16":
        return {}
    with np.errstate(all="ignore"):
        stored = values.astype(plan.dtype)
    flat = values.reshape(len(values), -1)
    largest = np.abs(flat).max(axis=1, initial=0)
    over = (np.isinf(stored) & np.isfinite(values)).reshape(flat.shape).any(axis=1)
    under = _vanished(values, stored)
    return {
        int(row): f"{plan.name}: values up to {largest[row]:.3g} "
        f"{'overflow' if over[row] else 'all become zero'} in float16; keep float32"
        for row in np.flatnonzero(over | under)
    }


def text(name: str, values: Array) -> Array:
    """Text as an array of Python's strings, which are not cut to a length.

    Raises
    ------
    OutputError
        For values that are no text, and for text that UTF-8 cannot hold.
    """
    strings = np.asarray(values).astype(object)
    try:
        "".join(strings.flat).encode()  # all at once: there may be millions
    except (TypeError, UnicodeEncodeError):
        raise next(_misspelt(name, strings)) from None
    return strings


def _misspelt(name: str, strings: Array) -> Iterator[OutputError]:
    """An error for each value that is no text, or that UTF-8 cannot hold."""
    for index, value in np.ndenumerate(strings):
        if not isinstance(value, str):
            yield OutputError(f"array {name!r} has {value!r} at {index}: expected text")
        elif value.encode(errors="ignore").decode() != value:
            yield OutputError(
                f"array {name!r} has {value!r} at {index}, which UTF-8 cannot hold: rename it"
            )


def _misfit(plan: ArrayPlan, values: Array, rows: slice, index: tuple[np.intp, ...]) -> OutputError:
    row, *position = (int(axis) for axis in index)
    value = values[index]
    where = f"array {plan.name!r}, sample {rows.start + row}"
    where += f" at {tuple(position)}" if position else ""
    if not np.isfinite(value):
        return OutputError(
            f"{where}: {value} is not finite. Correct it, or name the sample under 'failed' in the "
            "receipt of its shard (floats only)"
        )
    if plan.dtype == "bool":
        return OutputError(f"{where}: {value} is neither 0 nor 1. Plan the array as float32")
    limits = np.finfo(plan.dtype) if plan.dtype.startswith("float") else np.iinfo(plan.dtype)
    return OutputError(
        f"{where}: {value} does not fit {plan.dtype} ({limits.min} to {limits.max}"
        + ("" if plan.dtype.startswith("float") else ", no fractions")
        + "). Plan the array as "
        + ("float64" if plan.dtype == "float32" else "float32")
    )


def _vanished(values: Array, stored: Array) -> Array:
    """Whether all values of a sample are stored as zero though they are not, (n,)."""
    axes = tuple(range(1, values.ndim))
    return np.asarray(np.any(values, axis=axes) & ~np.any(stored, axis=axes))


def _refuse_vanished(plan: ArrayPlan, values: Array, stored: Array, rows: slice) -> None:
    vanished = _vanished(values, stored)
    if np.any(vanished):
        row = int(np.argmax(vanished))
        raise OutputError(
            f"array {plan.name!r}, sample {rows.start + row}: its values, up to "
            f"{np.max(np.abs(values[row]))}, all become zero as {plan.dtype}. Plan the array as "
            + ("float64" if plan.dtype == "float32" else "float32")
        )


__all__ = ["cast", "text"]
