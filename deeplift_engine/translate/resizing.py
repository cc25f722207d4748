"""Layers that change the size of images: UpSampling, Resizing, CenterCrop, RandomCrop."""

from __future__ import annotations

from deeplift_engine.layers import Crop, Identity, Interpolation, Linear, Pad, Repeat
from deeplift_engine.layers.resizing import METHODS
from deeplift_engine.translate.kernels import numbers
from deeplift_engine.translate.layer_context import Place, Refused

Size = tuple[int, int]


def upsampling(place: Place) -> str:
    """UpSampling1D, UpSampling2D and UpSampling3D; images by any interpolation."""
    rank = len(place.shape()) - 1
    factors = numbers(place.option("size", 2), rank)
    method = str(place.option("interpolation", "nearest")).lower()
    if method != "nearest":
        return _on_images(place, [Interpolation(None, method, factors=(factors[0], factors[1]))])
    start = 2 if place.option("data_format") == "channels_first" else 1
    name = place.inputs[0]
    for axis, factor in enumerate(factors, start=start):
        last = axis == start + rank - 1
        name = place.add(Repeat(factor, axis), name, suffix="" if last else f"/axis_{axis}")
    return name


def resizing(place: Place) -> str:
    """Resizing by any interpolation; cropped or padded to the aspect ratio before."""
    wanted = _wanted(place)
    method = str(place.option("interpolation", "bilinear")).lower()
    resized = Interpolation(wanted, method, bool(place.option("antialias", False)))
    layers: list[Linear] = [resized]
    if place.option("crop_to_aspect_ratio", False):
        layers = [_cropped_to_ratio(_size(place), wanted), resized]
    elif place.option("pad_to_aspect_ratio", False):
        value = float(place.option("fill_value", 0.0))
        layers = [_padded_to_ratio(_size(place), wanted, value), resized]
    return _on_images(place, layers)


def center_crop(place: Place) -> str:
    """CenterCrop; images that are too small are resized."""
    wanted, size = _wanted(place), _size(place)
    spare = [old - new for old, new in zip(size, wanted, strict=True)]
    if min(spare) < 0:
        return _on_images(place, _resized_with_ratio(size, wanted))
    margins = [(over // 2, over - over // 2) for over in spare]
    return _on_images(place, [Crop((*margins, (0, 0)))])


def random_crop(place: Place) -> str:
    """RandomCrop at inference: nothing since Keras 3; before, resized with the ratio kept."""
    if not place.option("resizes", False):
        return place.add(Identity())
    return _on_images(place, _resized_with_ratio(_size(place), _wanted(place)))


def check_interpolation(method: object) -> None:
    """Raise `Refused` for interpolation that TensorFlow does not know."""
    if str(method).lower() not in METHODS:
        raise Refused(f"interpolation={method!r} is none of {', '.join(METHODS)}")


def _on_images(place: Place, layers: list[Linear]) -> str:
    """Add layers of images with their channels last, one behind the other."""
    if len(place.shape()) != 3:
        raise Refused(f"reads images, met an input of shape {place.shape()}")
    if place.draft.nodes[place.inputs[0]].tokens:
        raise Refused(
            "reads whole numbers, whose differences mean nothing here",
            "Make the model's input float32.",
        )
    first = place.option("data_format") == "channels_first"
    name = place.channels_last(place.inputs[0]) if first else place.inputs[0]
    for number, layer in enumerate(layers, start=1):
        suffix = "" if number == len(layers) else f"/step_{number}"
        name = place.add(layer, name, suffix=suffix + "/channels_last" if first else suffix)
    return place.channels_first(name) if first else name


def _wanted(place: Place) -> Size:
    return int(place.option("height")), int(place.option("width"))


def _size(place: Place) -> Size:
    """Height and width of the input, which must be known."""
    shape = place.shape()
    height, width = shape[1:] if place.option("data_format") == "channels_first" else shape[:2]
    if height is None or width is None:
        raise Refused(
            "what it crops depends on the image's size, which is free",
            "Give the model's input a fixed height and width.",
        )
    return height, width


def _resized_with_ratio(size: Size, wanted: Size) -> list[Linear]:
    return [_cropped_to_ratio(size, wanted), Interpolation(wanted)]


def _cropped_to_ratio(size: Size, wanted: Size) -> Crop:
    """The largest box of the wanted aspect ratio in the middle."""
    margins = []
    for old, fitting in zip(size, _fitting(size, wanted), strict=True):
        kept = max(min(old, fitting), 1)
        before = (old - kept) // 2
        margins.append((before, old - kept - before))
    return Crop((*margins, (0, 0)))


def _padded_to_ratio(size: Size, wanted: Size, value: float) -> Pad:
    """As much on either side as makes the aspect ratio the wanted one."""
    margins = []
    for old, fitting in zip(size, _fitting(size, wanted), strict=True):
        side = (max(old, fitting) - old) // 2
        margins.append((side, side))
    return Pad((*margins, (0, 0)), value)


def _fitting(size: Size, wanted: Size) -> Size:
    """The height that fits the width, and the width that fits the height."""
    (height, width), (new_height, new_width) = size, wanted
    return width * new_height // new_width, height * new_width // new_height
