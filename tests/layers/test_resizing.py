"""Interpolation against TensorFlow's own, and what augments images in training alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_conversion import read_config
from deeplift_engine.layers import Interpolation
from deeplift_engine.layers.resizing import METHODS
from deeplift_engine.network import Network
from deeplift_engine.translate.reshaping import INACTIVE
from tests.helpers import off

SIZES = [(11, 9), (3, 2), (5, 12)]


# the other backends' filters are compared with files that they saved: tests/conversion/eras
OF_TENSORFLOW = [method for method in METHODS if not method.endswith(("_jax", "_torch"))]


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("method", OF_TENSORFLOW)
def test_interpolation_is_tensorflows_in_any_dtype(method: str, antialias: bool) -> None:
    images = np.random.default_rng(0).normal(size=(2, 6, 5, 3))
    for sizes in SIZES:
        layer = Interpolation(sizes, method, antialias)
        expected = tf.image.resize(images, sizes, method, antialias=antialias).numpy()
        for dtype in ("float32", "float64"):
            assert off(layer.forward(tf.constant(images, dtype)).numpy(), expected) < 2e-6


@pytest.mark.parametrize("method", METHODS)
def test_interpolation_goes_back_by_its_matrix(method: str) -> None:
    for layer in (Interpolation((7, 3), method), Interpolation((7, 3), method).absolute()):
        basis = np.eye(20).reshape(20, 4, 5, 1)
        matrix = layer.linear(tf.constant(basis)).numpy().reshape(20, 21)
        sent = layer.transpose(tf.constant(np.eye(21).reshape(21, 7, 3, 1)), [(4, 5, 1)])[0]
        assert off(sent.numpy().reshape(21, 20), matrix.T) < 1e-12


def test_magnitudes_are_taken_of_the_coefficients() -> None:
    basis = tf.constant(np.eye(20).reshape(20, 4, 5, 1))
    layer = Interpolation(None, "lanczos3", factors=(2, 3))
    matrix = layer.linear(basis).numpy()
    assert matrix.min() < -0.01
    assert off(layer.absolute().linear(basis).numpy(), np.abs(matrix)) < 1e-12


AUGMENTATION: dict[str, Callable[[], Any]] = {
    "AugMix": L.AugMix,
    "CutMix": L.CutMix,
    "Equalization": L.Equalization,
    "MaxNumBoundingBoxes": lambda: L.MaxNumBoundingBoxes(3, bounding_box_format="xyxy"),
    "MixUp": L.MixUp,
    "RandAugment": L.RandAugment,
    "RandomBrightness": lambda: L.RandomBrightness(0.2),
    "RandomColorDegeneration": lambda: L.RandomColorDegeneration(0.2),
    "RandomColorJitter": lambda: L.RandomColorJitter((0, 1)),
    "RandomContrast": lambda: L.RandomContrast(0.2),
    "RandomCrop": lambda: L.RandomCrop(4, 3),
    "RandomElasticTransform": lambda: L.RandomElasticTransform(0.5),
    "RandomErasing": L.RandomErasing,
    "RandomFlip": L.RandomFlip,
    "RandomGaussianBlur": lambda: L.RandomGaussianBlur(0.5),
    "RandomGrayscale": L.RandomGrayscale,
    "RandomHue": lambda: L.RandomHue(0.2, (0, 1)),
    "RandomInvert": L.RandomInvert,
    "RandomPerspective": L.RandomPerspective,
    "RandomPosterization": lambda: L.RandomPosterization(3),
    "RandomRotation": lambda: L.RandomRotation(0.2),
    "RandomSaturation": lambda: L.RandomSaturation(0.2),
    "RandomSharpness": lambda: L.RandomSharpness(0.2),
    "RandomShear": lambda: L.RandomShear(0.2, 0.1),
    "RandomTranslation": lambda: L.RandomTranslation(0.2, 0.1),
    "RandomZoom": lambda: L.RandomZoom(0.2),
    "Solarization": L.Solarization,
}
UNREADABLE = ("Equalization", "RandomCrop", "RandomShear")
"""Keras cannot build the first in a model, nor the second but for one size, nor read the third."""


def test_augmentation_does_nothing_at_inference() -> None:
    images = np.random.default_rng(0).random((2, 6, 5, 3)).astype("float32")
    for make in AUGMENTATION.values():
        np.testing.assert_array_equal(make()(images, training=False), images)
    old = {"RandomHeight", "RandomWidth"}
    regular = {name for name in INACTIVE if "Drop" in name or "Regular" in name}
    assert set(INACTIVE) - old - regular == {*AUGMENTATION, "Identity", "GaussianNoise"} - {
        "RandomCrop"
    }


def test_augmented_models_convert(tmp_path: Path) -> None:
    x = source = keras.Input((6, 5, 3))
    for name, make in AUGMENTATION.items():
        x = x if name in UNREADABLE else make()(x)
    model = keras.Model(source, L.Dense(2)(L.Flatten()(x)))
    model.save(tmp_path / "m.keras")
    images = np.random.default_rng(0).random((2, 6, 5, 3)).astype("float32")
    found = de.load(tmp_path / "m.keras").predict(images)
    assert off(found, model.predict(images, verbose=0)) < 1e-6


@pytest.mark.parametrize("size", [(4, 3), (4, 5), (9, 5)])
def test_before_keras_3_a_random_crop_resizes(size: tuple[int, int]) -> None:
    """The middle of the image in the wanted aspect ratio."""
    options = {"name": "crop", "height": size[0], "width": size[1]}
    config = {
        "class_name": "Sequential",
        "config": [
            {
                "class_name": "RandomCrop",
                "config": {**options, "batch_input_shape": [None, 6, 5, 2]},
            }
        ],
    }
    network = Network(read_config(config, {}, keras_version="2.15.0"))
    images = np.random.default_rng(0).random((2, 6, 5, 2)).astype("float32")
    expected = keras.preprocessing.image.smart_resize(images, size)
    assert off(network.predict(images), expected) < 1e-6
