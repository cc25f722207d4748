"""Pictures as a run reads them: blocks of values in the axes of a network, made when asked for."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine import references
from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import key_of
from deeplift_engine.images.image_resizing import FITS, METHODS, resize
from deeplift_engine.images.picture_sources import Pixels, open_pictures
from deeplift_engine.images.pixel_scaling import Preprocessing, preprocessing
from deeplift_engine.util.options import Integer, Number, Several, checked, fits
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.graph.inputs import InputInfo
    from deeplift_engine.network import Network
    from deeplift_engine.references import References

KIND = "image"
_PIXEL = functools.partial(fits, constraint=Number(0, 255))
_AXES = {-1: ("row", "column", "channel"), -3: ("channel", "row", "column")}


@dataclass(frozen=True, eq=False)
class ImageInput:
    """N pictures as an array of an input, of which slices are made when they are asked for.

    It is what `Explainer.run`, `Explainer.stream` and `Job` take; ``numpy.asarray`` makes the
    whole array.

    Attributes
    ----------
    pixels
        The pictures.
    size
        Height and width in which the network reads them.
    preprocessing
        How pixels become values.
    resize, fit
        How pictures of other sizes are resized; see `resize`.
    channels
        How many a picture has.
    channel_axis
        -1 where the network reads channels last, -3 where first.
    names
        Of the samples.
    notes
        What is left out of the files, and what is resized, in words.
    """

    pixels: Pixels
    size: tuple[int, int]
    preprocessing: Preprocessing
    resize: str
    fit: str
    channels: int
    channel_axis: int
    names: Sequence[str]
    notes: tuple[str, ...] = field(default_factory=tuple)

    def __len__(self) -> int:
        """N."""
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole array."""
        one = (*self.size, self.channels)
        return (len(self), *(one if self.channel_axis == -1 else (one[2], *one[:2])))

    @property
    def ndim(self) -> int:
        """Of the whole array."""
        return 4

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32."""
        return np.dtype(np.float32)

    def __getitem__(self, rows: Any) -> Array:
        """The samples of a slice, of an array of numbers, or one sample."""
        numbers = np.arange(len(self))[rows]
        block = np.empty((np.size(numbers), *self.shape[1:]), np.float32)
        for row, number in enumerate(np.atleast_1d(numbers)):
            values = self.preprocessing.apply(self.picture(int(number)))
            block[row] = np.moveaxis(values, -1, self.channel_axis)
        return block if np.ndim(numbers) else np.asarray(block[0])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("the array is made when it is asked for: copy=False is not possible")
        return np.asarray(self[:], dtype)

    def picture(self, number: int) -> Array:
        """The pixels of a picture in the network's size (H, W, C), float32, 0 to 255."""
        return resize(self.pixels.read(number), self.size, self.resize, self.fit)

    @property
    def inputs(self) -> ImageInput:
        """What the network takes: this."""
        return self

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the axes of a sample, as `Job` takes them."""
        return _AXES[self.channel_axis]

    @property
    def constants(self) -> dict[str, Any]:
        """What a store keeps beside the scores, as `Job` takes it: ``sample``, the names."""
        return {"sample": list(self.names)}

    @property
    def about(self) -> dict[str, str]:
        """What a store's description tells: what a drawing needs to know."""
        return {
            "kind": KIND,
            "preprocess": self.preprocessing.name,
            "channel_axis": str(self.channel_axis),
            "resize": f"{self.resize}, {self.fit}",
        }

    def colour(self, *pixel: float) -> References:
        """References of one colour everywhere: a value of 0 to 255 for each channel, or for all.

        Raises
        ------
        InputError
            For another number of values, or other values.
        """
        if len(pixel) not in (1, self.channels) or not all(map(_PIXEL, pixel)):
            raise InputError(f"colour{pixel}: give one value, or one for each of the "
                             f"{self.channels} channels, 0 to 255.")  # fmt: skip
        one = np.broadcast_to(np.array(pixel, np.float32), (self.channels,))
        values = self.preprocessing.apply(one).tolist()
        return references.per_channel(values, channel_axis=self.channel_axis)

    def black(self) -> References:
        """Black pictures, as the network sees them."""
        return self.colour(0.0)

    def blurred(self, sigma: float | Sequence[float]) -> References:
        """Each picture blurred by a Gaussian of this width in pixels; several widths, several."""
        axes = (0, 1) if self.channel_axis == -1 else (1, 2)
        return references.blur(sigma, axes=axes)


