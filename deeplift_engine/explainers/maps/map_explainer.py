"""What class activation maps share: the layer that is looked at, and how a map is finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from deeplift_engine.engine.assemble import Found
from deeplift_engine.engine.plan import Cut
from deeplift_engine.engine.setup import Setup
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.maps.feature_maps import (
    Interpolation,
    at_feature_maps,
    resized,
    source_of,
)
from deeplift_engine.graph.layouts import layout
from deeplift_engine.util.options import Integer, Several, fits, shown
from deeplift_engine.util.typing import Array

Resize = str | Sequence[int] | None


class Maps(Explainer):
    """What all maps share: the layer, and how a map is finished.

    Parameters
    ----------
    relu
        Whether to keep the positive part of a map alone, as is published.
    resize
        ``"input"``, the size of the input; sizes, one for every axis of positions; or None, to
        keep the layer's.
    interpolation
        ``"linear"`` along every axis (bilinear for images), or ``"nearest"``.
    """

    per = None
    of_elements = False

    def __init__(
        self,
        setup: Setup,
        *,
        relu: bool = True,
        resize: Resize = "input",
        interpolation: Interpolation = "linear",
    ) -> None:
        super().__init__(at_feature_maps(setup))
        self.relu, self.interpolation = relu, interpolation
        self.layouts = [layout(self.setup.graph, place.node) for place in self.setup.places]
        self._sizes = [
            _wanted(self.setup, place, resize, own.rank)
            for place, own in zip(self.setup.places, self.layouts, strict=True)
        ]

    def finished(self, number: int, maps: Array, data: Sequence[Array]) -> Array:
        """Maps (T, n, *positions) of the place of that number, as the options say."""
        maps = np.maximum(maps, 0) if self.relu else maps
        sizes = self._sizes[number](data)
        return maps if sizes is None else resized(maps, sizes, 2, self.interpolation)

    def found(self, maps: Sequence[Array], predictions: dict[str, Array] | None = None) -> Found:
        """Scores that have the axes of positions alone."""
        places = tuple(Cut(place.name, place.name) for place in self.setup.places)
        return Found(list(maps), predictions=predictions, places=places)


def _wanted(
    setup: Setup, place: Cut, resize: Resize, rank: int
) -> Callable[[Sequence[Array]], Sequence[int] | None]:
    """The size of a map, of the data."""
    if resize is None:
        return lambda data: None
    if isinstance(resize, str) and resize == "input":
        source = source_of(setup, place)
        return lambda data: source.layout.sizes(data[source.number])
    if not fits(resize, Several(Integer(1), rank)):
        raise RuleError(
            f"resize is 'input', None, or {rank} sizes of 1 or more for {place.name!r}, "
            f"not {shown(resize)}."
        )
    sizes = [int(size) for size in resize]
    return lambda data: sizes
