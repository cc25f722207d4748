"""Transposed convolutions to few channels, against TensorFlow's gradient, in float64 to 1e-12."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from deeplift_engine.layers import Convolution
from deeplift_engine.layers.phases import blocks_of
from tests.helpers import off

LENGTHS = {1: (11,), 2: (7, 6), 3: (5, 4, 6)}


def convolution(sizes: tuple[int, ...], stride: int, padding: str, channels: int) -> Any:
    kernel = np.random.default_rng(0).normal(size=(*sizes, channels, 5))
    rank = len(sizes)
    return Convolution(
        kernel=kernel, strides=(stride,) * rank, dilation=(1,) * rank, padding=padding
    )


def gradient(layer: Any, lengths: tuple[int, ...], y: Any) -> Any:
    x = tf.zeros((len(y), *lengths, layer.kernel.shape[-2]), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layer.linear(x)
    return tape.gradient(output, x, output_gradients=tf.constant(y)).numpy()


def arriving(layer: Any, lengths: tuple[int, ...]) -> Any:
    x = tf.zeros((2, *lengths, layer.kernel.shape[-2]), tf.float64)
    return np.random.default_rng(1).normal(size=layer.linear(x).shape)


@pytest.mark.parametrize("channels", [1, 3, 4, 8, 9])
@pytest.mark.parametrize(
    ("rank", "padding"),
    [*product((1, 2, 3), ("valid", "same")), (1, "causal")],
)
def test_the_transpose_is_the_gradient(rank: int, padding: str, channels: int) -> None:
    lengths = LENGTHS[rank]
    for size, stride in product((1, 2, 3, 5) if rank < 3 else (1, 3), (1, 2, 3)):
        layer = convolution((size, *(3,) * (rank - 1)), stride, padding, channels)
        if any(
            window > length for window, length in zip(layer.kernel.shape, lengths, strict=False)
        ):
            continue
        y = arriving(layer, lengths)
        sent = layer.transpose(tf.constant(y), [(*lengths, channels)])[0].numpy()
        assert off(sent, gradient(layer, lengths, y)) < 1e-12, (size, stride)


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("length", [9, 10, 11, 12])
def test_lengths_that_are_not_known(padding: str, stride: int, length: int) -> None:
    layer = convolution((4,), stride, padding, 4)
    y = arriving(layer, (length,))

    @tf.function(
        input_signature=[tf.TensorSpec((None, None, 5), tf.float64), tf.TensorSpec((), tf.int32)],
        autograph=False,  # as the engine compiles
    )
    def sent(y: Any, length: Any) -> Any:
        return layer.transpose(y, [(length, 4)])[0]

    assert off(sent(y, length).numpy(), gradient(layer, (length,), y)) < 1e-12


def test_few_channels_are_computed_by_the_sixteen() -> None:
    """Windows no longer than twice the kernel, phases of a stride always."""
    assert blocks_of(np.zeros((1, 11, 4, 50)), [1, 1]) == [1, 4]
    assert blocks_of(np.zeros((1, 11, 1, 50)), [1, 1]) == [1, 11]
    assert blocks_of(np.zeros((1, 11, 4, 50)), [1, 3]) == [1, 6]
    assert blocks_of(np.zeros((4, 4, 1, 32)), [2, 2]) == [2, 2]
    assert blocks_of(np.zeros((3, 3, 3, 32)), [1, 1]) is None
    assert blocks_of(np.zeros((1, 11, 50, 50)), [1, 2]) is None
    assert blocks_of(np.zeros((1, 1, 4, 50)), [1, 1]) is None
