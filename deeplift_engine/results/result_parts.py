"""Parts of a result as figures and texts take them: one target, some samples, its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.util.options import Instance, Integer, checked
from deeplift_engine.util.typing import Array

ROUNDING = 1e-6
"""How far the same fractions may be apart, as a share of their size and of 1."""
RESULT = Instance(Attribution, "what Explainer.run gives")


def of_target(result: Attribution, target: int) -> dict[str, Array]:
    """Scores (N, ...) of one target by input or layer, ``""`` for the only one.

    Parameters
    ----------
    result
        The result.
    target
        Which of several targets, from 0.

    Raises
    ------
    InputError
        If it is no result, or there is no such target.
    """
    checked("result", result, RESULT, InputError)
    named = result.scores if isinstance(result.scores, Mapping) else {"": result.scores}
    several = result.axes[0] == "target"
    count = len(next(iter(named.values()))) if several else 1
    number = checked("target", target, Integer(0, count - 1), InputError)
    return {name: np.asarray(each[number] if several else each) for name, each in named.items()}


def check_inputs(known: Any, inputs: Any, rows: Sequence[int] | None = None) -> None:
    """Refuse inputs that are not those of a result, though they are as many.

    Parameters
    ----------
    known
        The inputs that a result keeps, (N, ...), or by name.
    inputs
        Of the same samples, as a front end read them, or by name: what gives arrays for slices.
    rows
        Numbers of the samples that are compared; None for all.

    Raises
    ------
    InputError
        If none of those that the result keeps is alike.
    """
    kept = list(known.values()) if isinstance(known, Mapping) else [known]
    for each in inputs.values() if isinstance(inputs, Mapping) else [inputs]:
        block = _samples(each, rows)
        if not any(_alike(_samples(array, rows), block) for array in kept):
            raise InputError(
                "the inputs are not those that were scored: other samples, another order of "
                "samples or columns, or prepared otherwise. Hand in what the run was handed."
            )


def _samples(array: Any, rows: Sequence[int] | None) -> Array:
    """Some samples (n, ...) of what gives arrays for slices."""
    if rows is None:
        return np.asarray(array[:])
    return np.concatenate([np.asarray(array[row : row + 1]) for row in rows])


def _alike(kept: Array, block: Array) -> bool:
    """Whether numbers are the same, fractions but for rounding, whatever axes of one there are."""
    if (len(kept), kept.size) != (len(block), block.size):
        return False
    rounding = ROUNDING if kept.dtype.kind == "f" else 0
    return np.allclose(kept.ravel(), block.astype(kept.dtype).ravel(), rounding, rounding)


__all__ = ["RESULT", "check_inputs", "of_target"]
