"""Joins, splits and copies: concatenate, stack, split, tile, repeat, pad.

As in `shaping`, the batch axis stays where it is, and whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import Concatenate, Element, LinearFunction, Pad, Repeat
from deeplift_engine.translate.layer_context import TOGETHER, NodeName, Refusal
from deeplift_engine.translate.operations.call import Operation, Translator
from deeplift_engine.translate.operations.shaping import moved
from deeplift_engine.util.typing import Tensor


def concatenate(op: Operation) -> str:
    """Concatenate along any axis but the batch."""
    tensors, rank = _joined(op)
    return op.put(Concatenate(op.axis(op.option("axis", 0), rank)), *tensors)


def append(op: Operation) -> str:
    """Append: two tensors one behind the other."""
    tensors = _alike(op, [op.tensor("x1"), op.tensor("x2")])
    return op.put(Concatenate(op.axis(op.option("axis", 0), len(op.shape(tensors[0])))), *tensors)


def side_by_side(op: Operation) -> str:
    """Hstack: along the first feature axis."""
    tensors, rank = _joined(op)
    if rank == 0:
        raise Refusal(f"hstack of single numbers joins the samples; {TOGETHER}")
    return op.put(Concatenate(1), *tensors)


def stack(op: Operation) -> str:
    """Stack along a new axis."""
    tensors, rank = _joined(op)
    axis = op.axis(op.option("axis", 0), rank + 1)
    rows = [
        op.put(
            LinearFunction(lambda x: tf.expand_dims(x, axis), moves=True),
            tensor,
            suffix="/expanded",
        )
        for tensor in tensors
    ]
    return op.put(Concatenate(axis), *rows)


def _joined(op: Operation) -> tuple[list[NodeName], int]:
    """The tensors of a list, and their rank."""
    tensors = _alike(op, op.tensors("xs"))
    return tensors, len(op.shape(tensors[0]))


def _alike(op: Operation, tensors: Sequence[NodeName]) -> list[NodeName]:
    """Tensors of one dtype: tokens as they are if all are of one kind, else numbers."""
    op.of_one_rank(*tensors)
    nodes = op.context.builder.nodes
    if len({nodes[name].dtype for name in tensors}) == 1:
        return list(tensors)
    return [op.as_numbers(name) for name in tensors]


def split(op: Operation) -> tuple[str, ...]:
    """Split into equal parts, or at indices; TensorFlow's into parts of given sizes."""
    source = op.tensor()
    shape = op.shape(source)
    axis = op.axis(op.option("axis", 0), len(shape))
    size = shape[axis - 1]
    sections = op.option("indices_or_sections")
    if sections is None:
        sizes = [int(width) for width in op.option("sizes")]
        known = sum(width for width in sizes if width != -1)
        if -1 in sizes and size is None:
            raise Refusal("split into a rest of unknown size")
        sizes = [(size or 0) - known if width == -1 else width for width in sizes]
        ends = list(np.cumsum(sizes))
    elif np.ndim(sections) == 0:
        if size is None:
            raise Refusal("split of an axis of no fixed size into equal parts")
        count = int(sections)
        widths = [size // count + (number < size % count) for number in range(count)]
        ends = list(np.cumsum(widths))
    else:
        ends = [*(int(index) for index in sections), size]
    starts = [0, *ends[:-1]]
    return _several(op, source, [_Slice(axis, *ends_) for ends_ in zip(starts, ends, strict=True)])


@dataclass(frozen=True)
class _Slice:
    """Elements from ``start`` to ``stop`` of an axis."""

    axis: int
    start: Any
    stop: Any

    def __call__(self, x: Tensor) -> Tensor:
        return x[(slice(None),) * self.axis + (slice(self.start, self.stop),)]


def unstack(op: Operation) -> tuple[str, ...]:
    """Unstack: every element of an axis by itself."""
    source = op.tensor()
    shape = op.shape(source)
    axis = op.axis(op.option("axis", 0), len(shape))
    size = shape[axis - 1]
    if size is None:
        raise Refusal("unstack of an axis of no fixed size")
    names = [
        op.put(Element(axis, index), source, suffix=f"/{index}" if index else "")
        for index in range(size)
    ]
    return tuple(names)


def _several(
    op: Operation, source: str, functions: Sequence[Callable[[Tensor], Tensor]]
) -> tuple[str, ...]:
    """Several outputs, the first of which has the operation's name."""
    return tuple(
        op.put(LinearFunction(function, moves=True), source, suffix=f"/{index}" if index else "")
        for index, function in enumerate(functions)
    )


def tile(op: Operation) -> str:
    """Tile: the samples once."""
    source = op.tensor()
    rank = len(op.shape(source))
    times = [int(number) for number in np.atleast_1d(op.option("repeats"))]
    times = [1] * (rank + 1 - len(times)) + times
    if len(times) > rank + 1 or times[0] != 1:
        raise Refusal(f"tile by {tuple(times)} repeats the samples; {TOGETHER}")
    return moved(op, lambda x: tf.tile(x, times), source)


def repeat(op: Operation) -> str:
    """Repeat of elements along an axis, all as often or each by its own number."""
    source = op.tensor()
    if op.option("axis") is None:
        raise Refusal(f"repeat of all elements together; {TOGETHER}")
    axis = op.axis(op.option("axis"), len(op.shape(source)))
    times = np.asarray(op.option("repeats"))
    if times.size == 1:
        return op.put(Repeat(int(times.reshape(())), axis), source)
    counts = [int(number) for number in times]
    return moved(op, lambda x: tf.repeat(x, counts, axis=axis), source)


def pad(op: Operation) -> str:
    """Pad with a constant, or with what is there, mirrored."""
    source = op.tensor()
    rank = len(op.shape(source))
    widths = np.broadcast_to(np.asarray(op.option("pad_width"), int), (rank + 1, 2)).tolist()
    if any(widths[0]):
        raise Refusal(f"pad adds samples; {TOGETHER}")
    margins = tuple((int(before), int(after)) for before, after in widths[1:])
    mode = str(op.option("mode", "constant")).lower()
    if mode == "constant":
        value = op.number("constant_values")
        return op.put(Pad(margins, value), source)
    if mode == "edge":
        return moved(op, lambda x: _with_edges(x, margins), source)
    if mode not in ("reflect", "symmetric"):
        raise Refusal(f"pad: mode={mode!r} is none of constant, edge, reflect and symmetric")
    return moved(op, lambda x: tf.pad(x, [(0, 0), *margins], mode), source)


def _with_edges(x: Tensor, margins: Sequence[tuple[int, int]]) -> Tensor:
    """Repeat the first and the last element of each feature axis."""
    for axis, (before, after) in enumerate(margins, start=1):
        if before or after:
            size = tf.shape(x)[axis]
            places = tf.clip_by_value(tf.range(-before, size + after), 0, size - 1)
            x = tf.gather(x, places, axis=axis)
    return x


OPERATIONS: dict[str, Translator] = {
    "concatenate": concatenate,
    "append": append,
    "hstack": side_by_side,
    "stack": stack,
    "split": split,
    "unstack": unstack,
    "tile": tile,
    "repeat": repeat,
    "pad": pad,
}
