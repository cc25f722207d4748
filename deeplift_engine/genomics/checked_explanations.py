"""Files of `explanation`, whoever wrote them: whether SHAP's plots would show what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from deeplift_engine.genomics.array_rows import Rows
from deeplift_engine.genomics.nucleotides import LETTERS
from deeplift_engine.genomics.shap_format import ARRAYS
from deeplift_engine.genomics.verdicts import RIGHT, WRONG, Verdict

_BLOCK = 256
_CHECK = "explanation"


def is_explanation(arrays: Mapping[str, Rows]) -> bool:
    """Whether the arrays of a file are those of an explanation."""
    return {"values", "base_values"} <= {*arrays}


def check_explanation(path: Path, arrays: Mapping[str, Rows]) -> Verdict:
    """Whether arrays fit each other, values are finite, and none is where no letter is."""
    return Verdict(*next(_problems(path, arrays), (RIGHT, _CHECK, _summary(path, arrays))))


def _problems(path: Path, arrays: Mapping[str, Rows]) -> Iterator[tuple[str, str, str]]:
    missing = {*ARRAYS} - {*arrays}
    if missing:
        yield WRONG, _CHECK, f"{path} has no {', '.join(sorted(missing))}"
        return
    shapes = {name: arrays[name].shape for name in ARRAYS}
    count, *features = shapes["values"]
    if len(features) != 1:
        text = f"{path}: values are {shapes['values']}, and SHAP's bar and beeswarm take (N, L)"
        yield WRONG, _CHECK, text
        return
    fitting = {
        "base_values": (count,),
        "data": (count, *features),
        "feature_names": (*features,),
        "sample": (count,),
    }
    for name, shape in fitting.items():
        if shapes[name] != shape:
            text = f"{path}: {name} is {shapes[name]}, and values are {shapes['values']}"
            yield WRONG, _CHECK, text
            return
    yield from _values(path, arrays)


def _values(path: Path, arrays: Mapping[str, Rows]) -> Iterator[tuple[str, str, str]]:
    largest, row = 0.0, 0
    for values, data in zip(
        arrays["values"].blocks(_BLOCK), arrays["data"].blocks(_BLOCK), strict=True
    ):
        if not np.isfinite(values).all():
            yield WRONG, _CHECK, f"{path}: values are not all finite, from row {row} on"
            return
        strange = np.argwhere((values != 0) & ~np.isin(data, list(LETTERS)))
        if len(strange):
            place = f"row {row + int(strange[0][0])}, position {int(strange[0][1])}"
            yield WRONG, _CHECK, f"{path}: {place} has a value and no letter of {LETTERS}"
            return
        largest = max(largest, float(np.abs(values).max(initial=0)))
        row += len(values)
    if largest == 0:
        yield WRONG, _CHECK, f"{path}: values are all zeros"


def _summary(path: Path, arrays: Mapping[str, Rows]) -> str:
    shape = arrays["values"].shape if "values" in arrays else ()
    return f"{path}: values {shape} with their letters"


__all__ = ["check_explanation", "is_explanation"]
