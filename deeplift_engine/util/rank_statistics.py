"""Correlations of arrays along their last axis, and ranks."""

from __future__ import annotations

import numpy as np

from deeplift_engine.util.typing import Array


def ranks(values: Array) -> Array:
    """Ranks along the last axis from 0; equal values share the mean of their ranks."""
    flat = values.reshape(-1, values.shape[-1])
    order = np.argsort(flat, axis=1, kind="stable")
    ordered = np.take_along_axis(flat, order, axis=1)
    first = np.ones(flat.shape, bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    group = np.cumsum(first) - 1
    positions = np.broadcast_to(np.arange(flat.shape[1]), flat.shape).ravel()
    means = np.bincount(group, positions) / np.bincount(group)
    averages = np.empty(flat.shape)
    np.put_along_axis(averages, order, means[group].reshape(flat.shape), axis=1)
    return np.asarray(averages.reshape(values.shape))


def correlation(first: Array, second: Array) -> Array:
    """Pearson's correlation along the last axis; 0 where one of them does not vary."""
    first = first - first.mean(axis=-1, keepdims=True)
    second = second - second.mean(axis=-1, keepdims=True)
    both = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    product = (first * second).sum(axis=-1)
    return np.asarray(np.divide(product, both, out=np.zeros_like(product), where=both > 0))
