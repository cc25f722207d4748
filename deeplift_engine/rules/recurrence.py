"""Recurrent layers: the cell's own rules, stepped backwards in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from deeplift_engine.layers.recurrence import MASK, STEP, Recurrence
from deeplift_engine.rules.base import LEADING, Ends, Multiplier, Rule, collapsed, folded
from deeplift_engine.tensors import Tensor, batched, merge


class Sliced(dict[str, Tensor]):
    """Tensors (steps, ...) by name, read at one step, and only those that are asked for."""

    def __init__(self, tensors: Mapping[str, Tensor], number: Tensor) -> None:
        super().__init__(tensors)
        self.number = number

    def __getitem__(self, name: str) -> Tensor:
        return super().__getitem__(name)[self.number]


@dataclass(frozen=True)
class Unrolled:
    """The walk back through a cell, once for every step, the last one first.

    ``rules`` are those of the cell's layers. What arrives at the states before a step is added
    to what arrives at the output of the step before. The activations within the cell are made
    again for all steps at once, from the states that the forward walk kept.
    """

    name: str
    rules: Mapping[str, Rule]

    @property
    def complete(self) -> bool:
        """Whether all of the cell's rules are."""
        return all(rule.complete for rule in self.rules.values())

    def spread(self, layer: Recurrence, ends: Ends) -> Tensor:
        """Size of the output's delta."""
        return collapsed(ends)

    def cross(self, layer: Recurrence, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the sequence, the mask and the initial states."""
        inputs, references = ends.inputs(), ends.references()

        def crossing(multiplier: Tensor, at_input: Any, at_reference: Any) -> Any:
            return self._walk(layer, ends, multiplier, at_input, at_reference)

        # outside of the kernel: TensorFlow's own exponentials are several times as fast as XLA's
        at_input = _cell_activations(layer, ends.output(), inputs)
        at_reference = _cell_activations(layer, ends.output_reference(), references)
        sent = ends.fuse(crossing)(folded(ends, arrived), at_input, at_reference)
        return [Multiplier(part) for part in sent[: len(inputs)]]

    def _walk(
        self,
        layer: Recurrence,
        ends: Ends,
        multiplier: Tensor,
        at_input: Mapping[str, Tensor],
        at_reference: Mapping[str, Tensor],
    ) -> list[Tensor]:
        cell = layer.cell
        time = layer.axis + LEADING - 1
        arriving = tf.split(layer.steps_first(multiplier, time), list(layer.widths), axis=-1)
        steps = tf.shape(multiplier)[time]
        axes = tf.shape(arriving[0])[1 : LEADING + 1]
        for tensors in (at_input, at_reference):
            axes = tf.broadcast_dynamic_shape(
                axes, _with_target(tf.shape(tensors[STEP])[1:LEADING])
            )
        sequences = [STEP, MASK] if layer.masked else [STEP]
        carried = [_zeros(axes, at_input[name][0] + at_reference[name][0]) for name in layer.states]
        collected = [tf.TensorArray(multiplier.dtype, size=steps) for _ in sequences]

        def step(done: Tensor, after: Sequence[Tensor], collected: Sequence[Any]) -> Any:
            number = steps - 1 - done
            here, there = Sliced(at_input, number), Sliced(at_reference, number)
            comparison = ends.inner(cell, self.rules, here, there)
            start = {
                name: Multiplier(part[number] + later)
                for name, part, later in zip(cell.outputs, arriving, after, strict=True)
            }
            found = cell.backward(start, [*sequences, *layer.states], self.rules, comparison.ends)
            sent = {name: part.folded(comparison.delta(name)).mean for name, part in found.items()}
            before = [
                _like(sent.get(name), later)
                for name, later in zip(layer.states, after, strict=True)
            ]
            written = [
                array.write(number, _like(sent.get(name), _zeros(axes, here[name] + there[name])))
                for name, array in zip(sequences, collected, strict=True)
            ]
            return done + 1, before, written

        _, carried, collected = tf.while_loop(
            lambda done, *_: done < steps,
            step,
            (tf.constant(0), carried, collected),
            maximum_iterations=steps,
        )
        sent = []
        for name, array in zip(sequences, collected, strict=True):
            whole = array.stack()
            features = (at_input[name] + at_reference[name]).shape[LEADING:]
            whole.set_shape([multiplier.shape[time], *[None] * LEADING, *features])
            if name == STEP:
                whole = _before_entry(layer, whole, ends.shapes()[0])
            sent.append(layer.steps_back(whole, time))
        return sent + list(carried)


def _cell_activations(
    layer: Recurrence, packed: Tensor, inputs: Sequence[Tensor]
) -> dict[str, Tensor]:
    """Activations (steps, inputs, references, ...) of every layer of the cell."""
    axis = layer.axis + 1
    sequences, initial = layer.parted(inputs)
    values = dict(
        zip([STEP, MASK], (layer.steps_first(part, axis) for part in sequences), strict=False)
    )
    after = tf.split(layer.steps_first(packed, axis), list(layer.widths), axis=-1)
    if not initial:
        initial = [tf.zeros_like(state[0]) for state in after]
    for name, first, state in zip(layer.states, initial, after, strict=True):
        values[name] = tf.concat([first[tf.newaxis], state[:-1]], 0)
    values[STEP] = layer.projected(values[STEP], LEADING)
    leading = tf.shape(values[STEP])[:LEADING]
    names = list(layer.cell.nodes)
    found = layer.cell.forward({name: merge(v, LEADING) for name, v in values.items()}, names)
    return {name: _unmerged(found[name], leading, values[STEP]) for name in names}


def _before_entry(layer: Recurrence, multiplier: Tensor, shape: Sequence[Any]) -> Tensor:
    """Multipliers (steps, targets, ...) of the sequence from those of its projection."""
    one = [*shape[: layer.axis - 1], *shape[layer.axis :]]
    return batched(lambda m: layer.entry.transpose(m, [one]), multiplier, LEADING + 1)[0]


def _unmerged(tensor: Tensor, leading: Tensor, like: Tensor) -> Tensor:
    sizes = tf.shape(tensor)[1:]
    result = tf.reshape(tensor, tf.concat([leading, sizes], 0))
    result.set_shape([*like.shape[:LEADING], *tensor.shape[1:]])
    return result


def _with_target(axes: Tensor) -> Tensor:
    return tf.concat([[1], axes], 0)


def _zeros(axes: Tensor, like: Tensor) -> Tensor:
    """Zeros (targets, inputs, references, ...) of the feature shape of (b, k, ...)."""
    zeros = tf.zeros(tf.concat([axes, tf.shape(like)[LEADING - 1 :]], 0), like.dtype)
    zeros.set_shape([None] * LEADING + like.shape[LEADING - 1 :])
    return zeros


def _like(tensor: Tensor | None, full: Tensor) -> Tensor:
    """``tensor`` broadcast to the shape of ``full``; zeros for None."""
    if tensor is None:
        return tf.zeros_like(full)
    result = tf.broadcast_to(tensor, tf.shape(full))
    result.set_shape(full.shape)
    return result
