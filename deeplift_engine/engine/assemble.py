"""The result of a method, and the `Attribution` that users get of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deeplift_engine.engine.convergence import ADVICE, Sums
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import AttributionPoint, Task
from deeplift_engine.results.attribution import Arrays, Attribution
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class MethodResult:
    """Scores of a method for a `Request`: T targets, N samples, K references of each.

    Attributes
    ----------
    scores
        By attribution point, (T, N, *S), or (T, N, K, *S) where they are ``per_reference``.
    multipliers, standard_errors
        Likewise, or None.
    sums
        The scores' sums, and what they should be; None where that means nothing.
    predictions
        Of the graph's outputs on the inputs, by name; None where they are still to be computed.
    per_reference
        Whether scores have an axis of references.
    points
        The points of the scores, where these have not the form of the task's points: a point whose
        node has its own name takes them as they are.
    counts
        How many references each sample had (N,), where that differs; sums have zeros beyond.
    settings
        Settings that only the run could tell.
    """

    scores: list[Array]
    multipliers: list[Array] | None = None
    standard_errors: list[Array] | None = None
    sums: Sums | None = None
    predictions: Mapping[str, Array] | None = None
    per_reference: bool = False
    points: tuple[AttributionPoint, ...] | None = None
    counts: Array | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def attribution(
    request: Request,
    result: MethodResult,
    task: Task,
    tolerance: float,
    advice: str = ADVICE,
    **settings: Any,
) -> Attribution:
    """The attribution of ``request``, its sums judged.

    Parameters
    ----------
    request
        The arguments of the run.
    result
        The method's, predictions included.
    task
        Its points and settings.
    tolerance
        Relative error of a sum from which to warn.
    advice
        A sentence for the user then.
    **settings
        More of them, which replace those of the task.

    Raises
    ------
    ConvergenceError
        If a sum misses and ``request`` is strict.
    """
    stacked = request.stacked
    leading = ("target",) * stacked + ("sample",) + ("reference",) * result.per_reference
    points = task.attribution_points if result.points is None else result.points

    def first(values: Array | None) -> Array | None:
        return values if values is None or stacked else values[0]

    def by_layer(values: Sequence[Array] | None) -> Any:
        """By the names of the layers, channels where the layer has them."""
        if values is None:
            return None
        arrays = [value if stacked else value[0] for value in values]
        for number, point in enumerate(points):
            if point.name != point.node:
                moved = np.moveaxis(arrays[number], -1, len(leading))
                arrays[number] = np.ascontiguousarray(moved)
        return _by_name([point.name for point in points], arrays)

    change = error = relative = None
    if result.sums is not None:
        result.sums.judge(tolerance, request.strict, advice)
        change, error, relative = result.sums.change, result.sums.error, result.sums.relative
        if not result.per_reference:
            counts = change.shape[2] if result.counts is None else result.counts
            change = change.sum(axis=2) / counts
            error = None if error is None else error.sum(axis=2) / counts
            relative = None if relative is None else relative.max(axis=2)
    predictions = result.predictions or {}
    heads = {name: head.settings for name, head in request.heads.items()}
    if task.outputs and predictions:
        predictions = {name: predictions[node] for name, node in task.outputs.items()}
    return Attribution(
        scores=by_layer(result.scores),
        multipliers=by_layer(result.multipliers),
        standard_errors=by_layer(result.standard_errors),
        convergence_delta=first(error),
        target_delta=first(change),
        relative_error=first(relative),
        predictions=_by_name(list(predictions), list(predictions.values())),
        inputs=_by_name([info.name for info in request.inputs], request.data),
        settings={
            "target": request.target,
            "references": request.references_name,
            "references_per_sample": (
                request.count if result.counts is None else result.counts.tolist()
            ),
            "references_averaged": not result.per_reference,
            "samples": request.samples,
            **({"input_dtypes": dict(request.input_dtypes)} if request.input_dtypes else {}),
            **({"heads": heads} if heads else {}),
            **task.settings,
            **settings,
            **result.settings,
        },
        axes=leading,
    )


def _by_name(names: Sequence[str], values: Sequence[Array]) -> Arrays:
    """The only array, or several by name."""
    return values[0] if len(values) == 1 else dict(zip(names, values, strict=True))
