"""An operation in the one form that all eras of files are brought to, and how it is put."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.layers import Layer
from deeplift_engine.translate.layer_context import TOGETHER, LayerContext, NodeName, Refusal
from deeplift_engine.util.typing import Array

Operand = NodeName | Array
"""A node of the network, or a constant."""


class BatchSize:
    """The number of samples, where a model computes with shapes: known to nobody."""

    def __repr__(self) -> str:
        return "the number of samples"


BATCH = BatchSize()


@dataclass(frozen=True)
class Operation:
    """One operation: its name and its arguments by name, both in Keras 3's words.

    Arguments are `NodeName` for tensors, arrays and numbers for constants, tuples of them where
    the operation takes several; what was left out is missing. Axes count as in Keras, from the
    batch axis 0 or from the end.
    """

    name: str
    arguments: Mapping[str, Any]
    context: LayerContext

    # ------------------------------------------------------------ arguments

    def required(self, name: str) -> Any:
        """An argument that must be there."""
        if name not in self.arguments:
            raise Refusal(f"{self.name}: its argument {name!r} is not in the file")
        return self.arguments[name]

    def option(self, name: str, default: Any = None) -> Any:
        """A constant argument."""
        value = self.arguments.get(name, default)
        if _has_tensors(value):
            raise Refusal(f"{self.name}: {name!r} is a tensor, it can be a constant alone")
        return default if value is None else value

    def number(self, name: str, default: float = 0.0) -> float:
        """A constant argument that is one number."""
        value = np.asarray(self.option(name, default))
        if value.size != 1 or value.dtype.kind not in "biuf":
            raise Refusal(f"{self.name}: {name!r} is {self.option(name)!r}, not a number")
        return float(value.reshape(()))

    def sizes(self, name: str) -> list[Any]:
        """A shape, batch axis first: whole numbers, None where free, `BATCH`."""
        value = self.required(name)
        entries = list(value) if isinstance(value, Sequence | np.ndarray) else [value]
        if any(isinstance(entry, NodeName) for entry in entries):
            raise Refusal(f"{self.name}: {name!r} is computed from data")
        return [
            entry if entry is None or isinstance(entry, BatchSize) else int(entry)
            for entry in entries
        ]

    def operand(self, name: str) -> Operand:
        """A tensor or a constant, as it is."""
        return self._operand(self.required(name), name)

    def operands(self, name: str) -> list[Operand]:
        """The members of an argument that is a list of tensors and constants."""
        value = self.required(name)
        members = value if isinstance(value, list | tuple) else (value,)
        return [self._operand(member, name) for member in members]

    def tensors(self, name: str) -> list[NodeName]:
        """The members of an argument that is a list of tensors."""
        members = self.operands(name)
        nodes = [member for member in members if isinstance(member, NodeName)]
        if len(nodes) < len(members):
            raise Refusal(f"{self.name}: {name!r} has constants among its tensors")
        return nodes

    def tensor(self, name: str = "x") -> NodeName:
        """A node, of numbers or tokens."""
        value = self.operand(name)
        if not isinstance(value, NodeName):
            raise Refusal(f"{self.name}: {name!r} is a constant, it can be a tensor alone")
        return value

    def numbers(self, name: str = "x") -> NodeName:
        """A node of numbers; tokens come as the numbers they are."""
        return self.as_numbers(self.tensor(name))

    def _operand(self, value: Any, name: str) -> Operand:
        if isinstance(value, NodeName):
            return value
        if isinstance(value, str) or value is None or _has_tensors(value):
            raise Refusal(f"{self.name}: {name!r} is neither a tensor nor numbers")
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise Refusal(f"{self.name}: {name!r} is neither a tensor nor numbers") from error
        if array.dtype.kind not in "biuf":
            raise Refusal(f"{self.name}: {name!r} is neither a tensor nor numbers")
        return array

    # ------------------------------------------------------------ tensors

    @property
    def dtype(self) -> str:
        """The network's dtype."""
        return self.context.builder.dtype

    def is_tokens(self, name: str) -> bool:
        """Whether a node holds integers or booleans."""
        return self.context.builder.nodes[name].tokens

    def as_numbers(self, name: str) -> NodeName:
        """The node, or one of its tokens as numbers."""
        return NodeName(self.context.as_numbers(name))

    def as_truth(self, name: str) -> NodeName:
        """The node, or one that is 1 where it is not 0."""
        truth = self.context.as_mask(name)
        self.context.builder.truths.add(truth)
        return NodeName(truth)

    def shape(self, name: str) -> tuple[int | None, ...]:
        """Feature shape of a node."""
        return self.context.shape(name)

    def put(self, layer: Layer, *inputs: str, suffix: str = "") -> NodeName:
        """Add one attribution layer; without ``suffix`` it stands for the operation."""
        return NodeName(self.context.add(layer, *inputs, suffix=suffix))

    def put_truth(self, layer: Layer, *inputs: str) -> NodeName:
        """Add the layer that stands for the operation and gives nothing but 0 and 1."""
        name = self.put(layer, *inputs)
        self.context.builder.truths.add(name)
        return name

    # ------------------------------------------------------------ axes and shapes

    def axis(self, axis: Any, rank: int, what: str = "axis") -> int:
        """One axis of a tensor of ``rank`` feature axes, from 1."""
        if np.ndim(axis) != 0 or not isinstance(axis, int | np.integer):
            raise Refusal(f"{self.name}: {what}={axis} is no axis")
        number = int(axis)
        position = number if number >= 0 else number + rank + 1
        if position == 0:
            raise Refusal(f"{self.name}: {what}={axis} is the batch axis; {TOGETHER}")
        if not 0 < position <= rank:
            raise Refusal(f"{self.name}: {what}={axis} is no axis of a rank-{rank + 1} input")
        return position

    def axes(self, rank: int, name: str = "axis") -> tuple[int, ...]:
        """The axes of an argument, one or several, from 1; None stands for all."""
        value = self.option(name)
        if value is None:
            raise Refusal(f"{self.name}: {name}=None takes the batch axis in; {TOGETHER}")
        several = value if isinstance(value, Sequence) else np.atleast_1d(np.asarray(value))
        return tuple(sorted(self.axis(entry, rank, name) for entry in several))

    def aligned(self, array: Array, shape: Sequence[int | None]) -> Array:
        """A constant as it broadcasts against the features, in the network's dtype."""
        return self.context.aligned(array, len(shape), f"{self.name}: a constant")

    def widened(self, name: str, arrays: Sequence[Array]) -> NodeName:
        """The node, axes of size 1 repeated to the sizes of constants that go with it."""
        return NodeName(self.context.widened(name, arrays))

    def of_one_rank(self, *names: str) -> None:
        """Refuse tensors of different ranks: the batch axis of one would meet another axis."""
        shapes = [self.shape(name) for name in names]
        if len({len(shape) for shape in shapes}) > 1:
            met = " and ".join(str((None, *shape)) for shape in shapes)
            raise Refusal(
                f"{self.name}: shapes {met} meet the batch axis of one with another axis of the "
                f"other; {TOGETHER}"
            )


def _has_tensors(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_has_tensors(member) for member in value)
    return isinstance(value, NodeName | BatchSize)


Translator = Callable[[Operation], str | tuple[str, ...]]
"""How an operation is put: its node, or those of its outputs."""
