"""Small tools on tensors that layers and rules share."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from deeplift_engine.util.typing import Tensor

LEADING = 3  # targets, inputs, references: the leading axes of a multiplier


def unchanged(tensor: Tensor) -> Tensor:
    """The tensor itself: the function of what has none."""
    return tensor


def named(name: str) -> Callable[..., Tensor]:
    """TensorFlow's function of that name, looked up at each call: tables of them need it later."""
    function = operator.attrgetter(name)

    def call(*arguments: Any) -> Tensor:
        return function(tf)(*arguments)

    return call


def vjp(
    function: Callable[..., Tensor], points: Sequence[Tensor], cotangent: Tensor
) -> list[Tensor]:
    """Send ``cotangent`` backwards through ``function`` at ``points``, one tensor each.

    For a linear ``function`` the points do not matter; give zeros of the right shape.
    """
    watched = [tf.identity(point) for point in points]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        output = function(*watched)
    sent: list[Tensor] = tape.gradient(
        output, watched, output_gradients=cotangent, unconnected_gradients="zero"
    )
    return sent


def jvp(
    function: Callable[..., Tensor], points: Sequence[Tensor], ways: Sequence[Tensor]
) -> Tensor:
    """Derivative of ``function`` at ``points`` along ``ways``, by two passes backwards."""
    watched = [tf.identity(point) for point in points]
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(watched)
            output = function(*watched)
        cotangent = tf.zeros_like(output)
        outer.watch(cotangent)
        sent = inner.gradient(
            output, watched, output_gradients=cotangent, unconnected_gradients="zero"
        )
        along = tf.add_n([tf.reduce_sum(each * way) for each, way in zip(sent, ways, strict=True)])
    return outer.gradient(along, cotangent, unconnected_gradients="zero")


def scratch_graph() -> Any:
    """A graph to trace into and throw away, of the kind that functions are traced into.

    A plain `tf.Graph` will not do: what is made under `tf.init_scope` would stay in it.
    """
    return tf.__internal__.FuncGraph("scratch").as_default()


def features(tensor: Tensor, leading: int) -> list[Any]:
    """Sizes of the axes behind the ``leading`` ones, static where they are known."""
    dynamic = None
    sizes: list[Any] = []
    for axis in range(leading, tensor.shape.rank):
        size = tensor.shape[axis]
        if size is None:
            dynamic = tf.shape(tensor) if dynamic is None else dynamic
            size = dynamic[axis]
        sizes.append(size)
    return sizes


def vector(sizes: Sequence[Any]) -> Tensor:
    """Sizes as a vector: one constant, where all are known."""
    if all(isinstance(size, int) for size in sizes):
        return tf.constant(sizes, tf.int32, [len(sizes)])
    return tf.cast(tf.stack(list(sizes)), tf.int32)


def leading_sizes(tensor: Tensor, leading: int) -> Tensor:
    """Sizes of the ``leading`` axes as a vector."""
    return tf.shape(tensor)[:leading]


def trailing_sizes(tensor: Tensor, leading: int) -> Tensor:
    """Sizes of the axes behind the ``leading`` ones as a vector."""
    known = tensor.shape[leading:].as_list()
    return vector(known) if None not in known else tf.shape(tensor)[leading:]


def merge(tensor: Tensor, leading: int) -> Tensor:
    """Make one batch axis of the first ``leading`` axes."""
    if leading == 1:
        return tensor
    return tf.reshape(tensor, [-1, *features(tensor, leading)])


def split(tensor: Tensor, axes: Tensor, leading: int) -> Tensor:
    """Undo `merge`: ``axes`` holds the sizes of the ``leading`` axes."""
    result = tf.reshape(tensor, tf.concat([axes, trailing_sizes(tensor, 1)], 0))
    result.set_shape([None] * leading + tensor.shape[1:].as_list())
    return result


def split_like(outputs: Sequence[Tensor], like: Tensor, leading: int) -> list[Tensor]:
    """Undo `merge` of ``like`` in what a function of the merged one returns."""
    axes = leading_sizes(like, leading)
    return [split(output, axes, leading) for output in outputs]


def expand_to(tensor: Tensor, axes: Tensor, leading: int) -> Tensor:
    """Broadcast the ``leading`` axes of ``tensor`` to the sizes ``axes``."""
    result = tf.broadcast_to(tensor, tf.concat([axes, trailing_sizes(tensor, leading)], 0))
    result.set_shape([None] * leading + tensor.shape[leading:].as_list())
    return result


def summed_to(tensor: Tensor, like: Tensor, leading: int) -> Tensor:
    """Sum over the feature axes along which ``like`` was broadcast to the shape of ``tensor``."""
    sizes, expected = (each.shape[leading:].as_list() for each in (tensor, like))
    if None not in (*sizes, *expected):
        axes = [leading + axis for axis in range(len(sizes)) if sizes[axis] != expected[axis]]
        return tf.reduce_sum(tensor, axis=axes, keepdims=True) if axes else tensor
    target = tf.concat([leading_sizes(tensor, leading), trailing_sizes(like, leading)], 0)
    axes, _ = tf.raw_ops.BroadcastGradientArgs(s0=target, s1=tf.shape(tensor))
    result = tf.reduce_sum(tensor, axis=axes, keepdims=True)
    result.set_shape([*tensor.shape[:leading], *expected])
    return result


def epsilon(dtype: Any) -> float:
    """Distance from 1 to the next number of ``dtype``."""
    return float(tf.experimental.numpy.finfo(tf.as_dtype(dtype).as_numpy_dtype).eps)


def stabilised(x: Tensor, stabiliser: float) -> Tensor:
    """x + ε·sign x, with the sign of 0 as 1: never nearer to 0 than ε."""
    return tf.where(x >= 0, x + stabiliser, x - stabiliser)


def scaled(
    multiplier: Tensor, slope: Tensor, *, singular: bool = False, bounded: bool = False
) -> Tensor:
    """``multiplier`` times ``slope``, and 0 where the slope is 0, whatever arrives there.

    A function that is constant hides what is behind it: behind an off ReLU the infinite slope of a
    root is no part of the gradient. ``singular`` says that the slope may be infinite or NaN, so
    that a multiplier of 0 hides it likewise; ``bounded``, that what arrives is finite, so that a
    product will do.
    """
    if singular:
        slope = tf.where(multiplier == 0, tf.zeros_like(slope), slope)
    if bounded:
        return multiplier * slope
    return tf.math.multiply_no_nan(multiplier, slope)


def safe_divide(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Quotient, and 0 where the denominator is 0."""
    nothing = denominator == 0
    return tf.where(
        nothing,
        tf.zeros_like(numerator),
        numerator / tf.where(nothing, tf.ones_like(denominator), denominator),
    )
