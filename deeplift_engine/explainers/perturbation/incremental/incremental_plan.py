"""The plan of a perturbed window's change through a network, and its cost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from deeplift_engine.explainers.perturbation.incremental.crossing import (
    Crossing,
    Pointwise,
    Site,
    plain_work,
    share,
    sizes,
)
from deeplift_engine.explainers.perturbation.incremental.frames import (
    Change,
    Form,
    Frames,
    within_axes,
)
from deeplift_engine.explainers.perturbation.incremental.kernels_and_pools import Convolve, Pool
from deeplift_engine.explainers.perturbation.incremental.leaving import (
    Average,
    Greatest,
    Move,
    Recompute,
    Rows,
    anywhere,
)
from deeplift_engine.graph.graph import Graph
from deeplift_engine.layers.spans import Box, Span
from deeplift_engine.util.typing import Tensor

CROSSINGS: tuple[Crossing, ...] = (
    Average(),
    Greatest(),
    Rows(),
    Move(),
    Convolve(),
    Pool(),
    Pointwise(),
)
"""The ways to cross a layer, of which the first that fits is taken; `Recompute` always does."""
MOST = 0.8
"""Share of all positions from which on a box is no longer worth its while."""
SHARED = (1, 2, 4, 8, 16, 32)
"""Numbers of positions at which windows of one frame begin, in units of all strides."""
MOST_ROWS = 64
"""Largest number of windows that share a frame."""


@dataclass(frozen=True)
class Patches:
    """The windows to perturb.

    Attributes
    ----------
    entered
        The input.
    axes
        Of its features, those that windows do not fill (from 0).
    widths
        Of a window along each of them.
    density
        How many windows begin at a position, about.
    every
        Number along each axis whose multiples windows begin at.
    """

    entered: str
    axes: tuple[int, ...] = (0,)
    widths: tuple[int, ...] = (1,)
    density: float = 1.0
    every: tuple[int, ...] = ()


@dataclass(frozen=True)
class Step:
    """A node that changes, and how."""

    site: Site
    form: Form
    crossing: Crossing


@dataclass(frozen=True)
class IncrementalPlan:
    """The crossings of a change from the input to the target.

    Attributes
    ----------
    box
        Of the input's change; a ``step`` is how many positions begin in one frame.
    rows
        How many windows share a frame.
    steps
        The nodes that change, in order.
    work
        Of one window, in multiply-adds.
    """

    graph: Graph
    target: str
    patches: Patches
    box: Box
    rows: int
    steps: tuple[Step, ...]
    work: float

    @property
    def elements(self) -> int:
        """Number of elements of the largest tensor of one window."""
        return max((step.crossing.elements(step.site, step.form) for step in self.steps), default=1)

    def change(self, frames: Frames, offsets: Tensor, patches: Tensor) -> Tensor:
        """The target's change (G·R, *shape).

        ``offsets`` (G, R, A) say where in their frame windows begin, ``patches``
        (G, R, *features) what they hold.
        """
        entered = self.patches.entered
        changes: dict[str, Change] = {entered: self._entered(frames, offsets, patches)}
        readers = [name for step in self.steps for name in step.site.node.inputs]
        for step in self.steps:
            node = step.site.node
            read = [changes.get(name) for name in node.inputs]
            change = step.crossing.cross(step.site, step.form, frames, read)
            several = readers.count(node.name) > 1
            changes[node.name] = frames.now(change) if several else change
        form = self.steps[-1].form if self.steps else self.box
        return anywhere(frames, changes[self.target], self.graph.nodes[self.target], form)

    def _entered(self, frames: Frames, offsets: Tensor, patches: Tensor) -> Tensor:
        """The input's change (G·R, *features)."""
        node = self.graph.nodes[self.patches.entered]
        new, valid = patches, tf.constant(True)
        inside = within_axes(frames.positions(self.box), self.box)
        for number, (span, width) in enumerate(zip(self.box, self.patches.widths, strict=True)):
            steps = tf.range(span.width) - offsets[:, :, number, tf.newaxis]
            under = (steps >= 0) & (steps < width) & inside[number][:, tf.newaxis]
            shape = [frames.count, frames.rows, *[1] * len(node.shape)]
            shape[span.axis + 2] = span.width
            valid = valid & tf.reshape(under, shape)
            steps = tf.clip_by_value(steps, 0, width - 1)
            new = tf.gather(new, steps, axis=span.axis + 2, batch_dims=2)
        unperturbed = frames.at(node.name, self.box)[:, tf.newaxis]
        if node.tokens:
            return frames.merged(tf.where(valid, new, unperturbed))
        return frames.merged(tf.where(valid, new - unperturbed, tf.zeros([], new.dtype)))


def planned(graph: Graph, target: str, patches: Patches) -> IncrementalPlan | None:
    """The cheapest plan; None where the size of an axis is free."""
    needed = graph.ancestors([target])
    if any(None in graph.nodes[name].shape for name in needed):
        return None
    plans = [_plan(graph, target, patches, step) for step in _steps(graph, target, patches)]
    return min(plans, key=lambda plan: plan.work)


def plain(graph: Graph, target: str) -> float:
    """Cost of one forward pass, in multiply-adds."""
    nodes = graph.nodes
    return sum(
        plain_work(nodes[name], [nodes[source] for source in nodes[name].inputs])
        for name in graph.ancestors([target])
        if nodes[name].inputs
    )


def _steps(graph: Graph, target: str, patches: Patches) -> Iterator[int]:
    """Numbers of positions that can share a frame: multiples of the strides on the paths."""
    lengths = [sizes(graph.nodes[patches.entered])[axis] for axis in patches.axes]
    needed = graph.ancestors([target])
    strides: dict[str, int] = {}
    for name, node in graph.nodes.items():
        if name in needed:
            own: Any = getattr(node.layer, "strides", (1,))
            before = max((strides[source] for source in node.inputs), default=1)
            strides[name] = before * max(own)
    candidates = {stride * shared for stride in strides.values() for shared in SHARED}
    return (step for step in sorted(candidates) if step == 1 or step < max(lengths))


def _plan(graph: Graph, target: str, patches: Patches, step: int) -> IncrementalPlan:
    nodes = graph.nodes
    every = patches.every or [1] * len(patches.axes)
    box = tuple(
        Span(
            axis, step, 0, step - math.gcd(step, apart) + width, sizes(nodes[patches.entered])[axis]
        )
        for axis, width, apart in zip(patches.axes, patches.widths, every, strict=True)
    )
    rows = min(MOST_ROWS, max(1, math.ceil(patches.density * step ** len(box))))
    forms: dict[str, Form] = {patches.entered: box}
    steps = []
    between = graph.on_paths([patches.entered], [target])
    for name, node in nodes.items():
        if name not in between or name == patches.entered:
            continue
        sources = tuple(nodes[source] for source in node.inputs)
        site = Site(node, sources, tuple(map(forms.get, node.inputs)), rows)
        steps.append(_crossed(site))
        forms[name] = steps[-1].form
    work = sum(step.crossing.work(step.site, step.form) for step in steps)
    return IncrementalPlan(graph, target, patches, box, rows, tuple(steps), work)


def _crossed(site: Site) -> Step:
    for crossing in CROSSINGS:
        form = crossing.form(site)
        if form is not None and not (isinstance(form, tuple) and share(form) > MOST):
            return Step(site, form, crossing)
    return Step(site, Recompute().form(site), Recompute())
