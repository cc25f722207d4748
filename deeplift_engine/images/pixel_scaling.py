"""What the preprocessing functions of ``keras.applications`` compute, and its inverse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Preprocessing:
    """Pixels to a network's values: ``(pixels / divisor - mean) / deviation``, channels in order.

    Attributes
    ----------
    name
        What it is called.
    divisor
        Of all channels.
    mean, deviation
        One number for all channels, or one for each, in the network's order.
    reversed_channels
        Whether the network reads blue, green, red.
    """

    name: str
    divisor: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)
    reversed_channels: bool = False

    def apply(self, pixels: Array) -> Array:
        """The values (..., C) of pixels (..., C), red, green, blue, 0 to 255; always a new array.

        The arithmetic is float32's, or float64's for pixels of float64, in Keras's order.

        Raises
        ------
        InputError
            If it is for another number of channels.
        """
        self._check(pixels)
        values = np.array(pixels, np.float64 if pixels.dtype == np.float64 else np.float32)
        values = values[..., ::-1] if self.reversed_channels else values
        values = values / np.asarray(self.divisor, values.dtype) - np.asarray(
            self.mean, values.dtype
        )
        return np.ascontiguousarray(values / np.asarray(self.deviation, values.dtype))

    def undo(self, values: Array) -> Array:
        """The pixels (..., C) of values (..., C), of which `apply` makes the same again.

        Raises
        ------
        InputError
            If it is for another number of channels.
        """
        self._check(values)
        pixels = (values * np.asarray(self.deviation) + np.asarray(self.mean)) * self.divisor
        return np.ascontiguousarray(pixels[..., ::-1] if self.reversed_channels else pixels)

    def _check(self, array: Array) -> None:
        channels = array.shape[-1] if array.ndim else 0
        wanted = len(self.mean)
        if wanted > 1 and channels != wanted:
            raise InputError(
                f"preprocess={self.name!r} is for {wanted} channels, and the pictures have "
                f"{channels}: choose 'tf', 'unit' or 'identity', or channels={wanted}."
            )


_ROWS = (
    Preprocessing("caffe", mean=(103.939, 116.779, 123.68), reversed_channels=True),
    Preprocessing("tf", divisor=127.5, mean=(1.0,)),
    Preprocessing(
        "torch", divisor=255.0, mean=(0.485, 0.456, 0.406), deviation=(0.229, 0.224, 0.225)
    ),
    Preprocessing("unit", divisor=255.0),
    Preprocessing("identity"),
)
PREPROCESSINGS: Mapping[str, Preprocessing] = MappingProxyType({row.name: row for row in _ROWS})
"""Those that there are; ``"unit"`` is a division by 255, ``"identity"`` leaves 0 to 255."""

MODULES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("vgg16", "vgg19", "resnet", "resnet50"), "caffe"),
        **dict.fromkeys(("resnet_v2", "inception_v3", "inception_resnet_v2", "xception"), "tf"),
        **dict.fromkeys(("mobilenet", "mobilenet_v2", "nasnet"), "tf"),
        "densenet": "torch",
        **dict.fromkeys(("mobilenet_v3", "efficientnet", "efficientnet_v2"), "identity"),
        "convnext": "identity",
    }
)
"""Which of them a module of ``keras.applications`` has."""


def preprocessing(name: str | Preprocessing) -> Preprocessing:
    """A preprocessing by its own name, or by that of a module of ``keras.applications``.

    Parameters
    ----------
    name
        ``"caffe"``, ``"tf"``, ``"torch"``, ``"unit"``, ``"identity"``; ``"vgg16"``,
        ``"resnet_v2"`` …; or one of your own.

    Raises
    ------
    InputError
        For any other.
    """
    if isinstance(name, Preprocessing):
        return name
    chosen = MODULES.get(name, name)
    if chosen not in PREPROCESSINGS:
        known = [*PREPROCESSINGS, *MODULES]
        raise InputError(
            f"preprocess={name!r} is not known. {suggest(name, known, f'There are: {known}.')}"
        )
    return PREPROCESSINGS[chosen]


__all__ = ["MODULES", "PREPROCESSINGS", "Preprocessing", "preprocessing"]
