"""Passes of a task with many targets, by way of a cut; see `deeplift_engine.engine.cuts`."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.engine.activation_pairs import AT_INPUT, AT_REFERENCE, ActivationPairs
from deeplift_engine.engine.blocks import slices
from deeplift_engine.engine.compiled import Arrived, CompiledPasses, contributions
from deeplift_engine.engine.cuts import Cut
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.task import AttributionPoint, Task
from deeplift_engine.tensors.tensor_ops import LEADING, expand_to
from deeplift_engine.util.typing import Array, Tensor


class ThroughCut:
    """As `CompiledPasses`, for more targets than a cut has units.

    Each unit of the cut is sent back to the points, each target to the cut, and products put the
    two together. Where halves of multipliers arrive at the cut, they are units of their own.

    The ``size`` of contributions is the sum over the units of theirs, above what it is for each
    target by itself: rounding, which it is to judge, is that of the products.

    Attributes
    ----------
    task
        The task, from its target to the cut.
    units
        How many walks go from the cut to the points.
    per_sample, per_pair
        How many results at the points are held together for each sample, and for each pair.
    """

    def __init__(self, task: Task, cut: Cut, nodes: Sequence[str], *, averaged: bool) -> None:
        seen = (*nodes, cut.node, task.target, *task.explained, *task.attribution_nodes)
        task = replace(task, fused=True if task.fuses else task.fused)
        at_cut = (AttributionPoint(cut.node, cut.node),)
        self.cut, self.averaged = cut, averaged
        self._outer = CompiledPasses(replace(task, attribution_points=at_cut), seen, arrivals_at_cut)
        self.task, self.units = self._outer.task, self._outer.outcomes["arrived"].shape[-1]
        self._inner = CompiledPasses(
            replace(task, target=cut.node, heads={}),
            seen,
            functools.partial(contributions, averaged=cut.constant),
            parts=self.units // cut.units,
        )
        self.per_sample, self.per_pair = self.units, 1 if cut.constant else self.units

    @functools.cached_property
    def forward(self) -> tuple[ForwardPass, ForwardPass]:
        """The forward passes of samples and of references."""
        at_input, at_reference = (
            self._outer.forward_pass(end, [self._inner]) for end in (AT_INPUT, AT_REFERENCE)
        )
        return at_input, at_reference

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
        of_units = self._of_units(at_input, at_reference, rows, shares, size)
        held = size // len(shares) if self.cut.constant else size
        for targets in slices(len(weights), max(1, self.task.pairs // held)):
            outer = self._outer.backward(at_input, at_reference, weights[targets], rows, shares)
            yield targets, self._joined(outer, of_units, shares)

    def _of_units(
        self,
        at_input: Mapping[str, Tensor],
        at_reference: Mapping[str, Tensor],
        rows: int,
        shares: Array,
        size: int,
    ) -> dict[str, Any]:
        """Scores, multipliers and sums of each unit of the cut, (units, b, k) and features."""
        parts, shape = self.units // self.cut.units, self.task.graph.nodes[self.cut.node].shape
        results = []
        for some in slices(self.units, max(1, self.task.pairs // size)):
            ones = np.eye(some.stop - some.start, self.units, some.start, self.task.dtype)
            start = ones.reshape(-1, 1, 1, parts, *shape)
            results.append(self._inner.backward(at_input, at_reference, start, rows, shares))
        return tf.nest.map_structure(lambda *pieces: tf.concat(pieces, 0), *results)

    def _joined(
        self, outer: Mapping[str, Any], of_units: Mapping[str, Any], shares: Array
    ) -> dict[str, Any]:
        """The outcome of targets, of their multipliers at the cut and the outcome of its units."""
        arrived = outer["arrived"]
        total = tf.einsum("t...u,u...->t...", arrived, of_units["total"])
        size = tf.einsum("t...u,u...->t...", tf.abs(arrived), of_units["size"])
        sums = {"total": total, "size": size, "change": outer["change"], "level": outer["level"]}
        if self.cut.constant:
            arrived = arrived[:, :, 0]
        elif self.averaged:
            arrived = arrived * tf.constant(shares, arrived.dtype)[:, tf.newaxis]

        def joined(values: Tensor) -> Tensor:
            flat = tf.reshape(values, [*values.shape[: arrived.shape.rank - 1], -1])
            if self.averaged and not self.cut.constant:
                product = tf.einsum("t...ku,u...kp->t...p", arrived, flat)
            else:
                product = tf.einsum("t...u,u...p->t...p", arrived, flat)
            features = values.shape[arrived.shape.rank - 1 :]
            return tf.reshape(product, [*product.shape[:-1], *features])

        by_feature = {kind: list(map(joined, of_units[kind])) for kind in ("scores", "multipliers")}
        return {**by_feature, **sums}


def arrivals_at_cut(
    task: Task, pairs: ActivationPairs, arrived: Arrived, weights: Tensor, shares: Tensor
) -> dict[str, Any]:
    """``arrived``: multipliers (T, b or 1, k or 1, units) at the cut, means and then halves.

    ``change`` and ``level`` of the target are those of `scores_of_pairs`.
    """
    (cut,) = task.attribution_nodes
    parts = [arrived[cut].mean]
    if arrived[cut].half_difference is not None:
        parts.append(arrived[cut].half_difference)
    axes = functools.reduce(
        tf.broadcast_dynamic_shape, [tf.shape(part)[:LEADING] for part in parts]
    )
    shape = task.graph.nodes[cut].shape
    full = [
        tf.broadcast_to(expand_to(part, axes, LEADING), tf.concat([axes, shape], 0))
        for part in parts
    ]
    multipliers = tf.concat([_flat(part) for part in full], -1)
    multipliers.set_shape([None] * LEADING + [len(parts) * int(np.prod(shape))])
    x, x0 = (_flat(pairs.value(task.target, end), 2) for end in (AT_INPUT, AT_REFERENCE))
    over = _flat(weights)
    return {
        "arrived": multipliers,
        "change": tf.einsum("t...u,...u->t...", over, x - x0),
        "level": tf.einsum("t...u,...u->t...", tf.abs(over), tf.abs(x) + tf.abs(x0)),
    }


def _flat(tensor: Tensor, leading: int = LEADING) -> Tensor:
    """The tensor with one axis behind the leading ones."""
    return tf.reshape(tensor, tf.concat([tf.shape(tensor)[:leading], [-1]], 0))
