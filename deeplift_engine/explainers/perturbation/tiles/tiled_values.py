"""The target's values under many masks, by tiles of a layer that many masks leave alike.

What a mask does to a tile depends on what it leaves of the tile's receptive field. Of coalitions of
few groups that is one of few patterns, and along a permutation it changes only while the groups
leave that lie there. So tiles are computed once for each pattern of theirs, and masks are put
together of them: only the layers behind are computed for each mask. Exact but for rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.engine.blocks import even_slices, padded_slices
from deeplift_engine.engine.finite import finite_values
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.target_weights import repeated, weighted
from deeplift_engine.engine.task import Task
from deeplift_engine.explainers.perturbation.incremental.incremental_plan import plain
from deeplift_engine.explainers.perturbation.masked_values import Masks, mixed, where_replaced
from deeplift_engine.explainers.perturbation.tiles.mask_patterns import (
    Patterns,
    crop_index,
    every_tile,
    patterns_of,
)
from deeplift_engine.explainers.perturbation.tiles.tile_plan import TilePlan, tile_plans
from deeplift_engine.graph.inputs import padded
from deeplift_engine.layers.spans import Box
from deeplift_engine.util.typing import Array, Tensor

GAIN = 1.5
"""Factor by which tiles must look cheaper than whole forward passes."""
FEWEST = 8
"""Number of masks from which on tiles are considered."""
TRIED = 3
"""Number of tiles whose patterns are counted to estimate those of a plan."""
WIDTHS = (2, 4, 8, 16, 32, 64)
"""Widths of tiles, in positions of the input, beside the distance of the masks' edges."""
MASK_BYTES = 64 << 20
"""Size of the masks that are taken together."""
TABLE_BYTES = 128 << 20
"""Size of the tiles that are held together."""
BLOCK_BYTES = 16 << 20
"""Size of the largest tensor of a block of tiles."""


@dataclass(frozen=True)
class Passes:
    """A plan with its compiled functions.

    Attributes
    ----------
    plan
        See `TilePlan`.
    tiles
        From crops (B, *box) and numbers (B, A) to tiles (B, *tile).
    behind
        From tiles (R, P, *tile) of R pairs and the patterns (D, tiles) of masks to the target.
    """

    plan: TilePlan
    tiles: Any
    behind: Any

    @classmethod
    def compiled(cls, plan: TilePlan, target: str) -> Passes:
        """Trace both once."""
        graph = plan.graph
        node, box = graph.nodes[plan.entered], plan.boxes[plan.entered]
        crop = list(node.shape)
        for span in box:
            crop[span.axis] = span.width
        specs = (
            tf.TensorSpec([None, *crop], node.dtype),
            tf.TensorSpec([None, len(box)], tf.int32),
        )
        tiles = tf.function(plan.tiles, input_signature=specs, autograph=False)
        tiles = tiles.get_concrete_function()

        def behind(table: Tensor, numbers: Tensor) -> Tensor:
            gathered = tf.gather(table, numbers, axis=1)
            joined = plan.joined(tf.reshape(gathered, [-1, *gathered.shape[2:]]))
            return graph.forward({plan.end: joined}, [target])[target]

        tile = tiles.structured_outputs.shape[1:]
        specs = (
            tf.TensorSpec([None, None, *tile], graph.nodes[plan.cut].dtype),
            tf.TensorSpec([None, plan.number], tf.int32),
        )
        joining = tf.function(behind, input_signature=specs, autograph=False)
        return cls(plan, tiles, joining.get_concrete_function())


