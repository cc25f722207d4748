"""TensorFlow's own operations on Keras tensors: TFOpLambda and SlicingOpLambda layers."""

from __future__ import annotations

import tensorflow as tf

from tests.conversion.legacy.builders.common import Builder, L, together


def arithmetic() -> tf.keras.Model:
    a, b = tf.keras.Input((3, 2), name="a"), tf.keras.Input((3, 2), name="b")
    positive = tf.nn.softplus(b) + 0.5
    return together(
        [a, b],
        [
            a * 2.0 + 1.0,
            1.0 - a,
            3.0 * b - a / 4.0,
            a * b,
            a - b,
            a / positive,
            1.0 / positive,
            -a,
            a**2,
            tf.pow(positive, 1.5),
            tf.add(a, b),
            tf.subtract(a, 1.0),
            tf.multiply(a, [[0.5, -2.0]]),
            tf.divide(a, positive),
            tf.maximum(a, b),
            tf.minimum(a, 0.25),
            tf.add_n([a, b, positive]),
            tf.math.squared_difference(a, b),
        ],
    )


def functions() -> tf.keras.Model:
    a, b = tf.keras.Input((3, 4), name="a"), tf.keras.Input((3, 4), name="b")
    positive = tf.math.abs(b) + 0.5
    return together(
        [a, b],
        [
            tf.exp(a),
            tf.math.log(positive),
            tf.sqrt(positive),
            tf.math.rsqrt(positive),
            tf.square(a),
            tf.clip_by_value(a, -0.5, 0.75),
            tf.tanh(a),
            tf.sigmoid(a),
            tf.nn.relu(a),
            tf.nn.relu6(a),
            tf.nn.leaky_relu(a, alpha=0.1),
            tf.nn.elu(a),
            tf.nn.gelu(a),
            tf.nn.silu(a),
            tf.nn.softmax(a),
            tf.nn.softmax(b, axis=1),
            tf.nn.log_softmax(a),
            tf.sin(a),
            tf.cos(b),
            tf.cast(a, tf.float32),
            tf.keras.activations.relu(b),
            tf.keras.backend.l2_normalize(a, axis=-1),
            tf.nn.l2_normalize(b, axis=1),
        ],
    )


def reductions() -> tf.keras.Model:
    a = tf.keras.Input((3, 4), name="a")
    b = L.Dense(4, activation="tanh", name="b")(a)
    return together(
        a,
        [
            tf.reduce_sum(a, axis=1),
            tf.reduce_sum(a, axis=[1, 2], keepdims=True),
            tf.reduce_mean(a, axis=-1, keepdims=True),
            tf.reduce_mean(b, 1),
            tf.reduce_max(a, axis=1),
            tf.reduce_min(b, axis=2),
            tf.math.reduce_variance(a, axis=-1),
            tf.math.reduce_std(b, axis=1),
            tf.math.reduce_prod(a, axis=2),
            tf.math.reduce_logsumexp(a, axis=1),
            tf.norm(a, axis=-1),
            tf.keras.backend.mean(b, axis=1),
            tf.keras.backend.sum(a, axis=2),
        ],
    )


def shapes() -> tf.keras.Model:
    a = tf.keras.Input((3, 4), name="a")
    b = L.Dense(4, activation="tanh", name="b")(a)
    halves = tf.split(a, 2, axis=-1)
    rows = tf.unstack(b, axis=1)
    return together(
        a,
        [
            tf.reshape(a, [-1, 4, 3]),
            tf.transpose(a, [0, 2, 1]),
            tf.expand_dims(a, 1),
            tf.squeeze(tf.expand_dims(b, -1), -1),
            tf.concat([a, b], axis=1),
            tf.stack([a, b], axis=2),
            halves[1],
            rows[0] + rows[2],
            tf.tile(b, [1, 2, 1]),
            tf.repeat(b, 2, axis=1),
            tf.pad(a, [[0, 0], [1, 2], [0, 1]]),
            tf.pad(b, [[0, 0], [1, 1], [0, 0]], constant_values=0.5),
            tf.reverse(b, [1]),
            tf.gather(a, [2, 0], axis=1),
            tf.identity(b),
            tf.stop_gradient(a),
            tf.zeros_like(a) + b,
            tf.keras.backend.permute_dimensions(a, (0, 2, 1)),
            tf.keras.backend.concatenate([a, b], axis=-1),
        ],
    )


