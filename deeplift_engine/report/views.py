"""What a report can switch between: runs, heads, targets, references and inputs."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.jobs.scored_run import ScoredRun
from deeplift_engine.util.typing import Array

FACETS = ("run", "head", "target", "reference", "input")
MOST_REFERENCES = 8
"""References of a run that keeps them apart; beside these there is their mean."""
MOST_VIEWS = 24
SCORES = ("scores", "projected", "hypothetical")
"""What is drawn: the first of these that a run keeps."""


@dataclass(frozen=True)
class View:
    """One choice of everything: scores of one sample that are drawn together.

    Attributes
    ----------
    run
        The run.
    head
        Name of the head, ``""`` for the only one.
    origins
        Names of the input or layer, ``""`` for the only one; of a table, all inputs that read its
        columns, whose scores stand beside each other.
    target, reference
        Entries along these axes; None where there is no such axis, and for the mean over
        references.
    averages
        Whether the run keeps references apart, and this is their mean.
    labels
        What the page calls the choice, by facet.
    """

    run: ScoredRun
    head: str
    origins: tuple[str, ...]
    target: int | None
    reference: int | None
    averages: bool
    labels: tuple[str, ...]

    def scores(self, rows: slice) -> Array:
        """Contributions ``(n, *S)``."""
        return _beside(
            [self._chosen(scores_of(self.run, self.head)[each][rows]) for each in self.origins]
        )

    def content(self, name: str, rows: slice) -> Array | None:
        """Another array shaped like the scores, ``(n, *S)``; None where the run has none."""
        arrays = self.run.by_input(name, self.head)
        if not {*self.origins} <= {*arrays}:
            return None
        return _beside([self._chosen(arrays[each][rows]) for each in self.origins])

    def inputs(self, rows: slice) -> Array | None:
        """The inputs ``(n, *S)`` that the scores are of; None where the run keeps none."""
        arrays = self.run.by_input("inputs")
        if not {*self.origins} <= {*arrays}:
            return None
        return _beside([np.asarray(arrays[each][rows]) for each in self.origins])

    def sums(self, name: str) -> Array | None:
        """Of ``"convergence_delta"``, ``"target_delta"``, ``"relative_error"``: (N,), or None."""
        array = self.run.by_input(name, self.head).get("")
        return None if array is None else np.asarray(self._chosen(array[:]), np.float64)

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


def views_of(runs: Sequence[ScoredRun]) -> list[View]:
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


def _views_of_run(run: ScoredRun) -> Iterator[View]:
    for head in run.heads or ("",):
        scores = scores_of(run, head)
        for together in _together(run, scores):
            sizes = dict(zip(run.axes(head), scores[together[0]].shape[1:], strict=False))
            targets, references = sizes.get("target", 0), sizes.get("reference", 0)
            for target in range(targets) if targets else [None]:
                of_target = "" if target is None else _target_names(run, head, targets)[target]
                averaged = [(None, bool(references), "mean" if references else "")]
                apart = [
                    (number, False, str(number))
                    for number in range(min(references, MOST_REFERENCES))
                ]
                for reference, averages, name in averaged + apart:
                    labels = (run.name, head, of_target, name, ", ".join(together))
                    yield View(run, head, together, target, reference, averages, labels)


def scores_of(run: ScoredRun, head: str) -> Mapping[str, Any]:
    """The arrays that are drawn of a head, by input: contributions, or what stands for them."""
    return next(filter(None, (run.by_input(content, head) for content in SCORES)), {})


def _target_names(run: ScoredRun, head: str, count: int) -> list[str]:
    """What the targets of an axis are called: after their units where the settings tell."""
    try:
        units = ast.literal_eval(run.target(head))
    except (SyntaxError, ValueError):
        units = None
    fits = isinstance(units, list) and len(units) == count
    return [f"unit {unit}" for unit in units] if fits else [str(n) for n in range(count)]


def _together(run: ScoredRun, scores: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The inputs of one view: each by itself, but those that read the columns of one table."""
    columns = len(run.constants.get("feature", ()))
    if len(scores) > 1 and sum(array.shape[-1] for array in scores.values()) == columns:
        return [tuple(scores)]
    return [(origin,) for origin in scores]


def _beside(arrays: list[Array]) -> Array:
    """A single array as it is; several as the columns of one ``(n, F)``."""
    if len(arrays) == 1:
        return arrays[0]
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)


__all__ = ["FACETS", "View", "views_of"]
