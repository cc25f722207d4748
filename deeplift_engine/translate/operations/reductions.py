"""Reductions over feature axes: sums, means, extremes, products, norms."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import (
    Activation,
    Difference,
    GlobalMax,
    LinearFunction,
    Maximum,
    Mean,
    Sum,
)
from deeplift_engine.layers.functions import Function
from deeplift_engine.layers.operations import GlobalMin, LogSumExp, Polynomial, Quotient, Total
from deeplift_engine.translate.layer_context import NodeName, Refusal
from deeplift_engine.translate.normalizing import unit_length
from deeplift_engine.translate.operations.arithmetic import alike, operands, scaled
from deeplift_engine.translate.operations.call import Operation, Translator

MOST_FACTORS = 64
"""So many elements may be multiplied: half as many points of the path are computed."""


def reduced(op: Operation) -> tuple[NodeName, tuple[int, ...], bool]:
    """The numbers of a reduction, its axes from 1, and whether they stay as size 1."""
    source = op.numbers()
    axes = op.axes(len(op.shape(source)))
    return source, axes, bool(op.option("keepdims", False))


def total(op: Operation) -> str:
    """Sum."""
    source, axes, keepdims = reduced(op)
    return op.put(Total(axes, keepdims), source)


def mean(op: Operation) -> str:
    """Mean."""
    source, axes, keepdims = reduced(op)
    return op.put(Mean(axes, keepdims), source)


def weighted(op: Operation) -> str:
    """Average, with constant weights or without."""
    if op.arguments.get("weights") is None:
        return mean(op)
    source, axes, _ = reduced(op)
    weights = np.asarray(op.option("weights"), op.dtype)
    rank = len(op.shape(source))
    if weights.ndim == 1:
        shape = [1] * rank
        shape[axes[0] - 1] = -1
        weights = weights.reshape(shape)
    weights = op.aligned(weights, op.shape(source))
    full = np.broadcast_to(weights, [size or 1 for size in op.shape(source)])
    divisor = full.sum(axis=tuple(axis - 1 for axis in axes), keepdims=True)
    return op.put(Total(axes), scaled(op, source, weights / divisor, suffix="/weighted"))


def extreme(op: Operation) -> str:
    """Max and Min."""
    source, axes, keepdims = reduced(op)
    layer = GlobalMax(axes, keepdims) if op.name == "max" else GlobalMin(axes, keepdims)
    if op.option("initial") is None:
        return op.put(layer, source)
    initial = np.asarray(op.number("initial"), op.dtype)
    inner = op.put(layer, source, suffix="/extreme")
    return op.put(Function("maximum" if op.name == "max" else "minimum", (initial,)), inner)


def spread(op: Operation) -> str:
    """Ptp: the largest less the smallest."""
    source, axes, keepdims = reduced(op)
    ends = [
        op.put(GlobalMax(axes, keepdims), source, suffix="/largest"),
        op.put(GlobalMin(axes, keepdims), source, suffix="/smallest"),
    ]
    return op.put(Difference(), *ends)


def product(op: Operation) -> str:
    """Prod: the Shapley value of every factor."""
    source, axes, keepdims = reduced(op)
    factors = _factors(op, source, axes)
    return op.put(
        Polynomial(lambda x: tf.reduce_prod(x, axis=list(axes), keepdims=keepdims), factors), source
    )


def running_product(op: Operation) -> str:
    """Cumprod along an axis."""
    source = op.numbers()
    axis = op.axis(op.option("axis"), len(op.shape(source)))
    factors = _factors(op, source, (axis,))
    exclusive, reverse = (bool(op.option(name, False)) for name in ("exclusive", "reverse"))
    return op.put(
        Polynomial(lambda x: tf.math.cumprod(x, axis, exclusive, reverse), factors), source
    )


def _factors(op: Operation, source: str, axes: tuple[int, ...]) -> int:
    sizes = [op.shape(source)[axis - 1] for axis in axes]
    factors = 0 if None in sizes else math.prod(size or 0 for size in sizes)
    if not 0 < factors <= MOST_FACTORS:
        known = factors or "no fixed number of"
        raise Refusal(f"{op.name} of {known} elements, not of 1 to {MOST_FACTORS}")
    return factors


def variance(op: Operation) -> str:
    """Var, and its root Std: mean, difference, square and mean, each step by its own rule."""
    source, axes, keepdims = reduced(op)
    if op.name == "var":
        return _variance(op, source, axes, keepdims)
    inner = _variance(op, source, axes, keepdims, suffix="/variance")
    return op.put(Function("sqrt"), inner)


def _variance(
    op: Operation, source: str, axes: tuple[int, ...], keepdims: bool, suffix: str = ""
) -> NodeName:
    middle = op.put(Mean(axes, True), source, suffix="/mean")
    distance = op.put(Difference(), source, middle, suffix="/distance")
    square = op.put(Activation("square"), distance, suffix="/square")
    return op.put(Mean(axes, keepdims), square, suffix=suffix)


def moments(op: Operation) -> tuple[str, str]:
    """Moments: mean and variance."""
    source = op.numbers()
    axes = op.axes(len(op.shape(source)), "axes")
    keepdims = bool(op.option("keepdims", False))
    return (
        op.put(Mean(axes, keepdims), source),
        _variance(op, source, axes, keepdims, suffix="/variance"),
    )


def log_sum_exp(op: Operation) -> str:
    """Logsumexp."""
    source, axes, keepdims = reduced(op)
    rank = len(op.shape(source))
    return op.put(LogSumExp(tuple(axis - rank - 1 for axis in axes), keepdims), source)


def log_add_exp(op: Operation) -> str:
    """Logaddexp: the larger of two plus softplus(-|x - y|)."""
    both = operands(op)
    if both.constant is None:
        change = op.put(Difference(), *both.tensors, suffix="/difference")
        larger = op.put(Maximum(), *both.tensors, suffix="/larger")
    else:
        change = scaled(op, both.tensors[0], 1, -both.constant, suffix="/difference")
        larger = op.put(Function("maximum", (both.constant,)), both.tensors[0], suffix="/larger")
    size = op.put(Function("absolute"), change, suffix="/distance")
    rest = op.put(Activation("softplus"), scaled(op, size, -1, suffix="/negative"), suffix="/rest")
    return op.put(Sum(), larger, rest)


def norm(op: Operation) -> str:
    """Norm of vectors by its order; of matrices Frobenius's."""
    source, axes, keepdims = reduced(op)
    order = op.option("ord", 2)
    if order in ("euclidean", "fro") or (len(axes) > 1 and op.option("ord") is None):
        order = 2
    elif len(axes) > 1 or isinstance(order, str):
        raise Refusal(f"norm of order {order!r} of {'matrices' if len(axes) > 1 else 'vectors'}")
    return _norm(op, source, axes, keepdims, float(order))


