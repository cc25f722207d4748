"""Passes of a task with many targets, by way of a cut; see `deeplift_engine.engine.cuts`."""

from __future__ import annotations

import functools
import math
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
from deeplift_engine.tensors.tensor_ops import LEADING
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
    per_sample
        How many results at the points are held together for each sample.
    """

    def __init__(self, task: Task, cut: Cut, nodes: Sequence[str], *, averaged: bool) -> None:
        seen = (*nodes, cut.node, task.target, *task.explained, *task.attribution_nodes)
        task = replace(task, fused=True if task.fuses else task.fused)
        at_cut = (AttributionPoint(cut.node, cut.node),)
        self.cut, self.averaged = cut, averaged
        self._outer = CompiledPasses(
            replace(task, attribution_points=at_cut), seen, arrivals_at_cut
        )
        self.task, self.units = self._outer.task, self._outer.outcomes["arrived"].shape[-1]
        self._inner = CompiledPasses(
            replace(task, target=cut.node, heads={}),
            seen,
            functools.partial(contributions, averaged=cut.constant),
            parts=self.units // cut.units,
        )
        self.per_sample = self.units

    def per_pair(self, targets: int) -> int:
        """How many are held together for each pair, whatever the number of targets."""
        return 1 if self.cut.constant else self.units

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
        basis = {
            kind: [self._matrix(values) for values in of_units[kind]]
            for kind in ("scores", "multipliers")
        }
        held = size // len(shares) if self.cut.constant else size
        for targets in slices(len(weights), max(1, self.task.pairs // held)):
            outer = self._outer.backward(at_input, at_reference, weights[targets], rows, shares)
            arrived = outer.pop("arrived")
            over = self._over_units(arrived, shares)
            by_feature = {
                kind: [
                    tf.reshape(product, [*product.shape[:-1], *values.shape[self._leading :]])
                    for product, values in zip(
                        (_targets_first(tf.matmul(over, matrix)) for matrix in basis[kind]),
                        of_units[kind],
                        strict=True,
                    )
                ]
                for kind in basis
            }
            yield targets, {**by_feature, **outer, **_sums(arrived, of_units)}

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
        joined: dict[str, Any] = tf.nest.map_structure(lambda *each: tf.concat(each, 0), *results)
        return joined

    @property
    def _leading(self) -> int:
        """Leading axes of a unit's scores: there are no references if they are means."""
        return LEADING - self.cut.constant

    def _matrix(self, values: Tensor) -> Tensor:
        """Results (units, b, k, ...) as matrices (b, k, units, features).

        (b, k · units, features) where products are to add over the references, too.
        """
        flat = _flat(values, self._leading)
        matrix = tf.transpose(flat, [*range(1, flat.shape.rank - 1), 0, flat.shape.rank - 1])
        return _merged(matrix, 1) if self._adds else matrix

    def _over_units(self, arrived: Tensor, shares: Array) -> Tensor:
        """Multipliers (T, b, k, units) as the matrices that go with those of `_matrix`."""
        if self.cut.constant:
            arrived = arrived[:, :, 0]
        elif self._adds:
            arrived = _merged(arrived * tf.constant(shares, arrived.dtype)[:, tf.newaxis], 2)
        return tf.transpose(arrived, [*range(1, arrived.shape.rank - 1), 0, arrived.shape.rank - 1])

    @property
    def _adds(self) -> bool:
        """Whether products average over the references."""
        return self.averaged and not self.cut.constant


def _sums(arrived: Tensor, of_units: Mapping[str, Any]) -> dict[str, Tensor]:
    """``total`` and ``size`` (T, b, k), of multipliers (T, b or 1, k or 1, units)."""
    return {
        "total": tf.einsum("t...u,u...->t...", arrived, of_units["total"]),
        "size": tf.einsum("t...u,u...->t...", tf.abs(arrived), of_units["size"]),
    }


def _targets_first(products: Tensor) -> Tensor:
    """Matrices (b, k, T, features) as (T, b, k, features)."""
    rank = products.shape.rank
    return tf.transpose(products, [rank - 2, *range(rank - 2), rank - 1])


def _merged(tensor: Tensor, axis: int) -> Tensor:
    """The tensor with one axis in place of ``axis`` and the next."""
    return tf.reshape(tensor, [*tensor.shape[:axis], -1, *tensor.shape[axis + 2 :]])


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
    shape: Any = task.graph.nodes[cut].shape
    full = tf.concat([axes, tf.constant(shape, tf.int32)], 0)
    multipliers = tf.concat([_flat(tf.broadcast_to(part, full)) for part in parts], -1)
    multipliers.set_shape([*[None] * LEADING, len(parts) * math.prod(shape)])
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
