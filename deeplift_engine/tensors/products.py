"""Products of arrays between TensorFlow's calls, on TensorFlow's threads.

The threads of numpy's BLAS spin on for some 30 ms after a product, and on few cores take half of
what TensorFlow runs next. What is thin goes through `numpy.einsum`, which has no threads.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from deeplift_engine.util.typing import Array


def product(first: Array, second: Array) -> Array:
    """The sum over the last axis of one and the first axis of the other."""
    kind = np.result_type(first, second)
    rows = np.ascontiguousarray(first, kind).reshape(-1, len(second))
    result = tf.linalg.matmul(rows, np.ascontiguousarray(second, kind).reshape(len(second), -1))
    return np.asarray(result).reshape(*first.shape[:-1], *second.shape[1:])
