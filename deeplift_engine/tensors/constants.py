"""A layer's arrays as tensors.

Small arrays are written into the traced graph, where oneDNN may keep its own packed copy;
large ones are captured, so that no graph grows towards protobuf's limit of 2 GiB.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.util.typing import Array

LARGEST_IN_GRAPH = 1 << 22


def constant(array: Array) -> Any:
    """``array`` as a tensor."""
    contiguous = np.ascontiguousarray(array)
    if contiguous.nbytes <= LARGEST_IN_GRAPH:
        return tf.constant(contiguous)
    with tf.init_scope():
        return tf.constant(contiguous)
