"""The two TensorFlow functions of a task with rules, forward and backward, traced once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from deeplift_engine.engine.activation_pairs import (
    AT_INPUT,
    AT_REFERENCE,
    ActivationPairs,
    RecordedActivations,
    recomputed,
)
from deeplift_engine.engine.blocks import even_size, slices
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.task import Task
from deeplift_engine.graph.fuse_relu import carrying
from deeplift_engine.graph.join_chains import joining
from deeplift_engine.rules import Assigned, Multiplier
from deeplift_engine.tensors.tensor_ops import (
    LEADING,
    leading_sizes,
    safe_divide,
    split,
    trailing_sizes,
)
from deeplift_engine.util.typing import Array, Tensor

Arrived = Mapping[str, Multiplier]
Outcome = Callable[[Task, ActivationPairs, Arrived, Tensor, Tensor], dict[str, Any]]
"""Function of a task, its activations, the multipliers that arrived, weights and shares."""


TARGETS = 5
"""Targets of a pair that walk back together at most: what is computed of its activations, slopes
and shares, is so once for all of them. Ten targets of the dilated network of docs/BENCHMARKS.md
cost 6.0, 5.8, 4.6, 4.3 and 4.5 times one where 1, 2, 3, 5 and 10 walk together, by blocks of as
many results."""


class CompiledPasses:
    """A task with rules as TensorFlow functions; ``backward`` is traced here, and never again.

    The forward passes compute the activations that ``backward`` reads, and at the input those of
    ``nodes``. Tasks that differ in their rules alone can read the same activations if each knows
    the rules of the others, ``beside``.

    The walk starts with weights over the target's units, or, of a number of ``parts``, with the
    mean and the half-difference of multipliers, along an axis behind the leading ones.

    Rules and outcomes that ``compare`` with nothing read activations at one end, the input's, where
    each sample may have as many points as another has references.
    """

    per_sample = 1

    def __init__(
        self,
        task: Task,
        nodes: Sequence[str],
        outcome: Outcome,
        beside: Sequence[Mapping[str, Assigned]] = (),
        parts: int | None = None,
        *,
        compares: bool = True,
    ) -> None:
        seen = {*task.attribution_nodes, *task.explained, *nodes}
        graph = joining(task.graph, task.rules, seen)
        if task.fuses:
            read = seen if compares else {*task.explained, *nodes}
            graph = carrying(graph, [task.rules, *beside], read)
        task = replace(task, graph=graph)
        self.task, self._outcome, self._parts, graph = task, outcome, parts, task.graph
        self._compares = compares
        ancestors = graph.ancestors([task.target]).union(task.attribution_nodes)
        self._readable = [
            name for name in graph.nodes if name in ancestors and not recomputed(graph.nodes[name])
        ]
        activations = [
            tf.TensorSpec([None, *graph.nodes[name].shape], graph.nodes[name].dtype)
            for name in self._readable
        ]
        self._activations = activations
        self._read: dict[str, set[str]] = {}
        self._backward = self._traced(1)
        self._unread = {
            name: tf.zeros([0, *(size or 0 for size in spec.shape[1:])], spec.dtype)
            for name, spec in zip(self._readable, activations, strict=True)
            if any(name not in read for read in self._read.values())
        }
        self.reads = {**self._read, AT_INPUT: self._read[AT_INPUT] | set(nodes)}

    def _traced(self, references: int | None) -> Any:
        """The backward pass for weights that all references share, or (None) for those of pairs."""
        task = self.task
        parts = [] if self._parts is None else [self._parts]
        shape = [None, None, references, *parts, *task.graph.nodes[task.target].shape]
        signature = [
            self._activations,
            self._activations,
            tf.TensorSpec(shape, task.dtype),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([None], task.dtype),
        ]
        function = tf.function(self._trace, input_signature=signature, autograph=False)
        return function.get_concrete_function()

    def per_pair(self, targets: int) -> int:
        """How many of so many targets are held together for each pair."""
        return even_size(targets, TARGETS)

    @property
    def outcomes(self) -> Mapping[str, Any]:
        """The specifications of what `backward` returns."""
        return self._backward.structured_outputs  # type: ignore[no-any-return]

    @functools.cached_property
    def _backward_of_pairs(self) -> Any:
        """The backward pass for weights of each pair, which few runs need."""
        return self._traced(None)

    @functools.cached_property
    def forward(self) -> tuple[ForwardPass, ForwardPass]:
        """The forward passes of samples and of references."""
        return self.forward_pass(AT_INPUT), self.forward_pass(AT_REFERENCE)

    def forward_pass(self, end: str, beside: Sequence[CompiledPasses] = ()) -> ForwardPass:
        """The forward pass at one end, to what these passes and those ``beside`` them read."""
        names = self.reads[end].union(*(each.reads[end] for each in beside))
        return ForwardPass(self.task, sorted(names))

    def blocks(
        self,
        at_input: Mapping[str, Tensor],
        at_reference: Mapping[str, Tensor],
        weights: Array,
        rows: int,
        shares: Array,
        size: int,
    ) -> Iterator[tuple[slice, dict[str, Any]]]:
        """The outcome of some targets after the other, for a block of ``size`` pairs."""
        together = even_size(len(weights), max(1, self.task.pairs // size))
        for targets in slices(len(weights), together):
            yield targets, self.backward(at_input, at_reference, weights[targets], rows, shares)

    def backward(
        self,
        at_input: Mapping[str, Tensor],
        at_reference: Mapping[str, Tensor],
        weights: Any,
        rows: int,
        shares: Any,
    ) -> dict[str, Any]:
        """The outcome for a block.

        Parameters
        ----------
        at_input, at_reference
            From the forward passes: (b, ...) of the samples, (rows · k, ...) of the references;
            where nothing is compared (rows · k, ...) of the samples' points.
        weights
            Over the target's units, (T, b or 1, k or 1, *shape).
        rows
            1 where the references are shared, else b.
        shares
            Of each reference (k,) in the mean.
        """
        ends = (
            [
                values[name] if name in self._read[end] else self._unread[name]
                for name in self._readable
            ]
            for end, values in ((AT_INPUT, at_input), (AT_REFERENCE, at_reference))
        )
        function = self._backward if weights.shape[2] == 1 else self._backward_of_pairs
        return function(  # type: ignore[no-any-return]
            *ends, tf.constant(weights), tf.constant(rows), tf.constant(shares, self.task.dtype)
        )

    def _trace(
        self, at_input: Any, at_reference: Any, weights: Tensor, rows: Tensor, shares: Tensor
    ) -> dict[str, Any]:
        """Traced once, which tells what it reads."""
        pairs_of = tf.concat([[rows], tf.shape(shares)], 0)

        def paired(value: Tensor) -> Tensor:
            return split(value, pairs_of, 2)

        inputs = RecordedActivations(
            dict(zip(self._readable, at_input, strict=True)),
            (lambda value: tf.expand_dims(value, 1)) if self._compares else paired,
        )
        references = RecordedActivations(
            dict(zip(self._readable, at_reference, strict=True)), paired
        )
        task = self.task
        rules = {name: assigned.rule for name, assigned in task.rules.items()}
        # what compares with nothing reads the input where a rule reads a reference all the same
        pairs = ActivationPairs(
            task.graph,
            rules,
            inputs,
            references if self._compares else inputs,
            task.dtype,
            task.fuses,
            compiles=task.fused is None,
        )
        parts = [weights] if self._parts is None else tf.unstack(weights, axis=LEADING)
        start = {task.target: Multiplier(*parts)}
        arrived = task.graph.backward(start, task.attribution_nodes, rules, pairs.ends)
        outcome = self._outcome(task, pairs, arrived, weights, shares)
        self._read = {AT_INPUT: set(inputs.read), AT_REFERENCE: set(references.read)}
        return outcome


def arrivals(
    task: Task, pairs: ActivationPairs, arrived: Arrived, weights: Tensor, shares: Tensor
) -> dict[str, Any]:
    """``multipliers`` (T, b, ...) at each point, of rules that compare with nothing."""
    multipliers = []
    for node in task.attribution_nodes:
        value = pairs.value(node, AT_INPUT)
        shape = tf.concat([leading_sizes(weights, 1), tf.shape(value)], 0)
        mean = arrived[node].mean if node in arrived else tf.zeros([], task.dtype)
        multipliers.append(tf.squeeze(tf.broadcast_to(mean, shape), 2))
    return {"multipliers": multipliers}


def mean_arrivals(
    task: Task, pairs: ActivationPairs, arrived: Arrived, weights: Tensor, shares: Tensor
) -> dict[str, Any]:
    """``multipliers`` (T, b, ...) at each attribution point, means over each sample's points."""
    multipliers = []
    for node in task.attribution_nodes:
        value = pairs.value(node, AT_INPUT)
        axes = [leading_sizes(weights, 1), leading_sizes(value, 1), trailing_sizes(value, 2)]
        mean = tf.zeros([], task.dtype)
        if node in arrived:
            mean = pairs.fuse(_mean)(arrived[node].mean, shares)
        multipliers.append(tf.broadcast_to(mean, tf.concat(axes, 0)))
    return {"multipliers": multipliers}


