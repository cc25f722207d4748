"""The two TensorFlow functions that a scoring run calls, traced once."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from deeplift_engine.engine.activation_pairs import (
    AT_INPUT,
    AT_REFERENCE,
    Comparison,
    Stored,
    remade,
)
from deeplift_engine.engine.forward import target_shape, traced
from deeplift_engine.engine.plan import Plan
from deeplift_engine.graph.fuse_relu import carrying
from deeplift_engine.graph.graph import Graph
from deeplift_engine.rules import Assigned, Multiplier
from deeplift_engine.tensors.tensor_ops import safe_divide
from deeplift_engine.util.typing import Tensor


class Forward:
    """The walk there as a TensorFlow function, to activations by end."""

    def __init__(self, graph: Graph, names: Mapping[str, Iterable[str]]) -> None:
        self.graph, self.names = graph, {end: sorted(set(names[end])) for end in names}
        self._functions = {end: traced(graph, named) for end, named in self.names.items()}

    def __call__(self, values: Sequence[Any], end: str = AT_INPUT) -> dict[str, Tensor]:
        """Activations (n, ...) by node at one end, of inputs (n, ...)."""
        names = self.names[end]
        if not names:
            return {}
        return dict(zip(names, self._functions[end](*map(tf.constant, values)), strict=True))


class Compiled:
    """A plan as TensorFlow functions, compiled when made; nothing retraces later.

    ``forward`` takes inputs (n, ...) and gives the activations that the backward walk reads,
    and ``also``; ``backward`` takes those of a block of inputs and of its references. Walks under
    other rules can read the same activations where they know of each other, ``beside``; their
    ``forward`` is then `forward_of`.
    """

    def __init__(
        self,
        plan: Plan,
        also: Sequence[str] = (),
        averaged: bool = True,
        beside: Sequence[Mapping[str, Assigned]] = (),
    ) -> None:
        if plan.fuses:
            seen = {*plan.cuts, plan.target, *also}
            plan = replace(plan, graph=carrying(plan.graph, [plan.rules, *beside], seen))
        self.plan, self.averaged, graph = plan, averaged, plan.graph
        self.stored = _stored(plan)
        self.needed: dict[str, set[str]] = {}
        self._backward = tf.function(
            self._walk_back, input_signature=self._signature(), autograph=False
        ).get_concrete_function()
        self._unused = {
            name: tf.zeros([0, *(size or 0 for size in graph.nodes[name].shape)], dtype)
            for name, dtype in ((name, graph.nodes[name].dtype) for name in self.stored)
            if any(name not in names for names in self.needed.values())
        }
        self.reads = {
            AT_INPUT: self.needed[AT_INPUT] | set(also),
            AT_REFERENCE: self.needed[AT_REFERENCE],
        }

    @functools.cached_property
    def forward(self) -> Forward:
        """Activations (n, ...) by node at one end; see the class."""
        return Forward(self.plan.graph, self.reads)

    def target_shape(self, data: Sequence[Any]) -> tuple[int, ...]:
        """Shape of the target's layer without batch axis; a free one is that of the data."""
        plan = self.plan
        return target_shape(
            plan.graph, plan.target, data, lambda points: self.forward(points)[plan.target]
        )

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
            self._given(at_input, AT_INPUT),
            self._given(at_reference, AT_REFERENCE),
            tf.constant(seeds),
            tf.constant(rows),
            tf.constant(weights, self.plan.dtype),
        )

    def _given(self, values: Mapping[str, Tensor], end: str) -> list[Tensor]:
        """One tensor for each that may be read, of no samples where the walk reads none."""
        needed = self.needed[end]
        return [values[name] if name in needed else self._unused[name] for name in self.stored]

    def _signature(self) -> list[Any]:
        plan = self.plan
        nodes = plan.graph.nodes
        activations = [
            tf.TensorSpec([None, *nodes[name].shape], nodes[name].dtype) for name in self.stored
        ]
        seeds = tf.TensorSpec([None, None, *nodes[plan.target].shape], plan.dtype)
        return [
            activations,
            activations,
            seeds,
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([None], plan.dtype),
        ]

    def _walk_back(
        self, at_input: Any, at_reference: Any, seeds: Tensor, rows: Tensor, weights: Tensor
    ) -> dict[str, Any]:
        """Traced once, by which it is known what it reads."""
        count = tf.shape(weights)[0]

        def paired(value: Tensor) -> Tensor:
            pairs = tf.reshape(value, tf.concat([[rows, count], tf.shape(value)[1:]], 0))
            pairs.set_shape([None, None, *value.shape[1:]])
            return pairs

        inputs = Stored(
            dict(zip(self.stored, at_input, strict=True)), lambda value: value[:, tf.newaxis]
        )
        references = Stored(dict(zip(self.stored, at_reference, strict=True)), paired)
        weights = weights if self.averaged else None
        found = self._found(inputs, references, seeds[:, :, tf.newaxis], weights)
        self.needed = {AT_INPUT: set(inputs.asked), AT_REFERENCE: set(references.asked)}
        return found

    def _found(
        self, at_input: Stored, at_reference: Stored, seeds: Tensor, weights: Tensor | None
    ) -> dict[str, Any]:
        return _scores(self.plan, at_input, at_reference, seeds, weights)


