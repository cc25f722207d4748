"""What takes elements out: indices, slices, gathers, triangles and diagonals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import Difference, Embedding, LinearFunction
from deeplift_engine.translate.layer_context import TOGETHER, NodeName, Refusal
from deeplift_engine.translate.operations.call import BATCH, Operation
from deeplift_engine.translate.operations.shaping import moved
from deeplift_engine.util.typing import Tensor


def get_item(op: Operation) -> str:
    """``x[key]``: the first index is ``:``, the others whole numbers, slices, ``...``, None."""
    source = op.tensor()
    key = op.option("key", ())
    return taken(op, source, key if isinstance(key, tuple) else (key,))


def taken(op: Operation, source: NodeName, key: Sequence[Any]) -> str:
    """The elements that a key names."""
    shape = (None, *op.shape(source))
    axes = len(shape) - sum(entry is not None and entry is not Ellipsis for entry in key)
    if axes < 0:
        raise Refusal(f"{op.name}: {len(key)} indices for shape {shape}")
    gap = [slice(None)] * axes
    at = next((context for context, entry in enumerate(key) if entry is Ellipsis), None)
    full = [*key, *gap] if at is None else [*key[:at], *gap, *key[at + 1 :]]
    if not _is_everything(full[0]):
        raise Refusal(f"{op.name}: the first index takes samples out; {TOGETHER}")
    if not all(_is_index(entry) for entry in full):
        raise Refusal(f"{op.name}: indices that are computed")
    lists = [context for context, entry in enumerate(full) if isinstance(entry, list | np.ndarray)]
    if not lists:
        index = tuple(full)
        return moved(op, lambda x: x[index], source)
    if len(lists) > 1 or any(entry is None or isinstance(entry, int) for entry in full):
        raise Refusal(f"{op.name}: a list of indices among others")
    return gathered(op, source, np.asarray(full[lists[0]]), lists[0])


def _is_everything(entry: Any) -> bool:
    return isinstance(entry, slice) and (
        entry.start in (None, 0) and entry.stop is None and entry.step in (None, 1)
    )


def _is_index(entry: Any) -> bool:
    if isinstance(entry, slice):
        return all(
            bound is None or isinstance(bound, int)
            for bound in (entry.start, entry.stop, entry.step)
        )
    return entry is None or isinstance(entry, int | list | np.ndarray)


def gathered(op: Operation, source: NodeName, indices: Any, axis: int) -> str:
    """Elements at constant indices along a feature axis."""
    size = op.shape(source)[axis - 1]
    positions = np.asarray(indices)
    if positions.dtype == bool:
        positions = np.flatnonzero(positions)
    positions = positions.astype(np.int64)
    if size is None and np.any(positions < 0):
        raise Refusal(f"{op.name}: indices from the end of an axis of no fixed size")
    if size is not None:
        if np.any((positions < -size) | (positions >= size)):
            raise Refusal(f"{op.name}: indices beyond an axis of size {size}")
        positions = np.where(positions < 0, positions + size, positions)
    return moved(op, lambda x: tf.gather(x, positions, axis=axis), source)


def take(op: Operation) -> str:
    """Take: at constant indices of a tensor, or at a tensor's tokens of a constant table."""
    table, indices = op.operand("x"), op.operand("indices")
    if isinstance(table, NodeName) and isinstance(indices, NodeName):
        raise Refusal(f"{op.name} of a tensor at indices that are computed")
    if isinstance(table, NodeName):
        if op.option("axis") is None:
            raise Refusal(f"{op.name} counts through all samples; {TOGETHER}")
        axis = op.axis(op.option("axis"), len(op.shape(table)))
        return gathered(op, table, indices, axis)
    if not isinstance(indices, NodeName):
        raise Refusal(f"{op.name} of two constants")
    axis = op.option("axis")
    if axis not in (None, 0, -table.ndim):
        raise Refusal(f"{op.name} along axis {axis} of a table")
    rows = table.reshape(-1) if axis is None else table
    return op.put(Embedding(rows.astype(op.dtype)), indices)


def slice_of(op: Operation) -> str:
    """Slice: from a start, of a shape."""
    source = op.tensor()
    starts, sizes = op.sizes("start_indices"), op.sizes("shape")
    if starts[0] != 0 or sizes[0] not in (BATCH, None, -1):
        raise Refusal(f"{op.name} takes samples out; {TOGETHER}")
    key = [
        slice(start, None if size in (None, -1) else start + size)
        for start, size in zip(starts[1:], sizes[1:], strict=True)
    ]
    return taken(op, source, [slice(None), *key])


def matrices(function: Callable[..., Tensor]) -> Callable[[Operation], str]:
    """What takes a part of matrices in the last two axes, by a diagonal ``k``."""

    def put(op: Operation) -> str:
        source = op.tensor()
        if len(op.shape(source)) < 2:
            raise Refusal(f"{op.name} reaches over the batch axis; {TOGETHER}")
        k = int(op.number("k"))
        return moved(op, lambda x: function(x, k), source, pads=True)

    return put


def _lower(x: Tensor, k: int) -> Tensor:
    return x * tf.cast(_below(x, k), x.dtype)


def _upper(x: Tensor, k: int) -> Tensor:
    return x * tf.cast(~_below(x, k - 1), x.dtype)


def _below(x: Tensor, k: int) -> Tensor:
    rows, columns = tf.range(tf.shape(x)[-2]), tf.range(tf.shape(x)[-1])
    return columns <= rows[:, tf.newaxis] + k


def band(op: Operation) -> str:
    """TensorFlow's band_part: so many diagonals beside the main one, below 0 all of them."""
    source = op.tensor()
    if len(op.shape(source)) < 2:
        raise Refusal(f"{op.name} reaches over the batch axis; {TOGETHER}")
    lower, upper = (int(op.number(name)) for name in ("num_lower", "num_upper"))
    return moved(op, lambda x: tf.linalg.band_part(x, lower, upper), source, pads=True)


def diagonal(op: Operation) -> str:
    """Diagonal of the last two axes."""
    source = op.tensor()
    rank = len(op.shape(source))
    axes = [op.axis(op.option(name, axis), rank) for name, axis in (("axis1", 0), ("axis2", 1))]
    if axes != [rank - 1, rank] or op.number("offset"):
        raise Refusal("diagonal of other axes than the last two, or beside the main one")
    return moved(op, tf.linalg.diag_part, source)


def differences(op: Operation) -> str:
    """Diff: of neighbours along an axis."""
    source = op.numbers()
    axis = op.axis(op.option("axis", -1), len(op.shape(source)))
    times = int(op.number("n", 1))
    front = (slice(None),) * axis
    for left in range(times - 1, -1, -1):
        later, earlier = (
            op.put(
                LinearFunction(lambda x, bound=bound: x[(*front, bound)], moves=True),
                source,
                suffix=suffix,
            )
            for bound, suffix in ((slice(1, None), "/later"), (slice(None, -1), "/earlier"))
        )
        source = op.put(Difference(), later, earlier, suffix="/difference" if left else "")
    return source


OPERATIONS = {
    "get_item": get_item,
    "take": take,
    "slice": slice_of,
    "tril": matrices(_lower),
    "triu": matrices(_upper),
    "band_part": band,
    "diagonal": diagonal,
    "diff": differences,
}
