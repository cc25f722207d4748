"""The target's change where windows of an input are replaced, from what can change alone.

A window of a sequence, or of an image, reaches no further than its receptive field. The
unperturbed samples are forwarded once and their activations kept; each window then goes through the
layers as a change within a box (`spans`), which convolutions and pooling widen, and which is
dropped for the whole tensor where it covers most of it (`incremental_plan`). Exact but for
rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, TypeAlias

import numpy as np
import tensorflow as tf

from deeplift_engine.engine.forward import traced
from deeplift_engine.engine.target_weights import of_samples, weighted
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.explainers.perturbation.incremental.crossing import sizes
from deeplift_engine.explainers.perturbation.incremental.frames import Frames
from deeplift_engine.explainers.perturbation.incremental.incremental_plan import (
    IncrementalPlan,
    Patches,
    plain,
    planned,
)
from deeplift_engine.explainers.perturbation.masked_values import Evaluate
from deeplift_engine.graph.graph import Graph
from deeplift_engine.graph.inputs import padded
from deeplift_engine.tensors.tensor_ops import scratch_graph
from deeplift_engine.util.options import Among
from deeplift_engine.util.typing import Array, Tensor

Way: TypeAlias = Annotated[str, Among(("auto", "incremental", "whole"))]
BLOCK_BYTES = 16 << 20
"""Size of the largest tensor of a block of windows: small, for caches."""
ACTIVATION_BYTES = 256 << 20
"""Size of the unperturbed activations of some samples together."""
MOST_ROWS = 2048
"""And never more windows together than this."""
SIZES = 16
"""Number of sizes of blocks, each compiled once."""
GAIN = 1.3
"""Factor by which it must look cheaper than whole forward passes to be chosen by "auto"."""


class Incremental:
    """The target's change for any number of windows of equal width, each in one sample.

    Saturation mutagenesis asks for windows of one position and A - 1 letters at each, a density of
    A - 1; occlusion along the sequence for windows that hold a reference, every ``stride``
    positions, a density of 1 / stride for each reference.

    Parameters
    ----------
    graph, target
        The network, and the node that is explained.
    evaluate
        The target's values at whole inputs, where that is cheaper.
    patches
        The input that is perturbed, and the windows' axis, width and density.
    fused
        Whether to compile elementwise work into single kernels.
    way
        ``"auto"``, what looks cheaper; ``"incremental"`` or ``"whole"``.

    Raises
    ------
    RuleError
        Where the incremental way is asked for and an axis is free.
    """

    def __init__(
        self,
        graph: Graph,
        target: str,
        evaluate: Evaluate,
        patches: Patches,
        *,
        fused: bool = False,
        way: Way = "auto",
    ) -> None:
        self.graph, self.target, self.evaluate = graph, target, evaluate
        self.patches, self.fused = patches, fused
        self._depends = patches.entered in graph.ancestors([target])
        plan = None if way == "whole" or not self._depends else planned(graph, target, patches)
        if way == "incremental" and plan is None and self._depends:
            raise RuleError(
                f"{patches.entered!r}, or a layer behind it, has an axis of any length: only "
                "whole forward passes are possible; build the network with a fixed length."
            )
        if way == "auto" and plan is not None and plan.work * GAIN > plain(graph, target):
            plan = None
        self.plan: IncrementalPlan | None = plan
        self._compiled: dict[int, Any] = {}

    def __call__(
        self,
        data: Sequence[Array],
        samples: Array,
        starts: Array,
        patches: Array,
        seeds: Array,
        batch_size: int | None = None,
        tick: Callable[[int], object] = lambda number: None,
    ) -> Array:
        """How the target changes, (T, M), when M windows are put into samples.

        Parameters
        ----------
        data
            The unperturbed samples (N, ...), of each input of the graph.
        samples
            Of each window its sample, (M,).
        starts
            And its first position along each of the axes, (M, A), or (M,) along the only one. What
            of a window lies before the first position or behind the last is left out.
        patches
            What is put there, (M, *features) with the windows' widths along their axes.
        seeds
            Weights over the target's units, (T, N or 1, *shape).
        batch_size
            At most so many windows together.
        tick
            Told how many windows are done, again and again.
        """
        node = self.graph.nodes[self.patches.entered]
        expected = list(data[self.graph.inputs.index(node.name)].shape[1:])
        for axis, width in zip(self.patches.axes, self.patches.widths, strict=True):
            expected[axis] = width
        starts = starts.reshape(len(starts), len(self.patches.axes))
        if patches.shape != (len(starts), *expected):
            raise InputError(
                f"Windows of {node.name!r} hold {(len(starts), *expected)}, these {patches.shape}."
            )
        used, samples = np.unique(samples, return_inverse=True)
        if not len(used) or not self._depends:
            return np.zeros((len(seeds), len(starts)), seeds.dtype)
        data = [array[used] for array in data]
        seeds = of_samples(seeds, used)
        if self.plan is None:
            return self._by_whole_passes(data, samples, starts, patches, seeds, batch_size, tick)
        return self._within(self.plan, data, samples, starts, patches, seeds, batch_size, tick)

    # ------------------------------------------------------------ whole forward passes

    def _by_whole_passes(
        self,
        data: Sequence[Array],
        samples: Array,
        starts: Array,
        patches: Array,
        seeds: Array,
        batch_size: int | None,
        tick: Callable[[int], object],
    ) -> Array:
        before = self.evaluate(data, seeds, batch_size)
        changes = np.zeros((len(seeds), len(starts)), before.dtype)
        entered, axes = self.graph.inputs.index(self.patches.entered), self.patches.axes
        fronts = [axis + 1 for axis in axes], list(range(1, 1 + len(axes)))
        most = batch_size or max(
            1, ACTIVATION_BYTES // max(1, sum(array[0].nbytes for array in data))
        )
        for first in range(0, len(starts), most):
            block = slice(first, first + most)
            rows = samples[block]
            points = [array[rows] for array in data]
            lines, new = (np.moveaxis(each, *fronts) for each in (points[entered], patches[block]))
            steps = np.indices(self.patches.widths).reshape(len(axes), -1)
            positions = starts[block, :, np.newaxis] + steps
            lengths = np.array(lines.shape[1 : 1 + len(axes)])[:, np.newaxis]
            inside = ((positions >= 0) & (positions < lengths)).all(axis=1)
            number, step = np.nonzero(inside)
            at = positions[number, :, step].T
            lines[(number, *at)] = new[(number, *steps[:, step])]
            changes[:, block] = self.evaluate(points, of_samples(seeds, rows), batch_size)
            changes[:, block] -= before[:, rows]
            tick(len(rows))
        return changes

    # ------------------------------------------------------------ changes alone

    def _within(
        self,
        plan: IncrementalPlan,
        data: Sequence[Array],
        samples: Array,
        starts: Array,
        patches: Array,
        seeds: Array,
        batch_size: int | None,
        tick: Callable[[int], object],
    ) -> Array:
        changes = np.zeros((len(seeds), len(starts)), seeds.dtype)
        steps = np.array([span.step for span in plan.box])
        groups = grouped(samples, starts, steps, plan.rows)
        most = max(1, min(self._frames, (batch_size or MOST_ROWS) // plan.rows))
        for first, last in self._sample_blocks(len(data[0])):
            here = np.flatnonzero((groups.samples >= first) & (groups.samples < last))
            if not len(here):
                continue
            unperturbed = self._keep(*(tf.constant(array[first:last]) for array in data))
            count = frames_together(len(here), most)
            for start in range(0, len(here), count):
                chosen = padded(here[start : start + count], 0, count)
                slots = groups.slots[chosen]
                slots[len(here) - start :] = -1
                empty = (slots < 0)[..., np.newaxis]
                offsets = np.where(empty, plan.box[0].width, starts[slots] % steps)
                change = self._change(count)(
                    unperturbed,
                    tf.constant(groups.samples[chosen] - first, tf.int32),
                    tf.constant(groups.frames[chosen], tf.int32),
                    tf.constant(offsets, tf.int32),
                    tf.constant(patches[slots]),
                ).numpy()
                filled = slots.ravel() >= 0
                windows = slots.ravel()[filled]
                weights = of_samples(seeds, samples[windows])
                changes[:, windows] = weighted(change[filled], weights)
                tick(len(windows))
        return changes

    def _sample_blocks(self, samples: int) -> Iterator[tuple[int, int]]:
        nodes = self.graph.nodes
        elements = sum(math.prod(sizes(nodes[name])) for name in self._names)
        size = max(1, ACTIVATION_BYTES // max(1, elements * 8))
        for first in range(0, samples, size):
            yield first, min(first + size, samples)

    @property
    def _frames(self) -> int:
        """Number of frames that fit into a block."""
        assert self.plan is not None
        width = int(tf.as_dtype(self.graph.nodes[self.target].dtype).size)
        return max(1, BLOCK_BYTES // (self.plan.rows * self.plan.elements * width))

    @cached_property
    def _names(self) -> list[str]:
        """The nodes whose activations changes are compared with, as a first trace reads them."""
        assert self.plan is not None
        nodes = self.graph.nodes
        on_demand = _OnDemand(lambda name: tf.zeros([1, *sizes(nodes[name])], nodes[name].dtype))
        with scratch_graph():
            arguments = (tf.zeros(spec.shape, spec.dtype) for spec in self._specs(1))
            self._traced(1, False, on_demand, *arguments)
        return list(on_demand)

    def _specs(self, count: int) -> list[Any]:
        """Specifications of samples, frames, offsets and patches of ``count`` frames."""
        assert self.plan is not None
        node = self.graph.nodes[self.patches.entered]
        shape, axes = list(sizes(node)), len(self.patches.axes)
        for axis, width in zip(self.patches.axes, self.patches.widths, strict=True):
            shape[axis] = width
        leading = [count, self.plan.rows]
        numbers = [[count], [count, axes], [*leading, axes]]
        patches = tf.TensorSpec([*leading, *shape], node.dtype)
        return [*(tf.TensorSpec(each, tf.int32) for each in numbers), patches]

    @cached_property
    def _keep(self) -> Any:
        return traced(self.graph, self._names)

    def _change(self, count: int) -> Any:
        """The compiled function of ``count`` frames; few counts occur."""
        if count not in self._compiled:
            names, nodes = self._names, self.graph.nodes

            def change(
                unperturbed: list[Tensor],
                samples: Tensor,
                frames: Tensor,
                offsets: Tensor,
                new: Tensor,
            ) -> Tensor:
                known = dict(zip(names, unperturbed, strict=True))
                return self._traced(count, self.fused, known, samples, frames, offsets, new)

            activations = [
                tf.TensorSpec([None, *nodes[name].shape], nodes[name].dtype) for name in names
            ]
            signature = [activations, *self._specs(count)]
            self._compiled[count] = tf.function(
                change, input_signature=signature, autograph=False
            ).get_concrete_function()
        return self._compiled[count]

    def _traced(
        self,
        count: int,
        fused: bool,
        unperturbed: Any,
        samples: Tensor,
        frames: Tensor,
        offsets: Tensor,
        patches: Tensor,
    ) -> Tensor:
        assert self.plan is not None
        block = Frames(unperturbed, samples, frames, count, self.plan.rows, fused)
        return self.plan.change(block, offsets, patches)


class Forwards:
    """The passes of a task for windows of any sizes, each of which is planned once."""

    def __init__(self, task: Task, evaluate: Evaluate, way: Way = "auto") -> None:
        self.task, self.evaluate, self.way = task, evaluate, way
        self._of: dict[Patches, Incremental] = {}

    @property
    def plans(self) -> list[IncrementalPlan | None]:
        """The plans of those that were asked for, None where whole passes are cheaper."""
        return [forward.plan for forward in self._of.values()]

    def of(self, patches: Patches) -> Incremental:
        """The pass for windows like these."""
        if patches not in self._of:
            task = self.task
            self._of[patches] = Incremental(
                task.graph, task.target, self.evaluate, patches, fused=task.fuses, way=self.way
            )
        return self._of[patches]


class _OnDemand(dict[str, Tensor]):
    """Tensors that are created when first read."""

    def __init__(self, make: Callable[[str], Tensor]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, name: str) -> Tensor:
        self[name] = self.make(name)
        return self[name]


@dataclass(frozen=True)
class Groups:
    """Windows by the frame that they begin in.

    Attributes
    ----------
    samples, frames
        Of each group its sample, (G,), and its frame along each axis, (G, A).
    slots
        The numbers of its windows, (G, R), -1 where there are fewer.
    """

    samples: Array
    frames: Array
    slots: Array


def frames_together(frames: int, most: int) -> int:
    """Frames per block, all blocks but the last being full: one of few sizes up to ``most``."""
    even = -(-frames // -(-frames // most))
    unit = max(1, most // SIZES)
    return min(most, -(-even // unit) * unit)


def grouped(samples: Array, starts: Array, steps: Array, rows: int) -> Groups:
    """M windows in groups of at most ``rows`` that begin, (M, A), in one frame of one sample."""
    frames = starts // steps
    keys = np.column_stack([samples, frames])
    order = np.lexsort(keys.T[::-1])
    apart = np.ones(len(order), bool)
    apart[1:] = np.diff(keys[order], axis=0).any(axis=1)
    first = np.flatnonzero(apart)
    rank = np.arange(len(order)) - np.repeat(first, np.diff([*first, len(order)]))
    group = np.cumsum(rank % rows == 0) - 1
    slots = np.full((group[-1] + 1 if len(group) else 0, rows), -1)
    slots[group, rank % rows] = order
    lead = order[np.flatnonzero(rank % rows == 0)]
    return Groups(samples[lead], frames[lead], slots)
