"""Which records of a file are scored, and why the others are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.typing import Array

EDGE = "edge of chromosome"
ABSENT = "absent chromosome"
DUPLICATE = "duplicate"
LENGTH = "wrong length"
UNKNOWN = "unknown letter"


@dataclass(frozen=True)
class RecordTable:
    """Of R records of a file, those that are scored.

    Attributes
    ----------
    reasons
        For each record ``"kind: details"``, where it is left out; empty where it is scored.
    """

    reasons: Sequence[str]

    def __len__(self) -> int:
        """R."""
        return len(self.reasons)

    @property
    def scored(self) -> Array:
        """Which records are scored (R,) bool."""
        return np.array([not reason for reason in self.reasons], bool)

    @property
    def numbers(self) -> Array:
        """The numbers of those that are scored (N,) int64."""
        return np.flatnonzero(self.scored).astype(np.int64)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many are left out, by kind of reason."""
        return Counter(reason.partition(":")[0] for reason in self.reasons if reason)

    @property
    def constants(self) -> dict[str, Array]:
        """The table as a store keeps it."""
        return {
            "record": self.numbers,
            "kept": self.scored,
            "reason": np.array(self.reasons, object),
        }

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        return f"{len(self.numbers)} of {len(self)} records" + f"; left out: {counts}" * bool(
            counts
        )

    def check(self, locate: Callable[[int], str], *, strict: bool) -> None:
        """Refuse a table without records to score; if strict, one that leaves out any.

        Parameters
        ----------
        locate
            The file and line of a record, for the message.
        strict
            Whether all have to be scored.

        Raises
        ------
        InputError
            Naming the first record that is left out; or if there is none at all.
        """
        if not len(self):
            raise InputError("there is nothing to score: give one record or more.")
        if not self.counts or not (strict or len(self.numbers) == 0):
            return
        first = next(number for number, reason in enumerate(self.reasons) if reason)
        told = f"{locate(first)}: {self.reasons[first]}."
        if len(self.numbers):
            raise InputError(f"{told} Of all: {self}; strict takes all records or none.")
        raise InputError(f"{told} Nothing is left to score: {self}.")


__all__ = ["ABSENT", "DUPLICATE", "EDGE", "LENGTH", "UNKNOWN", "RecordTable"]
