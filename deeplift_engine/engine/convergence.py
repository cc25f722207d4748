"""Whether contributions sum to the target's difference, on the target's own scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_engine.errors import ConvergenceError, ConvergenceWarning
from deeplift_engine.util.typing import Array
from deeplift_engine.util.warn import warn

TOLERANCE = {"float32": 1e-3, "float64": 1e-8}
"""Relative error of the sum from which a run warns."""
SMALL = 0.01
"""Share of the target's level, or of the contributions' sizes, below which a difference is
judged against that share: what is left of numbers that cancel is mostly rounding."""
SUMS = ("change", "level", "total", "size")
"""The arrays of `Sums`; the last two are known together."""
ADVICE = "network.audit(x, references) names the layer; dtype='float64' rules out rounding."


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
    return np.divide(np.abs(error), scale, out=np.zeros_like(error), where=scale != 0)


@dataclass(frozen=True)
class Sums:
    """Sums of contributions beside what they should be; all (T, N, K).

    K is 1 where scores are of no reference, or of the mean over several.

    Attributes
    ----------
    change
        The target on the input minus that on the reference (or, of relevance, the target).
    level
        Sum of the magnitudes of both.
    total
        Sums of the contributions; None where nothing says what they should be.
    size
        Sums of their magnitudes, or None with ``total``.
    promised
        Whether they must be ``change``; else what they miss is reported and not judged.
    """

    change: Array
    level: Array
    total: Array | None = None
    size: Array | None = None
    promised: bool = True

    @classmethod
    def of(
        cls, scores: Sequence[Array], at_input: Array, at_reference: Array, promised: bool = True
    ) -> Sums:
        """Of scores (T, N, *S) at several points, and the target (T, N) at both ends."""
        arrays = (at_input, at_reference, *summed(scores))
        return cls.between(*(values[..., np.newaxis] for values in arrays), promised=promised)

    @classmethod
    def between(
        cls,
        at_input: Array,
        at_reference: Array,
        total: Array,
        size: Array,
        *,
        promised: bool = True,
    ) -> Sums:
        """Of the target (T, N, K) at both ends."""
        level = np.abs(at_input) + np.abs(at_reference)
        return cls(at_input - at_reference, level, total, size, promised)

    @classmethod
    def joined(cls, blocks: Sequence[Sums]) -> Sums:
        """Of blocks of samples, all with totals."""
        return cls.from_arrays(
            {name: np.concatenate([getattr(b, name) for b in blocks], 1) for name in SUMS}
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Sums:
        """From arrays by name, `SUMS` or the first two of them."""
        return cls(arrays["change"], arrays["level"], arrays.get("total"), arrays.get("size"))

    @property
    def error(self) -> Array | None:
        """The sums minus what they should be."""
        return None if self.total is None else self.total - self.change

    @property
    def relative(self) -> Array | None:
        """The same relative to the change, see `relative_error`; None where nothing is promised."""
        if self.error is None or self.size is None or not self.promised:
            return None
        return relative_error(self.error, self.change, self.level, self.size)

    def judge(self, tolerance: float, strict: bool, advice: str = ADVICE) -> None:
        """Warn of, or with ``strict`` raise for, the pair that misses by most.

        Parameters
        ----------
        tolerance
            Relative error up to which all is well.
        strict
            Whether to raise.
        advice
            A sentence for the user.

        Raises
        ------
        ConvergenceError
            With ``strict``, if any pair is above the tolerance or not finite.
        """
        error, relative = self.error, self.relative
        if error is not None and relative is not None:
            _judge(relative, error, self.change, tolerance, strict, advice)


def summed(scores: Sequence[Array]) -> tuple[Array, Array]:
    """Sums over features (T, N) of scores (T, N, *S) of all points, and of their magnitudes."""
    flat = [values.reshape(*values.shape[:2], -1) for values in scores]
    return (
        np.sum([values.sum(axis=2) for values in flat], axis=0),
        np.sum([np.abs(values).sum(axis=2) for values in flat], axis=0),
    )


def _judge(
    relative: Array, error: Array, delta: Array, tolerance: float, strict: bool, advice: str
) -> None:
    broken = ~np.isfinite(error)
    missed = int((broken | (relative > tolerance)).any(axis=(0, 2)).sum())
    if broken.any():
        worst = tuple(np.argwhere(broken)[0])
    else:
        worst = np.unravel_index(int(np.argmax(relative)), relative.shape)
        if relative[worst] <= tolerance:
            return
    target, sample, reference = (int(number) for number in worst)
    message = (
        f"Contributions do not sum to the target's difference in {missed} of {error.shape[1]} "
        f"samples: worst in sample {sample} "
        f"(target {target}, reference {reference}), off by {error[worst]:.3g} of "
        f"{delta[worst]:.3g} (relative {relative[worst]:.2g}, tolerance {tolerance:g}). {advice}"
    )
    if strict:
        raise ConvergenceError(message)
    warn(message, ConvergenceWarning)
