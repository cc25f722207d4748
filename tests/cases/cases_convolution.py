"""Cases of the long tail of convolution: volumes, transposed ones, every option of depthwise ones.

Variants of a layer stand side by side in one model: the tests look at every node of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
from keras import layers as L  # noqa: N812

from tests.cases.case import UNITS, Case, named, since

LINE, PLANE, VOLUME = (9, 3), (6, 5, 3), (4, 5, 3, 2)

Maker = Callable[[str], Any]


def side_by_side(
    makers: Mapping[str, Maker], shape: tuple[int, ...], *forms: str
) -> dict[str, Case]:
    """The layers that ``makers`` make for a data format, on one input; by default for both.

    Keras cannot run channels first on a CPU: its twin moves the channels around each layer.
    """
    rank = len(shape)
    first, last = (rank, *range(1, rank)), (*range(2, rank + 1), 1)

    def build(channels_first: bool, native: bool) -> keras.Model:
        x = source = keras.Input(shape, name="x")
        x = L.Dense(shape[-1], activation="tanh", name="before")(x)
        if channels_first:
            x = L.Permute(first, name="first")(x)
        ends = []
        for name, make in makers.items():
            if channels_first and not native:
                y = make("channels_last")(L.Permute(last)(x))
                y = L.Permute((y.ndim - 1, *range(1, y.ndim - 1)))(y) if y.ndim > 2 else y
            else:
                y = make("channels_first" if channels_first else "channels_last")(x)
            y = L.Activation("relu", name=f"{name.replace(' ', '_')}_after")(y)
            ends.append(L.Flatten()(y) if y.ndim > 2 else y)
        joined = L.Concatenate()(ends) if len(ends) > 1 else ends[0]
        return keras.Model(source, L.Dense(UNITS, name="units")(joined))

    found = {
        "channels last": Case(lambda: build(False, True)),
        "channels first": Case(lambda: build(True, True), twin=lambda: build(True, False)),
    }
    return {form: found[form] for form in forms or found}


def making(layer: Any, **defaults: Any) -> Callable[..., Maker]:
    """Makes makers: options besides the ``defaults``."""

    def options(**chosen: Any) -> Maker:
        return lambda form: layer(**(defaults | chosen), data_format=form)

    return options


def volumes() -> dict[str, Case]:
    conv = making(L.Conv3D, filters=4, kernel_size=(2, 3, 2))
    return named(
        "Conv3D",
        side_by_side(
            {
                "valid": conv(),
                "same": conv(padding="same", activation="elu"),
                "strides": conv(strides=(2, 1, 3), padding="same", use_bias=False),
                "strides valid": conv(strides=(1, 2, 1)),
                "dilation": conv(dilation_rate=(1, 2, 2), padding="same"),
                "groups": conv(filters=4, groups=2, strides=2, padding="same"),
            },
            VOLUME,
        ),
    )


def transposed() -> dict[str, Case]:
    """With ``output_padding``, of which Keras 3.13 makes other sizes."""
    line = making(L.Conv1DTranspose, filters=2, kernel_size=3)
    plane = making(L.Conv2DTranspose, filters=2, kernel_size=(3, 2))
    volume = making(L.Conv3DTranspose, filters=2, kernel_size=2)
    dilated = {
        **named(
            "Conv1DTranspose",
            side_by_side(
                {
                    "valid": line(),
                    "same": line(kernel_size=4, padding="same", activation="tanh"),
                    "strides": line(strides=2, padding="same"),
                    "strides valid": line(kernel_size=4, strides=2, use_bias=False),
                    "strides above kernel": line(kernel_size=2, strides=3),
                    "output padding": line(strides=3, padding="same", output_padding=1),
                    "output padding valid": line(strides=3, output_padding=2),
                    "dilation": line(dilation_rate=2),
                    "dilation same": line(dilation_rate=3, padding="same"),
                },
                LINE,
            ),
        ),
        **named(
            "Conv2DTranspose",
            side_by_side(
                {
                    "valid": plane(),
                    "strides": plane(strides=(2, 3), padding="same", activation="relu"),
                    "output padding": plane(
                        strides=(2, 3), padding="same", output_padding=(0, 1), use_bias=False
                    ),
                    "dilation": plane(dilation_rate=(1, 2), padding="same"),
                },
                PLANE,
            ),
        ),
    }
    return {
        **{name: replace(case, by_xla=True) for name, case in dilated.items()},
        **named(
            "Conv3DTranspose",
            side_by_side(
                {
                    "valid": volume(),
                    "strides": volume(strides=(2, 1, 2), padding="same"),
                    "output padding": volume(strides=2, output_padding=1),
                },
                VOLUME,
                "channels first",
            ),
        ),
    }


def depthwise() -> dict[str, Case]:
    """Strides with dilation, which TensorFlow alone has not, nor Keras 3.13."""
    line = making(L.DepthwiseConv1D, kernel_size=3)
    plane = making(L.DepthwiseConv2D, kernel_size=(2, 3), depth_multiplier=2)
    both = making(L.SeparableConv2D, filters=2, kernel_size=2)
    return {
        **named(
            "DepthwiseConv",
            {
                "strides and dilation, of a line": side_by_side(
                    {
                        "valid": line(strides=2, dilation_rate=2),
                        "same": line(strides=3, dilation_rate=2, padding="same"),
                        "dilation": line(dilation_rate=2, depth_multiplier=2, padding="same"),
                    },
                    LINE,
                    "channels first",
                )["channels first"],
                "strides and dilation, of a plane": side_by_side(
                    {
                        "valid": plane(strides=(2, 2), dilation_rate=(2, 1)),
                        "same": plane(strides=(3, 3), dilation_rate=2, padding="same"),
                        "dilation": plane(dilation_rate=2),
                        "separable": both(strides=2, dilation_rate=2, padding="same"),
                        "separable dilation": both(dilation_rate=(1, 2), depth_multiplier=2),
                    },
                    PLANE,
                    "channels last",
                )["channels last"],
            },
        )
    }


def cases() -> dict[str, Case]:
    """All of them."""
    return {**volumes(), **since("3.15", transposed() | depthwise())}