def _mean(multiplier: Tensor, shares: Tensor) -> Tensor:
    """The weighted sum (T, b, ...) over the third axis, which may be 1."""
    weights = tf.reshape(shares, [1, 1, -1] + [1] * (multiplier.shape.rank - LEADING))
    return tf.reduce_sum(multiplier * weights, axis=2)


def scores_of_pairs(
    task: Task,
    pairs: ActivationPairs,
    arrived: Arrived,
    weights: Tensor,
    shares: Tensor,
    averaged: bool = False,
) -> dict[str, Any]:
    """Scores, and the sums that they should have, of each pair of sample and reference.

    ``scores`` and ``multipliers`` are lists over the points, (T, b, k, ...), or (T, b, ...) if
    they are averaged. ``total`` and ``size`` of the contributions, ``change`` and ``level`` of the
    target are (T, b, k); see `deeplift_engine.engine.convergence.Sums`.
    """
    level, level0 = (
        tf.expand_dims(pairs.value(task.target, end), 0) * weights
        for end in (AT_INPUT, AT_REFERENCE)
    )
    axes = list(range(3, level.shape.rank))
    return {
        **contributions(task, pairs, arrived, weights, shares, averaged),
        "change": tf.reduce_sum(level - level0, axis=axes),
        "level": tf.reduce_sum(tf.abs(level) + tf.abs(level0), axis=axes),
    }


