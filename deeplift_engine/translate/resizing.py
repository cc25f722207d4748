"""Layers that change the size of images: UpSampling, Resizing, CenterCrop, RandomCrop."""

from __future__ import annotations

from deeplift_engine.layers import Crop, Identity, Interpolation, Linear, Pad, Repeat
from deeplift_engine.layers.resizing import METHODS
from deeplift_engine.translate.kernels import numbers
from deeplift_engine.translate.layer_context import LayerContext, Refusal

Size = tuple[int, int]


def upsampling(context: LayerContext) -> str:
    """UpSampling1D, UpSampling2D and UpSampling3D; images by any interpolation."""
    rank = len(context.shape()) - 1
    factors = numbers(context.option("size", 2), rank)
    method = str(context.option("interpolation", "nearest")).lower()
    if method != "nearest":
        half_pixel = bool(context.option("half_pixel", True))
        layer = Interpolation(None, method, factors=(factors[0], factors[1]), half_pixel=half_pixel)
        return _on_images(context, [layer])
    start = 2 if context.option("data_format") == "channels_first" else 1
    name = context.inputs[0]
    for axis, factor in enumerate(factors, start=start):
        last = axis == start + rank - 1
        name = context.add(Repeat(factor, axis), name, suffix="" if last else f"/axis_{axis}")
    return name


def resizing(context: LayerContext) -> str:
    """Resizing by any interpolation; cropped or padded to the aspect ratio before."""
    wanted = _wanted(context)
    method = str(context.option("interpolation", "bilinear")).lower()
    resized = Interpolation(wanted, method, bool(context.option("antialias", False)))
    layers: list[Linear] = [resized]
    if context.option("crop_to_aspect_ratio", False):
        layers = [_cropped_to_ratio(_size(context), wanted), resized]
    elif context.option("pad_to_aspect_ratio", False):
        value = float(context.option("fill_value", 0.0))
        layers = [_padded_to_ratio(_size(context), wanted, value), resized]
    return _on_images(context, layers)


def center_crop(context: LayerContext) -> str:
    """CenterCrop; images that are too small are resized."""
    wanted, size = _wanted(context), _size(context)
    spare = [old - new for old, new in zip(size, wanted, strict=True)]
    if min(spare) < 0:
        return _on_images(context, _resized_with_ratio(size, wanted))
    margins = [(over // 2, over - over // 2) for over in spare]
    return _on_images(context, [Crop((*margins, (0, 0)))])


def random_crop(context: LayerContext) -> str:
    """RandomCrop at inference: nothing since Keras 3; before, resized with the ratio kept."""
    if not context.option("resizes", False):
        return context.add(Identity())
    return _on_images(context, _resized_with_ratio(_size(context), _wanted(context)))


def check_interpolation(method: object) -> None:
    """Raise `Refusal` for interpolation that TensorFlow does not know."""
    if str(method).lower() not in METHODS:
        raise Refusal(f"interpolation={method!r} is none of {', '.join(METHODS)}")


def _on_images(context: LayerContext, layers: list[Linear]) -> str:
    """Add layers of images with their channels last, one behind the other."""
    if len(context.shape()) != 3:
        raise Refusal(f"reads images, met an input of shape {context.shape()}")
    if context.builder.nodes[context.inputs[0]].tokens:
        raise Refusal(
            "reads whole numbers, whose differences mean nothing here",
            "Make the model's input float32.",
        )
    first = context.option("data_format") == "channels_first"
    name = context.channels_last(context.inputs[0]) if first else context.inputs[0]
    for number, layer in enumerate(layers, start=1):
        suffix = "" if number == len(layers) else f"/step_{number}"
        name = context.add(layer, name, suffix=suffix + "/channels_last" if first else suffix)
    return context.channels_first(name) if first else name


def _wanted(context: LayerContext) -> Size:
    return int(context.option("height")), int(context.option("width"))


def _size(context: LayerContext) -> Size:
    """Height and width of the input, which must be known."""
    shape = context.shape()
    height, width = shape[1:] if context.option("data_format") == "channels_first" else shape[:2]
    if height is None or width is None:
        raise Refusal(
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
        remaining = max(min(old, fitting), 1)
        before = (old - remaining) // 2
        margins.append((before, old - remaining - before))
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
