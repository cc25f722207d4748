"""Attention, wrappers, models within models, Lambdas."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tests.conversion.legacy.builders.common import TOKENS, Builder, L, together


def attention() -> tf.keras.Model:
    query = tf.keras.Input((3, 4), name="query")
    value, key = tf.keras.Input((5, 4), name="value"), tf.keras.Input((5, 4), name="key")
    masked = tf.keras.Input((4, 4), name="masked")
    kept = L.Masking(name="masking")(masked)
    return together(
        [query, value, key, masked],
        [
            L.Attention(name="dot")([query, value]),
            L.Attention(use_scale=True, name="scaled")([query, value, key]),
            L.Attention(score_mode="concat", use_scale=True, name="concat")([query, value]),
            L.Attention(dropout=0.2, name="causal")([query, query], use_causal_mask=True),
            L.Attention(name="masks")([kept, kept]),
            L.AdditiveAttention(name="additive")([query, value]),
            L.AdditiveAttention(use_scale=False, name="additive_plain")([query, value, key]),
        ],
    )


def multi_head() -> tf.keras.Model:
    query = tf.keras.Input((3, 4), name="query")
    value = tf.keras.Input((5, 6), name="value")
    allowed = tf.keras.Input((3, 5), dtype="bool", name="allowed")
    wide = L.MultiHeadAttention(2, 3, value_dim=2, output_shape=5, name="wide")
    no_bias = L.MultiHeadAttention(2, 2, use_bias=False, name="no_bias")
    table = L.MultiHeadAttention(1, 2, attention_axes=(1, 2), name="two_axes")
    return together(
        [query, value, allowed],
        [
            L.MultiHeadAttention(2, 2, name="self")(query, query),
            L.MultiHeadAttention(1, 3, name="causal")(query, query, use_causal_mask=True),
            wide(query, value),
            no_bias(query, value, attention_mask=allowed),
            L.MultiHeadAttention(2, 2, name="scores")(query, value, return_attention_scores=True),
            table(L.Reshape((3, 2, 2))(query), L.Reshape((3, 2, 2))(query)),
        ],
    )


def transformer() -> tf.keras.Model:
    """An encoder block of plain layers over tokens and their positions."""
    tokens = tf.keras.Input((5,), dtype="int32", name="tokens")
    x = L.Embedding(TOKENS, 4, name="words")(tokens)
    positions = L.Embedding(5, 4, name="positions")(tf.range(5))
    x = x + positions
    attended = L.MultiHeadAttention(2, 2, name="attention")(x, x)
    x = L.LayerNormalization(epsilon=1e-6, name="norm_1")(L.Add()([x, attended]))
    inner = L.Dense(4, name="narrow")(L.Dense(6, activation="gelu", name="wide")(x))
    x = L.LayerNormalization(epsilon=1e-6, name="norm_2")(x + L.Dropout(0.1)(inner))
    return together(tokens, [x, L.GlobalAveragePooling1D(name="mean")(x)])


def time_distributed() -> tf.keras.Model:
    line = tf.keras.Input((3, 4), name="line")
    films = tf.keras.Input((2, 4, 5, 2), name="films")
    inner = tf.keras.Sequential(
        [L.Conv2D(2, 2, input_shape=(4, 5, 2)), L.Flatten(), L.Dense(2, activation="relu")],
        name="each_picture",
    )
    return together(
        [line, films],
        [
            L.TimeDistributed(L.Dense(2, activation="relu"), name="dense")(line),
            L.TimeDistributed(L.Conv2D(2, 3, padding="same"), name="convolution")(films),
            L.TimeDistributed(L.MaxPooling2D(2), name="pooling")(films),
            L.TimeDistributed(L.BatchNormalization(), name="normalisation")(films),
            L.TimeDistributed(inner, name="model")(films),
            L.TimeDistributed(L.LSTM(2), name="recurrent")(L.Reshape((2, 4, 10))(films)),
        ],
    )


def nested() -> tf.keras.Model:
    """An encoder called twice in a model that is itself called twice; inputs in another order."""
    picture = tf.keras.Input((6, 2), name="picture")
    features = L.Conv1D(3, 2, activation="relu", name="convolution")(picture)
    pooled = L.GlobalMaxPooling1D(name="pooled")(features)
    encoder = tf.keras.Model(picture, [pooled, features], name="encoder")
    head = tf.keras.Sequential([L.Dense(3, activation="tanh", input_shape=(3,))], name="head")
    left, right = tf.keras.Input((6, 2), name="left"), tf.keras.Input((6, 2), name="right")
    a, b = encoder(left), encoder(right)
    pair = tf.keras.Model(
        [left, right],
        {"distance": L.Subtract(name="difference")([head(a[0]), head(b[0])]), "features": b[1]},
        name="pair",
    )
    tail = tf.keras.Sequential([L.Dense(2), L.BatchNormalization(), L.ReLU()], name="tail")
    x, y = tf.keras.Input((6, 2), name="x"), tf.keras.Input((6, 2), name="y")
    one, two = pair([x, y]), pair([y, L.Reshape((6, 2), name="same")(x)])
    return together(
        [y, x], [tail(one["distance"]), tail(two["distance"]), two["features"], one["distance"]]
    )


def lambdas() -> tf.keras.Model:
    """Python functions: saved as bytecode, which is never run."""
    x = tf.keras.Input((4, 3), name="x")
    return together(
        x,
        [
            L.Lambda(lambda t: t * 2.0 + 1.0, name="affine")(x),
            L.Lambda(lambda t: tf.reverse(t, [1]), name="reverse")(x),
            L.Lambda(lambda ts: ts[0] * ts[1], name="product")(
                [x, L.Dense(3, name="other", activation="tanh")(x)]
            ),
        ],
    )


def double() -> tf.keras.Model:
    """A model of float64."""
    tf.keras.backend.set_floatx("float64")
    try:
        x: Any = tf.keras.Input((5, 3), name="x")
        return together(x, [L.GRU(2, name="gru")(x), L.Dense(2, activation="selu", name="d")(x)])
    finally:
        tf.keras.backend.set_floatx("float32")


def models() -> dict[str, Builder]:
    """Every model of this file by name."""
    builders = (attention, multi_head, transformer, time_distributed, nested, lambdas, double)
    return {builder.__name__: builder for builder in builders}
