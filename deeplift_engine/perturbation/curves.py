"""Deletion and insertion curves: the target as elements are replaced, the highest scores first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.perturbation.evaluation import Evaluate, Masks, Perturbed
from deeplift_engine.perturbation.groups import Groups, grouping
from deeplift_engine.request import Request

Array = NDArray[Any]


@dataclass(frozen=True)
class Curve:
    """The target along a curve.

    Attributes
    ----------
    shares
        Of the groups that are replaced (deletion) or there (insertion), 0 to 1, (steps + 1,).
    values
        The target, a mean over references, (T, N, steps + 1).
    """

    shares: Array
    values: Array

    @property
    def area(self) -> Array:
        """The area under it, by trapezoids, (T, N)."""
        return np.trapezoid(self.values, self.shares, axis=-1)


def deletion(
    evaluate: Evaluate,
    request: Request,
    scores: Sequence[Array],
    *,
    most: int,
    steps: int = 20,
    groups: Any = None,
) -> Curve:
    """The target as the groups with the highest scores are replaced, one share after the other.

    Parameters
    ----------
    evaluate
        The target's values, such as those of a `Runner`.
    request
        The samples, references and targets.
    scores
        Of each input (T, N, *S). Those of a group are added; of equal ones the first goes first.
    most
        How many points to evaluate together.
    steps
        Into how many the way is divided; at most as many as there are groups.
    groups
        What is replaced together; see `grouping`.

    Returns
    -------
    Curve
        From the samples to the references.

    Raises
    ------
    InputError
        If the scores are not those of the samples.
    RuleError
        For groups and steps that cannot be.
    """
    return _curve(evaluate, request, scores, most, steps, groups, insert=False)


def insertion(
    evaluate: Evaluate,
    request: Request,
    scores: Sequence[Array],
    *,
    most: int,
    steps: int = 20,
    groups: Any = None,
) -> Curve:
    """The target as the groups with the highest scores are put into the references.

    All else is that of `deletion`.
    """
    return _curve(evaluate, request, scores, most, steps, groups, insert=True)


def _curve(
    evaluate: Evaluate,
    request: Request,
    scores: Sequence[Array],
    most: int,
    steps: int,
    given: Any,
    insert: bool,
) -> Curve:
    targets = len(request.seeds.values)
    for score, array, info in zip(scores, request.data, request.inputs, strict=True):
        if score.shape != (targets, *array.shape):
            raise InputError(
                f"Scores of input {info.name!r} have shape {score.shape}; expected "
                f"{(targets, *array.shape)}, those of {targets} targets and each sample."
            )
    if steps < 1:
        raise RuleError(f"steps is a whole number of 1 or more, not {steps!r}.")
    how = grouping(given, request.inputs, request.data)
    groups = how.of(request.data, 0)
    perturbed = Perturbed(request.replace(average=True), evaluate, most)
    shares = np.linspace(0, 1, (steps if how.own else min(steps, groups.count)) + 1)
    blocks = []
    for rows, samples in perturbed.blocks(len(shares) * targets, alone=how.own):
        if how.own:
            groups = how.of(samples.data, rows.start)
        totals = groups.gathered([score[:, rows] for score in scores])
        turns = np.argsort(np.argsort(-totals, axis=-1, kind="stable"), axis=-1)
        moved = np.rint(shares * groups.count)[:, np.newaxis]
        along = [
            samples.of_target(number).masked(len(shares), _steps(groups, turn, moved, insert))
            for number, turn in enumerate(turns)
        ]
        blocks.append(np.concatenate(along)[:, :, 0])
    return Curve(shares, np.concatenate(blocks, axis=1))


def _steps(groups: Groups, turn: Array, moved: Array, insert: bool) -> Masks:
    """Masks of steps after which so many groups ``moved`` (D, 1), in turns (n, P)."""
    return lambda draws: groups.masks((turn[:, np.newaxis] < moved[draws]) == insert)
