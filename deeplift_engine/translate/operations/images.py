"""Operations on images: resizing, patches, shades of grey, blocks to channels and back."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import Dense
from deeplift_engine.translate.layer_context import Refusal
from deeplift_engine.translate.operations.call import Operation, Translator
from deeplift_engine.translate.operations.layered import as_layer
from deeplift_engine.translate.operations.shaping import moved

SHADES = (0.2989, 0.587, 0.114)
"""Of red, green and blue in grey, as TensorFlow has them."""


def _channels_last(op: Operation) -> None:
    if str(op.option("data_format", "channels_last")) not in ("NHWC", "channels_last"):
        raise Refusal(f"{op.name} of images with their channels first")


def depth_to_space(op: Operation) -> str:
    """DepthToSpace and SpaceToDepth."""
    _channels_last(op)
    size = int(op.number("block_size"))
    function = getattr(tf.nn, op.name)
    return moved(op, lambda x: function(x, size), op.tensor())


def resize(op: Operation) -> tuple[str, ...]:
    """Resize by any interpolation."""
    if op.option("preserve_aspect_ratio", False):
        raise Refusal("resize with preserve_aspect_ratio")
    height, width = op.sizes("size")
    names = ("antialias", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_value")
    options = {name: op.option(name) for name in names if name in op.arguments}
    return as_layer(
        op,
        "Resizing",
        {
            **options,
            "height": height,
            "width": width,
            "interpolation": op.option("interpolation", "bilinear"),
            "data_format": op.option("data_format", "channels_last"),
        },
    )


def patches(op: Operation) -> str:
    """ExtractPatches: every window as one row of channels."""
    _channels_last(op)
    source = op.numbers()

    def pair(name: str, default: object) -> list[int]:
        return [int(size) for size in np.broadcast_to(op.option(name, default), 2)]

    if np.size(op.option("size")) > 2:
        raise Refusal("extract_patches of volumes")
    sizes = pair("size", None)
    strides, rates = pair("strides", sizes), pair("dilation_rate", 1)
    options = [[1, *numbers, 1] for numbers in (sizes, strides, rates)]
    padding = str(op.option("padding", "valid")).upper()
    return moved(op, lambda x: tf.image.extract_patches(x, *options, padding), source)


def grey(op: Operation) -> str:
    """RgbToGrayscale."""
    _channels_last(op)
    return op.put(Dense(np.asarray(SHADES, op.dtype)[:, np.newaxis]), op.numbers())


OPERATIONS: dict[str, Translator] = {
    **dict.fromkeys(("depth_to_space", "space_to_depth"), depth_to_space),
    "resize": resize,
    "extract_patches": patches,
    "rgb_to_grayscale": grey,
}
