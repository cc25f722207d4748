"""Sizes of axes, and what is computed of them alone.

Models of tf.keras compute with ``tf.shape``. Its values are known as soon as the shapes are, all
but the number of samples, so that nothing of it becomes a node: a size that reaches an
operation is a constant there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from deeplift_engine.translate.layer_context import GraphBuilder, NodeName, Refusal
from deeplift_engine.translate.operations.call import BATCH, BatchSize, Operation

ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "divide": np.true_divide,
    "floor_divide": np.floor_divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "mod": np.mod,
    "multiply": np.multiply,
    "negative": np.negative,
    "power": np.power,
    "rsqrt": lambda size: 1 / np.sqrt(size),
    "sqrt": np.sqrt,
    "subtract": np.subtract,
}


def resolved(value: Any, builder: GraphBuilder) -> Any:
    """An argument with known values for the names of what is no node."""
    if isinstance(value, NodeName):
        return builder.sizes.get(value, value)
    if isinstance(value, tuple):
        return tuple(resolved(entry, builder) for entry in value)
    return value


def shape_of(op: Operation) -> str:
    """Shape: one size for every axis, the samples' first."""
    return _known(op, (BATCH, *op.shape(op.tensor())))


def folded(op: Operation) -> str | tuple[str, ...] | None:
    """What is computed of sizes alone; None where a tensor takes part, or it is nothing known."""
    arguments = op.arguments
    if any(_has_nodes(value) for value in arguments.values()):
        return None
    if op.name == "get_item":
        key = arguments["key"]
        (index,) = key if isinstance(key, tuple) else (key,)
        return _known(op, _listed(arguments["x"])[index])
    if op.name == "take":
        entries = _listed(arguments["x"])
        return _known(op, tuple(entries[index] for index in _listed(arguments["indices"])))
    if op.name == "unstack":
        entries = _listed(arguments["x"])
        names = [f"{op.context.name}/{index}" for index in range(len(entries))]
        op.context.builder.sizes.update(zip(names, entries, strict=True))
        return tuple(names)
    if op.name == "stack":
        return _known(op, tuple(arguments["xs"]))
    if op.name == "concatenate":
        return _known(op, tuple(entry for piece in arguments["xs"] for entry in _listed(piece)))
    if op.name == "cast":
        return _known(op, arguments["x"])
    if op.name == "prod":
        return _known(op, math.prod(_number(entry) for entry in _listed(arguments["x"])))
    if op.name in ARITHMETIC:
        operands = [arguments[key] for key in ("x", "x1", "x2") if key in arguments]
        return _known(op, ARITHMETIC[op.name](*map(_number, operands)))
    return None


def _known(op: Operation, value: Any) -> str:
    op.context.builder.sizes[op.context.name] = value
    return op.context.name


def _listed(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else tuple(np.atleast_1d(value).tolist())


def _number(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_number, value))
    if isinstance(value, BatchSize):
        raise Refusal("computes with the number of samples; samples are explained each by itself")
    if value is None:
        raise Refusal("computes with the size of a free axis")
    return value


def _has_nodes(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(_has_nodes(entry) for entry in value)
    return isinstance(value, NodeName)


OPERATIONS = {"shape": shape_of}
