"""A layer's arrays as tensors.

Small arrays are written into the traced graph, where oneDNN may keep its own packed copy;
large ones are captured, so that no graph grows towards protobuf's limit of 2 GiB. Within
`refillable` all are variables, whose values may change without another trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.util.typing import Array

LARGEST_IN_GRAPH = 1 << 22
_VARIABLES: ContextVar[list[Any] | None] = ContextVar("variables", default=None)


def constant(array: Array) -> Any:
    """``array`` as a tensor."""
    contiguous = np.ascontiguousarray(array)
    if _VARIABLES.get() is None and contiguous.nbytes <= LARGEST_IN_GRAPH:
        return tf.constant(contiguous)
    return tf.convert_to_tensor(captured(contiguous))


def captured(array: Array) -> Any:
    """``array`` as a tensor, or a variable, outside of the graph that is traced."""
    variables = _VARIABLES.get()
    if variables is None:
        with tf.init_scope():
            return tf.constant(array)
    with ThreadPoolExecutor(1) as elsewhere:  # in this thread a function may be traced
        variables.append(elsewhere.submit(tf.Variable, array, trainable=False).result())
    return variables[-1]


@contextmanager
def refillable() -> Iterator[list[Any]]:
    """Within it arrays become variables: the list of them, in the order of their use."""
    variables: list[Any] = []
    token = _VARIABLES.set(variables)
    try:
        yield variables
    finally:
        _VARIABLES.reset(token)


__all__ = ["LARGEST_IN_GRAPH", "captured", "constant", "refillable"]
