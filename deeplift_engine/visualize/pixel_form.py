"""Images, and signals, as free parameters: pixels or frequencies, colours apart, between bounds.

Olah 2017 (doi:10.23915/distill.00007) describes the frequencies, the colours and the movements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.util.options import Integer, Number, Values, checked, fits
from deeplift_engine.util.typing import Array, Tensor

COLOURS = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]])
"""Root of the covariance of the colours of ImageNet's pixels, as Lucid has it."""
MOST_SHARE = 1e-3
"""How near to a bound a value may be that is taken back through the logistic function."""


@dataclass(frozen=True)
class Pixels:
    """How images, and signals of one axis of positions, are grown.

    Attributes
    ----------
    low, high
        The bounds of values: numbers, or one for each channel; None for no bounds.
    fourier
        Whether the parameters are frequencies, of which the low ones weigh more, in place of
        pixels. None: wherever there are positions.
    colours
        Whether three channels are grown along the axes in which the colours of photographs do not
        correlate.
    jitter, scale, rotate
        How far each look at an image is moved (pixels), resized (a share) and turned (degrees), at
        most; drawn anew at each step.
    total_variation, norm
        Weights of the mean squared difference of neighbours, and of the mean of
        ``|x - middle| ** power``, which are taken off the target.
    power
        See there.
    size
        Of the axes of positions, where the network leaves them free.
    deviation
        Of the noise to begin with, of the parameters.

    Raises
    ------
    InputError
        For what none of these can be.
    """

    low: Any = 0.0
    high: Any = 1.0
    fourier: bool | None = None
    colours: bool = True
    jitter: int = 4
    scale: float = 0.05
    rotate: float = 5.0
    total_variation: float = 0.0
    norm: float = 0.0
    power: float = 6.0
    size: int | tuple[int, ...] | None = None
    deviation: float = 0.01

    def __post_init__(self) -> None:
        checked("jitter", self.jitter, Integer(0), InputError)
        checked("scale", self.scale, Number(least=0, below=1), InputError)
        for name in ("rotate", "total_variation", "norm"):
            checked(name, getattr(self, name), Number(least=0), InputError)
        for name in ("power", "deviation"):
            checked(name, getattr(self, name), Number(above=0), InputError)
        bounds = (self.low, self.high)
        if any(bound is not None for bound in bounds) and not (
            all(fits(bound, Values()) for bound in bounds)
            and len({np.shape(bound) for bound in bounds} - {()}) < 2
            and np.all(np.less(*bounds))
        ):
            raise InputError(
                f"low={self.low!r}, high={self.high!r}: expected two numbers, the smaller first, "
                "arrays of them for the channels, or None for both."
            )

    def shape(self, info: InputInfo) -> tuple[int, ...]:
        """The shape of one input, its free axes as ``size`` says.

        Raises
        ------
        InputError
            For an input of tokens or of more than two axes of positions, and where sizes are not
            known.
        """
        if info.table is not None or not info.dtype.startswith("float"):
            raise InputError(
                f"Input {info.name!r} takes tokens, which have no gradient: give form=Tokens()."
            )
        if len(info.positions) > 2:
            raise InputError(
                f"Input {info.name!r} has {len(info.positions)} axes of positions; Pixels() grows "
                "images and signals, which have one or two."
            )
        sizes = [self.size] * 2 if isinstance(self.size, int) else list(self.size or [])
        shape = list(info.shape)
        for number, axis in enumerate(info.positions):
            if shape[axis] is None and number < len(sizes):
                shape[axis] = sizes[number]
        if None in shape:
            raise InputError(
                f"Input {info.name!r} has the shape {info.shape}: give size=, of its free axes."
            )
        return tuple(int(size) for size in shape if size is not None)

    def grown(
        self, info: InputInfo, shape: tuple[int, ...], start: Array | None, count: int, seed: int
    ) -> GrownPixels:
        """Parameters of ``count`` inputs, from ``start`` (M, *S) or noise."""
        return GrownPixels(self, info, shape, start, count, seed)


