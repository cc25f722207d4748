"""Options of kernel layers that no generated model of Keras 3 can show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from deeplift_conversion import read_config
from deeplift_engine.errors import UnsupportedModelError
from deeplift_engine.layers import DepthwiseConvolution
from deeplift_engine.network import Network
from tests.helpers import off


def network(
    kind: str, options: dict[str, Any], arrays: dict[str, Any] | None = None, version: str = "2.15"
) -> Network:
    """The network of one layer, from a configuration as that version saves it."""
    layer = {"class_name": kind, "config": {"name": "layer", **options}}
    named = [(f"layer/{role}:0", array) for role, array in (arrays or {}).items()]
    config = {"class_name": "Sequential", "config": [layer]}
    return Network(read_config(config, {"layer": named}, keras_version=version), dtype="float64")


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_depthwise_strides_may_differ(padding: str) -> None:
    """TensorFlow has no such operation on a CPU: against a kernel of zeros between channels."""
    generator = np.random.default_rng(0)
    kernel, x = generator.normal(size=(3, 2, 2, 3)), generator.normal(size=(2, 7, 8, 2))
    layer = DepthwiseConvolution(kernel, strides=(2, 3), padding=padding)
    dense = np.zeros((3, 2, 2, 6))
    for channel in range(2):
        dense[:, :, channel, 3 * channel : 3 * channel + 3] = kernel[:, :, channel]
    expected = tf.nn.conv2d(x, dense, [2, 3], padding.upper()).numpy()
    assert off(layer.forward(tf.constant(x)).numpy(), expected) < 1e-12
    multiplier = generator.normal(size=expected.shape)
    sent = layer.transpose(tf.constant(multiplier), [(7, 8, 2)])[0].numpy()
    back = tf.nn.conv2d_transpose(multiplier, dense, x.shape, [2, 3], padding.upper()).numpy()
    assert off(sent, back) < 1e-12


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(
    ("padding", "sizes"),
    [("valid", (7, 9)), ("valid", (8, 10)), ("same", (6, 7)), ("same", (5, 8))],
)
def test_keras_1_says_how_large_a_deconvolution_is(
    padding: str, sizes: tuple[int, int], first: bool
) -> None:
    generator = np.random.default_rng(0)
    kernel, bias = generator.normal(size=(3, 3, 2, 4)), generator.normal(size=4)
    x = generator.normal(size=(2, 3, 4, 2))
    shape = [None, 4, *sizes] if first else [None, *sizes, 4]
    options = {
        "nb_filter": 4,
        "nb_row": 3,
        "nb_col": 3,
        "subsample": [2, 2],
        "border_mode": padding,
        "output_shape": shape,
        "activation": "linear",
        "bias": True,
        "dim_ordering": "th" if first else "tf",
        "batch_input_shape": [None, 2, 3, 4] if first else [None, 3, 4, 2],
    }
    saved = kernel.transpose(3, 2, 0, 1) if first else kernel
    net = network("Deconvolution2D", options, {"W": saved, "b": bias}, "1.2.2")
    swapped = kernel.transpose(0, 1, 3, 2)
    expected = tf.nn.conv2d_transpose(x, swapped, (2, *sizes, 4), 2, padding.upper()) + bias
    given = x.transpose(0, 3, 1, 2) if first else x
    found = net.predict(given)
    assert off(found.transpose(0, 2, 3, 1) if first else found, expected.numpy()) < 1e-12


KERNEL = {"kernel": np.ones((3, 3, 4, 2), "float32"), "bias": np.zeros(4, "float32")}
CONV = {"filters": 4, "kernel_size": 3, "strides": 2, "batch_input_shape": [None, 5, 5, 2]}
IMAGES = {"height": 3, "width": 3, "batch_input_shape": [None, None, 5, 2]}
REFUSED = {
    "a size that cannot be": (
        "Conv2DTranspose",
        CONV | {"output_padding": 2},
        KERNEL,
        "output_padding=2 gives a size that no valid convolution",
    ),
    "strides and dilation": ("Conv2DTranspose", CONV | {"dilation_rate": 2}, KERNEL, "at once"),
    "a crop of any size": ("CenterCrop", IMAGES, {}, "depends on the image's size"),
    "the ratio of any size": (
        "Resizing",
        IMAGES | {"crop_to_aspect_ratio": True},
        {},
        "depends on the image's size",
    ),
    "interpolation": ("Resizing", IMAGES | {"interpolation": "cubic"}, {}, "is none of nearest"),
    "interpolation of repeats": (
        "UpSampling2D",
        {"interpolation": "spline", "batch_input_shape": [None, 5, 5, 2]},
        {},
        "'spline' is none of nearest",
    ),
    "no image": (
        "Resizing",
        IMAGES | {"batch_input_shape": [None, 4, 5]},
        {},
        r"reads images, met an input of shape \(4, 5\)",
    ),
    "whole numbers": (
        "Resizing",
        IMAGES | {"batch_input_shape": [None, 4, 5, 1], "dtype": "uint8"},
        {},
        "whole numbers",
    ),
    "windows of any size": (
        "AdaptiveAveragePooling2D",
        {"output_size": [2, 2], "batch_input_shape": [None, None, 5, 2]},
        {},
        "its windows depend on the input's size",
    ),
    "an angle": (
        "STFTSpectrogram",
        {"mode": "angle", "frame_length": 4, "batch_input_shape": [None, 9, 1]},
        {"real_kernel": np.ones((4, 1, 3), "f4"), "imag_kernel": np.ones((4, 1, 3), "f4")},
        "mode='angle' jumps",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_with_its_reason(name: str) -> None:
    kind, options, arrays, reason = REFUSED[name]
    with pytest.raises(UnsupportedModelError, match=reason):
        network(kind, options, arrays)
