"""Preprocessing and resizing are Keras's and TensorFlow's own, where libraries part."""

from __future__ import annotations

import importlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from deeplift_engine.errors import InputError
from deeplift_engine.images.pixel_scaling import MODULES
from tests.helpers import off

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 7, 9, 3)).astype("float32")


@pytest.mark.parametrize("module", MODULES)
def test_statement_37_a_module_s_preprocessing_is_keras_s_own(module: str) -> None:
    theirs = importlib.import_module(f"keras.applications.{module}").preprocess_input
    chosen = de.images.preprocessing(module)
    before = PIXELS.copy()
    values = chosen.apply(before)
    assert np.array_equal(values, theirs(PIXELS.copy()))
    # statement 38: the caller's picture stays, and drawing shows it again
    assert np.array_equal(before, PIXELS)
    assert not np.shares_memory(values, before)
    assert off(chosen.undo(values), PIXELS) < 1e-6
    # statement 39: whole numbers wrap in no case
    assert np.array_equal(chosen.apply(PIXELS.astype("uint8")), values)


def test_statement_38_channels_that_do_not_fit_are_refused() -> None:
    for channels in (1, 4):
        with pytest.raises(InputError, match="is for 3 channels"):
            de.images.preprocessing("caffe").apply(PIXELS[..., :1].repeat(channels, -1))
    assert de.images.preprocessing("tf").apply(PIXELS[..., :1]).shape == (2, 7, 9, 1)
    with pytest.raises(InputError, match="Near it: vgg19, vgg16"):
        de.images.preprocessing("vgg")


@pytest.mark.parametrize("size", [(3, 4), (15, 5), (7, 18)])
def test_statement_42_resizing_is_tensorflow_s(size: tuple[int, int]) -> None:
    picture = PIXELS[0]
    for method in ("bilinear", "nearest"):
        theirs = tf.image.resize(picture, size, method).numpy()
        assert np.abs(de.images.resize(picture, size, method) - theirs).max() < 1e-3
    cropped = keras.preprocessing.image.smart_resize(picture, size)
    assert np.abs(de.images.resize(picture, size, fit="crop") - cropped).max() < 1e-3
    layer = keras.layers.Resizing(*size)(picture[None])
    assert np.abs(de.images.resize(picture, size) - np.asarray(layer)[0]).max() < 1e-3
    with pytest.raises(InputError, match="bilinear or nearest"):
        de.images.resize(picture, size, "bicubic")


def test_statement_44_crops_and_borders_are_those_of_keras() -> None:
    layers = keras.layers
    rows = np.arange(5, dtype="float32")[:, None, None] * np.ones((5, 5, 1), "float32")
    for layer, first in (
        (layers.CenterCrop(4, 4), 0),  # from row 0 of 5
        (layers.CenterCrop(8, 8), 0),  # what is smaller is resized
        (layers.Resizing(5, 9, pad_to_aspect_ratio=True), 0),  # two columns of zeros on each side
    ):
        model = keras.Sequential([keras.Input((5, 5, 1)), layer])
        theirs = np.asarray(model(rows[None]))
        assert theirs[0, 0, 0, 0] == first
        assert off(de.convert(model).predict(rows[None]), theirs) < 1e-6
    assert theirs[0, 4, :, 0].tolist() == [0, 0, 4, 4, 4, 4, 4, 0, 0]
