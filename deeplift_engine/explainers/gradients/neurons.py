"""Units inside a network: how much passes through them, and how much inputs do to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import Found
from deeplift_engine.engine.backward import Walk
from deeplift_engine.engine.plan import cut_at
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.setup import Setup
from deeplift_engine.engine.target_weights import repeated
from deeplift_engine.engine.targets import resolve
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.gradients.integrated_gradients import CLOSE
from deeplift_engine.explainers.gradients.paths import (
    Ends,
    Pairs,
    along,
    block_of,
    mean_over,
    paths,
    quadrature,
    without_tokens,
)
from deeplift_engine.explainers.method import Method
from deeplift_engine.util.options import Count, shown
from deeplift_engine.util.typing import Array


class LayerPath(Explainer):
    """What happens at layers while the inputs go along the straight path from the reference.

    Parameters
    ----------
    steps
        How many steps the path has.
    """

    averages = True
    advice = "More steps= make the sum more exact."

    def __init__(self, setup: Setup, *, steps: Count = 50) -> None:
        super().__init__(setup)
        without_tokens(setup)
        self.steps = steps
        self._walk = Walk(setup.plan(setup.assigned()), setup.cuts)

    @property
    def tolerance(self) -> float:
        """As of integrated gradients with so many steps."""
        return CLOSE

    def _at_layers(
        self, request: Request, positions: Array, put: Callable[[Array, Array], Array]
    ) -> Found:
        """Call ``put`` with gradients (T, P, s, *Y) and activations (P, s, *Y) of each layer."""
        pairs, at_ends, count = Pairs(request), self._ends(request), len(positions)
        for part in paths(request, block_of(request, self.setup.pairs, count)):
            walked = self._walk(
                part.points(positions), repeated(part.seeds, count), request.batch_size
            )
            scores = [
                put(
                    values.reshape(len(values), part.count, count, *values.shape[2:]),
                    walked.outputs[name].reshape(part.count, count, *values.shape[2:]),
                )
                for values, name in zip(walked.multipliers, self.setup.cuts, strict=True)
            ]
            pairs.add(part.block, scores, None, at_ends.of(part) if at_ends else None)
        return pairs.found()

    def _ends(self, request: Request) -> Ends | None:
        return None


class LayerConductance(LayerPath):
    """How much of the target's difference passes through each unit of layers.

    The gradient at a unit times the change of the unit, added up along the path. Where all ways
    to the target go through the layers, it sums to the target's difference.

    Parameters
    ----------
    steps
        How many steps the path has.
    """

    def attribute(self, request: Request) -> Found:
        """Conductance (T, N, *Y)."""
        positions, _ = quadrature("trapezoid", self.steps + 1)
        return self._at_layers(request, positions, along)

    def _ends(self, request: Request) -> Ends | None:
        graph = self.setup.graph.starting_at(self.setup.cuts, [self.setup.target])
        if set(graph.inputs) - set(self.setup.cuts):
            return None
        return Ends(self.values, request)


class InternalInfluence(LayerPath):
    """The gradient at each unit of layers, averaged along the inputs' path.

    Parameters
    ----------
    steps
        How many points of the path are taken (Gauss-Legendre).
    """

    per = "unit"

    def attribute(self, request: Request) -> Found:
        """Influence (T, N, *Y)."""
        positions, weights = quadrature("gauss_legendre", self.steps)
        return self._at_layers(
            request, positions, lambda gradients, _: mean_over(gradients, weights)
        )


class NeuronConductance(Explainer):
    """How much of the target's difference passes from each input through units of a layer.

    Integrated gradients, of which only what goes through those units is counted.

    Parameters
    ----------
    layer
        The name of the layer.
    unit
        Its unit, or weights over its units: whatever a target may be, but for a list. None: all
        of its units.
    steps
        How many points of the path are taken (Gauss-Legendre).
    """

    entered = True

    def __init__(self, setup: Setup, *, layer: str, unit: Any = None, steps: Count = 50) -> None:
        super().__init__(setup)
        setup = self.setup
        without_tokens(setup)
        if isinstance(unit, list):
            raise RuleError(f"unit is one target, not a list of them, {shown(unit)}.")
        if layer not in setup.graph.nodes:
            raise RuleError(f"layer={layer!r} is no layer of this network.")
        self._place = cut_at(setup.graph, layer)
        inner = replace(setup, places=(self._place,))
        if self._place.node not in setup.graph.on_paths(setup.cuts, [setup.target]):
            raise InputError(f"Nothing goes from {setup.cuts} to the target through {layer!r}.")
        self.unit = unit
        self.positions, self.weights = quadrature("gauss_legendre", steps)
        self._outer = Walk(inner.plan(inner.assigned()), inner.cuts)
        lower = replace(setup, target=self._place.node)
        self._lower = Walk(lower.plan(lower.assigned()))

    def attribute(self, request: Request) -> Found:
        """Contributions (T, N, *S) through the units."""
        pairs, count = Pairs(request), len(self.positions)
        for part in paths(request, block_of(request, self.setup.pairs, count)):
            points = part.points(self.positions)
            walked = self._outer(points, repeated(part.seeds, count), request.batch_size)
            gradients = walked.multipliers[0]
            arrived = self._lower(points, gradients * self._weights(gradients), request.batch_size)
            multipliers = [
                mean_over(
                    values.reshape(len(values), part.count, count, *values.shape[2:]), self.weights
                )
                for values in arrived.multipliers
            ]
            scores = [m * delta for m, delta in zip(multipliers, part.differences, strict=True)]
            pairs.add(part.block, scores, multipliers, None)
        return pairs.found()

    def _weights(self, gradients: Array) -> Array:
        """Weights over the units, as the layer's node has them."""
        if self.unit is None:
            return np.ones((), gradients.dtype)
        shape = gradients.shape[2:]
        moved = self._place.name != self._place.node
        if moved:
            shape = (shape[-1], *shape[:-1])
        values = resolve(self.unit, shape, 1, self.setup.dtype).values[0, 0]
        return np.moveaxis(values, 0, -1) if moved else values


METHODS = (
    Method(
        "layer_conductance",
        "gradient",
        LayerConductance,
        "How much of the target's difference passes through each unit of layers.",
        "Dhamdhere 2018, arXiv:1805.12233; Shrikumar 2018, arXiv:1807.09946",
        "2·N·K·(steps + 1)",
        aliases=("conductance",),
    ),
    Method(
        "internal_influence",
        "gradient",
        InternalInfluence,
        "The gradient at each unit of layers, averaged along the inputs' path.",
        "Leino 2018, arXiv:1802.03788",
        "2·N·K·steps",
    ),
    Method(
        "neuron_conductance",
        "gradient",
        NeuronConductance,
        "How much of the target's difference passes from each input through units of a layer.",
        "Dhamdhere 2018, arXiv:1805.12233",
        "3·N·K·steps",
    ),
)
