"""From files of pictures to the inputs of a network, and from scores to pictures over them.

`read` gives a run its pictures part by part, prepared as ``keras.applications`` does it, and `draw`
puts scores over them; docs/IMAGES.md goes the whole way.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    """Import what may need other libraries when it is first asked for."""
    if name in _LAZY:
        return getattr(import_module(f"deeplift_engine.images.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
