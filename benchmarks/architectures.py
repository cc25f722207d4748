"""The networks that are measured, with seeded weights; `torch_networks` builds them in torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = list[NDArray[np.float32]]
LETTERS = 4


@dataclass(frozen=True)
class Convolution:
    """A convolution of stride 1, as wide along each axis, with its bias and a ReLU.

    Behind it are maxima of ``pool`` positions along each axis.
    """

    filters: int
    width: int
    dilation: int = 1
    pool: int = 1


@dataclass(frozen=True)
class Mixing:
    """A layer over the whole sequence: ``"LSTM"`` or ``"GRU"`` of ``units``, whose last output
    goes on, or ``"attention"`` of each position to all, ``heads`` x ``units``.
    """

    kind: str
    units: int
    heads: int = 1

    def shapes(self, channels: int) -> list[tuple[int, ...]]:
        """Of its arrays, in Keras's order."""
        if self.kind == "attention":
            inner = (channels, self.heads, self.units)
            projections = [inner, (self.heads, self.units)] * 3
            return [*projections, (self.heads, self.units, channels), (channels,)]
        gates = {"LSTM": 4, "GRU": 3}[self.kind] * self.units
        bias = (2, gates) if self.kind == "GRU" else (gates,)
        return [(channels, gates), (self.units, gates), bias]

    def outputs(self, channels: int) -> int:
        """Channels that it gives."""
        return channels if self.kind == "attention" else self.units


@dataclass(frozen=True)
class Architecture:
    """One-hot sequence → convolutions → mixing → average over ``pool`` positions → dense layers.

    ``pool`` None averages over all positions that are left. The dense layers in ``hidden`` have
    a ReLU; ``output`` names the activation after the last. Of two ``axes`` it reads images, as
    high and as wide as ``length``.
    """

    title: str
    length: int
    convolutions: tuple[Convolution, ...]
    padding: str
    pool: int | None
    hidden: tuple[int, ...]
    outputs: int
    output: str
    mixing: Mixing | None = None
    axes: int = 1
    channels: int = LETTERS

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a sample, channels last."""
        return (*[self.length] * self.axes, self.channels)

    def shortened(self, length: int) -> Architecture:
        """The same layers on shorter sequences, for a quick look."""
        pool = None if self.pool is None else self.pool - (self.length - length)
        return replace(self, length=length, pool=pool)


GENOMICS = Architecture(
    title="the genomics model of the DeepLIFT paper",
    length=200,
    convolutions=(Convolution(50, 11), Convolution(50, 11)),
    padding="valid",
    pool=180,
    hidden=(50,),
    outputs=3,
    output="sigmoid",
)
DILATED = Architecture(
    title="a dilated network: one 21-wide and eight 3-wide convolutions of 64 filters",
    length=2114,
    convolutions=(Convolution(64, 21), *(Convolution(64, 3, 2**power) for power in range(1, 9))),
    padding="same",
    pool=None,
    hidden=(),
    outputs=10,
    output="linear",
)
LSTM, GRU, ATTENTION = (
    Architecture(
        title=title,
        length=200,
        convolutions=(Convolution(64, 11),),
        padding="same",
        pool=None,
        hidden=(),
        outputs=3,
        output="linear",
        mixing=mixing,
    )
    for title, mixing in (
        ("an LSTM of 128 units behind a convolution", Mixing("LSTM", 128)),
        ("a GRU of 128 units behind a convolution", Mixing("GRU", 128)),
        ("self-attention of 4 heads x 16 behind a convolution", Mixing("attention", 16, 4)),
    )
)

IMAGE = Architecture(
    title="an image network: four 3 x 3 convolutions, two maxima of 2 x 2, a dense layer",
    length=32,
    convolutions=(
        Convolution(32, 3),
        Convolution(32, 3, pool=2),
        Convolution(64, 3),
        Convolution(64, 3, pool=2),
    ),
    padding="same",
    pool=None,
    hidden=(64,),
    outputs=10,
    output="linear",
    axes=2,
    channels=3,
)
VGG = replace(
    IMAGE,
    title="an image network like VGG: six 3 x 3 convolutions, three maxima, a dense layer",
    length=64,
    convolutions=(*IMAGE.convolutions, Convolution(128, 3), Convolution(128, 3, pool=2)),
)


def make_weights(architecture: Architecture, seed: int) -> Weights:
    """Kernel, bias, kernel, bias … in Keras's layout: He's normal kernels, small biases."""
    random = np.random.default_rng(seed)
    shapes: list[tuple[int, ...]] = []
    channels = architecture.channels
    for layer in architecture.convolutions:
        shapes.append((*[layer.width] * architecture.axes, channels, layer.filters))
        shapes.append((layer.filters,))
        channels = layer.filters
    if architecture.mixing is not None:
        shapes += architecture.mixing.shapes(channels)
        channels = architecture.mixing.outputs(channels)
    for units in (*architecture.hidden, architecture.outputs):
        shapes += [(channels, units), (units,)]
        channels = units
    return [_array(shape, random) for shape in shapes]


def _array(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float32]:
    """A kernel of He's scale, or a small bias: what is at most (2, n) or that of heads."""
    values = random.standard_normal(shape)
    kernel = len(shape) > 1 and shape[0] > 4
    scale = np.sqrt(2 / np.prod(shape[:-1])) if kernel else 0.1
    return (scale * values).astype(np.float32)


def build_keras(architecture: Architecture, weights: Weights) -> Any:
    """A Keras model with these weights, whose convolutions are called convolution_0 and so on."""
    import keras

    layers = keras.layers

    def of_axes(kind: str) -> Any:
        return getattr(layers, f"{kind}{architecture.axes}D")

    model = keras.Sequential([layers.Input(architecture.shape)])
    for number, layer in enumerate(architecture.convolutions):
        model.add(
            of_axes("Conv")(
                layer.filters,
                layer.width,
                dilation_rate=layer.dilation,
                padding=architecture.padding,
                activation="relu",
                name=f"convolution_{number}",
            )
        )
        if layer.pool > 1:
            model.add(of_axes("MaxPooling")(layer.pool))
    if architecture.mixing is not None and architecture.mixing.kind != "attention":
        model.add(getattr(layers, architecture.mixing.kind)(architecture.mixing.units))
    elif architecture.mixing is not None:
        x = model.outputs[0]
        y = layers.MultiHeadAttention(architecture.mixing.heads, architecture.mixing.units)(x, x)
        model = keras.Model(model.inputs, layers.GlobalAveragePooling1D()(layers.Add()([x, y])))
    elif architecture.pool is None:
        model.add(of_axes("GlobalAveragePooling")())
    else:
        model.add(of_axes("AveragePooling")(architecture.pool))
        model.add(layers.Flatten())
    x = model.outputs[0]
    for units in architecture.hidden:
        x = layers.Dense(units, activation="relu")(x)
    x = layers.Dense(architecture.outputs)(x)
    if architecture.output != "linear":
        x = layers.Activation(architecture.output)(x)
    model = keras.Model(model.inputs, x)
    model.set_weights(weights)
    return model


def opened(architecture: Architecture) -> Any:
    """The network that this library reads of the file that Keras saves, with seeded weights."""
    import deeplift_engine as de

    with TemporaryDirectory(prefix="deeplift-benchmark-") as folder:
        path = Path(folder) / "model.h5"
        build_keras(architecture, make_weights(architecture, 0)).save(path)
        return de.load(path)
