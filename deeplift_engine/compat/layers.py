"""The original's names for rules and layers.

The layers carry no computation: they say what a converted model consists of, and stand for
its nodes wherever the original's calls take a layer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from deeplift_engine.compat.enumeration import enum
from deeplift_engine.errors import InputError

if TYPE_CHECKING:
    from deeplift_engine.network import Network

NonlinearMxtsMode = enum(
    Gradient="Gradient",
    Rescale="Rescale",
    DeconvNet="DeconvNet",
    GuidedBackprop="GuidedBackprop",
    GuidedBackpropRescale="GuidedBackpropRescale",
    RevealCancel="RevealCancel",
    PassThrough="PassThrough",
    DeepLIFT_GenomicsDefault="DeepLIFT_GenomicsDefault",
)
DenseMxtsMode = enum(Linear="Linear")
ConvMxtsMode = enum(Linear="Linear")
MaxPoolDeepLiftMode = enum(gradient="gradient", exact="exact")
"""``gradient`` is the original's only one; ``exact`` sums to the difference."""

RULES = {
    NonlinearMxtsMode.Gradient: "gradient",
    NonlinearMxtsMode.Rescale: "rescale",
    NonlinearMxtsMode.DeconvNet: "deconvnet",
    NonlinearMxtsMode.GuidedBackprop: "guided_backprop",
    NonlinearMxtsMode.GuidedBackpropRescale: "guided_backprop_rescale",
    NonlinearMxtsMode.RevealCancel: "reveal_cancel",
    NonlinearMxtsMode.PassThrough: "pass_through",
    NonlinearMxtsMode.DeepLIFT_GenomicsDefault: "genomics_default",
}
"""The engine's name of each mode."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a converted model, as the original counts and names them.

    Attributes
    ----------
    name
        The original's name.
    node
        Name of the node of ``network`` with its activation.
    keras_layer
        Path of the Keras layer.
    network
        The network it is part of.
    units
        Indices into (samples, units ...) that are taken of its activations; None takes all.
    """

    name: str
    node: str
    keras_layer: str
    network: Network
    units: Any = None

    def get_name(self) -> str:
        """The original's name of the layer."""
        return self.name

    def get_shape(self) -> tuple[int | None, ...]:
        """Shape of the output, with None for the batch."""
        return (None, *self.network.nodes[self.node].shape)

    def get_activation_vars(self) -> Layer:
        """The layer itself, as `deeplift_engine.compat.util.compile_func` takes it."""
        return self

    def __getitem__(self, units: Any) -> Layer:
        """Some of its units, ``layer.get_activation_vars()[:, 3]``, for all samples.

        Raises
        ------
        InputError
            If the first index is none of all samples.
        """
        first = units[0] if isinstance(units, tuple) and units else units
        if self.units is not None or not (first is Ellipsis or first == slice(None)):
            raise InputError(
                f"{self.name}[{units!r}]: index activations once, the samples first, as [:, 3]."
            )
        return replace(self, units=units)


class Input(Layer):
    """An input of the model."""


class Activation(Layer):
    """A nonlinear function."""


class ReLU(Activation):
    """A rectifier."""


class PReLU(Activation):
    """A rectifier with learned slopes."""


class Sigmoid(Activation):
    """The logistic function."""


class Tanh(Activation):
    """The hyperbolic tangent."""


class Softmax(Activation):
    """A softmax."""


class Dense(Layer):
    """A fully connected layer, before its activation."""


class Conv1D(Layer):
    """A convolution over positions, before its activation."""


class Conv2D(Layer):
    """A convolution over an image, before its activation."""


class MaxPool1D(Layer):
    """Max pooling over positions."""


class MaxPool2D(Layer):
    """Max pooling over an image."""


class GlobalMaxPool1D(Layer):
    """Max pooling over all positions."""


class AvgPool1D(Layer):
    """Average pooling over positions."""


class AvgPool2D(Layer):
    """Average pooling over an image."""


class GlobalAvgPool1D(Layer):
    """Average pooling over all positions."""


class BatchNormalization(Layer):
    """Batch normalisation at inference."""


class Flatten(Layer):
    """A change of shape."""


class Concat(Layer):
    """Several tensors joined."""


class NoOp(Layer):
    """A layer that does nothing at inference."""
