"""The sum of contributions after each layer: the same everywhere, or the layer is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.engine.activation_pairs import AT_INPUT, AT_REFERENCE, ActivationPairs
from deeplift_engine.engine.convergence import SMALL
from deeplift_engine.engine.head_rows import resolved_target, weights_at_references
from deeplift_engine.engine.process import check_process
from deeplift_engine.engine.request import resolved_references
from deeplift_engine.engine.task import Task
from deeplift_engine.graph.graph import Node
from deeplift_engine.graph.inputs import arrays
from deeplift_engine.graph.join_chains import joining
from deeplift_engine.rules import Multiplier
from deeplift_engine.util.tables import aligned
from deeplift_engine.util.typing import Array

TOLERANCE = {"float32": 1e-4, "float64": 1e-9}


@dataclass(frozen=True)
class AuditRow:
    """The change of the sum at one layer, in the sample where it is largest.

    Attributes
    ----------
    layer, class_name, rule
        Which layer, and the rule that multipliers crossed it by.
    arrived, sent
        Contributions at its output and at its inputs, in the sample of the largest error.
    error
        Largest ``|sent - arrived|`` relative to the largest of the target's difference, the
        contributions' sizes and a hundredth of the activations' own, under the multipliers:
        a difference that is smaller than that holds rounding.
    total
        Sum over all tensors on the way at that moment: a complete cut of the network, from the
        target back to here, in the same sample.
    """

    layer: str
    class_name: str
    rule: str
    arrived: float
    sent: float
    error: float
    total: float


@dataclass(frozen=True)
class Audit:
    """Rows from the target back to the inputs; see `Network.audit`.

    ``target_delta`` (N,) is what every total must equal.
    """

    rows: tuple[AuditRow, ...]
    target_delta: Array
    tolerance: float

    @property
    def worst(self) -> AuditRow:
        """The row with the largest error."""
        return max(self.rows, key=lambda row: row.error)

    @property
    def first_break(self) -> AuditRow | None:
        """The first row on the way back whose error is above the tolerance."""
        return next((row for row in self.rows if not row.error <= self.tolerance), None)

    @property
    def ok(self) -> bool:
        """Whether no row is."""
        return self.first_break is None

    def __repr__(self) -> str:
        """A table."""
        rows = [
            (
                *(row.layer, row.class_name, row.rule),
                *(f"{row.arrived:.5g}", f"{row.sent:.5g}", f"{row.error:.1e}"),
                "" if row.error <= self.tolerance else "<- breaks the sum",
            )
            for row in self.rows
        ]
        heads = ("layer", "class", "rule", "arrived", "sent", "error", "")
        return aligned([heads, *rows], right=(3, 4, 5))


def audit(task: Task, x: Any, references: Any, target: Any) -> Audit:
    """Go back once, eagerly, adding up what crosses each layer, from all heads together.

    Chains of products are joined, as in a run, so that what arrives at a layer are its scores.
    """
    check_process()
    graph = joining(task.graph, task.rules, [*task.attribution_nodes, *task.explained])
    task, data = replace(task, graph=graph), arrays(x, task.inputs, task.dtype)
    samples = len(data[0])
    compared = []
    for each, array in zip(resolved_references(references, data, task.inputs), data, strict=True):
        values = each.make(array[:0] if each.shared else array, np.arange(samples))
        compared.append(np.broadcast_to(values[:1] if each.shared else values[:, 0], array.shape))
    ends = []
    for points in (data, compared):
        tensors = dict(zip(graph.inputs, map(tf.constant, points), strict=True))
        activations = graph.forward(tensors, graph.ancestors([task.target]))
        ends.append({name: value[:, tf.newaxis] for name, value in activations.items()})
    rules = {name: assigned.rule for name, assigned in task.rules.items()}
    pairs = ActivationPairs(graph, rules, ends[0], ends[1], task.dtype, fused=False)
    shapes = [tuple(ends[0][name].shape[2:]) for name in task.explained]
    shape = dict(zip(task.heads, shapes, strict=True)) if task.heads else shapes[0]
    units = task.units_of(target)
    levels = [np.asarray(values[task.target])[:, 0] for values in ends]
    weights, heads = resolved_target(units, shape, samples, task.dtype, level=lambda: levels[0])
    of_references = weights_at_references(units, shape, heads, task.dtype)
    if of_references is not None:
        weights = weights + of_references(levels[1])
    weights = weights.sum(axis=0, keepdims=True) if heads else weights[:1]
    ledger = _Ledger(task, pairs)
    start = Multiplier(tf.constant(weights)[:, :, tf.newaxis])
    ledger.target = ledger.contribution(task.target, start)
    graph.backward({task.target: start}, task.attribution_nodes, rules, pairs.ends, ledger.cross)
    return Audit(tuple(ledger.rows), ledger.target, TOLERANCE[task.dtype])


class _Ledger:
    def __init__(self, task: Task, activations: ActivationPairs) -> None:
        self.task, self.activations = task, activations
        self.rows: list[AuditRow] = []
        self.target: Array = np.zeros(0)

    def contribution(self, name: str, multiplier: Multiplier, sizes: bool = False) -> Array:
        """Sum over a tensor (N,), of the contributions or of their sizes."""
        value = multiplier.mean * self.activations.delta(name)[tf.newaxis]
        if multiplier.half_difference is not None:
            value += multiplier.half_difference * self.activations.spread(name)[tf.newaxis]
        value = tf.abs(value) if sizes else value
        summed: Array = tf.reduce_sum(value, axis=list(range(2, value.shape.rank)))[0].numpy()
        return summed

    def level(self, name: str, multiplier: Multiplier) -> Array:
        """Sum over a tensor (N,) of the sizes of both ends under the multiplier.

        Differences of numbers of this size are known to so many of its digits.
        """
        size = tf.abs(multiplier.mean)
        if multiplier.half_difference is not None:
            size += tf.abs(multiplier.half_difference)
        if self.task.graph.nodes[name].tokens:
            return np.abs(self.contribution(name, multiplier))
        ends = (self.activations.value(name, end) for end in (AT_INPUT, AT_REFERENCE))
        value = size * sum(tf.abs(end) for end in ends)[tf.newaxis]
        summed: Array = tf.reduce_sum(value, axis=list(range(2, value.shape.rank)))[0].numpy()
        return summed

    def cross(self, node: Node, arrived: Mapping[str, Multiplier], sent: list[Multiplier]) -> None:
        """One layer: what came, what went, and the sum over the whole cut afterwards."""
        came = self.contribution(node.name, arrived[node.name])
        pairs = list(zip(node.inputs, sent, strict=True))
        nothing = np.zeros_like(came)
        went = sum((self.contribution(name, each) for name, each in pairs), nothing)
        sizes = sum((self.contribution(name, each, sizes=True) for name, each in pairs), nothing)
        others = [
            self.contribution(name, each) for name, each in arrived.items() if name != node.name
        ]
        total = went + sum(others, nothing)
        levels = self.level(node.name, arrived[node.name])
        levels = levels + sum((self.level(name, each) for name, each in pairs), nothing)
        scale = np.maximum.reduce([np.abs(self.target), sizes, SMALL * levels])
        error = np.divide(np.abs(went - came), scale, out=np.zeros_like(came), where=scale > 0)
        worst = int(np.argmax(np.where(np.isfinite(error), error, np.inf)))
        self.rows.append(
            AuditRow(
                node.name,
                node.class_name,
                self.task.rules[node.name].rule.name,
                float(came[worst]),
                float(went[worst]),
                float(error[worst]),
                float(total[worst]),
            )
        )