def contributions(
    task: Task,
    pairs: ActivationPairs,
    arrived: Arrived,
    weights: Tensor,
    shares: Tensor,
    averaged: bool = False,
) -> dict[str, Any]:
    """Those of `scores_of_pairs` that are of the points: all but the target's change and level."""
    by_point = []
    for node in task.attribution_nodes:
        ends = [pairs.value(node, end) for end in (AT_INPUT, AT_REFERENCE)]
        if task.graph.nodes[node].tokens:
            ends = [pairs.delta(node), tf.zeros_like(pairs.delta(node))]
        if node in arrived:
            multiplier = arrived[node]
        else:
            multiplier = Multiplier(
                tf.zeros([tf.shape(weights)[0], *[1] * ends[0].shape.rank], task.dtype)
            )
        operands = [multiplier.mean, *ends]
        if multiplier.half_difference is not None:
            operands += [multiplier.half_difference, pairs.spread(node)]
        if averaged:
            by_point.append(pairs.fuse(_mean_contribution)(shares, *operands))
        else:
            by_point.append(pairs.fuse(_contribution)(*operands))
    scores, multipliers, totals, sizes = map(list, zip(*by_point, strict=True))
    return {
        "scores": scores,
        "multipliers": multipliers,
        "total": tf.add_n(totals),
        "size": tf.add_n(sizes),
    }


mean_scores = functools.partial(scores_of_pairs, averaged=True)
"""The same, with scores and multipliers averaged over the references."""


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
