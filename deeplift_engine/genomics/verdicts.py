"""What can be told of two arrays, of sequences and of contributions: whether they are these.

A `PairTest` takes the rows block by block, both arrays as ``(n, 4, L)``, and gives verdicts. They
catch what the programs that read such files take without a word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from deeplift_engine.util.typing import Array

RIGHT, DOUBTFUL, WRONG = "right", "doubtful", "wrong"
_ERRORS = {2: 2e-3, 4: 1e-5, 8: 1e-9}
"""Rounding that products may have, as a share of the largest value, by bytes of their dtype."""
_SURE = 5.0
"""Standard errors by which rows must fit their reverse complement better."""
_FEWEST = 8
"""Rows from which on an orientation is judged."""


@dataclass(frozen=True)
class Verdict:
    """What one check says.

    Attributes
    ----------
    level
        ``"right"``, ``"doubtful"`` or ``"wrong"``.
    check
        What was checked.
    text
        What was met, and what to do.
    """

    level: str
    check: str
    text: str

    def __str__(self) -> str:
        """The verdict on one line."""
        return f"{self.level.upper()}: {self.check}: {self.text}"


class PairTest:
    """Checks of sequences and hypothetical contributions.

    Parameters
    ----------
    sequences, contributions
        What the two arrays are called, in verdicts.
    """

    def __init__(self, sequences: str, contributions: str) -> None:
        self._sequences, self._contributions = sequences, contributions
        self._rows = 0
        self._is_one_hot = [True, True]
        self._any = [False, False]
        self._not_finite: list[int | None] = [None, None]
        self._largest = 0.0
        self._largest_absent = 0.0
        self._flat_rows = 0
        self._preferences: list[Array] = []

    def take(self, one_hot: Array, hypothetical: Array) -> None:
        """Take some rows of both, ``(n, 4, L)``."""
        pair = [np.asarray(each) for each in (one_hot, hypothetical)]
        for which, array in enumerate(pair):
            finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
            if self._not_finite[which] is None and not finite.all():
                self._not_finite[which] = self._rows + int(np.argmin(finite))
            self._is_one_hot[which] &= _is_one_hot(array)
            self._any[which] |= bool(array.any())
        self._rows += len(pair[0])
        values = np.nan_to_num(pair[1].astype(np.float32), posinf=0, neginf=0)
        magnitude = np.abs(values)
        self._largest = max(self._largest, float(magnitude.max(initial=0)))
        self._flat_rows += int((~magnitude.any(axis=(1, 2))).sum())
        absent = (pair[0] == 0) & (pair[0] != 0).any(axis=1, keepdims=True)
        self._largest_absent = max(
            self._largest_absent, float(magnitude.max(where=absent, initial=0))
        )
        self._preferences.append(_preference(pair[0], values))

    def verdicts(self) -> list[Verdict]:
        """What the rows that were taken say."""
        found = [self._finite(which) for which in (0, 1)]
        found = [verdict for verdict in found if verdict.level == WRONG] or [
            Verdict(RIGHT, "values", f"all of {self._rows} rows are finite")
        ]
        roles = self._roles()
        found.append(roles)
        if roles.level == RIGHT:
            found.append(self._hypothetical())
            found.append(self._orientation())
        return found

    def _finite(self, which: int) -> Verdict:
        name = (self._sequences, self._contributions)[which]
        row = self._not_finite[which]
        if row is None:
            return Verdict(RIGHT, "values", f"{name}: finite")
        return Verdict(
            WRONG,
            "values",
            f"{name} is not finite in row {row}: leave the row out",
        )

    def _roles(self) -> Verdict:
        check = "one-hot and contributions"
        sequences, contributions = (
            is_one_hot and filled
            for is_one_hot, filled in zip(self._is_one_hot, self._any, strict=True)
        )
        if sequences and not contributions:
            return Verdict(RIGHT, check, f"{self._sequences} is one-hot, the other is not")
        if contributions and not sequences:
            return Verdict(
                WRONG,
                check,
                f"swapped: {self._contributions} is one-hot and {self._sequences} is not",
            )
        if sequences:
            return Verdict(WRONG, check, f"{self._contributions} is one-hot, as are the sequences")
        return Verdict(
            WRONG,
            check,
            f"{self._sequences} is not one-hot: expected 0 and 1 with at most one 1 a position",
        )

    def _hypothetical(self) -> Verdict:
        check = "hypothetical"
        if self._largest == 0:
            return Verdict(WRONG, check, f"{self._contributions} is all zeros")
        if self._largest_absent == 0:
            return Verdict(
                WRONG,
                check,
                f"{self._contributions} is zero at all letters that are absent: it is projected, "
                "and hypothetical contributions are expected",
            )
        if self._flat_rows:
            return Verdict(
                DOUBTFUL, check, f"{self._flat_rows} of {self._rows} rows are zeros throughout"
            )
        return Verdict(RIGHT, check, "values at letters that are absent, too")

    def _orientation(self) -> Verdict:
        """Whether present letters stand out as they do where the orientation is right."""
        check = "orientation"
        preference = np.concatenate(self._preferences)
        spread = float(preference.std())
        if len(preference) < _FEWEST or spread == 0:
            return Verdict(RIGHT, check, f"not judged, of {len(preference)} rows")
        surely = float(preference.mean()) / (spread / np.sqrt(len(preference)))
        share = float((preference < 0).mean())
        if surely < -_SURE:
            return Verdict(
                DOUBTFUL,
                check,
                f"{share:.0%} of the rows fit the reverse complement of their sequences better: "
                f"{self._contributions} looks reverse complemented",
            )
        if surely > _SURE:
            return Verdict(RIGHT, check, f"{1 - share:.0%} of the rows fit their own strand better")
        return Verdict(RIGHT, check, "the rows fit both strands equally: nothing to be told")


class ProductTest:
    """Whether projected contributions are hypothetical x one-hot."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._error, self._turned_error, self._largest, self._rounding = 0.0, 0.0, 0.0, 0.0

    def take(self, one_hot: Array, hypothetical: Array, projected: Array) -> None:
        """Take some rows of the three, ``(n, 4, L)``."""
        self._rounding = max(
            _ERRORS[max(2, min(array.dtype.itemsize for array in (hypothetical, projected)))],
            self._rounding,
        )
        values, product = (np.nan_to_num(x.astype(np.float64)) for x in (hypothetical, projected))
        turned = values[:, ::-1, ::-1]
        self._largest = max(self._largest, float(np.abs(values).max(initial=0)))
        self._error = max(self._error, _difference(values * one_hot, product))
        self._turned_error = max(self._turned_error, _difference(turned * one_hot, product))

    def verdict(self) -> Verdict:
        """What the rows that were taken say."""
        check, limit = "projected", self._rounding * self._largest
        if self._error <= limit:
            return Verdict(RIGHT, check, f"{self._name} is hypothetical x one-hot")
        if self._turned_error <= limit:
            return Verdict(
                WRONG, check, f"{self._name} is the product with reverse complemented hypothetical"
            )
        return Verdict(
            WRONG,
            check,
            f"{self._name} is not hypothetical x one-hot: they differ by {self._error:.3g}",
        )


