"""Arrays that are known before a run: names of samples, where they lie, letters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from deeplift_engine.errors import OutputError
from deeplift_engine.jobs.array_plan import SAMPLE, Constant
from deeplift_engine.jobs.casting import text
from deeplift_engine.util.typing import Array


def constant_of(lengths: Mapping[str, int], name: str, values: Array) -> Constant:
    """What a store says of a constant.

    Its axes are named after the axes of the planned arrays where it belongs to them: a line named
    as one of them runs along it, and what has an entry for each sample runs along the samples.

    Parameters
    ----------
    lengths
        The lengths of the axes of planned arrays by their names, ``"sample"`` among them.
    name
        Its name.
    values
        Text as objects, or numbers.
    """
    label = name.rpartition("/")[2]
    dimensions = [f"{label}_axis_{axis}" for axis in range(values.ndim)]
    if values.ndim == 1 and lengths.get(label) == len(values):
        dimensions = [label]
    elif values.ndim and len(values) == lengths[SAMPLE]:
        dimensions[0] = SAMPLE
    dtype = "str" if values.dtype == object else str(values.dtype)
    return Constant(values.shape, dtype, tuple(dimensions), content_of(values))


def plain_constant(name: str, values: Any) -> Array:
    """A constant as it is stored: numbers of a plain dtype, or Python's strings.

    Raises
    ------
    OutputError
        For anything else.
    """
    array = np.asarray(values)
    if array.dtype.kind in "UOT":
        return text(name, array)
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise OutputError(
            f"array {name!r} has dtype {array.dtype}: expected text or numbers of at most 8 bytes"
        )
    return np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)


def content_of(values: Array) -> str:
    """SHA-256 of values, whatever file they are in."""
    if values.dtype == object:
        return hashlib.sha256(json.dumps(values.tolist()).encode()).hexdigest()
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


__all__ = ["constant_of", "content_of", "plain_constant"]
