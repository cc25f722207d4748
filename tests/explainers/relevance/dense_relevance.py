"""Relevance propagation as the papers write it, with every layer of a Keras model as one matrix.

A layer's matrix and bias are what Keras's own layer makes of basis vectors; contributions are kept
one by one, and so are their signs. Nothing of the engine is used.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

L = keras.layers
KERNELS = (L.Dense, L.Conv1D, L.Conv2D, L.DepthwiseConv2D, L.Conv2DTranspose)
Rule = Callable[[Any, Any, Any, Any], Any]


def positive(values: Any) -> Any:
    return np.maximum(values, 0)


def negative(values: Any) -> Any:
    return np.minimum(values, 0)


def divided(values: Any, by: Any) -> Any:
    shape = np.broadcast_shapes(values.shape, by.shape)
    return np.divide(values, by, out=np.zeros(shape), where=by != 0)


def epsilon(amount: float, bias: bool = True) -> Rule:
    def rule(x: Any, w: Any, b: Any, relevance: Any) -> Any:
        z = x @ w + b * bias
        z = z + amount * np.where(z >= 0, 1, -1)
        return divided(x[:, np.newaxis] * w, z) @ relevance

    return rule


def alpha_beta(alpha: float, beta: float, bias: bool = True) -> Rule:
    def rule(x: Any, w: Any, b: Any, relevance: Any) -> Any:
        each, b = x[:, np.newaxis] * w, b * bias
        above = divided(positive(each), positive(each).sum(0) + positive(b))
        below = divided(negative(each), negative(each).sum(0) + negative(b))
        return (alpha * above - beta * below) @ relevance

    return rule


def gamma(amount: float) -> Rule:
    def rule(x: Any, w: Any, b: Any, relevance: Any) -> Any:
        each = x[:, np.newaxis] * w
        own = np.where(x @ w + b > 0, positive(each), negative(each))
        own_bias = np.where(x @ w + b > 0, positive(b), negative(b))
        each, b = each + amount * own, b + amount * own_bias
        return divided(each, each.sum(0) + b) @ relevance

    return rule


def w_square(x: Any, w: Any, b: Any, relevance: Any) -> Any:
    return divided(w**2, (w**2).sum(0)) @ relevance


def flat(x: Any, w: Any, b: Any, relevance: Any) -> Any:
    read = (w != 0).astype(float)
    return divided(read, read.sum(0)) @ relevance


def box(low: Any, high: Any) -> Rule:
    def rule(x: Any, w: Any, b: Any, relevance: Any) -> Any:
        lowest = np.broadcast_to(low, x.shape)[:, np.newaxis]
        highest = np.broadcast_to(high, x.shape)[:, np.newaxis]
        each = x[:, np.newaxis] * w - lowest * positive(w) - highest * negative(w)
        return divided(each, each.sum(0)) @ relevance

    return rule


def matrix(layer: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    return _matrix(layer, shape, b"".join(w.tobytes() for w in layer.get_weights()))


@functools.cache
def _matrix(layer: Any, shape: tuple[int, ...], weights: bytes) -> tuple[Any, Any]:
    """Made once for a layer's weights, whatever is propagated through them."""
    size = int(np.prod(shape))
    basis = np.concatenate([np.zeros((1, size)), np.eye(size)]).reshape(-1, *shape)
    made = layer(tf.constant(basis)).numpy().reshape(size + 1, -1)
    return made[1:] - made[0], made[0]


def relevance(
    model: Any,
    x: Any,
    start: int | Callable[[Any], Any],
    rules: Callable[[int, Any], Rule],
    adding: Rule,
) -> Any:
    """Scores (N, ...) of a Sequential's layers, none of which has an activation of its own.

    It starts with a unit's value, or with what ``start`` makes of the output. ``rules`` gives the
    rule of a kernel from its number and layer; ``adding`` is that of what adds without one.
    """
    found = []
    for sample in x:
        at = [sample]
        for layer in model.layers:
            at.append(layer(tf.constant(at[-1][np.newaxis])).numpy()[0])
        if isinstance(start, int):
            arrived = np.where(np.arange(at[-1].size) == start, at[-1], 0.0)
        else:
            arrived = start(at[-1])
        numbers = [layer for layer in model.layers if isinstance(layer, KERNELS)]
        for layer, point in zip(reversed(model.layers), reversed(at[:-1]), strict=True):
            if isinstance(layer, L.Activation | L.Flatten):
                arrived = arrived.reshape(point.shape)
                continue
            if isinstance(layer, L.MaxPooling1D | L.MaxPooling2D):
                arrived = winners(layer, point, arrived)
                continue
            kernel = isinstance(layer, KERNELS)
            rule = rules(numbers.index(layer), layer) if kernel else adding
            sent = rule(point.ravel(), *matrix(layer, point.shape), arrived.ravel())
            arrived = sent.reshape(point.shape)
        found.append(arrived)
    return np.stack(found)


def winners(layer: Any, point: Any, arrived: Any) -> Any:
    """All to the largest of each window without padding; those that tie have equal shares."""
    y = layer(point[np.newaxis]).numpy()[0]
    arrived, sent = arrived.reshape(y.shape), np.zeros_like(point)
    for index in np.ndindex(y.shape):
        spans = zip(index[:-1], layer.strides, layer.pool_size, strict=True)
        window = (*(slice(i * stride, i * stride + size) for i, stride, size in spans), index[-1])
        tied = point[window] == y[index]
        sent[window] += arrived[index] * tied / tied.sum()
    return sent
