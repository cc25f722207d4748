"""Pictures in another size, as TensorFlow 2 and Keras make them."""

from __future__ import annotations

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.typing import Array

METHODS = ("bilinear", "nearest")
FITS = ("stretch", "crop")


def resize(
    picture: Array, size: tuple[int, int], method: str = "bilinear", fit: str = "stretch"
) -> Array:
    """A picture (H, W, C) in another size (height, width, C), float32.

    Parameters
    ----------
    picture
        Pixels.
    size
        Height and width.
    method
        ``"bilinear"``, as ``tf.image.resize`` and Keras's Resizing do it, without anti-aliasing;
        or ``"nearest"``, as ``tf.image.resize`` and Keras's ``load_img``.
    fit
        ``"stretch"`` to the size, or ``"crop"`` the middle to its aspect ratio first, as Keras's
        ``smart_resize``.

    Raises
    ------
    InputError
        For another method or fit.
    """
    if method not in METHODS or fit not in FITS:
        raise InputError(
            f"resize={method!r}, fit={fit!r}: pictures are resized by {' or '.join(METHODS)}, and "
            f"fitted by {' or '.join(FITS)}."
        )
    pixels = np.asarray(picture, np.float32)
    if fit == "crop":
        pixels = _cropped(pixels, size)
    for axis, length in enumerate(size):
        if pixels.shape[axis] != length:
            along = _bilinear if method == "bilinear" else _nearest
            pixels = along(pixels, axis, length)
    return pixels


def _cropped(pixels: Array, size: tuple[int, int]) -> Array:
    """The middle, of the aspect ratio of a size."""
    height, width = pixels.shape[:2]
    crop_height = min(height, int(float(width * size[0]) / size[1]))
    crop_width = min(width, int(float(height * size[1]) / size[0]))
    top, left = int((height - crop_height) / 2), int((width - crop_width) / 2)
    return pixels[top : top + crop_height, left : left + crop_width]


def _centres(length: int, wanted: int) -> Array:
    """Where the middle of each new pixel lies in the old ones, the first's left edge at 0."""
    scale = np.float32(length) / np.float32(wanted)
    return np.asarray((np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * scale, np.float32)


def _bilinear(pixels: Array, axis: int, wanted: int) -> Array:
    length = pixels.shape[axis]
    centres = _centres(length, wanted) - np.float32(0.5)
    below = np.floor(centres)
    shape = [-1 if each == axis else 1 for each in range(pixels.ndim)]
    share = (centres - below).reshape(shape)
    first = np.take(pixels, np.clip(below, 0, None).astype(int), axis)
    second = np.take(pixels, np.clip(np.ceil(centres), None, length - 1).astype(int), axis)
    return np.asarray(first + (second - first) * share, np.float32)


def _nearest(pixels: Array, axis: int, wanted: int) -> Array:
    length = pixels.shape[axis]
    numbers = np.floor(_centres(length, wanted)).astype(int)
    return np.asarray(np.take(pixels, np.clip(numbers, 0, length - 1), axis))


__all__ = ["FITS", "METHODS", "resize"]
