"""Casts between tokens and numbers, and what tokens are looked up in."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import GlobalMax, Identity, TokenFunction, Transpose
from deeplift_engine.layers.functions import Function
from deeplift_engine.translate.layer_context import NodeName, Refusal, is_tokens
from deeplift_engine.translate.operations.call import Operation
from deeplift_engine.util.typing import Tensor


def cast(op: Operation) -> str:
    """Cast. Tokens become numbers or other tokens, numbers lose what is behind the point.

    A tensor of floats stays one: as an integer it holds whole numbers, as a boolean 0 and 1.
    """
    source, wanted = op.tensor(), _dtype(op)
    if op.is_tokens(source):
        target = wanted if is_tokens(wanted) else op.dtype
        return op.put(TokenFunction(lambda x: tf.cast(x, target)), source)
    if wanted == "bool":
        return op.put_truth(Function("not_equal", (np.zeros((), op.dtype),)), source)
    return op.put(Function("trunc") if is_tokens(wanted) else Identity(), source)


def _dtype(op: Operation) -> str:
    wanted = op.option("dtype")
    if wanted is None:
        return op.context.builder.nodes[op.tensor()].dtype
    try:
        return str(tf.as_dtype(wanted).name)
    except TypeError as error:
        raise Refusal(f"{op.name} to {wanted!r}") from error


def one_hot(op: Operation) -> str:
    """OneHot: a row of the unit matrix for every token, along a new axis."""
    return _one_hot(op, "")


def _one_hot(op: Operation, suffix: str) -> NodeName:
    source, dtype = op.tensor(), op.dtype
    rank = len(op.shape(source))
    count = int(op.number("num_classes"))
    axis = op.axis(op.option("axis", -1), rank + 1)
    on, off = op.number("on_value", 1.0), op.number("off_value", 0.0)

    def rows(tokens: Tensor) -> Tensor:
        return tf.one_hot(tf.cast(tokens, tf.int64), count, on, off, dtype=dtype)

    if axis == rank + 1:
        return op.put(TokenFunction(rows), source, suffix=suffix)
    lines = op.put(TokenFunction(rows), source, suffix="/rows")
    order = list(range(1, rank + 1))
    order.insert(axis - 1, rank + 1)
    return op.put(Transpose(tuple(order)), lines, suffix=suffix)


def multi_hot(op: Operation) -> str:
    """MultiHot: which tokens a sample has."""
    if not op.shape(op.tensor()):
        return _one_hot(op, "")
    return op.put(GlobalMax((1,)), _one_hot(op, "/each"))


OPERATIONS = {
    **dict.fromkeys(("cast", "saturate_cast", "array", "convert_to_tensor"), cast),
    "one_hot": one_hot,
    "multi_hot": multi_hot,
}
