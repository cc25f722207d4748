"""What a run found, as an `Attribution`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.attribution import Arrays, Attribution
from deeplift_engine.plan import Cut
from deeplift_engine.request import Request

Array = NDArray[Any]


def by_name(names: Sequence[str], values: Sequence[Array]) -> Arrays:
    """The only array, or several by name."""
    return values[0] if len(values) == 1 else dict(zip(names, values, strict=True))


def axes_of(request: Request, average: bool | None = None) -> tuple[str, ...]:
    """The leading axes of scores; ``average`` as in the request unless it is given."""
    apart = not (request.average if average is None else average)
    return ("target",) * request.seeds.stacked + ("sample",) + ("reference",) * apart


def at_places(
    places: Sequence[Cut], values: Sequence[Array], request: Request, average: bool | None = None
) -> Arrays:
    """Arrays (T, N, [K,] *S) by the names of the layers, channels where the layer has them."""
    leading = len(axes_of(request, average))
    kept = []
    for place, value in zip(places, values, strict=True):
        found = value if request.seeds.stacked else value[0]
        if place.name != place.node:
            found = np.ascontiguousarray(np.moveaxis(found, -1, leading))
        kept.append(found)
    return by_name([place.name for place in places], kept)


def packaged(
    request: Request, settings: Mapping[str, Any], average: bool | None = None, **fields: Any
) -> Attribution:
    """The result of ``request``, with how it was made; ``fields`` are those of `Attribution`."""
    return Attribution(
        inputs=by_name([info.name for info in request.inputs], request.data),
        settings={
            **settings,
            "target": request.seeds.name,
            "references": request.said,
            "references_per_sample": request.count,
            "references_averaged": request.average if average is None else average,
            "samples": request.samples,
        },
        axes=axes_of(request, average),
        **fields,
    )
