"""From files of pictures to the inputs of a network, and from scores to pictures over them.

`read` gives a run its pictures part by part, prepared as ``keras.applications`` does it, and `draw`
puts scores over them; docs/IMAGES.md goes the whole way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deeplift_engine.util.lazy import lazy

if TYPE_CHECKING:
    from deeplift_engine.images.image_drawing import draw, heat_maps
    from deeplift_engine.images.image_input import ImageInput, read
    from deeplift_engine.images.image_resizing import resize
    from deeplift_engine.images.pixel_scaling import PREPROCESSINGS, Preprocessing, preprocessing

_LAZY = {
    "ImageInput": "image_input",
    "PREPROCESSINGS": "pixel_scaling",
    "Preprocessing": "pixel_scaling",
    "draw": "image_drawing",
    "heat_maps": "image_drawing",
    "preprocessing": "pixel_scaling",
    "read": "image_input",
    "resize": "image_resizing",
}
"""Modules of this room by the names that they define."""

__getattr__ = lazy(__name__, _LAZY)


__all__ = [
    "PREPROCESSINGS",
    "ImageInput",
    "Preprocessing",
    "draw",
    "heat_maps",
    "preprocessing",
    "read",
    "resize",
]
