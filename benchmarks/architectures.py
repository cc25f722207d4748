"""The two networks that are measured, with seeded weights, built alike in Keras and in torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = list[NDArray[np.float32]]
LETTERS = 4


@dataclass(frozen=True)
class Convolution:
    """A 1-D convolution of stride 1 with its bias and a ReLU."""

    filters: int
    width: int
    dilation: int = 1


@dataclass(frozen=True)
class Architecture:
    """One-hot sequence → convolutions → average over ``pool`` positions → dense layers.

    ``pool`` None averages over all positions that are left. The dense layers in ``hidden`` have
    a ReLU; ``output`` names the activation after the last.
    """

    title: str
    length: int
    convolutions: tuple[Convolution, ...]
    padding: str
    pool: int | None
    hidden: tuple[int, ...]
    outputs: int
    output: str

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


def make_weights(architecture: Architecture, seed: int) -> Weights:
    """Kernel, bias, kernel, bias … in Keras's layout: He's normal kernels, small biases."""
    random = np.random.default_rng(seed)
    shapes: list[tuple[int, ...]] = []
    channels = LETTERS
    for layer in architecture.convolutions:
        shapes.append((layer.width, channels, layer.filters))
        channels = layer.filters
    for units in (*architecture.hidden, architecture.outputs):
        shapes.append((channels, units))
        channels = units
    weights: Weights = []
    for shape in shapes:
        scale = np.sqrt(2 / np.prod(shape[:-1]))
        weights.append((scale * random.standard_normal(shape)).astype(np.float32))
        weights.append((0.1 * random.standard_normal(shape[-1])).astype(np.float32))
    return weights


def build_keras(architecture: Architecture, weights: Weights) -> Any:
    """A Keras Sequential model with these weights."""
    import keras

    layers = keras.layers
    model = keras.Sequential([layers.Input((architecture.length, LETTERS))])
    for layer in architecture.convolutions:
        model.add(
            layers.Conv1D(
                layer.filters,
                layer.width,
                dilation_rate=layer.dilation,
                padding=architecture.padding,
                activation="relu",
            )
        )
    if architecture.pool is None:
        model.add(layers.GlobalAveragePooling1D())
    else:
        model.add(layers.AveragePooling1D(architecture.pool))
        model.add(layers.Flatten())
    for units in architecture.hidden:
        model.add(layers.Dense(units, activation="relu"))
    model.add(layers.Dense(architecture.outputs))
    if architecture.output != "linear":
        model.add(layers.Activation(architecture.output))
    model.set_weights(weights)
    return model


def build_torch(architecture: Architecture, weights: Weights) -> Any:
    """The same network up to its logits in torch: (n, 4, length) → (n, outputs)."""
    import torch
    from torch import nn

    remaining = iter(weights)

    def filled(module: Any, kernel_axes: tuple[int, ...]) -> Any:
        kernel, bias = next(remaining), next(remaining)
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(kernel.transpose(kernel_axes).copy()))
            module.bias.copy_(torch.from_numpy(bias))
        return module

    modules: list[Any] = []
    channels = LETTERS
    for layer in architecture.convolutions:
        convolution = nn.Conv1d(
            channels,
            layer.filters,
            layer.width,
            dilation=layer.dilation,
            padding=architecture.padding,
        )
        modules += [filled(convolution, (2, 1, 0)), nn.ReLU()]
        channels = layer.filters
    modules.append(
        nn.AdaptiveAvgPool1d(1) if architecture.pool is None else nn.AvgPool1d(architecture.pool)
    )
    modules.append(nn.Flatten())
    for units in architecture.hidden:
        modules += [filled(nn.Linear(channels, units), (1, 0)), nn.ReLU()]
        channels = units
    modules.append(filled(nn.Linear(channels, architecture.outputs), (1, 0)))
    return nn.Sequential(*modules).eval()
