"""Refusals of targets and contributions that are not finite numbers, with the pair at fault."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import NoReturn

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.blocks import slices
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.target_weights import of_samples, repeated
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import NotFiniteError
from deeplift_engine.util.typing import Array

ADVICE = (
    "A model whose mask leaves nothing averages over nothing, 0/0; for tokens keep those that hold "
    "the form of an input, padding among them: references.replaced(by=..., keep=(...))."
)


def finite_values(values: Array, rows: slice) -> Array:
    """Values (T, n, ...) of samples ``rows``, all finite.

    Raises
    ------
    NotFiniteError
        If the target is not, naming the sample.
    """
    if np.isfinite(values).all():
        return values
    _, sample, *_ = np.argwhere(~np.isfinite(values))[0]
    raise NotFiniteError(
        f"The target is not finite where elements of sample {rows.start + int(sample)} are "
        f"replaced by those of its references. {ADVICE}"
    )


def finite_result(
    task: Task,
    request: Request,
    attribute: Callable[[], MethodResult],
    forward: Callable[[], ForwardPass] | None = None,
    *,
    compares: bool = True,
    beforehand: bool = False,
) -> MethodResult:
    """What ``attribute`` returns for a request, all finite.

    Parameters
    ----------
    task, request
        Of the whole graph.
    attribute
        The method.
    forward
        Gives a pass to the target, where it was compiled before.
    compares
        Whether references mean anything to the method.
    beforehand
        Whether to look at the target on the references first: scoring itself may never meet it.

    Raises
    ------
    NotFiniteError
        If the target or a contribution is not.
    """
    forward = forward or functools.partial(ForwardPass, task)
    if compares and beforehand:
        _check_references(task, request, forward())
    try:
        result = attribute()
    except NotFiniteError:
        _refuse_target(task, request, forward(), compares)
        raise
    ends = [result.sums.change] if result.sums is not None else []
    if not _finite([*result.scores, *ends]):
        _refuse_target(task, request, forward(), compares)
        _refuse_contributions(task, result)
    return result


def _finite(arrays: Iterable[Array]) -> bool:
    return all(np.isfinite(array).all() for array in arrays)


def _refuse_target(task: Task, request: Request, forward: ForwardPass, compares: bool) -> None:
    """Name the first sample or reference on which the target is not finite, if any is."""
    at_samples = forward(request.data, request.weights, request.batch_size)
    if not np.isfinite(at_samples).all():
        target, sample = np.argwhere(~np.isfinite(at_samples))[0]
        raise NotFiniteError(
            f"The target {task.target!r} is {at_samples[target, sample]} on sample {sample} itself "
            f"(target {target}), so that no scores can be finite: leave the sample out, or explain "
            "another layer."
        )
    if compares:
        _check_references(task, request, forward)


def _check_references(task: Task, request: Request, forward: ForwardPass) -> None:
    """Refuse references on which the target is not finite, naming the first."""
    count, most = request.count, request.batch_size or forward.most
    samples = 1 if request.shared and request.weights.shape[1] == 1 else request.samples
    for rows in slices(samples, max(1, most // count)):
        arrays = request.references_of(np.arange(rows.start, rows.stop))
        points = [array.reshape(-1, *array.shape[2:]) for array in arrays]
        weights = repeated(of_samples(request.weights, rows), count)
        values = forward(points, weights, request.batch_size)
        if not np.isfinite(values).all():
            target, number = np.argwhere(~np.isfinite(values))[0]
            sample, reference = divmod(int(number), count)
            raise NotFiniteError(
                f"The target {task.target!r} is {values[target, number]} on reference {reference} "
                f"of sample {rows.start + sample} (target {target}; references "
                f"{request.references_name}), and nothing finite can be compared with it. {ADVICE}"
            )


def _refuse_contributions(task: Task, result: MethodResult) -> NoReturn:
    names = [point.name for point in result.points or task.attribution_points]
    for number, scores in enumerate(result.scores):
        if not np.isfinite(scores).all():
            index = tuple(int(i) for i in np.argwhere(~np.isfinite(scores))[0])
            target, sample = index[:2]
            raise NotFiniteError(
                f"Contributions are not finite though the target is: {scores[index]} in sample "
                f"{sample} (target {target}) at {names[number]!r}. A layer in between is not "
                "finite or has no slope there; network.audit(x, references) names it."
            )
    raise NotFiniteError("The target's differences are not finite; give other references.")
