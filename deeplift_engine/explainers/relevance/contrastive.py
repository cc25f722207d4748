"""Contrastive relevance: what speaks for the target rather than for the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from deeplift_engine.engine.assemble import Found
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.setup import Setup
from deeplift_engine.errors import TargetError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.relevance.lrp import DEEP_TAYLOR
from deeplift_engine.explainers.relevance.propagation import Relevance, prepared
from deeplift_engine.layers import Linear
from deeplift_engine.util.options import Among, Bounds
from deeplift_engine.util.typing import Array


class Contrastive(Explainer):
    """Relevance of the target less that of its dual, where that is above 0.

    Both start with the target's value, and go back by z-plus, and z-box or w-square at the first
    layer.

    Parameters
    ----------
    dual
        ``"others"``, all other units of the target's layer in equal shares (CLRP1), or
        ``"negated"``, the target with the opposite weights (CLRP2).
    low, high
        Bounds of what the first kernel reads, for z-box instead of w-square.
    positive
        Whether to drop what is below 0.
    batch_norm
        ``"merge"`` or ``"rule"``, as for ``lrp``.
    """

    compares = False
    per = "input"

    def __init__(
        self,
        setup: Setup,
        *,
        dual: Annotated[str, Among(("others", "negated"))] = "others",
        low: Bounds = None,
        high: Bounds = None,
        positive: bool = True,
        batch_norm: str = "merge",
    ) -> None:
        setup = prepared(setup, batch_norm)
        super().__init__(setup)
        self.dual, self.positive = dual, positive
        options: dict[str, Any] = {"low": low, "high": high, "batch_norm": "rule"}
        options |= {"rules": DEEP_TAYLOR, "epsilon": 0.0, "bias": False}
        self._target = Relevance(setup, **options)
        self._dual = self._target if dual == "others" else Relevance(_negated(setup), **options)

    def attribute(self, request: Request) -> Found:
        """Differences of relevance (T, N, *S)."""
        seeds = request.seeds.values
        own = self._target.walk_back(request, seeds)
        if self.dual == "others":
            shares = _others(seeds)
            start = own.values.reshape(*own.values.shape, *[1] * (shares.ndim - 2)) * shares
            against = self._dual.walk_back(request, start, given=True).multipliers
        else:  # the negated target's value is below 0, and so is all that it starts with
            against = [-part for part in self._dual.walk_back(request, seeds).multipliers]
        scores = [mine - other for mine, other in zip(own.multipliers, against, strict=True)]
        if self.positive:
            scores = [np.maximum(part, 0) for part in scores]
        return Found(scores, predictions=own.outputs or None)


def _others(seeds: Array) -> Array:
    """Equal shares (T, N or 1, *shape) of the units that have no weight."""
    rest = (seeds == 0).astype(seeds.dtype)
    count = rest.sum(axis=tuple(range(2, seeds.ndim)), keepdims=True)
    if not count.all():
        raise TargetError(
            "The target is all there is in its layer: no other unit to contrast it with. "
            "dual='negated' needs none."
        )
    return np.asarray(rest / count)


def _negated(setup: Setup) -> Setup:
    """The setup with the target's kernel and bias negated."""
    node = setup.graph.nodes[setup.target]
    if not isinstance(node.layer, Linear) or not node.layer.has_kernel:
        raise TargetError(
            f"dual='negated' needs a target with weights of its own; {node.name!r} is "
            f"{node.class_name}. Explain the layer in front of it, or take dual='others'."
        )
    negated = replace(node, layer=node.layer.reweighted(np.negative))
    graph = replace(setup.graph, nodes={**setup.graph.nodes, node.name: negated})
    return replace(setup, graph=graph)


METHODS = (
    Method(
        "contrastive_lrp",
        "relevance",
        Contrastive,
        "Relevance of the target less that of the other units, or of the negated target.",
        "Gu 2018, arXiv:1812.02100",
        "10·N",
    ),
)
