"""Cases of tokens as rows of zeros and ones, and of signals as spectra."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers as L  # noqa: N812

from tests.cases.case import Case, body, named
from tests.cases.cases_convolution import making, side_by_side

SIGNAL = (20, 2)


def _encoded() -> keras.Model:
    """Every mode; of several tokens a sample, and of one."""
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    single = keras.Input((1,), dtype="int32", name="single")
    weights = keras.Input((6,), name="weights")
    rows = L.CategoryEncoding(5, output_mode="one_hot")
    parts = [
        L.Flatten()(L.Conv1D(2, 3, activation="tanh")(rows(tokens))),
        L.CategoryEncoding(5, output_mode="one_hot")(single),
        L.CategoryEncoding(5)(tokens),
        L.CategoryEncoding(5, output_mode="count")(tokens),
        L.CategoryEncoding(5, output_mode="count")(tokens, count_weights=weights),
    ]
    x = L.Dense(4, activation="tanh")(L.Concatenate()(parts))
    return keras.Model([tokens, single, weights], body(x))


def spectra() -> dict[str, Case]:
    make = making(L.STFTSpectrogram, frame_length=6, frame_step=4, fft_length=8)
    makers: dict[str, Any] = {
        mode: make(mode=mode) for mode in ("log", "magnitude", "psd", "real", "imag")
    }
    makers["stft"] = make(mode="stft", padding="same", expand_dims=True)
    makers["psd apart"] = make(mode="psd", frame_step=None, expand_dims=True)
    return named("STFTSpectrogram", side_by_side(makers, SIGNAL))


def cases() -> dict[str, Case]:
    """All of them."""
    return {"tokens, CategoryEncoding": Case(_encoded), **spectra()}
