"""The two TensorFlow functions that a scoring run calls, traced once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from deeplift_engine.carrying import carrying
from deeplift_engine.comparison import AT_INPUT, AT_REFERENCE, Comparison, Stored
from deeplift_engine.plan import Plan
from deeplift_engine.rules import Multiplier
from deeplift_engine.tensors import Tensor, safe_divide, scratch_graph


class Compiled:
    """A plan as TensorFlow functions, compiled when made; nothing retraces later.

    ``forward`` takes inputs (n, ...) and gives the activations that the backward walk reads,
    and ``also``; ``backward`` takes those of a block of inputs and of its references.
    """

    def __init__(self, plan: Plan, also: Sequence[str] = (), averaged: bool = True) -> None:
        if plan.fuses:
            seen = {*plan.cuts, plan.target, *also}
            plan = replace(plan, graph=carrying(plan.graph, plan.rules, seen))
        self.plan, self.averaged, graph = plan, averaged, plan.graph
        self.needed = _needed(plan)
        self.feeds = [
            tf.TensorSpec(
                [None, *graph.nodes[name].shape], graph.nodes[name].dtype, name=f"input_{i}"
            )
            for i, name in enumerate(graph.inputs)
        ]
        self.at_input = sorted(self.needed[AT_INPUT] | set(also))
        self.at_reference = sorted(self.needed[AT_REFERENCE])
        self._forward = {
            AT_INPUT: self._traced_forward(self.at_input),
            AT_REFERENCE: self._traced_forward(self.at_reference),
        }
        self._backward = tf.function(
            self._walk_back, input_signature=self._signature(), autograph=False
        ).get_concrete_function()

    def forward(self, values: Sequence[Any], end: str = AT_INPUT) -> dict[str, Tensor]:
        """Activations (n, ...) by node at one end; see the class."""
        names = self.at_input if end == AT_INPUT else self.at_reference
        if not names:
            return {}
        return dict(zip(names, self._forward[end](*map(tf.constant, values)), strict=True))

    def backward(
        self,
        at_input: Mapping[str, Tensor],
        at_reference: Mapping[str, Tensor],
        seeds: Any,
        rows: int,
        weights: Any,
    ) -> dict[str, Any]:
        """Scores of a block.

        Parameters
        ----------
        at_input, at_reference
            From `forward`: (b, ...) of the inputs, (rows · k, ...) of the references.
        seeds
            Weights over the target's units, (targets, b or 1, *shape).
        rows
            1 where the references are shared, else b.
        weights
            Of each reference (k,) in the mean.

        Returns
        -------
        dict
            ``scores`` and ``multipliers``, lists over the cuts: (targets, b, ...) if averaged,
            else (targets, b, k, ...). ``sums`` of contributions and of their ``sizes``
            (targets, b, k); ``deltas`` and ``levels`` of the target.
        """
        return self._backward(  # type: ignore[no-any-return]
            [at_input[name] for name in sorted(self.needed[AT_INPUT])],
            [at_reference[name] for name in self.at_reference],
            tf.constant(seeds),
            tf.constant(rows),
            tf.constant(weights, self.plan.dtype),
        )

    def _traced_forward(self, names: Sequence[str]) -> Any:
        graph = self.plan.graph

        def forward(*values: Tensor) -> list[Tensor]:
            given = dict(zip(graph.inputs, values, strict=True))
            found = graph.forward(given, names)
            return [found[name] for name in names]

        traced = tf.function(forward, input_signature=self.feeds, autograph=False)
        return traced.get_concrete_function()

    def _signature(self) -> list[Any]:
        plan = self.plan
        nodes = plan.graph.nodes
        at_input, at_reference = (
            [
                tf.TensorSpec([None, *nodes[name].shape], nodes[name].dtype)
                for name in sorted(self.needed[end])
            ]
            for end in (AT_INPUT, AT_REFERENCE)
        )
        seeds = tf.TensorSpec([None, None, *nodes[plan.target].shape], plan.dtype)
        return [
            at_input,
            at_reference,
            seeds,
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([None], plan.dtype),
        ]

    def _walk_back(
        self, at_input: Any, at_reference: Any, seeds: Tensor, rows: Tensor, weights: Tensor
    ) -> dict[str, Any]:
        count = tf.shape(weights)[0]
        inputs, references = {}, {}
        for name, value in zip(sorted(self.needed[AT_INPUT]), at_input, strict=True):
            inputs[name] = value[:, tf.newaxis]
        for name, value in zip(self.at_reference, at_reference, strict=True):
            paired = tf.reshape(value, tf.concat([[rows, count], tf.shape(value)[1:]], 0))
            paired.set_shape([None, None, *value.shape[1:]])
            references[name] = paired
        weights = weights if self.averaged else None
        return _scores(self.plan, inputs, references, seeds[:, :, tf.newaxis], weights)


def _needed(plan: Plan) -> dict[str, set[str]]:
    """The activations that the backward walk reads, found by walking once on placeholders."""
    with scratch_graph():
        stored = {}
        for end in (AT_INPUT, AT_REFERENCE):
            stored[end] = Stored(
                (name, tf.compat.v1.placeholder(node.dtype, [None, None, *node.shape]))
                for name, node in plan.graph.nodes.items()
            )
        seeds = tf.compat.v1.placeholder(
            plan.dtype, [None, None, None, *plan.graph.nodes[plan.target].shape]
        )
        _scores(plan, stored[AT_INPUT], stored[AT_REFERENCE], seeds, None, fused=False)
    return {end: values.asked for end, values in stored.items()}


def _scores(
    plan: Plan,
    at_input: Mapping[str, Tensor],
    at_reference: Mapping[str, Tensor],
    seeds: Tensor,
    weights: Tensor | None,
    fused: bool | None = None,
) -> dict[str, Any]:
    rules = {name: assigned.rule for name, assigned in plan.rules.items()}
    comparison = Comparison(
        plan.graph,
        rules,
        at_input,
        at_reference,
        plan.dtype,
        plan.fuses if fused is None else fused,
    )
    start = {plan.target: Multiplier(seeds)}
    arrived = plan.graph.backward(start, plan.cuts, rules, comparison.ends)
    results: dict[str, Any] = {"scores": [], "multipliers": []}
    sums: list[Tensor] = []
    sizes: list[Tensor] = []
    for cut in plan.cuts:
        ends = [comparison.value(cut, end) for end in (AT_INPUT, AT_REFERENCE)]
        if plan.graph.nodes[cut].tokens:
            ends = [comparison.delta(cut), tf.zeros_like(comparison.delta(cut))]
        found = arrived.get(cut, Multiplier(tf.zeros([1] * (ends[0].shape.rank + 1), plan.dtype)))
        half = [] if found.half is None else [found.half, comparison.spread(cut)]
        if weights is None:
            outcome = comparison.fuse(_contribution)(found.mean, *ends, *half)
        else:
            outcome = comparison.fuse(_mean_contribution)(weights, found.mean, *ends, *half)
        for total, part in zip(
            (results["scores"], results["multipliers"], sums, sizes), outcome, strict=True
        ):
            total.append(part)
    results["sums"], results["sizes"] = tf.add_n(sums), tf.add_n(sizes)
    level = comparison.value(plan.target, AT_INPUT)[tf.newaxis] * seeds
    level0 = comparison.value(plan.target, AT_REFERENCE)[tf.newaxis] * seeds
    axes = list(range(3, level.shape.rank))
    results["deltas"] = tf.reduce_sum(level - level0, axis=axes)
    results["levels"] = tf.reduce_sum(tf.abs(level) + tf.abs(level0), axis=axes)
    return results


def _contribution(mean: Tensor, x: Tensor, x0: Tensor, *half: Tensor) -> tuple[Tensor, ...]:
    """s·Δ + d·A, the one multiplier that gives it, its sum and the sum of its sizes."""
    delta = x - x0
    if half:
        contribution = mean * delta + half[0] * half[1]
        multiplier = tf.where(delta == 0, mean, safe_divide(contribution, delta))
    else:
        contribution, multiplier = mean * delta, mean + tf.zeros_like(delta)
    axes = list(range(3, contribution.shape.rank))
    total = tf.reduce_sum(contribution, axis=axes)
    return contribution, multiplier, total, tf.reduce_sum(tf.abs(contribution), axis=axes)


def _mean_contribution(weights: Tensor, mean: Tensor, *ends: Tensor) -> tuple[Tensor, ...]:
    """The same, with the first two averaged over the references."""
    contribution, multiplier, total, size = _contribution(mean, *ends)
    shares = tf.reshape(weights, [1, 1, -1] + [1] * (contribution.shape.rank - 3))
    averaged = (tf.reduce_sum(value * shares, axis=2) for value in (contribution, multiplier))
    return (*averaged, total, size)
