"""Cases of recurrent layers, embeddings and masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers as L  # noqa: N812

from tests.cases.case import Case, around, body

STEPS = (4, 3)


def cells() -> dict[str, Case]:
    """Each kind of cell with its options, over a sequence without a mask."""
    makers: dict[str, Callable[[], Any]] = {
        "SimpleRNN, relu, sequences": lambda: L.SimpleRNN(
            3, activation="relu", return_sequences=True
        ),
        "LSTM": lambda: L.LSTM(3),
        "LSTM, no bias, unrolled, hard": lambda: L.LSTM(
            3,
            use_bias=False,
            unroll=True,
            recurrent_activation="hard_sigmoid",
            activation="softsign",
        ),
        "GRU, sequences backwards": lambda: L.GRU(3, return_sequences=True, go_backwards=True),
        "GRU, reset before": lambda: L.GRU(3, reset_after=False),
        "stacked cells": lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True),
        "Bidirectional, concat": lambda: L.Bidirectional(L.LSTM(2, return_sequences=True)),
        "Bidirectional, mul, last": lambda: L.Bidirectional(
            L.GRU(2), merge_mode="mul", backward_layer=L.LSTM(2, go_backwards=True)
        ),
        "ConvLSTM1D": lambda: L.ConvLSTM1D(2, 2, padding="same", return_sequences=True),
        "ConvLSTM2D": lambda: L.ConvLSTM2D(2, 2, strides=2),
        "TimeDistributed, LSTM": lambda: L.TimeDistributed(L.LSTM(2)),
        "TimeDistributed, convolution": lambda: L.TimeDistributed(
            L.Conv1D(2, 2, activation="relu")
        ),
        "TimeDistributed, pooling": lambda: L.TimeDistributed(L.MaxPooling1D(2)),
        "TimeDistributed, a model": lambda: L.TimeDistributed(
            keras.Sequential([L.Dense(3, activation="softmax"), L.Dense(2)])
        ),
    }
    shapes = {
        "ConvLSTM1D": (3, 4, 2),
        "ConvLSTM2D": (2, 4, 3, 2),
        "TimeDistributed, LSTM": (2, 4, 3),
        "TimeDistributed, convolution": (2, 4, 3),
        "TimeDistributed, pooling": (2, 4, 3),
    }
    return {name: Case(around(make, shapes.get(name, STEPS))) for name, make in makers.items()}


def masked() -> dict[str, Case]:
    """Masks from Masking, from token 0, and given as a tensor; states in and out."""

    def masking(mask_value: float = 0.0) -> keras.Model:
        x = source = keras.Input(STEPS, name="x")
        x = L.Masking(mask_value)(x)
        x = L.Bidirectional(L.LSTM(2, return_sequences=True))(x)
        x = L.Dense(3, activation="tanh")(x)
        return keras.Model(source, body(L.GRU(2)(x)))

    def tokens() -> keras.Model:
        source = keras.Input((4,), dtype="int32", name="tokens")
        x = L.Embedding(5, 3, mask_zero=True)(source)
        x = L.SimpleRNN(3, return_sequences=True)(L.Dropout(0.2)(x))
        x = L.LSTM(2, return_sequences=True, zero_output_for_mask=True)(x)
        return keras.Model(source, body(L.GlobalAveragePooling1D()(x)))

    def given() -> keras.Model:
        source, used = keras.Input(STEPS, name="x"), keras.Input((4,), dtype="bool", name="used")
        x = L.LSTM(3, return_sequences=True, go_backwards=True)(source, mask=used)
        return keras.Model([source, used], body(L.SimpleRNN(2)(x)))

    def states(mask: bool) -> keras.Model:
        source, start = keras.Input(STEPS, name="x"), keras.Input((2,), name="start")
        inputs, more = [source, start], {}
        if mask:
            inputs.append(keras.Input((4,), dtype="bool", name="used"))
            more["mask"] = inputs[2]
        x, h, c = L.LSTM(2, return_sequences=True, return_state=True)(
            source, initial_state=[start, L.Dense(2)(start)], **more
        )
        last = L.GRU(2)(x, initial_state=L.Multiply()([h, c]))
        return keras.Model(inputs, body(L.Concatenate()([last, h])))

    return {
        "Masking": Case(masking, masked=True),
        "Masking of ones": Case(lambda: masking(1.0)),
        "tokens, recurrent": Case(tokens),
        "tokens, mask as an input": Case(given),
        "states in and out": Case(lambda: states(False)),
        "tokens, states in and out, masked": Case(lambda: states(True)),
    }


def shared_embedding() -> keras.Model:
    """Two embeddings of one input, and one of several inputs."""
    source, other = (keras.Input((4,), dtype="int32", name=name) for name in ("a", "b"))
    table = L.Embedding(5, 3)
    x = L.Concatenate()([table(source), L.Embedding(5, 2)(source), table(other)])
    return keras.Model([source, other], body(L.Conv1D(3, 2, activation="relu")(x)))


def cases() -> dict[str, Case]:
    """All of them."""
    return {**cells(), **masked(), "tokens, embeddings": Case(shared_embedding)}
