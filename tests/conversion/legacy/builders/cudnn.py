"""CuDNNLSTM and CuDNNGRU: saved without a GPU, computed by the plain layers they stand for.

What they save is loaded into LSTM and GRU by TensorFlow's own conversion of weights.
"""

from __future__ import annotations

import tensorflow as tf

from tests.conversion.legacy.builders.common import Builder, L, together

STEPS, FEATURES = 5, 3
V1 = tf.compat.v1.keras.layers


def cudnn() -> tf.keras.Model:
    return _model(V1.CuDNNLSTM, V1.CuDNNGRU)


def plain() -> tf.keras.Model:
    """The same model of layers that run on a CPU."""
    return _model(L.LSTM, L.GRU)


def _model(lstm: type, gru: type) -> tf.keras.Model:
    x = tf.keras.Input((STEPS, FEATURES), name="x")
    return together(
        x,
        [
            lstm(2, name="lstm")(x),
            lstm(2, return_sequences=True, go_backwards=True, name="lstm_backwards")(x),
            lstm(2, return_state=True, name="lstm_states")(x),
            gru(2, return_sequences=True, name="gru")(x),
            L.Bidirectional(lstm(2), name="both_ways")(x),
            L.Bidirectional(gru(2, return_sequences=True), name="both_ways_gru")(x),
        ],
    )


def models() -> dict[str, Builder]:
    """Every model of this file by name."""
    return {"cudnn": cudnn}
