"""The graph under construction, as a translator sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_conversion import LayerSpec
from deeplift_conversion.eras.user_classes import unmarked
from deeplift_engine.graph.graph import Node
from deeplift_engine.layers import (
    Activation,
    Element,
    Input,
    Layer,
    Reshape,
    Scale,
    TokenFunction,
    Transpose,
)
from deeplift_engine.layers.distributed import over_time
from deeplift_engine.layers.operations import BroadcastTo
from deeplift_engine.tensors.tensor_ops import scratch_graph
from deeplift_engine.util.typing import Array, Tensor


class Refusal(Exception):  # noqa: N818 - a message between modules, not an error
    """A layer or an option of it has no attribution layer; never leaves this package."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice


TOGETHER = "samples are explained each by itself"


class NodeName(str):
    """A node among the arguments of a call."""

    __slots__ = ()


@dataclass
class GraphBuilder:
    """The nodes added so far.

    ``logits`` leads from a softmax's or sigmoid's node to what it reads, ``masks`` from a node
    to that of its mask (1 for steps that are used, else 0), and ``translate`` puts any layer.
    ``truths`` are nodes that hold nothing but 0 and 1; ``sizes`` has what a model computes of
    the sizes of axes, by name: no node, but known as soon as shapes are. ``era`` is the age of
    Keras that wrote the model, see `deeplift_conversion.ModelSpec`.
    """

    dtype: str
    functions: Mapping[str, Any]
    translate: Callable[[LayerContext], tuple[str, ...]]
    nodes: dict[str, Node] = field(default_factory=dict)
    logits: dict[str, str] = field(default_factory=dict)
    masks: dict[str, str] = field(default_factory=dict)
    era: int = 3
    truths: set[str] = field(default_factory=set)
    sizes: dict[str, Any] = field(default_factory=dict)


