"""What the models have in common: how branches end, and random weights and inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

L = tf.keras.layers
Builder = Callable[[], tf.keras.Model]

TOKENS = 8
SAMPLES = 2


def together(inputs: Any, branches: Iterable[Any]) -> tf.keras.Model:
    """A model of several branches, each an output, and of two units that read all of them.

    The first output, ``total``, is what the tests explain.
    """
    branches = [tensor for branch in branches for tensor in tf.nest.flatten(branch)]
    flat = [L.Flatten()(tensor) for tensor in branches]
    joined = L.Concatenate()(flat) if len(flat) > 1 else flat[0]
    total = L.Dense(2, name="total")(joined)
    return tf.keras.Model(inputs, [total, *branches])


def random_weights(model: tf.keras.Model, generator: np.random.Generator) -> None:
    """Weights of a size that keeps activations near 1, variances and scales positive."""
    values = []
    for weight in model.weights:
        shape, name = weight.shape, weight.name
        if "count" in name:
            values.append(weight.numpy())
        elif "variance" in name or "gamma" in name:
            values.append(generator.uniform(0.5, 1.5, shape))
        else:
            fan = np.prod(shape[:-1]) if len(shape) > 1 else 4
            values.append(generator.normal(size=shape) / np.sqrt(max(fan, 1)) * 1.2)
    model.set_weights(values)


def random_inputs(model: tf.keras.Model, generator: np.random.Generator) -> list[Any]:
    """Inputs (samples, ...); some steps of those called ``masked`` are zeros."""
    weights = []
    for tensor in model.inputs:
        shape = (SAMPLES, *[6 if size is None else size for size in tensor.shape[1:]])
        reads_tokens = tensor.dtype.is_integer or "tokens" in tensor.name
        if reads_tokens:
            values = generator.integers(1, TOKENS, shape).astype("int32")
        elif tensor.dtype.is_bool:
            values = generator.random(shape) < 0.6
        else:
            values = generator.normal(size=shape).astype("float32")
        if "masked" in tensor.name:
            values[0, -2:] = 0  # what padding to one length leaves
            values[1, ::2] = 0
        weights.append(values)
    return weights