class Arriving(Compiled):
    """A plan whose rules compare with nothing: only what arrives at the cuts is wanted.

    A rule that asks for a reference all the same finds the input there.
    """

    def arriving(self, at_input: Mapping[str, Tensor], seeds: Any) -> list[Tensor]:
        """What arrives (targets, b, ...) at each cut; see `backward`."""
        found = self.backward(at_input, {}, seeds, 1, [1.0])
        return found["multipliers"]  # type: ignore[no-any-return]

    def _found(
        self, at_input: Stored, at_reference: Stored, seeds: Tensor, weights: Tensor | None
    ) -> dict[str, Any]:
        plan = self.plan
        comparison, arrived = _walked(plan, at_input, at_input, seeds)
        multipliers = []
        for cut in plan.cuts:
            value = comparison.value(cut, AT_INPUT)
            shape = tf.concat([tf.shape(seeds)[:1], tf.shape(value)], 0)
            found = arrived[cut].mean if cut in arrived else tf.zeros([], plan.dtype)
            whole = tf.broadcast_to(found, shape)
            multipliers.append(whole[:, :, 0])
        return {"multipliers": multipliers}


def forward_of(walks: Sequence[Compiled]) -> Forward:
    """One walk there for walks back that know of each other."""
    reads = {
        end: set().union(*(walk.reads[end] for walk in walks)) for end in (AT_INPUT, AT_REFERENCE)
    }
    return Forward(walks[0].plan.graph, reads)


def _stored(plan: Plan) -> list[str]:
    """The nodes whose activations may be asked of the forward walk."""
    there = plan.graph.ancestors([plan.target]).union(plan.cuts)
    return [name for name, node in plan.graph.nodes.items() if name in there and not remade(node)]


def _walked(
    plan: Plan,
    at_input: Mapping[str, Tensor],
    at_reference: Mapping[str, Tensor],
    seeds: Tensor,
) -> tuple[Comparison, Mapping[str, Multiplier]]:
    """The walk back, and what it compared."""
    rules = {name: assigned.rule for name, assigned in plan.rules.items()}
    comparison = Comparison(plan.graph, rules, at_input, at_reference, plan.dtype, plan.fuses)
    start = {plan.target: Multiplier(seeds)}
    return comparison, plan.graph.backward(start, plan.cuts, rules, comparison.ends)


def _scores(
    plan: Plan,
    at_input: Mapping[str, Tensor],
    at_reference: Mapping[str, Tensor],
    seeds: Tensor,
    weights: Tensor | None,
) -> dict[str, Any]:
    comparison, arrived = _walked(plan, at_input, at_reference, seeds)
    level = comparison.value(plan.target, AT_INPUT)[tf.newaxis] * seeds
    level0 = comparison.value(plan.target, AT_REFERENCE)[tf.newaxis] * seeds
    results: dict[str, Any] = {"scores": [], "multipliers": []}
    sums: list[Tensor] = []
    sizes: list[Tensor] = []
    for cut in plan.cuts:
        ends = [comparison.value(cut, end) for end in (AT_INPUT, AT_REFERENCE)]
        if plan.relevance:  # no difference to multiply with: what arrived is the score
            ends = [tf.ones_like(ends[0], plan.dtype), tf.zeros_like(ends[1], plan.dtype)]
        elif plan.graph.nodes[cut].tokens:
            ends = [comparison.delta(cut), tf.zeros_like(comparison.delta(cut))]
        nothing = tf.zeros([tf.shape(seeds)[0], *[1] * ends[0].shape.rank], plan.dtype)
        found = arrived.get(cut, Multiplier(nothing))
        half = (
            [] if found.half_difference is None else [found.half_difference, comparison.spread(cut)]
        )
        if weights is None:
            outcome = comparison.fuse(_contribution)(found.mean, *ends, *half)
        else:
            outcome = comparison.fuse(_mean_contribution)(weights, found.mean, *ends, *half)
        for total, part in zip(
            (results["scores"], results["multipliers"], sums, sizes), outcome, strict=True
        ):
            total.append(part)
    results["sums"], results["sizes"] = tf.add_n(sums), tf.add_n(sizes)
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
