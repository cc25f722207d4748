"""What a method finds, and the `Attribution` that becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deeplift_engine.engine.convergence import ADVICE, Sums
from deeplift_engine.engine.plan import Cut
from deeplift_engine.engine.request import Request
from deeplift_engine.results.attribution import Arrays, Attribution
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Found:
    """What a method found for a `Request`, T targets, N samples, K references of each.

    Attributes
    ----------
    scores
        By place, (T, N, *S), or (T, N, K, *S) where references are kept ``apart``.
    multipliers, standard_errors
        Likewise, or None.
    sums
        What scores sum to, and should; None where that means nothing.
    predictions
        Of the graph's outputs on the inputs, by name; None: not known yet.
    apart
        Whether scores have an axis of references.
    places
        What scores are of, where they have not the form of the places: a place whose node has its
        own name takes them as they are.
    counts
        How many references each sample had (N,), where that differs; sums have zeros beyond.
    settings
        What a run found out about itself, and its result should say.
    """

    scores: list[Array]
    multipliers: list[Array] | None = None
    standard_errors: list[Array] | None = None
    sums: Sums | None = None
    predictions: Mapping[str, Array] | None = None
    apart: bool = False
    places: tuple[Cut, ...] | None = None
    counts: Array | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def attribution(
    request: Request,
    found: Found,
    places: Sequence[Cut],
    settings: Mapping[str, Any],
    tolerance: float,
    advice: str = ADVICE,
    outputs: Mapping[str, str] | None = None,
) -> Attribution:
    """The result of ``request``, its sums judged.

    Parameters
    ----------
    request
        What was asked.
    found
        What was found, predictions included.
    places
        Where: layers and their nodes.
    settings
        How the method was made.
    tolerance
        Relative error of a sum from which to warn.
    advice
        What the user can do then.
    outputs
        Names of the graph's outputs, and their nodes; by default the nodes' own.

    Raises
    ------
    ConvergenceError
        If a sum misses and ``request`` is strict.
    """
    stacked = request.seeds.stacked
    leading = ("target",) * stacked + ("sample",) + ("reference",) * found.apart
    places = places if found.places is None else found.places

    def shaped(values: Array | None) -> Array | None:
        return values if values is None or stacked else values[0]

    def placed(values: Sequence[Array] | None) -> Any:
        """By the names of the layers, channels where the layer has them."""
        if values is None:
            return None
        kept = []
        for place, value in zip(places, values, strict=True):
            part = value if stacked else value[0]
            if place.name != place.node:
                part = np.ascontiguousarray(np.moveaxis(part, -1, len(leading)))
            kept.append(part)
        return _by_name([place.name for place in places], kept)

    change = error = relative = None
    if found.sums is not None:
        found.sums.judge(tolerance, request.strict, advice)
        change, error, relative = found.sums.change, found.sums.error, found.sums.relative
        if not found.apart:
            counts = change.shape[2] if found.counts is None else found.counts
            change = change.sum(axis=2) / counts
            error = None if error is None else error.sum(axis=2) / counts
            relative = None if relative is None else relative.max(axis=2)
    predictions = found.predictions or {}
    if outputs and predictions:
        predictions = {name: predictions[node] for name, node in outputs.items()}
    return Attribution(
        scores=placed(found.scores),
        multipliers=placed(found.multipliers),
        standard_errors=placed(found.standard_errors),
        convergence_delta=shaped(error),
        target_delta=shaped(change),
        relative_error=shaped(relative),
        predictions=_by_name(list(predictions), list(predictions.values())),
        inputs=_by_name([info.name for info in request.inputs], request.data),
        settings={
            "target": request.seeds.name,
            "references": request.said,
            "references_per_sample": (
                request.count if found.counts is None else found.counts.tolist()
            ),
            "references_averaged": not found.apart,
            "samples": request.samples,
            **settings,
            **found.settings,
        },
        axes=leading,
    )


def _by_name(names: Sequence[str], values: Sequence[Array]) -> Arrays:
    """The only array, or several by name."""
    return values[0] if len(values) == 1 else dict(zip(names, values, strict=True))
