"""STFTSpectrogram: the short-time Fourier transform as two convolutions, and what is made of it."""

from __future__ import annotations

import numpy as np

from deeplift_engine.layers import Activation, Convolution, Identity, Reshape, Scale, Sum, Transpose
from deeplift_engine.translate.layer_context import LayerContext, Refusal
from deeplift_engine.util.typing import Array

EPSILON = 1e-7
"""What Keras has a power at least as large as."""


def check_mode(mode: object) -> None:
    """Raise `Refusal` for what is not made of the transform by adding and by one function."""
    if mode == "angle":
        raise Refusal(
            "mode='angle' jumps from π to -π",
            "Apply it to the data, and explain the model behind it.",
        )


def stft_spectrogram(context: LayerContext) -> str:
    """Every mode but the angle; each channel by itself; channels first and last."""
    first = context.option("data_format") == "channels_first"
    source = context.channels_last(context.inputs[0]) if first else context.inputs[0]
    channels = context.shape(source)[-1]
    if channels is None:
        raise Refusal("reads a free number of channels", "Give the model's input a fixed one.")
    mode = str(context.option("mode", "log"))
    if mode in ("real", "imag"):
        kernel = context.weight(f"{mode}_kernel")
        name = context.add(_transform(context, kernel, channels), source, suffix="/lines")
    elif mode == "stft":
        kernel = np.concatenate([context.weight("real_kernel"), context.weight("imag_kernel")], -1)
        name = context.add(_transform(context, kernel, channels), source, suffix="/lines")
    else:
        kernel = context.weight("real_kernel")
        name = _of_power(
            context, mode, _power(context, source, channels), channels, kernel.shape[-1]
        )
    return _arranged(context, name, channels, kernel.shape[-1])


def _transform(context: LayerContext, kernel: Array, channels: int) -> Convolution:
    """A convolution of every channel with one kernel (frame, 1, frequencies)."""
    step = context.option("frame_step") or int(context.option("frame_length")) // 2
    return Convolution(
        np.tile(kernel, channels),
        strides=(int(step),),
        padding=str(context.option("padding", "valid")),
        groups=channels,
    )


def _power(context: LayerContext, source: str, channels: int) -> str:
    """The sum of the squares of both parts."""
    squares = []
    for component in ("real", "imag"):
        layer = _transform(context, context.weight(f"{component}_kernel"), channels)
        line = context.add(layer, source, suffix=f"/{component}")
        squares.append(context.add(Activation("square"), line, suffix=f"/{component}_square"))
    return context.add(Sum(), *squares, suffix="/power")


def _of_power(context: LayerContext, mode: str, power: str, channels: int, frequencies: int) -> str:
    """Power of both halves of the spectrum, its root, or the root's logarithm."""
    if mode == "psd":
        factor = np.full(frequencies, 2, context.builder.dtype)
        factor[[0, -1]] = 1
        return context.add(Scale(np.tile(factor, channels)), power, suffix="/lines")
    function = {"magnitude": "floored_root", "log": "floored_log_root"}[mode]
    return context.add(Activation(function, (("floor", EPSILON),)), power, suffix="/lines")


def _arranged(context: LayerContext, lines: str, channels: int, frequencies: int) -> str:
    """(n, time, channels · frequencies) in the order that the options ask for."""
    first = context.option("data_format") == "channels_first"
    if not context.option("expand_dims", False):
        return context.channels_first(lines) if first else context.add(Identity(), lines)
    time = context.shape(lines)[0]
    apart = Reshape((-1 if time is None else time, channels, frequencies))
    name = context.add(apart, lines, suffix="/apart")
    return context.add(Transpose((2, 1, 3) if first else (1, 3, 2)), name)
