"""What changes the shape alone: reshapes, transposes, flips, broadcasts.

All of it works on tokens as on numbers. No sample is mixed with another: the batch axis
stays where it is, and whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import Identity, LinearFunction, Reshape, Reverse, Transpose
from deeplift_engine.layers.operations import BroadcastTo
from deeplift_engine.translate.layer_context import TOGETHER, NodeName, Refusal
from deeplift_engine.translate.operations.call import BATCH, Operation, Translator
from deeplift_engine.util.typing import Tensor


def moved(
    op: Operation, function: Callable[[Tensor], Tensor], source: str, *, pads: bool = False
) -> str:
    """A map that moves or copies elements, or ``pads`` with zeros; ``function`` of (n, ...)."""
    return op.put(LinearFunction(function, moves=True, pads=pads), source)


# ---------------------------------------------------------------- reshapes


def reshape(op: Operation) -> str:
    """Reshape of each sample; a first size that is free or -1 stands for the samples."""
    source = op.tensor()
    shape = op.shape(source)
    wanted = list(op.sizes("newshape"))
    if not wanted:
        raise Refusal(f"reshape to no axis; {TOGETHER}")
    first, target = wanted[0], [-1 if size is None else int(size) for size in wanted[1:]]
    elements = None if None in shape else math.prod(size or 0 for size in shape)
    if elements is None:  # then -1 might stand for anything
        fits = first != -1 and target.count(-1) <= 1
    else:
        if target.count(-1) == 1:
            rest = math.prod(size for size in target if size != -1)
            target[target.index(-1)] = elements // rest if rest else 0
        fits = -1 not in target and math.prod(target) == elements
    if not fits or first not in (BATCH, None, -1):
        raise Refusal(
            f"reshape of {(None, *shape)} to {tuple(wanted)} moves elements from sample to "
            f"sample; {TOGETHER}"
        )
    return op.put(Reshape(tuple(target)), source)


def flatten(op: Operation) -> str:
    """Every sample as one row."""
    source = op.tensor()
    shape = op.shape(source)
    size = -1 if None in shape else math.prod(size or 0 for size in shape)
    return op.put(Reshape((size,)), source)


def expand_dims(op: Operation) -> str:
    """ExpandDims, one axis or several."""
    source = op.tensor()
    rank = len(op.shape(source))
    axes_option = op.option("axis")
    several = axes_option if isinstance(axes_option, Sequence) else (axes_option,)
    axes = sorted(op.axis(axis, rank + len(several)) for axis in several)

    def expanded(x: Tensor) -> Tensor:
        for axis in axes:
            x = tf.expand_dims(x, axis)
        return x

    return moved(op, expanded, source)


def squeeze(op: Operation) -> str:
    """Squeeze of given axes, or of all that have size 1."""
    source = op.tensor()
    shape = op.shape(source)
    if op.option("axis") in (None, ()):
        axes = [axis for axis, size in enumerate(shape, 1) if size == 1]
    else:
        axes = list(op.axes(len(shape)))
    if not axes:
        return op.put(Identity(), source)
    return moved(op, lambda x: tf.squeeze(x, axes), source)


def broadcast_to(op: Operation) -> str:
    """BroadcastTo: the samples stay as many as they are."""
    source = op.tensor()
    shape, wanted = op.shape(source), list(op.sizes("shape"))
    if len(wanted) != len(shape) + 1 or wanted[0] not in (BATCH, None, -1):
        raise Refusal(f"broadcast of {(None, *shape)} to {tuple(wanted)}; {TOGETHER}")
    target = tuple(
        None if size is None or size == met or int(size) == -1 else int(size)
        for size, met in zip(wanted[1:], shape, strict=True)
    )
    return op.put(BroadcastTo(target), source)


# ---------------------------------------------------------------- axes


def transpose(op: Operation) -> str:
    """Transpose; the first axis stays the first."""
    source = op.tensor()
    rank = len(op.shape(source))
    axes_option = op.option("axes")
    order = [int(axis) for axis in (range(rank, -1, -1) if axes_option is None else axes_option)]
    return permuted(op, source, [axis if axis >= 0 else axis + rank + 1 for axis in order])


def permuted(op: Operation, source: NodeName, order: Sequence[int]) -> str:
    """All axes in a new order."""
    if sorted(order) != list(range(len(op.shape(source)) + 1)) or order[0] != 0:
        raise Refusal(f"{op.name} to the axes {tuple(order)} moves the batch axis; {TOGETHER}")
    return op.put(Transpose(tuple(order[1:])), source)


def swap_axes(op: Operation) -> str:
    """Swapaxes."""
    source = op.tensor()
    rank = len(op.shape(source))
    first, second = (op.axis(op.option(name), rank, name) for name in ("axis1", "axis2"))
    order = list(range(rank + 1))
    order[first], order[second] = second, first
    return permuted(op, source, order)


def move_axis(op: Operation) -> str:
    """Moveaxis, one axis or several."""
    source = op.tensor()
    rank = len(op.shape(source))
    lists = [
        [op.axis(axis, rank, name) for axis in np.atleast_1d(op.option(name))]
        for name in ("source", "destination")
    ]
    pairs = sorted(zip(*reversed(lists), strict=True))
    order = [axis for axis in range(rank + 1) if axis not in lists[0]]
    for target, axis in pairs:
        order.insert(target, axis)
    return permuted(op, source, order)


def flip(op: Operation) -> str:
    """Flip of one axis or several."""
    source = op.tensor()
    axes = op.axes(len(op.shape(source)))
    for axis in axes[:-1]:
        source = op.put(Reverse(axis), source, suffix="/flipped")
    return op.put(Reverse(axes[-1]), source)


def roll(op: Operation) -> str:
    """Roll along one axis or several."""
    source = op.tensor()
    rank = len(op.shape(source))
    if op.option("axis") is None:
        raise Refusal(f"roll of all elements together; {TOGETHER}")
    axes = [op.axis(axis, rank) for axis in np.atleast_1d(op.option("axis"))]
    shifts = [int(shift) for shift in np.atleast_1d(op.option("shift"))]
    shifts = shifts * len(axes) if len(shifts) == 1 else shifts
    return moved(op, lambda x: tf.roll(x, shifts, axes), source)


OPERATIONS: dict[str, Translator] = {
    "reshape": reshape,
    "batch_flatten": flatten,
    "expand_dims": expand_dims,
    "squeeze": squeeze,
    "broadcast_to": broadcast_to,
    "transpose": transpose,
    "swapaxes": swap_axes,
    "moveaxis": move_axis,
    "flip": flip,
    "roll": roll,
}
