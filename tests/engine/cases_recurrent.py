"""Cases of recurrent layers, embeddings and masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import layers as L  # noqa: N812

from tests.engine.case import Case, around

STEPS = (6, 4)


def recurrent() -> dict[str, Case]:
    """Each kind of cell with its options, over a sequence without a mask."""
    makers: dict[str, Callable[[], Any]] = {
        "SimpleRNN": lambda: L.SimpleRNN(3),
        "SimpleRNN, relu, sequences": lambda: L.SimpleRNN(
            3, activation="relu", return_sequences=True
        ),
        "LSTM": lambda: L.LSTM(3),
        "LSTM, sequences backwards": lambda: L.LSTM(3, return_sequences=True, go_backwards=True),
        "LSTM, no bias, unrolled": lambda: L.LSTM(3, use_bias=False, unroll=True),
        "LSTM, hard sigmoid, softsign": lambda: L.LSTM(
            3, recurrent_activation="hard_sigmoid", activation="softsign"
        ),
        "GRU": lambda: L.GRU(3),
        "GRU, reset before": lambda: L.GRU(3, reset_after=False, return_sequences=True),
        "GRU, no bias": lambda: L.GRU(3, use_bias=False, go_backwards=True),
        "stacked cells": lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True),
        "one cell": lambda: L.RNN(L.SimpleRNNCell(3)),
        **{
            f"Bidirectional, {mode}": lambda mode=mode: L.Bidirectional(
                L.LSTM(3, return_sequences=True), merge_mode=mode
            )
            for mode in ("concat", "sum", "mul", "ave")
        },
        "Bidirectional, last": lambda: L.Bidirectional(
            L.GRU(3), backward_layer=L.LSTM(3, go_backwards=True)
        ),
    }
    return {name: Case(around(make, STEPS)) for name, make in makers.items()}


def cases() -> dict[str, Case]:
    """All of them."""
    return recurrent()
