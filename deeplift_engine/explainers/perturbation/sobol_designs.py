"""Designs of masks for Sobol indices, and Jansen's estimates from the values under them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeplift_engine.errors import RuleError
from deeplift_engine.util.optional import optional
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Designs:
    """Two designs of masks (rows, count) from 0 to 1, and the first with each column of the second.

    They are the draws of a run, design by design: rows · (count + 2) in all.
    """

    first: Array
    second: Array

    @classmethod
    def of(cls, count: int, rows: int, seed: int) -> Designs:
        """Those of ``count`` masks by a scrambled Sobol sequence.

        Raises
        ------
        DeepliftEngineError
            If scipy is not installed.
        """
        qmc = optional("scipy.stats.qmc", "scipy")
        sequence = qmc.Sobol(2 * count, scramble=True, seed=np.random.default_rng(seed))
        return cls(*np.split(sequence.random(rows), 2, axis=1))

    @property
    def draws(self) -> int:
        """How many."""
        rows, count = self.first.shape
        return int(rows * (count + 2))

    def masks(self, draws: slice) -> Array:
        """Masks (draws, count)."""
        # design 0 is the first, 1 the second, 2 + p the first with column p of the second
        rows, count = self.first.shape
        design, row = np.divmod(np.arange(draws.start, draws.stop), rows)
        design = design[:, np.newaxis]
        of_second = (design == 1) | (design - 2 == np.arange(count))
        return np.where(of_second, self.second[row], self.first[row])

    def indices(self, values: Array, order: str = "total") -> Array:
        """Indices (..., count) of values (..., draws): Jansen 1999; Saltelli 2010, table 2.

        ``order`` is ``"total"`` or ``"first"``. Values that are all equal have zeros.
        """
        rows, count = self.first.shape
        values = values.reshape(*values.shape[:-1], count + 2, rows)
        variance = values[..., :2, :].var(axis=(-2, -1))[..., np.newaxis]
        beside = values[..., [0 if order == "total" else 1], :]
        apart = ((beside - values[..., 2:, :]) ** 2).mean(axis=-1) / 2
        share = np.divide(apart, variance, out=np.zeros_like(apart), where=variance > 0)
        return np.asarray(share if order == "total" else (variance > 0) - share)


def check_rows(rows: int) -> None:
    """Refuse a number of rows that a Sobol sequence does not have.

    Raises
    ------
    RuleError
        If it is no power of two.
    """
    if rows & (rows - 1):
        raise RuleError(f"samples={rows} is no power of two, as a Sobol sequence needs.")