def read(
    source: Any,
    network: Network | None = None,
    *,
    preprocess: str | Preprocessing,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    resize: str = "bilinear",
    fit: str = "stretch",
    depth: str | None = None,
    upright: bool = False,
    channels_first: bool | None = None,
    input: str | None = None,
    names: Sequence[str] | None = None,
) -> ImageInput:
    """Pictures as an input of a network, read when they are asked for.

    Parameters
    ----------
    source
        A file (PNG, JPEG, TIFF, BMP), a folder of such files, in plain order of their paths, or
        several of either; or an array of pixels (N, H, W, C), 0 to 255.
    network
        The network whose size, channels and axes are taken.
    preprocess
        What the model was trained with, which no file of a model says: ``"caffe"``, ``"tf"``,
        ``"torch"``, the name of a module of ``keras.applications``, ``"unit"`` (0 to 1), or
        ``"identity"``, where the model's own layers do it.
    size
        Height and width, where the network leaves them free or none is named; by default that of
        the pictures, if all have the same.
    channels
        1, 3 or 4, where the network leaves them free or none is named (default: 3).
    resize, fit
        How pictures of other sizes are resized; see `deeplift_engine.images.resize`.
    depth
        What becomes of grey pictures of more than 8 bits: ``"raw"``, ``"clipped"`` or
        ``"eight_bits"``.
    upright
        Whether the orientation that a camera wrote is applied; Keras does not.
    channels_first
        Whether the network reads channels first; by default as its layers say.
    input
        The name of the network's input that reads pictures, where it has several.
    names
        Of the pictures of an array.

    Raises
    ------
    InputError
        If a file cannot be read, or arguments do not fit the network or the pictures.
    """
    chosen = preprocessing(preprocess)
    if resize not in METHODS or fit not in FITS:
        raise InputError(f"resize={resize!r}, fit={fit!r}: choose {' or '.join(METHODS)}, and "
                         f"{' or '.join(FITS)}.")  # fmt: skip
    info = None if network is None else _image_input_of(network, input)
    axis = _channel_axis(info, channels_first)
    wanted = _network_size(info, axis)
    if info is not None and info.shape[axis] is not None:
        channels = _agreed("channels", channels, int(info.shape[axis] or 0))
    if size is not None:
        height, width = checked("size", size, Several(Integer(1), 2), InputError)
        wanted = (_agreed("size", height, wanted[0]), _agreed("size", width, wanted[1]))
    opened = open_pictures(source, channels, depth, upright)
    if names is not None and len(names) != len(opened.names):
        raise InputError(f"{len(names)} names for {len(opened.names)} pictures.")
    rows, columns = _only_size(opened.sizes) if None in wanted else wanted
    final = (int(rows or 0), int(columns or 0))
    resized = sum(each != final for each in opened.sizes)
    if resized:
        how = f"{resize}, without anti-aliasing, as tf.image.resize"
        opened.notes.append(
            f"{resized} of {len(opened.sizes)} pictures are resized to {rows} x {columns}: {how}"
        )
    return ImageInput(
        opened.pixels,
        final,
        chosen,
        resize,
        fit,
        opened.channels,
        axis,
        opened.names if names is None else names,
        tuple(opened.notes),
    )


def _only_size(sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
    distinct = sorted(set(sizes))
    if len(distinct) != 1:
        raise InputError(
            f"pictures of {distinct[0]} to {distinct[-1]}, and the network takes any size: say in "
            "which they are read, size=(height, width) (--size HEIGHTxWIDTH)."
        )
    return distinct[0]


def _agreed(what: str, own: int | None, networks: int | None) -> int:
    if own is not None and networks is not None and own != networks:
        raise InputError(f"{what}={own}: the network reads {networks}; leave it out.")
    chosen = own if networks is None else networks
    if chosen is None or chosen < 1:
        raise InputError(f"{what}={own}: give whole numbers of 1 or more.")
    return int(chosen)


def _image_input_of(network: Network, name: str | None) -> InputInfo:
    """The input that is named, or the only one with three axes."""
    known = {info.name: info for info in network.inputs}
    if name is not None and key_of(name, network.inputs) not in known:
        raise InputError(f"input={name!r}: the network's inputs are {', '.join(known)}.")
    fitting = [info for info in known.values() if len(info.shape) == 3]
    if name is not None:
        fitting = [known[key_of(name, network.inputs)]]
    if len(fitting) != 1 or len(fitting[0].shape) != 3:
        shapes = ", ".join(f"{info.name} {info.shape}" for info in known.values())
        raise InputError(
            f"the network's inputs are {shapes}: expected one of height, width and channels that "
            "reads the pictures; say which, input= (--input)."
        )
    return fitting[0]


def _channel_axis(info: InputInfo | None, channels_first: bool | None) -> int:
    if channels_first is not None:
        return -3 if channels_first else -1
    return -3 if info is not None and info.channels in (-3, 0) else -1


def _network_size(info: InputInfo | None, axis: int) -> tuple[int | None, int | None]:
    if info is None:
        return None, None
    height, width = (each for number, each in enumerate(info.shape) if number != 3 + axis)
    return height, width


__all__ = ["KIND", "ImageInput", "read"]