class SumTest:
    """Whether hypothetical x one-hot adds up to the scores at each position with a letter."""

    def __init__(self) -> None:
        self._error, self._largest, self._rounding = 0.0, 0.0, 1e-4

    def take(self, one_hot: Array, hypothetical: Array, scores: Array, *, halves: bool) -> None:
        """Take some rows of the three, ``(n, 4, L)``; ``halves`` where float16 is stored."""
        self._rounding = 4 * _ERRORS[2] if halves else 1e-4
        known = one_hot.any(axis=1)
        product = (hypothetical.astype(np.float64) * one_hot).sum(axis=1)[known]
        self._error = max(self._error, _difference(product, scores.sum(axis=1)[known]))
        self._largest = max(self._largest, float(np.abs(hypothetical).max(initial=0)))

    def verdict(self) -> Verdict:
        """What the rows that were taken say."""
        if self._error <= self._rounding * self._largest:
            return Verdict(RIGHT, "sums", "hypothetical x one-hot adds up to scores, base by base")
        return Verdict(
            WRONG,
            "sums",
            f"hypothetical x one-hot and scores differ by {self._error:.3g} at a base, of values "
            f"up to {self._largest:.3g}: they are not of one run",
        )


def worst(verdicts: Iterable[Verdict]) -> str:
    """The worst level of some verdicts."""
    levels = {verdict.level for verdict in verdicts}
    return next((level for level in (WRONG, DOUBTFUL) if level in levels), RIGHT)


def _is_one_hot(array: Array) -> bool:
    is_letter = (array == 0) | (array == 1)
    return bool(is_letter.all() and (array.sum(axis=1) <= 1).all())


def _preference(one_hot: Array, hypothetical: Array) -> Array:
    """How much better rows fit their own strand than the other, (n,), -1 to 1.

    A present letter's contribution, taken from the mean of its position, is mostly larger in
    magnitude than another's, because networks answer to what is there.
    """
    centred = np.abs(hypothetical - hypothetical.mean(axis=1, keepdims=True))
    total = centred.sum(axis=(1, 2))
    own = (centred * one_hot).sum(axis=(1, 2))
    turned = (centred[:, ::-1, ::-1] * one_hot).sum(axis=(1, 2))
    return np.asarray(np.divide(own - turned, total, out=np.zeros_like(total), where=total > 0))


def _difference(left: Array, right: Array) -> float:
    return float(np.abs(left - right).max(initial=0))


__all__ = [
    "DOUBTFUL",
    "RIGHT",
    "WRONG",
    "PairTest",
    "ProductTest",
    "SumTest",
    "Verdict",
    "worst",
]
