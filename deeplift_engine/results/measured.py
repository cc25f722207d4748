"""The result of a metric: a number for each sample, and the curve that it summarises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.util.student_t import two_sided
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Measured:
    """A metric of one method's scores.

    Attributes
    ----------
    values
        Of each sample, ([T,] N); NaN where the metric means nothing.
    curve
        The curve that ``values`` summarise, ([T,] N, P), or None.
    positions
        Its arguments, P numbers or names.
    axis
        Their name in a figure.
    """

    values: Array
    curve: Array | None = None
    positions: Sequence[Any] = ()
    axis: str = ""

    @property
    def mean(self) -> float:
        """Over targets and samples."""
        return float(np.nanmean(self.values)) if self._known else float("nan")

    @property
    def standard_error(self) -> float:
        """Of the mean; NaN for a single number."""
        count = self._known
        return float(np.nanstd(self.values, ddof=1) / np.sqrt(count)) if count > 1 else float("nan")

    @property
    def half_width(self) -> float:
        """Of the 95 % interval of the mean by Student's t; NaN for a single number."""
        count = self._known
        return self.standard_error * two_sided(0.95, count - 1) if count > 1 else float("nan")

    @property
    def mean_curve(self) -> Array | None:
        """Over targets and samples, (P,)."""
        if self.curve is None:
            return None
        return np.asarray(np.nanmean(self.curve.reshape(-1, self.curve.shape[-1]), axis=0))

    @property
    def _known(self) -> int:
        return int(np.isfinite(self.values).sum())
