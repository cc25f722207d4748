"""Recurrent layers: the cell's own rules, stepped backwards in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from deeplift_engine.layers.distributed import over_time
from deeplift_engine.layers.layer import Layer
from deeplift_engine.layers.recurrence import MASK, STEP, Recurrence
from deeplift_engine.rules.rule import LEADING, Ends, Multiplier, Rule, collapsed, folded, pairwise
from deeplift_engine.tensors.tensor_ops import merge, scratch_graph, split_like
from deeplift_engine.util.typing import Tensor


class AtStep(dict[str, Tensor]):
    """Tensors (steps, ...) by name, read at one step; ``read`` holds the names that were read."""

    def __init__(self, tensors: Mapping[str, Tensor], number: Tensor) -> None:
        super().__init__(tensors)
        self.number = number
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Tensor:
        self.read.add(name)
        return super().__getitem__(name)[self.number]


@dataclass(frozen=True)
class Unrolled:
    """The walk back through a cell, once for every step, the last one first.

    ``rules`` are those of the cell's layers, ``entry`` that of the map in front of it, by default
    its transpose. What arrives at the states before a step is added to what arrives at the output
    of the step before. The activations within the cell are recomputed for all steps at once, from
    the states of the forward walk.
    """

    name: str
    rules: Mapping[str, Rule]
    entry: Rule | None = None

    @property
    def complete(self) -> bool:
        """Whether all of these are."""
        return all(rule.complete for rule in self._all)

    @property
    def additive(self) -> bool:
        """Whether all of these are."""
        return all(rule.additive for rule in self._all)

    @property
    def _all(self) -> list[Rule]:
        return [*self.rules.values(), *([] if self.entry is None else [self.entry])]

    def spread(self, layer: Recurrence, ends: Ends) -> Tensor:
        """Size of the output's delta."""
        return collapsed(ends)

    def cross(self, layer: Recurrence, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the sequence, the mask and the initial states."""
        inputs, references = ends.inputs(), ends.references()
        output, output_reference = ends.output(), ends.output_reference()

        def crossing(multiplier: Tensor, packed: Tensor, packed0: Tensor, *both: Any) -> Any:
            axes = _leading(multiplier, packed, packed0)
            return self._walk(layer, ends, multiplier, axes, *both)

        # outside of the kernel: TensorFlow's own exponentials are several times as fast as XLA's
        at_input, at_reference = (
            _cell_activations(layer, packed, read, names)
            for packed, read, names in zip(
                (output, output_reference),
                (inputs, references),
                self._names_read(layer, ends, output.dtype),
                strict=True,
            )
        )
        multiplier = folded(ends, arrived)
        sent = ends.fuse(crossing)(multiplier, output, output_reference, at_input, at_reference)
        of_inputs = [Multiplier(each) for each in sent[: len(inputs)]]
        if self.entry is None:
            return of_inputs
        return [*_through_entry(self.entry, layer, ends, of_inputs[0]), *of_inputs[1:]]

    def _names_read(self, layer: Recurrence, ends: Ends, dtype: Any) -> list[list[str]]:
        """The activations that one step reads at each end, found on placeholders."""
        with scratch_graph():
            placeholders = [
                AtStep(
                    {
                        name: tf.compat.v1.placeholder(dtype, [None] * LEADING + [*node.shape])
                        for name, node in layer.cell.nodes.items()
                    },
                    tf.constant(0),
                )
                for _ in range(2)
            ]
            arriving = [
                tf.compat.v1.placeholder(dtype, [None] * LEADING + [*shape])
                for shape in (layer.cell.nodes[name].shape for name in layer.states)
            ]
            self._step(layer, ends, arriving, *placeholders)
        return [sorted(end.read) for end in placeholders]

    def _step(
        self,
        layer: Recurrence,
        ends: Ends,
        arriving: Sequence[Tensor],
        point: AtStep,
        reference: AtStep,
    ) -> dict[str, Tensor]:
        """Multipliers of the cell's inputs from those of its states after one step."""
        comparison = ends.inner(layer.cell, self.rules, point, reference)
        start = {
            name: Multiplier(each) for name, each in zip(layer.cell.outputs, arriving, strict=True)
        }
        keep = layer.cell.inputs
        multipliers = layer.cell.backward(start, keep, self.rules, comparison.ends)
        return {
            name: each.mean
            if each.half_difference is None
            else each.folded(comparison.delta(name)).mean
            for name, each in multipliers.items()
        }

    def _walk(
        self,
        layer: Recurrence,
        ends: Ends,
        multiplier: Tensor,
        axes: Tensor,
        at_input: Mapping[str, Tensor],
        at_reference: Mapping[str, Tensor],
    ) -> list[Tensor]:
        time = layer.axis + LEADING - 1
        stepped = layer.steps_first(multiplier, time)
        arriving = tf.split(stepped, list(layer.widths), axis=-1)
        steps = tf.shape(stepped)[0]

        def nothing(name: str) -> Tensor:
            return _zeros(axes, layer.cell.nodes[name].shape, stepped)

        sequences = [STEP, MASK] if layer.masked else [STEP]
        collected = [tf.TensorArray(multiplier.dtype, size=steps) for _ in sequences]

        def step(done: Tensor, after: Sequence[Tensor], collected: Sequence[Any]) -> Any:
            number = steps - 1 - done
            point, reference = AtStep(at_input, number), AtStep(at_reference, number)
            start = [each[number] + later for each, later in zip(arriving, after, strict=True)]
            sent = self._step(layer, ends, start, point, reference)
            before = [_like(sent.get(name), nothing(name)) for name in layer.states]
            written = [
                array.write(number, _like(sent.get(name), nothing(name)))
                for name, array in zip(sequences, collected, strict=True)
            ]
            return done + 1, before, written

        _, carried, collected = tf.while_loop(
            lambda done, *_: done < steps,
            step,
            (tf.constant(0), [nothing(name) for name in layer.states], collected),
            maximum_iterations=steps,
        )
        sent = []
        for name, array in zip(sequences, collected, strict=True):
            stacked = array.stack()
            stacked.set_shape([stepped.shape[0], *nothing(name).shape])
            if name == STEP and self.entry is None:
                stacked = _before_entry(layer, stacked, ends.shapes()[0])
            sent.append(layer.steps_back(stacked, time))
        return sent + list(carried)


def _cell_activations(
    layer: Recurrence, packed: Tensor, inputs: Sequence[Tensor], names: Sequence[str]
) -> dict[str, Tensor]:
    """Activations (steps, inputs, references, ...) of layers of the cell."""
    axis = layer.axis + 1
    sequences, initial = layer.parted(inputs)
    values = dict(
        zip([STEP, MASK], (layer.steps_first(each, axis) for each in sequences), strict=False)
    )
    after = tf.split(layer.steps_first(packed, axis), list(layer.widths), axis=-1)
    if not initial:
        initial = [tf.zeros_like(state[0]) for state in after]
    for name, first, state in zip(layer.states, initial, after, strict=True):
        values[name] = tf.concat([first[tf.newaxis], state[:-1]], 0)
    values[STEP] = layer.projected(values[STEP], LEADING)
    leading = tf.shape(values[STEP])[:LEADING]
    multipliers = layer.cell.forward({name: merge(v, LEADING) for name, v in values.items()}, names)
    return {name: _unmerged(multipliers[name], leading, values[STEP]) for name in names}


def _before_entry(layer: Recurrence, multiplier: Tensor, shape: Sequence[Any]) -> Tensor:
    """Multipliers (steps, targets, ...) of the sequence from those of its projection."""
    one = [*shape[: layer.axis - 1], *shape[layer.axis :]]
    sent = layer.entry.transpose(merge(multiplier, LEADING + 1), [one])
    return split_like(sent, multiplier, LEADING + 1)[0]


def _through_entry(
    rule: Rule, layer: Recurrence, ends: Ends, arrived: Multiplier
) -> list[Multiplier]:
    """Multipliers behind the map in front of the cell, by a rule, for all steps at once."""
    entry: Layer = layer.entry
    for _ in range(layer.axis):
        entry = over_time(entry)
    sequence = ends.inputs()[0]
    projected = pairwise(entry.forward, [sequence])
    step = layer.cell.nodes[STEP]
    source, projection = (
        replace(step, name=name, layer=own, inputs=read, shape=tuple(value.shape[2:]))
        for name, own, read, value in (
            ("sequence", step.layer, (), sequence),
            ("projected", entry, ("sequence",), projected),
        )
    )
    graph = replace(layer.cell, nodes={node.name: node for node in (source, projection)})
    comparison = ends.inner(graph, {}, {"sequence": sequence, "projected": projected}, {})
    return rule.cross(entry, comparison.ends(projection), arrived)


def _unmerged(tensor: Tensor, leading: Tensor, like: Tensor) -> Tensor:
    sizes = tf.shape(tensor)[1:]
    result = tf.reshape(tensor, tf.concat([leading, sizes], 0))
    result.set_shape([*like.shape[:LEADING], *tensor.shape[1:]])
    return result


def _leading(multiplier: Tensor, packed: Tensor, packed0: Tensor) -> Tensor:
    """Sizes of the axes of targets, inputs and references together."""
    axes = tf.shape(multiplier)[:LEADING]
    for tensor in (packed, packed0):
        own = tf.concat([[1], tf.shape(tensor)[: LEADING - 1]], 0)
        axes = tf.broadcast_dynamic_shape(axes, own)
    return axes


def _zeros(axes: Tensor, shape: Sequence[int | None], like: Tensor) -> Tensor:
    """Zeros (targets, inputs, references, *shape); sizes that are None are those of ``like``."""
    known = tf.shape(like)[LEADING + 1 :]
    sizes = [known[axis] if size is None else size for axis, size in enumerate(shape)]
    zeros = tf.zeros(tf.concat([axes, tf.stack(sizes)], 0), like.dtype)
    zeros.set_shape([None] * LEADING + list(shape))
    return zeros


def _like(tensor: Tensor | None, full: Tensor) -> Tensor:
    """``tensor`` broadcast to the shape of ``full``; zeros for None."""
    if tensor is None:
        return tf.zeros_like(full)
    result = tf.broadcast_to(tensor, tf.shape(full))
    result.set_shape(full.shape)
    return result
