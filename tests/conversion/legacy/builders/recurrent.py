"""Recurrent layers as TensorFlow 2.15 saves them: with time_major, implementation, and masks."""

from __future__ import annotations

import tensorflow as tf

from tests.conversion.legacy.builders.common import TOKENS, Builder, L, together

STEPS, FEATURES = 5, 3


def lstm() -> tf.keras.Model:
    x = tf.keras.Input((STEPS, FEATURES), name="x")
    h, c = tf.keras.Input((2,), name="h"), tf.keras.Input((2,), name="c")
    return together(
        [x, h, c],
        [
            L.LSTM(2, implementation=1, name="implementation_1")(x),
            L.LSTM(2, implementation=2, return_sequences=True, name="implementation_2")(x),
            L.LSTM(2, recurrent_activation="hard_sigmoid", name="hard_sigmoid")(x),
            L.LSTM(2, activation="relu", use_bias=False, name="relu_no_bias")(x),
            L.LSTM(2, unroll=True, unit_forget_bias=False, name="unroll")(x),
            L.LSTM(2, go_backwards=True, return_sequences=True, name="go_backwards")(x),
            L.LSTM(2, return_state=True, dropout=0.3, name="return_state")(x),
            L.LSTM(2, name="initial_state")(x, initial_state=[h, c]),
        ],
    )


def gru() -> tf.keras.Model:
    x, h = tf.keras.Input((STEPS, FEATURES), name="x"), tf.keras.Input((2,), name="h")
    return together(
        [x, h],
        [
            L.GRU(2, name="reset_after")(x),
            L.GRU(2, implementation=1, name="reset_after_1")(x),
            L.GRU(2, reset_after=False, implementation=1, name="reset_before_1")(x),
            L.GRU(2, reset_after=False, implementation=2, name="reset_before_2")(x),
            L.GRU(2, reset_after=False, use_bias=False, unroll=True, name="no_bias")(x),
            L.GRU(2, recurrent_activation="hard_sigmoid", name="hard_sigmoid")(x),
            L.GRU(2, go_backwards=True, return_sequences=True, name="go_backwards")(x),
            L.GRU(2, return_state=True, recurrent_dropout=0.2, name="return_state")(x),
            L.GRU(2, name="initial_state")(x, initial_state=h),
        ],
    )


def simple_rnn() -> tf.keras.Model:
    x = tf.keras.Input((STEPS, FEATURES), name="x")
    sequence, state = L.SimpleRNN(2, return_sequences=True, return_state=True, name="first")(x)
    return together(
        x,
        [
            L.SimpleRNN(2, activation="relu", go_backwards=True, name="relu")(x),
            L.SimpleRNN(2, name="second")(sequence, initial_state=state),
            L.RNN(L.SimpleRNNCell(2, use_bias=False), name="one_cell")(x),
        ],
    )


def cells() -> tf.keras.Model:
    x = tf.keras.Input((STEPS, FEATURES), name="x")
    two = [L.LSTMCell(2), L.GRUCell(3)]
    stacked = L.StackedRNNCells([L.GRUCell(2, reset_after=False), L.SimpleRNNCell(2)])
    return together(
        x,
        [
            L.RNN(two, return_sequences=True, name="list_of_cells")(x),
            L.RNN(stacked, return_state=True, name="stacked")(x),
            L.RNN(L.LSTMCell(2, recurrent_activation="hard_sigmoid"), name="one_cell")(x),
            L.Bidirectional(L.RNN(L.GRUCell(2)), name="both_ways")(x),
        ],
    )


def bidirectional() -> tf.keras.Model:
    x = tf.keras.Input((STEPS, FEATURES), name="x")
    modes = {
        mode: L.Bidirectional(L.LSTM(2, return_sequences=True), merge_mode=mode, name=f"by_{mode}")
        for mode in ("concat", "sum", "mul", "ave", None)
    }
    other = L.GRU(2, go_backwards=True, name="other_way")
    return together(
        x,
        [
            *[layer(x) for layer in modes.values()],
            L.Bidirectional(L.LSTM(2), backward_layer=other, name="two_kinds")(x),
            L.Bidirectional(L.GRU(2, return_state=True), name="with_states")(x),
            L.Bidirectional(L.LSTM(2), name="second")(modes["sum"](x)),
        ],
    )


