"""Contrastive relevance: what speaks for the target rather than for the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.head_rows import HeadRows
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import TargetError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.relevance.lrp import DEEP_TAYLOR
from deeplift_engine.explainers.relevance.propagation import Relevance, prepared
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.graph.graph import Graph, Node
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

    traits = Traits(uses_references=False, attributes_of="input")

    def __init__(
        self,
        task: Task,
        *,
        dual: Annotated[str, Among(("others", "negated"))] = "others",
        low: Bounds = None,
        high: Bounds = None,
        positive: bool = True,
        batch_norm: str = "merge",
    ) -> None:
        task = prepared(task, batch_norm)
        super().__init__(task)
        self.dual, self.positive = dual, positive
        options: dict[str, Any] = {"low": low, "high": high, "batch_norm": "rule"}
        options |= {"rules": DEEP_TAYLOR, "epsilon": 0.0, "bias": False}
        self._target = Relevance(task, **options)
        self._dual = self._target if dual == "others" else Relevance(_negated(task), **options)

    def attribute(self, request: Request) -> MethodResult:
        """Differences of relevance (T, N, *S)."""
        weights = request.weights
        own = self._target.propagate(request, weights)
        if self.dual == "others":
            shares = _others(weights, request.heads.values())
            start = own.values.reshape(*own.values.shape, *[1] * (shares.ndim - 2)) * shares
            against = self._dual.propagate(request, start, direct=True).multipliers
        else:  # the negated target's value is below 0, and so is all that it starts with
            against = [-values for values in self._dual.propagate(request, weights).multipliers]
        scores = [mine - other for mine, other in zip(own.multipliers, against, strict=True)]
        if self.positive:
            scores = [np.maximum(values, 0) for values in scores]
        return MethodResult(scores, predictions=own.outputs or None)


def _others(weights: Array, heads: Iterable[HeadRows]) -> Array:
    """Equal shares (T, N or 1, *shape) of the units of the target's layer that have no weight."""
    rest = (weights == 0).astype(weights.dtype)
    for head in heads:
        own = np.zeros(rest.shape[-1])
        own[head.units] = 1
        rest[head.rows] *= own
    count = rest.sum(axis=tuple(range(2, weights.ndim)), keepdims=True)
    if not count.all():
        raise TargetError(
            "The target is all there is in its layer: no other unit to contrast it with. "
            "dual='negated' needs none."
        )
    return np.asarray(rest / count)


def _negated(task: Task) -> Task:
    """The setup with the target's kernel and bias negated, of each head."""
    nodes = {name: _negated_node(task.graph, name) for name in task.explained}
    behind = {name: task.graph.descendants([name]).intersection(nodes) - {name} for name in nodes}
    if inner := [name for name, others in behind.items() if others]:
        raise TargetError(
            f"dual='negated' negates the weights of {inner[0]!r}, which "
            f"{sorted(behind[inner[0]])} read: explain it in a run of its own."
        )
    return replace(task, graph=replace(task.graph, nodes={**task.graph.nodes, **nodes}))


def _negated_node(graph: Graph, name: str) -> Node:
    node = graph.nodes[name]
    if not isinstance(node.layer, Linear) or not node.layer.has_kernel:
        raise TargetError(
            f"dual='negated' needs a target with weights of its own; {node.name!r} is "
            f"{node.class_name}. Explain the layer in front of it, or take dual='others'."
        )
    return replace(node, layer=node.layer.reweighted(np.negative))


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
