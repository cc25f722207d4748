"""Whether contributions sum to the target's difference, on the target's own scale."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.errors import ConvergenceError, ConvergenceWarning

Array = NDArray[Any]

TOLERANCE = {"float32": 1e-3, "float64": 1e-8}
"""Relative error of the sum from which a run warns."""
SMALL = 0.01
"""Share of the target's level, or of the contributions' sizes, below which a difference is
judged against that share: what is left of numbers that cancel is mostly rounding."""


def relative_error(error: Array, delta: Array, level: Array, size: Array) -> Array:
    """``|error|`` relative to the target's difference; all (targets, samples, references).

    Parameters
    ----------
    error
        Sum of contributions minus ``delta``.
    delta
        Target on the input minus target on the reference.
    level
        Sum of the magnitudes of both.
    size
        Sum of the magnitudes of the contributions.
    """
    scale = np.maximum(np.abs(delta), SMALL * np.maximum(level, size))
    return np.divide(np.abs(error), scale, out=np.zeros_like(error), where=scale > 0)


ADVICE = "network.audit(x, references) names the layer; dtype='float64' rules out rounding."


def judge(
    relative: Array,
    error: Array,
    delta: Array,
    tolerance: float,
    strict: bool,
    advice: str = ADVICE,
) -> None:
    """Warn of, or with ``strict`` raise for, the pair that misses by most.

    Parameters
    ----------
    relative, error, delta
        As in `relative_error`.
    tolerance
        Relative error up to which all is well.
    strict
        Whether to raise.
    advice
        What the user can do.

    Raises
    ------
    ConvergenceError
        With ``strict``, if any pair is above the tolerance or not finite.
    """
    broken = ~np.isfinite(error)
    if broken.any():
        worst = tuple(np.argwhere(broken)[0])
    else:
        worst = np.unravel_index(int(np.argmax(relative)), relative.shape)
        if relative[worst] <= tolerance:
            return
    target, sample, reference = (int(number) for number in worst)
    message = (
        f"Contributions do not sum to the target's difference: worst in sample {sample} "
        f"(target {target}, reference {reference}), off by {error[worst]:.3g} of "
        f"{delta[worst]:.3g} (relative {relative[worst]:.2g}, tolerance {tolerance:g}). {advice}"
    )
    if strict:
        raise ConvergenceError(message)
    warnings.warn(message, ConvergenceWarning, stacklevel=5)
