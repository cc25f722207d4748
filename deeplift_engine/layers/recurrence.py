"""A cell stepped along a sequence: SimpleRNN, LSTM, GRU, ConvLSTM.

The cell is a graph of attribution layers like any network, so a recurrent layer needs nothing of
its own but the two loops: this one forward in time, and the rule's backward in time
(`deeplift_engine.rules.recurrence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from deeplift_engine.layers.families import Linear
from deeplift_engine.layers.layer import Layer, Shape
from deeplift_engine.tensors.tensor_ops import merge, split_like
from deeplift_engine.util.typing import Tensor

STEP, MASK = "step", "mask"


@dataclass(frozen=True, eq=False)
class Recurrence(Layer):
    """All states of a cell after every step, one behind the other along the last axis.

    Attributes
    ----------
    entry
        The linear map of every step before it reaches the cell: the kernel and the bias.
    cell
        A `deeplift_engine.graph.graph.Graph` whose inputs are ``step``, ``mask`` if there is one,
        and the states before the step, and whose outputs are the states after it.
    states
        Names of the states, the cell's output first.
    widths
        Sizes of their last axes.
    masked
        Whether a mask (n, steps, 1...) is read as well, behind the sequence.
    started
        Whether initial states (n, ...) are, behind both; else they are zeros.
    axis
        The feature axis (from 1) of the steps; axes before it are of the batch's kind.
    """

    kind: ClassVar[str] = "recurrent"
    entry: Linear
    cell: Any
    states: tuple[str, ...]
    widths: tuple[int, ...]
    masked: bool = False
    started: bool = False
    axis: int = 1
    has_kernel: ClassVar[bool] = True

    def forward(self, *inputs: Tensor) -> Tensor:
        """(n, steps, ...), and mask and initial states → (n, steps, ..., all states)."""
        sequences, initial = self.parted(inputs)
        stepped = [self.steps_first(sequence, self.axis) for sequence in sequences]
        stepped[0] = self.projected(stepped[0], 2)
        names = [STEP, MASK][: len(stepped)]
        steps = tf.shape(stepped[0])[0]
        if not initial:
            initial = self.zeros(dict(zip(names, (each[0] for each in stepped), strict=True)))
        collected = tf.TensorArray(stepped[0].dtype, size=steps, element_shape=None)

        def step(number: Tensor, before: Sequence[Tensor], collected: Any) -> tuple[Any, ...]:
            values = dict(zip(names, (each[number] for each in stepped), strict=True))
            values |= dict(zip(self.states, before, strict=True))
            states = self.cell.forward(values, self.cell.outputs)
            after = [states[name] for name in self.cell.outputs]
            for old, new in zip(before, after, strict=True):
                new.set_shape(old.shape)
            return number + 1, after, collected.write(number, tf.concat(after, -1))

        _, _, collected = tf.while_loop(
            lambda number, *_: number < steps,
            step,
            (tf.constant(0), initial, collected),
            maximum_iterations=steps,
        )
        packed = collected.stack()
        packed.set_shape([stepped[0].shape[0], *initial[0].shape[:-1], sum(self.widths)])
        return self.steps_back(packed, self.axis)

    def projected(self, sequence: Tensor, leading: int) -> Tensor:
        """The cell's input from a sequence (steps, ...), for all steps at once."""
        return split_like([self.entry.forward(merge(sequence, leading))], sequence, leading)[0]

    def parted(self, inputs: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """The inputs with steps (the sequence, the mask), and the initial states."""
        count = 2 if self.masked else 1
        return list(inputs[:count]), list(inputs[count:])

    def zeros(self, values: dict[str, Tensor]) -> list[Tensor]:
        """Initial states of zeros, of the shapes that the cell gives its states."""
        leading = tf.shape(values[STEP])
        nodes = self.cell.nodes
        rank = values[STEP].shape.rank
        states = []
        for name, width in zip(self.states, self.widths, strict=True):
            inner = list(nodes[name].shape[:-1])
            batch = rank - 1 - len(nodes[STEP].shape[:-1])
            sizes = [
                leading[batch + axis] if size is None else size for axis, size in enumerate(inner)
            ]
            shape = tf.concat([leading[:batch], tf.stack([*sizes, width])], 0)
            state = tf.zeros(shape, values[STEP].dtype)
            state.set_shape([*values[STEP].shape[:batch], *inner, width])
            states.append(state)
        return states

    @staticmethod
    def steps_first(tensor: Tensor, axis: int) -> Tensor:
        """Axis ``axis`` moved to the front."""
        rank = tensor.shape.rank
        order = [axis, *(other for other in range(rank) if other != axis)]
        return tf.transpose(tensor, order)

    @staticmethod
    def steps_back(tensor: Tensor, axis: int) -> Tensor:
        """The first axis moved to ``axis``."""
        rank = tensor.shape.rank
        return tf.transpose(tensor, [*range(1, axis + 1), 0, *range(axis + 1, rank)])

    @property
    def exact(self) -> bool:  # type: ignore[override]
        """Whether all layers of the cell are."""
        return all(node.layer.exact for node in self.cell.nodes.values())

    @property
    def input_map(self) -> Layer:
        """The kernel that reads the sequence."""
        return self.entry

    def inner_shapes(self, shape: Shape) -> list[tuple[Any, ...]]:
        """Those of the cell at every step."""
        return [(*shape[: self.axis], *node.shape) for node in self.cell.nodes.values()]

    def work(self, inputs: Sequence[Shape], output: Shape) -> float:
        """The cell's layers at every step; the kernel in front of it is not counted."""
        nodes = self.cell.nodes
        shapes = {name: [size or 0 for size in node.shape] for name, node in nodes.items()}
        one_step = sum(
            node.layer.core.work([shapes[source] for source in node.inputs], shapes[name])
            for name, node in nodes.items()
        )
        return float(inputs[0][self.axis - 1] * one_step)
