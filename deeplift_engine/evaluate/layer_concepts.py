"""Concepts of a layer: directions W of its channels, and how much of each samples have.

Activations A of a layer, rows of channels that are 0 or more, are about U W: the rows of W are
concepts, and U says how much of each concept a row has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.engine import targets
from deeplift_engine.errors import InputError
from deeplift_engine.evaluate.concept_derivatives import derivatives
from deeplift_engine.explainers.maps.feature_maps import resized
from deeplift_engine.figures.concept_figure import draw_concepts
from deeplift_engine.graph.inputs import by_input
from deeplift_engine.util.options import Integer, Several, checked
from deeplift_engine.util.tables import aligned
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deeplift_engine.network import Network
    from deeplift_engine.results.attribution import Attribution


@dataclass(frozen=True)
class Concepts:
    """The result of `discover_concepts`: R concepts of a layer with C channels.

    Attributes
    ----------
    layer
        Its name.
    directions
        (R, C): what a concept adds to the layer's channels; W in the publication.
    importance
        Total Sobol indices of the target, mean over the samples, (R,) or (T, R).
    standard_errors
        Of these means.
    crops
        What the concepts were found in, (M, *S).
    coefficients
        How much of each concept a crop has, (M, R).
    explained
        The share of the crops' activations, squared, that the factorisation has.
    """

    layer: str
    directions: Array
    importance: Array
    standard_errors: Array
    crops: Array
    coefficients: Array
    explained: float
    network: Network = field(repr=False)
    reducer: Any = field(repr=False)

    def __repr__(self) -> str:
        """The table, most important concepts first."""
        importance = self.importance.reshape(-1, len(self.directions)).T
        lines = [["concept", *["importance"] * importance.shape[1], "crops"]]
        top = self.coefficients.argmax(axis=1)
        lines += [
            [str(n), *(f"{value:.3f}" for value in importance[n]), str(np.sum(top == n))]
            for n in self.order
        ]
        return (
            f"{len(lines) - 1} concepts of {self.layer!r}, {self.explained:.1%} of the activations "
            f"of {len(self.crops)} crops\n\n{aligned(lines, right=range(1, len(lines[0])))}"
        )

    @property
    def order(self) -> Array:
        """Numbers of the concepts (R,), most important first; of several targets by their mean."""
        means = self.importance.reshape(-1, len(self.directions)).mean(axis=0)
        return np.argsort(-means, kind="stable")

    def best_crops(self, concept: int, count: int = 10) -> Array:
        """The crops (count, *S) that have most of a concept.

        Concepts of these in a lower layer say what a concept is made of: the publication's
        recursive decomposition.

        Raises
        ------
        InputError
            If there is no such concept.
        """
        concept = checked("concept", concept, Integer(0, len(self.directions) - 1), InputError)
        return np.asarray(self.crops[np.argsort(-self.coefficients[:, concept])[:count]])

    def maps(self, x: Any, *, resize: bool = True, batch_size: int | None = None) -> Array:
        """Where samples (N, *S) have each concept: coefficients (N, *positions, R).

        Parameters
        ----------
        x
            As for `Network.predict`.
        resize
            Whether the positions are the input's, linear between those of the layer.
        batch_size
            Samples that are computed together.

        Raises
        ------
        InputError
            If the layer has no positions.
        """
        activations = at_layer(self.network, self.layer, x, batch_size)
        if activations.ndim == 2:
            raise InputError(f"{self.layer!r} has no positions; its coefficients are no map.")
        values = concept_coefficients(self.reducer, activations)
        info, shape = self.network.inputs[0], np.shape(by_input(x, self.network.inputs, "x")[0])
        sizes = [shape[1 + axis] for axis in info.positions]
        return resized(values, sizes, 1) if resize and len(sizes) == values.ndim - 2 else values

    def attribute(
        self,
        x: Any,
        method: str = "gradient",
        *,
        concepts: int | Sequence[int] | None = None,
        references: Any = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        **options: Any,
    ) -> Attribution:
        """Scores of the inputs for how much of each concept samples have, by any method.

        The target is a concept's coefficient, added over the layer's positions. It is least
        squares that are 0 or more, differentiated at each sample (see `concept_derivatives`), and
        linear in the layer with these derivatives, which are held.

        Parameters
        ----------
        x
            Samples (N, *S), as for `Network.predict`.
        method
            A name of `deeplift_engine.methods`; ``"gradient"`` as in the publication.
        concepts
            Which; None: all, the axis in front.
        references, batch_size, progress
            As for `Explainer.run`.
        **options
            Of the method.

        Raises
        ------
        InputError
            If there is no such concept.
        """
        one = isinstance(concepts, int | np.integer)
        listed: Any = range(len(self.directions)) if concepts is None else concepts
        known = Several(Integer(0, len(self.directions) - 1))
        numbers = checked("concepts", [concepts] if one else list(listed), known, InputError)
        activations = at_layer(self.network, self.layer, x, batch_size)
        rows = activations.reshape(-1, activations.shape[-1]).astype(float)
        slopes = derivatives(self.directions, rows, np.array(numbers))
        slopes = slopes.reshape(len(numbers), *activations.shape)
        point = self.network.task(layers=[self.layer]).attribution_points[0]
        if point.name != point.node:
            slopes = np.moveaxis(slopes, -1, 2)
        each = [targets.weights(slope) for slope in slopes]
        explainer = self.network.explainer(method, target=self.layer, **options)
        return explainer.run(
            x,
            target=each[0] if one else each,
            references=references,
            batch_size=batch_size,
            progress=progress,
        )

    def figure(self, *, concepts: int = 5, crops: int = 6) -> Figure:
        """A picture: importances, and the crops that have most of the first concepts.

        Raises
        ------
        DeepliftEngineError
            If matplotlib is not installed.
        """
        shown = self.order[:concepts]
        best = np.stack([self.best_crops(int(n), crops) for n in shown]).astype(float)
        if self.network.inputs[0].channels != -1:
            best = np.moveaxis(best, self.network.inputs[0].channels, -1)
        low, high = float(self.crops.min()), float(self.crops.max())
        return draw_concepts(
            self.importance.reshape(-1, len(self.directions))[:, self.order],
            self.standard_errors.reshape(-1, len(self.directions))[:, self.order],
            [str(n) for n in self.order],
            (best - low) / ((high - low) or 1.0),
        )


def concept_coefficients(reducer: Any, activations: Array) -> Array:
    """Coefficients (..., R) of activations (..., C), the directions as they are."""
    rows = np.maximum(activations.reshape(-1, activations.shape[-1]).astype(float), 0)
    return np.asarray(reducer.transform(rows)).reshape(*activations.shape[:-1], -1)


def at_layer(network: Network, layer: str, x: Any, batch_size: int | None = None) -> Array:
    """Activations (N, ..., C) of a layer, its channels last."""
    node = network.task(layers=[layer]).attribution_points[0].node
    return network.activations(x, node, batch_size, False)[node]


__all__ = ["Concepts", "at_layer", "concept_coefficients"]