def conv_lstm() -> tf.keras.Model:
    line = tf.keras.Input((3, 5, 2), name="line")
    image = tf.keras.Input((3, 4, 5, 2), name="image")
    volume = tf.keras.Input((2, 3, 3, 2, 1), name="volume")
    return together(
        [line, image, volume],
        [
            L.ConvLSTM1D(2, 3, padding="same", return_sequences=True, name="line_same")(line),
            L.ConvLSTM1D(2, 2, dilation_rate=2, go_backwards=True, name="line_dilated")(line),
            L.ConvLSTM2D(2, (2, 3), return_state=True, name="image_valid")(image),
            L.ConvLSTM2D(1, 3, strides=2, padding="same", name="image_strided")(image),
            L.ConvLSTM2D(
                1, 2, padding="same", recurrent_activation="sigmoid", use_bias=False, name="sigmoid"
            )(image),
            L.ConvLSTM3D(1, 2, padding="same", name="volume_same")(volume),
        ],
    )


def masks() -> tf.keras.Model:
    """Steps that are left out, in the middle and at the end."""
    x = tf.keras.Input((STEPS, FEATURES), name="masked")
    used = tf.keras.Input((STEPS,), dtype="bool", name="used")
    masked = L.Masking(name="masking")(x)
    return together(
        [x, used],
        [
            L.LSTM(2, return_state=True, name="lstm")(masked),
            L.LSTM(2, return_sequences=True, go_backwards=True, name="lstm_backwards")(masked),
            L.GRU(2, return_sequences=True, name="gru")(masked),
            L.SimpleRNN(2, name="simple")(L.Dropout(0.2)(L.Dense(3, name="dense")(masked))),
            L.Bidirectional(L.GRU(2, return_sequences=True), name="both_ways")(masked),
            L.RNN([L.LSTMCell(2), L.GRUCell(2)], name="cells")(masked),
            L.GlobalAveragePooling1D(name="mean")(masked),
            L.TimeDistributed(L.Dense(2), name="each_step")(masked),
            L.LSTM(2, zero_output_for_mask=True, return_sequences=True, name="zeroed")(masked),
            L.LSTM(2, name="given")(x, mask=used),
        ],
    )


def embeddings() -> tf.keras.Model:
    tokens = tf.keras.Input((STEPS,), dtype="int32", name="masked_tokens")
    others = tf.keras.Input((2, 3), dtype="int64", name="tokens")
    masked = L.Embedding(TOKENS, 3, mask_zero=True, name="masked_embedding")
    plain = L.Embedding(TOKENS, 2, name="embedding")
    both = L.Concatenate(name="two_embeddings")([masked(tokens), plain(tokens)])
    return together(
        [tokens, others],
        [
            L.LSTM(2, name="lstm")(masked(tokens)),
            L.GRU(2, name="gru")(both),
            L.Bidirectional(L.LSTM(2), name="both_ways")(masked(tokens)),
            L.GlobalAveragePooling1D(name="mean")(masked(tokens)),
            L.Dense(2, activation="tanh", name="rows")(plain(others)),
            L.TimeDistributed(L.Embedding(TOKENS, 2), name="each_row")(others),
        ],
    )


def sequential_tokens() -> tf.keras.Model:
    """The commonest text model; Sequential declares its input float32."""
    return tf.keras.Sequential(
        [
            L.Embedding(TOKENS, 3, input_length=STEPS, mask_zero=True, name="tokens"),
            L.Bidirectional(L.LSTM(2, return_sequences=True, dropout=0.1)),
            L.GRU(2),
            L.Dense(4, activation="relu"),
            L.Dropout(0.5),
            L.Dense(1, activation="sigmoid", name="total"),
        ]
    )


def sequential_lstm() -> tf.keras.Model:
    return tf.keras.Sequential(
        [
            L.LSTM(3, return_sequences=True, input_shape=(None, FEATURES)),
            L.LSTM(2),
            L.Dense(3, activation="softmax", name="total"),
        ]
    )


def models() -> dict[str, Builder]:
    """Every model of this file by name."""
    builders = (lstm, gru, simple_rnn, cells, bidirectional, conv_lstm, masks, embeddings)
    found = {builder.__name__: builder for builder in builders}
    return found | {
        "sequential_tokens": sequential_tokens,
        "sequential_lstm": sequential_lstm,
    }
