"""STFTSpectrogram: the short-time Fourier transform as two convolutions, and what is made of it."""

from __future__ import annotations

import numpy as np

from deeplift_engine.layers import Activation, Convolution, Identity, Reshape, Scale, Sum, Transpose
from deeplift_engine.translate.layer_context import Place, Refused
from deeplift_engine.util.typing import Array

EPSILON = 1e-7
"""What Keras has a power at least as large as."""


def check_mode(mode: object) -> None:
    """Raise `Refused` for what is not made of the transform by adding and by one function."""
    if mode == "angle":
        raise Refused(
            "mode='angle' jumps from π to -π",
            "Apply it to the data, and explain the model behind it.",
        )


def stft_spectrogram(place: Place) -> str:
    """Every mode but the angle; each channel by itself; channels first and last."""
    first = place.option("data_format") == "channels_first"
    source = place.channels_last(place.inputs[0]) if first else place.inputs[0]
    channels = place.shape(source)[-1]
    if channels is None:
        raise Refused("reads a free number of channels", "Give the model's input a fixed one.")
    mode = str(place.option("mode", "log"))
    if mode in ("real", "imag"):
        kernel = place.weight(f"{mode}_kernel")
        name = place.add(_transform(place, kernel, channels), source, suffix="/lines")
    elif mode == "stft":
        kernel = np.concatenate([place.weight("real_kernel"), place.weight("imag_kernel")], -1)
        name = place.add(_transform(place, kernel, channels), source, suffix="/lines")
    else:
        kernel = place.weight("real_kernel")
        name = _of_power(place, mode, _power(place, source, channels), channels, kernel.shape[-1])
    return _arranged(place, name, channels, kernel.shape[-1])


def _transform(place: Place, kernel: Array, channels: int) -> Convolution:
    """A convolution of every channel with one kernel (frame, 1, frequencies)."""
    step = place.option("frame_step") or int(place.option("frame_length")) // 2
    return Convolution(
        np.tile(kernel, channels),
        strides=(int(step),),
        padding=str(place.option("padding", "valid")),
        groups=channels,
    )


def _power(place: Place, source: str, channels: int) -> str:
    """The sum of the squares of both parts."""
    squares = []
    for part in ("real", "imag"):
        layer = _transform(place, place.weight(f"{part}_kernel"), channels)
        line = place.add(layer, source, suffix=f"/{part}")
        squares.append(place.add(Activation("square"), line, suffix=f"/{part}_square"))
    return place.add(Sum(), *squares, suffix="/power")


def _of_power(place: Place, mode: str, power: str, channels: int, frequencies: int) -> str:
    """Power of both halves of the spectrum, its root, or the root's logarithm."""
    if mode == "psd":
        factor = np.full(frequencies, 2, place.draft.dtype)
        factor[[0, -1]] = 1
        return place.add(Scale(np.tile(factor, channels)), power, suffix="/lines")
    function = {"magnitude": "floored_root", "log": "floored_log_root"}[mode]
    return place.add(Activation(function, (("floor", EPSILON),)), power, suffix="/lines")


def _arranged(place: Place, lines: str, channels: int, frequencies: int) -> str:
    """(n, time, channels · frequencies) in the order that the options ask for."""
    first = place.option("data_format") == "channels_first"
    if not place.option("expand_dims", False):
        return place.channels_first(lines) if first else place.add(Identity(), lines)
    time = place.shape(lines)[0]
    apart = Reshape((-1 if time is None else time, channels, frequencies))
    name = place.add(apart, lines, suffix="/apart")
    return place.add(Transpose((2, 1, 3) if first else (1, 3, 2)), name)