class GrownPixels:
    """Parameters of M images; see `deeplift_engine.visualize.form.Grown`."""

    def __init__(
        self,
        form: Pixels,
        info: InputInfo,
        shape: tuple[int, ...],
        start: Array | None,
        count: int,
        seed: int,
    ) -> None:
        self.form, self.dtype = form, info.dtype
        rank = len(shape)
        channel = rank + info.channels if rank > 1 else None
        sizes = [shape[axis] for axis in info.positions]
        self.height, self.width = [*sizes, 1][:2]
        self.channels = 1 if channel is None else shape[channel]
        for bound in (form.low, form.high):
            if np.shape(bound) not in ((), (self.channels,)):
                raise InputError(
                    f"bounds of shape {np.shape(bound)}: expected numbers, or one for each of the "
                    f"{self.channels} channels of input {info.name!r}."
                )
        self.shape = shape
        order = [axis for axis in range(rank) if axis != channel]
        order += [] if channel is None else [channel]
        self._to_input = [0, *(1 + order.index(axis) for axis in range(rank))]
        self._to_image = [0, *(1 + axis for axis in order)]
        self.frequencies = rank > 1 if form.fourier is None else form.fourier
        self.mixing = np.eye(self.channels)
        if form.colours and self.channels == 3:
            self.mixing = COLOURS.T / np.linalg.norm(COLOURS, axis=0).max()
        self._bounds = None if form.low is None else (form.low, form.high)
        self._start = start
        if start is None:
            values = np.random.default_rng(seed).normal(0, form.deviation, self._free_shape(count))
        else:
            values = self._free(start)
        self.parameters = [tf.Variable(values.astype(self.dtype))]

    def start(self) -> Array:
        """The inputs to begin with."""
        return np.asarray(self.points()) if self._start is None else self._start

    def points(self) -> Tensor:
        """Frequencies to pixels, axes of colours to channels, all numbers to those in bounds."""
        values = self.parameters[0]
        if self.frequencies:
            scaled = values * tf.constant(self._weights(), self.dtype)
            spectrum = tf.complex(scaled[:, 0], scaled[:, 1])
            pixels = tf.signal.irfft2d(spectrum, [self.height, self.width])
            values = tf.transpose(pixels, [0, 2, 3, 1])
        values = tf.einsum("mhwc,cd->mhwd", values, tf.constant(self.mixing, self.dtype))
        if self._bounds is not None:
            low, high = (tf.constant(np.asarray(each), self.dtype) for each in self._bounds)
            values = low + (high - low) * tf.sigmoid(values)
        sizes = [self.shape[axis - 1] for axis in self._to_image[1:]]
        return tf.transpose(tf.reshape(values, [-1, *sizes]), self._to_input)

    def inputs(self, points: Tensor) -> Array:
        """The points themselves."""
        return np.asarray(points)

    def varied(self, points: Tensor, generator: np.random.Generator) -> Tensor:
        """Moved, resized and turned about the middle, each image by itself."""
        form, count = self.form, len(points)
        if not (form.jitter or form.scale or form.rotate) or len(self.shape) == 1:
            return points
        flat = self.width == 1
        angle = np.deg2rad(generator.uniform(-form.rotate, form.rotate, count)) * (not flat)
        size = 1 + generator.uniform(-form.scale, form.scale, count)
        shift = generator.uniform(-form.jitter, form.jitter, (count, 2)) * [1, not flat]
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        images = tf.reshape(
            tf.transpose(points, self._to_image), [-1, self.height, self.width, self.channels]
        )
        seen = sampled(images, np.moveaxis(turn / size, -1, 0), shift)
        sizes = [self.shape[axis - 1] for axis in self._to_image[1:]]
        return tf.transpose(tf.reshape(seen, [-1, *sizes]), self._to_input)

    def penalty(self, points: Tensor) -> Tensor:
        """Total variation and norm, weighted, added over the images."""
        form, total = self.form, tf.constant(0, self.dtype)
        images = tf.reshape(
            tf.transpose(points, self._to_image), [-1, self.height, self.width, self.channels]
        )
        size = float(np.prod(images.shape[1:]))
        if form.total_variation:
            steps = [images[:, 1:] - images[:, :-1], images[:, :, 1:] - images[:, :, :-1]]
            total += form.total_variation / size * tf.add_n([tf.reduce_sum(s**2) for s in steps])
        if form.norm:
            middle = 0 if self._bounds is None else np.mean(np.broadcast_arrays(*self._bounds), 0)
            apart = tf.abs(images - tf.constant(middle, self.dtype))
            total += form.norm / size * tf.reduce_sum(apart**form.power)
        return total

    def _weights(self) -> Array:
        """Of the frequencies (H, W // 2 + 1): 1 / frequency, so that pixels are of one scale."""
        rows = np.fft.fftfreq(self.height)[:, np.newaxis]
        radius = np.hypot(rows, np.fft.rfftfreq(self.width))
        least = 1 / max(self.height, self.width)
        return np.asarray((self.height * self.width) ** 0.5 / 4 / np.maximum(radius, least))

    def _free_shape(self, count: int) -> tuple[int, ...]:
        if self.frequencies:
            return (count, 2, self.channels, self.height, self.width // 2 + 1)
        return (count, self.height, self.width, self.channels)

    def _free(self, start: Array) -> Array:
        """The parameters of inputs (M, *S), moved inside the bounds."""
        values = start.transpose(self._to_image).astype(float)
        values = values.reshape(len(start), self.height, self.width, self.channels)
        if self._bounds is not None:
            low, high = self._bounds
            share = np.clip((values - low) / np.subtract(high, low), MOST_SHARE, 1 - MOST_SHARE)
            values = np.log(share / (1 - share))
        values = values @ np.linalg.inv(self.mixing)
        if not self.frequencies:
            return np.asarray(values)
        spectrum = np.fft.rfft2(np.moveaxis(values, -1, 1)) / self._weights()
        return np.stack([spectrum.real, spectrum.imag], axis=1)


def sampled(images: Tensor, turns: Array, shifts: Array) -> Tensor:
    """Images (M, H, W, C) at turned and shifted positions, linear between four pixels.

    Position p of an image shows what is at ``turns`` (M, 2, 2) · (p - middle) + middle +
    ``shifts`` (M, 2), and the edge beyond it.
    """
    count, height, width = images.shape[:3]
    sizes = np.array([height, width])
    middle = (sizes - 1) / 2
    grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), -1)
    at = np.einsum("mij,hwj->mhwi", turns, grid - middle) + middle + shifts[:, None, None]
    at = np.clip(at, 0, sizes - 1)
    first = np.clip(np.floor(at).astype(int), 0, np.maximum(sizes - 2, 0))
    part = at - first
    flat = tf.reshape(images, [count, height * width, -1])
    corners = []
    for row, column in np.ndindex(2, 2):
        index = np.minimum(first + np.array((row, column)), sizes - 1)
        weight = np.abs(1 - row - part[..., 0]) * np.abs(1 - column - part[..., 1])
        rows = tf.gather(
            flat, (index[..., 0] * width + index[..., 1]).reshape(count, -1), axis=1, batch_dims=1
        )
        corners.append(rows * tf.constant(weight.reshape(count, -1, 1), images.dtype))
    return tf.reshape(tf.add_n(corners), tf.shape(images))


__all__ = ["GrownPixels", "Pixels", "sampled"]
