"""What a report can switch between: runs, heads, targets, references and inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.report.reported_run import ReportedRun
from deeplift_engine.util.typing import Array

FACETS = ("run", "head", "target", "reference", "input")
MOST_REFERENCES = 8
"""References of a run that keeps them apart; beside these there is their mean."""
MOST_VIEWS = 24


@dataclass(frozen=True)
class View:
    """One choice of everything: scores of one sample that are drawn together.

    Attributes
    ----------
    run
        The run.
    head, origin
        Names of the head and of the input or layer, ``""`` for the only one.
    target, reference
        Entries along these axes; None where there is no such axis, and for the mean over
        references.
    averages
        Whether the run keeps references apart, and this is their mean.
    labels
        What the page calls the choice, by facet.
    """

    run: ReportedRun
    head: str
    origin: str
    target: int | None
    reference: int | None
    averages: bool
    labels: tuple[str, ...]

    def scores(self, rows: slice) -> Array:
        """Contributions ``(n, *S)``."""
        return self._chosen(self.run.scores(self.head, self.origin)[rows])

    def content(self, name: str, rows: slice) -> Array | None:
        """Another array shaped like the scores, ``(n, *S)``; None where the run has none."""
        array = self.run.array(self.head, name, self.origin)
        return None if array is None else self._chosen(array[rows])

    def inputs(self, rows: slice) -> Array | None:
        """The inputs ``(n, *S)`` that the scores are of; None where the run keeps none."""
        array = self.run.array("", "inputs", self.origin)
        return None if array is None else np.asarray(array[rows])

    def sums(self, name: str) -> Array | None:
        """Of ``"convergence_delta"``, ``"target_delta"``, ``"relative_error"``: (N,), or None."""
        array = self.run.array(self.head, name)
        if array is None:
            return None
        values = self._chosen(array[:])
        return np.asarray(values, np.float64)

    @property
    def label(self) -> str:
        """All labels that are not empty, in one line."""
        return " · ".join(filter(None, self.labels)) or self.run.name

    def _chosen(self, values: Any) -> Array:
        array = np.asarray(values)
        if self.target is not None:
            array = array[:, self.target]
        if self.averages:
            return np.asarray(array.mean(axis=1))
        return array if self.reference is None else np.asarray(array[:, self.reference])


def views_of(runs: Sequence[ReportedRun]) -> list[View]:
    """Every view of some runs of the same samples, in order; at most `MOST_VIEWS`.

    Raises
    ------
    InputError
        If the runs are of different samples, or there is no array of scores.
    """
    first = runs[0]
    for run in runs[1:]:
        if run.names != first.names:
            raise InputError(
                f"{run.name} and {first.name} have different samples: a report compares runs of "
                "the same samples in the same order"
            )
    views = [view for run in runs for view in _views_of_run(run)]
    if not views:
        raise InputError(
            f"{first.name} has no scores, only {', '.join(first.arrays)}: run with --arrays "
            "scores,inputs,predictions,convergence"
        )
    return views[:MOST_VIEWS]


def _views_of_run(run: ReportedRun) -> Iterator[View]:
    for head in run.heads:
        origins = next(
            found
            for content in ("scores", "projected", "hypothetical")
            if (found := run.origins(head, content))
        )
        for origin in origins:
            targets, references = run.leading(head, origin)
            for target in range(targets) if targets else [None]:
                of_target = "" if target is None else run.target_names(head, targets)[target]
                averaged = [(None, bool(references), "mean" if references else "")]
                apart = [
                    (number, False, str(number))
                    for number in range(min(references, MOST_REFERENCES))
                ]
                for reference, averages, name in averaged + apart:
                    labels = (run.name, head, of_target, name, origin)
                    yield View(run, head, origin, target, reference, averages, labels)


__all__ = ["FACETS", "View", "views_of"]