def slices() -> tf.keras.Model:
    a = tf.keras.Input((4, 5), name="a")
    image = tf.keras.Input((3, 4, 2), name="image")
    b = L.Dense(5, activation="tanh", name="b")(a)
    return together(
        [a, image],
        [
            a[:, 1:3],
            b[:, -1],
            a[:, 0, :],
            b[:, ::2, 1:],
            a[:, ::-1],
            a[..., 2:],
            b[..., tf.newaxis, 0],
            image[:, :, 1:, 0],
            image[:, 1, ..., 1:],
            tf.slice(a, [0, 1, 0], [-1, 2, 3]),
            tf.strided_slice(b, [0, 0, 1], [0, 4, 4], [1, 2, 1], begin_mask=1, end_mask=1),
        ],
    )


def products() -> tf.keras.Model:
    a, b = tf.keras.Input((3, 4), name="a"), tf.keras.Input((5, 4), name="b")
    return together(
        [a, b],
        [
            tf.matmul(a, b, transpose_b=True),
            tf.matmul(a, tf.transpose(b, [0, 2, 1])),
            tf.linalg.matmul(a, a, transpose_a=True),
            a @ L.Dense(4, name="square")(tf.transpose(a, [0, 2, 1])),
            tf.matmul(b, tf.constant([[0.3, -0.2], [0.1, 0.5], [0.0, 1.0], [-1.0, 0.2]])),
            tf.keras.backend.batch_dot(a, b, axes=(2, 2)),
            tf.tensordot(a, tf.constant([[0.5, 0.1], [0.2, -0.3], [0.7, 0.0], [0.1, 0.9]]), 1),
        ],
    )


def attention_by_hand() -> tf.keras.Model:
    """Scaled dot products and layer normalisation written out."""
    x = tf.keras.Input((4, 6), name="x")
    query, key, value = (L.Dense(6, name=name)(x) for name in ("query", "key", "value"))

    def heads(tensor: tf.Tensor) -> tf.Tensor:
        return tf.transpose(tf.reshape(tensor, [-1, 4, 2, 3]), [0, 2, 1, 3])

    scores = tf.matmul(heads(query), heads(key), transpose_b=True) / tf.math.sqrt(3.0)
    attended = tf.matmul(tf.nn.softmax(scores, axis=-1), heads(value))
    merged = tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [-1, 4, 6])
    y = x + L.Dense(6, name="output")(merged)
    mean = tf.reduce_mean(y, axis=-1, keepdims=True)
    variance = tf.reduce_mean(tf.square(y - mean), axis=-1, keepdims=True)
    return together(x, [(y - mean) / tf.sqrt(variance + 1e-6)])


def variational() -> tf.keras.Model:
    """What autoencoders compute between layers, without their noise."""
    x = tf.keras.Input((6,), name="x")
    hidden = L.Dense(4, activation="relu", name="hidden")(x)
    mean, log_variance = L.Dense(2, name="mean")(hidden), L.Dense(2, name="log_variance")(hidden)
    spread = tf.exp(0.5 * log_variance)
    divergence = -0.5 * tf.reduce_sum(
        1 + log_variance - tf.square(mean) - tf.exp(log_variance), axis=-1, keepdims=True
    )
    gate = tf.keras.backend.sigmoid(tf.concat([mean, spread], -1))
    return together(x, [mean + 0.5 * spread, divergence, gate])


def models() -> dict[str, Builder]:
    """Every model of this file by name."""
    builders = (arithmetic, functions, reductions, shapes, slices, products)
    builders += (attention_by_hand, variational)
    return {builder.__name__: builder for builder in builders}
