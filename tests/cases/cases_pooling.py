"""Cases of pooling and moving in volumes, and of pooling over what a mask leaves."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers as L  # noqa: N812

from tests.cases.case import Case, body, named
from tests.cases.cases_convolution import LINE, VOLUME, making, side_by_side


def volumes() -> dict[str, Case]:
    windows: dict[str, dict[str, Any]] = {
        "plain": {},
        "same": {"pool_size": 3, "padding": "same"},
        "overlapping": {"pool_size": (2, 3, 2), "strides": 1},
        "overlapping same": {"pool_size": 2, "strides": (1, 2, 1), "padding": "same"},
    }
    found: dict[str, Case] = {}
    for layer in (L.MaxPooling3D, L.AveragePooling3D):
        make = making(layer, pool_size=2)
        makers = {name: make(**options) for name, options in windows.items()}
        form = "channels first" if layer is L.MaxPooling3D else "channels last"
        found |= named(layer.__name__, side_by_side(makers, VOLUME, form))
    whole = {
        "max": making(L.GlobalMaxPooling3D)(),
        "average": making(L.GlobalAveragePooling3D)(keepdims=True),
        "dropout": making(L.SpatialDropout3D)(rate=0.4),
        "pad": making(L.ZeroPadding3D)(padding=((0, 1), (2, 0), (1, 1))),
        "crop": making(L.Cropping3D)(cropping=((1, 0), (0, 2), (1, 1))),
        "repeat": making(L.UpSampling3D)(size=(2, 1, 2)),
    }
    found |= named("the rest of 3D", side_by_side(whole, VOLUME))
    pad = {"pad": making(L.ZeroPadding1D)(padding=(2, 1))}
    return found | named("ZeroPadding1D", side_by_side(pad, LINE, "channels first"))


def over_time() -> keras.Model:
    """Layers of images at every step of a sequence."""
    source = keras.Input((2, 4, 5, 2), name="x")
    x = L.Dense(2, activation="tanh")(source)
    layers = [
        L.Conv2DTranspose(2, 2, strides=2, padding="same", activation="relu"),
        L.DepthwiseConv2D(2, dilation_rate=2),
        L.AdaptiveAveragePooling2D((3, 2)),
        L.AdaptiveMaxPooling2D((3, 2)),
        L.MaxPooling2D(2),
        L.Resizing(3, 3, interpolation="bicubic"),
        L.ZeroPadding2D(1),
    ]
    ends = [L.Flatten()(L.TimeDistributed(layer)(x)) for layer in layers]
    return keras.Model(source, body(L.Concatenate()(ends)))


def masked_mean(**options: Any) -> Any:
    """A mean over the steps that a second input says are used."""

    def build() -> keras.Model:
        x, mask = keras.Input((6, 4), name="x"), keras.Input((6,), name="mask", dtype="bool")
        y = L.Dense(4, activation="tanh")(x)
        if options.get("data_format") == "channels_first":
            y = L.Permute((2, 1))(y)
        return keras.Model([x, mask], body(L.GlobalAveragePooling1D(**options)(y, mask=mask)))

    return build


def cases() -> dict[str, Case]:
    """All of them."""
    return {
        **volumes(),
        "TimeDistributed layers of images": Case(over_time),
        "tokens, GlobalAveragePooling1D with a mask": Case(masked_mean()),
        "tokens, GlobalAveragePooling1D with a mask, channels first": Case(
            masked_mean(data_format="channels_first", keepdims=True)
        ),
    }