class TiledValues:
    """Values of the target under masks of one input, where tiles look cheaper."""

    def __init__(self, task: Task, forward: ForwardPass) -> None:
        self.task, self.forward = task, forward
        self._chosen: dict[int, Passes | None] = {}
        self._compiled: dict[tuple[str, Box], Passes] = {}

    def __call__(self, samples: Samples, draws: int, masks: Masks) -> Array | None:
        """Values (T, n, k, D) as those of `masked_values`; None where whole passes look cheaper."""
        entered = self._entered
        about = draws.bit_length()  # methods ask for many numbers of draws
        if entered is None or draws < FEWEST or self._chosen.get(about, True) is None:
            return None
        size = samples.data[entered][0].size * np.result_type(masks(slice(0, 1))[entered]).itemsize
        blocks = list(even_slices(draws, max(1, MASK_BYTES // size)))
        result: Array | None = None
        for block in blocks:
            several = masks(block)[entered]
            if len(several) > 1 and samples.count > 1:
                return None
            alike = np.broadcast_to(several[0], (len(several[0]), *samples.data[entered].shape[1:]))
            if about not in self._chosen:
                self._chosen[about] = self._choose(alike, draws)
            passes = self._chosen[about]
            if passes is None:
                return None
            values = self._values(passes, samples, alike)
            if result is None:
                result = np.zeros((*values.shape[:-1], draws))
            result[..., block] = values
            samples.tick(samples.count * values.shape[-1])
        return result

    @cached_property
    def _entered(self) -> int | None:
        """The number of the only input; None where there are several, or an axis is free."""
        graph = self.task.graph
        needed = graph.ancestors([self.task.target])
        names = [name for name in graph.inputs if name in needed]
        if len(names) != 1 or any(None in graph.nodes[name].shape for name in needed):
            return None
        return graph.inputs.index(names[0])

    # ------------------------------------------------------------ choice

    def _choose(self, masks: Array, draws: int) -> Passes | None:
        """The cheapest plan for masks (D, *S) like these, if it is cheaper than whole passes."""
        assert self._entered is not None
        graph, target = self.task.graph, self.task.target
        entered = graph.inputs[self._entered]
        limit = draws * plain(graph, target) / GAIN
        best: TilePlan | None = None
        for plan in tile_plans(graph, entered, target, [*WIDTHS, *_spacings(masks)]):
            behind = draws * plan.work_behind(target)
            if behind + 2 * plan.number * plan.tile_work > limit:
                continue
            every = every_tile(plan.counts)
            tried = every[np.linspace(0, len(every) - 1, min(TRIED, len(every))).astype(int)]
            patterns = len(patterns_of(masks, plan.boxes[entered], tried).masks) / len(tried)
            patterns *= draws / len(masks)
            work = behind + patterns * plan.number * plan.tile_work
            if work < limit:
                best, limit = plan, work
        if best is None:
            return None
        key = best.cut, best.boxes[best.cut]
        if key not in self._compiled:
            self._compiled[key] = Passes.compiled(best, target)
        return self._compiled[key]

    # ------------------------------------------------------------ values

    def _values(self, passes: Passes, samples: Samples, masks: Array) -> Array:
        """Values (T, n, k, D) under masks (D, *S)."""
        plan = passes.plan
        patterns = patterns_of(masks, plan.boxes[plan.entered], every_tile(plan.counts))
        count = samples.references[0].shape[1]
        average = samples.request.average
        result = np.zeros((len(samples.weights), samples.count, count, len(masks)))
        width = np.dtype(self.task.dtype).itemsize
        held = max(1, TABLE_BYTES // (len(patterns.masks) * plan.elements * width))
        if held < count and len(masks) > FEWEST:
            half = len(masks) // 2
            parts = [self._values(passes, samples, each) for each in (masks[:half], masks[half:])]
            return np.concatenate(parts, axis=-1)
        for rows in even_slices(samples.count, max(1, held // count)):
            table = self._table(passes, samples, rows, patterns, masks)
            weights = samples.weights if samples.weights.shape[1] == 1 else samples.weights[:, rows]
            most = samples.request.batch_size or self.forward.most
            for draws in even_slices(len(masks), max(1, most // table.shape[0])):
                size = draws.stop - draws.start
                target = passes.behind(table, tf.constant(patterns.numbers[draws], tf.int32))
                values = weighted(target.numpy(), repeated(weights, count * size)).astype(float)
                result[:, rows, :, draws] = values.reshape(len(values), -1, count, size)
        if average:
            result = result.mean(axis=2, keepdims=True)
        return finite_values(result, where_replaced(samples))

    def _table(
        self, passes: Passes, samples: Samples, rows: slice, patterns: Patterns, masks: Array
    ) -> Tensor:
        """Tiles (R, P, *tile) of all patterns for the R pairs of some samples."""
        plan, entered = passes.plan, self._entered
        assert entered is not None
        data = samples.data[entered][rows]
        references = samples.references[entered][rows]
        references = references.reshape(-1, *references.shape[2:])
        number = len(references) // len(data)
        most = max(1, BLOCK_BYTES // (plan.crop_elements * data.itemsize * len(references)))
        blocks = []
        for block, size in padded_slices(len(patterns.masks), most):
            tiles = padded(patterns.tiles, block.start, size)
            index = crop_index(plan.boxes[plan.entered], tiles)
            every: tuple[Any, ...] = (slice(None), *index)
            drawn = padded(patterns.masks, block.start, size)
            stays = masks[(drawn.reshape(-1, *[1] * len(plan.axes)), *index)]
            crops = mixed(
                np.repeat(data[every], number, axis=0),
                references[every],
                stays[np.newaxis],
            )
            values = passes.tiles(
                tf.constant(crops.reshape(-1, *crops.shape[2:])),
                tf.constant(np.tile(tiles, (len(references), 1)), tf.int32),
            )
            values = tf.reshape(values, [len(references), size, *values.shape[1:]])
            blocks.append(values[:, : block.stop - block.start])
        return tf.concat(blocks, 1) if len(blocks) > 1 else blocks[0]


def _spacings(masks: Array) -> Iterator[int]:
    """Along each axis the mean distance of positions at which masks (D, *S) change."""
    for axis in range(1, masks.ndim):
        lines = np.moveaxis(masks, axis, 0)
        length = len(lines)
        edges = sum(bool((lines[at] != lines[at - 1]).any()) for at in range(1, length))
        if edges:
            yield round(length / (edges + 1))
