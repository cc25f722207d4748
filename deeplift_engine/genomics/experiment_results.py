"""What in-silico experiments find: arrays, a table, and a file of it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import OutputError
from deeplift_engine.util import storage
from deeplift_engine.util.tables import aligned, to_csv
from deeplift_engine.util.typing import Array


class ExperimentResult(ABC):
    """A result with a table."""

    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the table."""

    def __repr__(self) -> str:
        """The table."""
        rows = self.rows()
        lines = [[name.replace("_", " ") for name in rows[0]]]
        lines += [[_text(value) for value in row.values()] for row in rows]
        numbers = [
            column for column, value in enumerate(rows[0].values()) if not isinstance(value, str)
        ]
        return aligned(lines, right=numbers)

    def to_csv(self) -> str:
        """The table as CSV."""
        return to_csv(self.rows())

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the table as ``.csv``.

        Raises
        ------
        OutputError
            For another suffix, an existing file, and any error of the disk.
        """
        if Path(path).suffix.lower() != ".csv":
            raise OutputError(f"{path}: the table of an experiment is .csv")
        storage.write_bytes(path, self.to_csv().encode(), overwrite=overwrite)


@dataclass(frozen=True, repr=False)
class Marginalisation(ExperimentResult):
    """The target's change where motifs are put into backgrounds.

    Attributes
    ----------
    motifs
        M words, by name.
    positions
        Where the first letter of each stands (M,).
    backgrounds
        The target on the N backgrounds (N,).
    effects
        Its change with each motif (M, N).
    """

    motifs: dict[str, str]
    positions: Array
    backgrounds: Array
    effects: Array

    def rows(self) -> list[dict[str, Any]]:
        """A row for each motif: mean, standard deviation and standard error over backgrounds."""
        return [
            {
                "motif": name,
                "letters": word,
                "position": int(position),
                **_spread("effect", effects),
            }
            for (name, word), position, effects in zip(
                self.motifs.items(), self.positions, self.effects, strict=True
            )
        ]


@dataclass(frozen=True, repr=False)
class Spacing(ExperimentResult):
    """The target's changes by two motifs, by the distance between them.

    Attributes
    ----------
    first, second
        The words.
    distances
        Numbers of letters between the end of the first and the start of the second (D,).
    backgrounds
        The target on the N backgrounds (N,).
    first_alone
        Its change by the first motif (N,).
    second_alone, both
        Its changes by the second at each distance, and by both (D, N).
    """

    first: str
    second: str
    distances: Array
    backgrounds: Array
    first_alone: Array
    second_alone: Array
    both: Array

    @property
    def cooperativity(self) -> Array:
        """The change by both beyond the sum of those by each alone (D, N)."""
        return np.asarray(self.both - self.first_alone - self.second_alone)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each distance, means over backgrounds."""
        return [
            {
                "distance": int(distance),
                "first_alone": float(self.first_alone.mean()),
                "second_alone": float(second.mean()),
                "both": float(both.mean()),
                **_spread("cooperativity", beyond),
            }
            for distance, second, both, beyond in zip(
                self.distances, self.second_alone, self.both, self.cooperativity, strict=True
            )
        ]


@dataclass(frozen=True, repr=False)
class Ablation(ExperimentResult):
    """The target's change where spans are shuffled.

    Attributes
    ----------
    spans
        S pairs (first, end) by name, from 0, end excluded.
    intact
        The target on the N sequences (N,).
    effects, deviations
        Its mean change over the shuffles (S, N), and their standard deviation.
    """

    spans: dict[str, tuple[int, int]]
    intact: Array
    effects: Array
    deviations: Array

    def rows(self) -> list[dict[str, Any]]:
        """A row for each span and sequence."""
        return [
            {
                "span": name,
                "first": first,
                "end": end,
                "sample": sample,
                "intact": float(self.intact[sample]),
                "effect": float(self.effects[number, sample]),
                "sd": float(self.deviations[number, sample]),
            }
            for number, (name, (first, end)) in enumerate(self.spans.items())
            for sample in range(len(self.intact))
        ]


@dataclass(frozen=True, repr=False)
class Design(ExperimentResult):
    """Sequences that single changes of letters led to, each the best there was.

    Attributes
    ----------
    sequences
        The last sequences (N, ...), with the axes of the input.
    values
        The target before and after each step (S + 1, N); it stays where nothing helps.
    positions, before, after
        What each step changed (S, N): the position, -1 where nothing, and the numbers of the letter
        that was there (-1 for none of them) and of the one that is.
    letters
        The letters.
    codes
        Their numbers in the last sequences (N, L), -1 for none of them.
    """

    sequences: Array
    values: Array
    positions: Array
    before: Array
    after: Array
    letters: str
    codes: Array

    def one_hot(self, sample: int) -> Array:
        """A designed sequence as rows of letters (L, A)."""
        return np.asarray(self.codes[sample][:, np.newaxis] == np.arange(len(self.letters)), float)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each step of each sequence; the first has the target as it was."""
        start = {"step": 0, "position": -1, "before": "", "after": ""}
        rows = []
        for sample in range(self.values.shape[1]):
            rows.append({"sample": sample, **start, "value": float(self.values[0, sample])})
            for step in np.flatnonzero(self.positions[:, sample] >= 0):
                before = int(self.before[step, sample])
                rows.append(
                    {
                        "sample": sample,
                        "step": int(step) + 1,
                        "position": int(self.positions[step, sample]),
                        "before": self.letters[before] if before >= 0 else "N",
                        "after": self.letters[int(self.after[step, sample])],
                        "value": float(self.values[step + 1, sample]),
                    }
                )
        return rows


def _spread(name: str, values: Array) -> dict[str, float]:
    """Mean, standard deviation and standard error of a sample of values (N,)."""
    deviation = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
    return {
        name: float(values.mean()),
        f"{name}_sd": deviation,
        f"{name}_se": deviation / len(values) ** 0.5,
    }


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


__all__ = ["Ablation", "Design", "ExperimentResult", "Marginalisation", "Spacing"]