@dataclass
class LayerContext:
    """One call of a layer: its inputs and options, and methods that add attribution layers.

    ``owner`` is the layer that a user knows: the outermost wrapper. ``depth`` is the number of
    TimeDistributed wrappers around: what is added then works on (n, steps, ...), and sees the
    shapes of one step.
    """

    builder: GraphBuilder
    spec: LayerSpec
    name: str
    inputs: list[str]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    owner: str = ""
    depth: int = 0
    used: set[str] = field(default_factory=set)

    def child(
        self, spec: LayerSpec, name: str, inputs: Sequence[str], **arguments: Any
    ) -> LayerContext:
        """The context of a layer that this one wraps."""
        passed = {key: value for key, value in arguments.items() if value is not None}
        return replace(
            self,
            spec=spec,
            name=name,
            inputs=list(inputs),
            arguments=passed,
            owner=self.owner or self.spec.name,
            used=set(),
        )

    def argument(self, name: str, default: Any = None) -> Any:
        """Argument ``name`` of the call; tensors are `NodeName`. Unread arguments are refused."""
        self.used.add(name)
        return self.arguments.get(name, default)

    def mask(self, position: int = 0) -> str | None:
        """The mask of an input, as numbers 0 and 1; None where all of it is used."""
        mask = self.argument("mask")
        if isinstance(mask, tuple):
            mask = mask[position] if position < len(mask) else None
        if mask is None:
            return self.builder.masks.get(self.inputs[position])
        return self.as_mask(mask)

    def as_mask(self, name: str) -> str:
        """A tensor of anything as numbers: 1 where it is not 0."""
        if name in self.builder.truths:
            return name
        dtype = self.builder.dtype
        if self.builder.nodes[name].tokens:
            return self._put(
                TokenFunction(lambda x: tf.cast(tf.cast(x, tf.bool), dtype), is_condition=True),
                (name,),
                "/mask",
            )
        return self._put(Activation("nonzero"), (name,), "/mask")

    def as_numbers(self, name: str) -> str:
        """The node, or one of its tokens as the numbers that they are."""
        dtype = self.builder.dtype
        if not self.builder.nodes[name].tokens:
            return name
        return self._put(TokenFunction(lambda x: tf.cast(x, dtype)), (name,), "/numbers")

    def option(self, name: str, default: Any = None) -> Any:
        """A saved option of the layer."""
        value = self.spec.config.get(name, default)
        return tuple(value) if isinstance(value, list) else value

    def weight(self, role: str) -> Array:
        """An array of the layer in the network's dtype."""
        return np.asarray(self.spec.weights[role], dtype=self.builder.dtype)

    def optional(self, role: str) -> Array | None:
        """The array, None if the layer has none."""
        return self.weight(role) if role in self.spec.weights else None

    def shape(self, name: str | None = None) -> tuple[int | None, ...]:
        """Feature shape of a node, by default of the first input."""
        return self.builder.nodes[self.inputs[0] if name is None else name].shape[self.depth :]

    def aligned(self, array: Any, rank: int, what: str) -> Array:
        """A constant as it broadcasts against ``rank`` feature axes, in the network's dtype."""
        value: Array = np.asarray(array, self.builder.dtype)
        if value.ndim == rank + 1 and value.shape[0] == 1:
            value = value[0]
        if value.ndim > rank:
            raise Refusal(f"{what} of shape {value.shape} reaches over the batch axis; {TOGETHER}")
        return value

    def widened(self, name: str, arrays: Sequence[Array]) -> str:
        """The node, axes of size 1 repeated to the sizes of constants that go with it."""
        shape = self.shape(name)
        padded = [(1,) * (len(shape) - array.ndim) + array.shape for array in arrays]
        wanted = [max(sizes) for sizes in zip(*padded, strict=True)] if padded else []
        target = tuple(
            size if met == 1 and size > 1 else None
            for met, size in zip(shape, wanted, strict=False)
        )
        if all(size is None for size in target):
            return name
        return self.add(BroadcastTo(target), name, suffix="/broadcast")

    def constant(self, array: Array, source: str, suffix: str) -> str:
        """A node that holds a constant, whose first axis is the batch's, beside another node."""
        if not array.ndim or array.shape[0] != 1:
            raise Refusal(
                f"a constant of shape {array.shape} reaches over the batch axis; {TOGETHER}"
            )
        flat = self.add(Reshape((-1,)), source, suffix=f"{suffix}/flat")
        one = self.add(Element(1, 0), flat, suffix=f"{suffix}/one")
        if array.ndim > 1:
            one = self.add(Reshape((1,) * (array.ndim - 1)), one, suffix=f"{suffix}/axes")
        nothing, values = np.zeros((), self.builder.dtype), array[0].astype(self.builder.dtype)
        return self.add(Scale(nothing, values), self.widened(one, [values]), suffix=suffix)

    def shape_after(self, layer: Layer, *inputs: str) -> tuple[int | None, ...]:
        """Feature shape that a layer would give, which is not put."""
        return self._output_of(layer, inputs)[0]

    def outer(self) -> tuple[int | None, ...]:
        """Sizes of the axes of steps that `shape` hides."""
        return self.builder.nodes[self.inputs[0]].shape[: self.depth]

    def add(self, layer: Layer, *inputs: str, suffix: str = "") -> str:
        """Put one attribution layer behind ``inputs`` (by default all that the call reads).

        Without ``suffix`` it is the one that stands for the Keras layer. What works element
        by element goes before a transpose back to channels first, so that a following
        convolution finds its channels last without any transpose.
        """
        inputs = inputs or tuple(self.inputs)
        if layer.uniform and len(inputs) == 1:
            inner = self._channels_last_source(inputs[0])
            if inner is not None:
                moved = self._put(layer, (inner,), (suffix or "") + "/channels_last")
                return self.channels_first(moved, suffix=suffix)
        return self._put(layer, inputs, suffix)

    def scale(self, factor: Array, offset: Array | None, axis: int, *, suffix: str = "") -> str:
        """Multiply and shift along one feature axis (from 1)."""
        inner = self._channels_last_source(self.inputs[0])
        if inner is not None and axis == 1:
            moved = self._put(Scale(factor, offset), (inner,), suffix + "/channels_last")
            return self.channels_first(moved, suffix=suffix)
        shape = [1] * len(self.shape())
        shape[axis - 1] = -1
        offset = None if offset is None else offset.reshape(shape)
        return self._put(Scale(factor.reshape(shape), offset), tuple(self.inputs), suffix)

    def channels_last(self, name: str) -> str:
        """The node ``name``, channels last; no new node if one already holds them so."""
        inner = self._channels_last_source(name)
        if inner is not None:
            return inner
        rank = len(self.shape(name))
        return self._put(Transpose((*range(2, rank + 1), 1)), (name,), "/channels_last_input")

    def channels_first(self, name: str, *, suffix: str = "") -> str:
        """The node ``name``, channels moved first, as the Keras layer's output."""
        rank = len(self.shape(name))
        return self._put(Transpose((rank, *range(1, rank))), (name,), suffix)

    def _channels_last_source(self, name: str) -> str | None:
        node = self.builder.nodes[name]
        rank = len(node.shape)
        if self.depth == 0 and rank > 1 and node.layer == Transpose((rank, *range(1, rank))):
            return node.inputs[0]
        return None

    def _put(self, layer: Layer, inputs: tuple[str, ...], suffix: str) -> str:
        kinds = {self.builder.nodes[source].dtype for source in inputs}
        moves = layer.moves and len(kinds) == 1
        if not moves and layer.kind != "lookup":
            inputs = tuple(map(self.as_numbers, inputs))
        for _ in range(self.depth):
            layer = over_time(layer)
        name = self.name + suffix
        base, number = name, 1
        while name in self.builder.nodes:
            name, number = f"{base}_{number}", number + 1
        shape, dtype = self._output_of(layer, inputs)
        self.builder.nodes[name] = Node(
            name,
            layer,
            inputs,
            shape,
            dtype,
            unmarked(self.spec.class_name),
            self.owner or self.spec.name,
        )
        return name

    def _output_of(self, layer: Layer, inputs: Sequence[str]) -> tuple[tuple[int | None, ...], str]:
        """Shape and dtype of the output, by TensorFlow's own inference."""
        if isinstance(layer, Input):
            return layer.shape, layer.dtype if is_tokens(layer.dtype) else self.builder.dtype
        with scratch_graph():
            tensors: list[Tensor] = [
                tf.compat.v1.placeholder(node.dtype, [None, *node.shape])
                for node in map(self.builder.nodes.__getitem__, inputs)
            ]
            try:
                output = layer.forward(*tensors)
            except (ValueError, tf.errors.InvalidArgumentError) as error:
                shapes = ", ".join(str(self.shape(name)) for name in inputs)
                raise Refusal(
                    f"cannot take an input of shape {shapes}: {str(error).splitlines()[0]}",
                    "Check that the architecture belongs to these weights.",
                ) from error
        return tuple(output.shape.as_list()[1:]), output.dtype.name


def is_tokens(dtype: str) -> bool:
    """Whether numbers of ``dtype`` are tokens: integers or booleans."""
    return "int" in dtype or dtype == "bool"
