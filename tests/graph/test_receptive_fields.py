"""Receptive fields beside those found by changing inputs, and by arithmetic."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError
from deeplift_engine.visualize import receptive_field

L = keras.layers


def opened(model: Any) -> de.Network:
    return de.convert(model, dtype="float64")


@pytest.fixture(scope="module")
def sequences() -> de.Network:
    keras.utils.set_random_seed(0)
    source = keras.Input((30, 4))
    x = L.Conv1D(3, 5, padding="same", activation="relu", name="conv")(source)
    x = L.MaxPooling1D(3, name="pool")(x)
    y = L.Conv1D(3, 3, dilation_rate=2, padding="causal", name="dilated")(x)
    x = L.Add(name="sum")([L.BatchNormalization(name="norm")(x), y])
    gate = L.Activation("sigmoid")(L.GlobalAveragePooling1D(name="mean")(x))
    x = L.Multiply(name="gated")([x, L.Reshape((1, 3))(gate)])
    x = L.Cropping1D((2, 1), name="crop")(x)
    x = L.Softmax(axis=-1, name="shares")(x)
    return opened(keras.Model(source, L.LSTM(2, return_sequences=True, name="lstm")(x)))


def test_fields_are_where_inputs_matter(sequences: de.Network) -> None:
    """Of units without a closed form, by changing one position of many inputs after another."""
    draw = np.random.default_rng(1)
    x = draw.normal(size=(40, 1, 30, 4))
    moved = np.repeat(x, 30, axis=1)
    for position in range(30):
        moved[:, position, position] = draw.normal(size=(40, 4)) * 3
    names = ["conv", "pool", "dilated", "sum", "norm", "crop", "shares"]
    plain = sequences.activations(x[:, 0], names)
    changed = sequences.activations(moved.reshape(-1, 30, 4), names)
    for name in ("conv", "pool", "norm", "dilated", "sum"):
        values = plain[name]
        apart = changed[name].reshape(40, 30, *values.shape[1:]) != values[:, np.newaxis]
        reached = apart.any(axis=(0, -1)).T
        field = receptive_field(sequences, name)
        for unit, positions in enumerate(reached):
            span = field.of(unit, 0)[0]
            met = np.flatnonzero(positions)
            if name not in ("dilated", "sum"):
                np.testing.assert_array_equal(met, np.arange(30)[span])
            else:  # dilated: positions between the taps are in the field and not read
                assert (met[0], met[-1] + 1) == (span.start, span.stop)
    for name in ("gated", "crop", "shares", "lstm"):
        assert receptive_field(sequences, name).size == (30,)


def test_images_have_two_axes_and_edges() -> None:
    keras.utils.set_random_seed(0)
    image = keras.Sequential(
        [
            keras.Input((12, 9, 3)),
            L.Conv2D(2, 3, strides=2, name="conv"),
            L.Conv2D(2, (1, 3), padding="same", name="wide"),
            L.Flatten(),
            L.Dense(2, name="dense"),
        ]
    )
    network = opened(image)
    conv, wide = (receptive_field(network, name) for name in ("conv", "wide"))
    assert conv.size == (3, 3)
    assert conv.of(1, 2, 0) == (slice(2, 5), slice(4, 7))
    assert wide.size == (3, 7)
    assert wide.of(0, 0, 1) == (slice(0, 3), slice(0, 5))
    assert receptive_field(network, "dense").of(1) == (slice(0, 11), slice(0, 9))


def test_what_has_no_field_is_told() -> None:
    two = [keras.Input((None, 2), name=name) for name in "ab"]
    network = opened(keras.Model(two, L.Conv1D(1, 3, name="conv")(L.Add()(two))))
    with pytest.raises(InputError, match="name one of the inputs, a, b"):
        receptive_field(network, "conv")
    with pytest.raises(InputError, match="give shape="):
        receptive_field(network, "conv", "a")
    assert receptive_field(network, "conv", "a", shape=(8, 2)).of(2, 0) == (slice(2, 5),)
