"""Cases of images of another size: upsampling, resizing, cropping, adaptive pooling."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers as L  # noqa: N812

from tests.cases.case import Case, body, named
from tests.cases.cases_convolution import LINE, PLANE, VOLUME, making, side_by_side


def images() -> dict[str, Case]:
    sampled = making(L.UpSampling2D, size=(2, 3))
    resized = making(L.Resizing, height=4, width=7)
    crop = making(L.CenterCrop)
    return {
        **named(
            "UpSampling2D by",
            side_by_side(
                {
                    method: sampled(interpolation=method)
                    for method in ("bilinear", "bicubic", "lanczos3", "lanczos5")
                },
                PLANE,
                "channels first",
            ),
        ),
        **named(
            "Resizing",
            side_by_side(
                {
                    "plain": resized(),
                    "nearest": resized(interpolation="nearest"),
                    "antialias": resized(height=3, width=3, antialias=True),
                    "bicubic antialias": resized(interpolation="bicubic", antialias=True),
                    "crop": resized(crop_to_aspect_ratio=True),
                    "pad": resized(pad_to_aspect_ratio=True, fill_value=0.7),
                    "pad the height": resized(
                        height=9, width=3, pad_to_aspect_ratio=True, interpolation="lanczos3"
                    ),
                },
                PLANE,
            ),
        ),
        **named(
            "CenterCrop",
            side_by_side(
                {
                    "crop": crop(height=3, width=4),
                    "resize": crop(height=7, width=3),
                    "same": crop(height=6, width=5),
                },
                PLANE,
                "channels first",
            ),
        ),
        "UpSampling2D of any size": Case(_of_any_size),
    }


def _of_any_size() -> keras.Model:
    x = source = keras.Input((None, None, 2), name="x")
    x = L.Conv2D(2, 2, activation="tanh", padding="same")(x)
    x = L.Resizing(5, 6, interpolation="bicubic")(x)
    bilinear = keras.layers.UpSampling2D(2, interpolation="bilinear")(source)
    y = L.Concatenate()([L.GlobalAveragePooling2D()(bilinear), L.Flatten()(x)])
    return keras.Model(source, body(y))


def adaptive() -> dict[str, Case]:
    sizes: dict[int, tuple[tuple[int, ...], list[Any]]] = {
        1: (LINE, [4, 3, 13]),
        2: (PLANE, [(4, 2), (3, 5), (7, 4)]),
        3: (VOLUME, [(2, 5, 3), (3, 4, 2)]),
    }
    found = {}
    for rank, (shape, several) in sizes.items():
        for kind in ("Average", "Max"):
            layer = getattr(L, f"Adaptive{kind}Pooling{rank}D")
            makers = {f"to {size}": making(layer)(output_size=size) for size in several}
            numbered = {f"to_{number}": make for number, make in enumerate(makers.values())}
            form = "channels last" if rank == 2 else "channels first"
            found |= named(f"Adaptive{kind}Pooling{rank}D", side_by_side(numbered, shape, form))
    return found


def cases() -> dict[str, Case]:
    """All of them."""
    return {
        **images(),
        **adaptive(),
    }