def to_length_one(op: Operation) -> str:
    """Normalize, and TensorFlow's l2_normalize: over the norm, at least ``epsilon``."""
    source, axes, _ = reduced(op)
    order, smallest = op.number("order", 2), np.asarray(op.number("epsilon", 1e-7), op.dtype)
    if order == 2 and smallest > 0:  # as UnitNormalization
        rank = len(op.shape(source))
        return op.put(unit_length(tuple(a - rank - 1 for a in axes), float(smallest)), source)
    length = _norm(op, source, axes, True, order, suffix="/norm")
    bounded = op.put(Function("maximum", (smallest,)), length, suffix="/bounded")
    return op.put(Quotient(), *alike(op, source, bounded))


def _norm(
    op: Operation,
    source: str,
    axes: tuple[int, ...],
    keepdims: bool,
    order: float,
    suffix: str = "",
) -> NodeName:
    if order == 2:
        square = op.put(Activation("square"), source, suffix="/square")
        total_ = op.put(Total(axes, keepdims), square, suffix="/sum")
        return op.put(Function("sqrt"), total_, suffix=suffix)
    size = op.put(Function("absolute"), source, suffix="/absolute")
    if math.isinf(order):
        layer = GlobalMax(axes, keepdims) if order > 0 else GlobalMin(axes, keepdims)
        return op.put(layer, size, suffix=suffix)
    if order == 1:
        return op.put(Total(axes, keepdims), size, suffix=suffix)
    exponent, root = (np.asarray(value, op.dtype) for value in (order, 1 / order))
    powers = op.put(Function("power", (exponent,)), size, suffix="/power")
    total_ = op.put(Total(axes, keepdims), powers, suffix="/sum")
    return op.put(Function("power", (root,)), total_, suffix=suffix)


def running_sum(op: Operation) -> str:
    """Cumsum along an axis."""
    source = op.numbers()
    axis = op.axis(op.option("axis"), len(op.shape(source)))
    exclusive, reverse = (bool(op.option(name, False)) for name in ("exclusive", "reverse"))
    return op.put(LinearFunction(lambda x: tf.cumsum(x, axis, exclusive, reverse)), source)


OPERATIONS: dict[str, Translator] = {
    "sum": total,
    "mean": mean,
    "average": weighted,
    **dict.fromkeys(("max", "min"), extreme),
    "ptp": spread,
    "prod": product,
    **dict.fromkeys(("var", "std"), variance),
    "moments": moments,
    "logsumexp": log_sum_exp,
    "logaddexp": log_add_exp,
    "norm": norm,
    "normalize": to_length_one,
    "cumsum": running_sum,
    "cumprod": running_product,
}
