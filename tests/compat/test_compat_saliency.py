"""PAIR's saliency over this engine: its signatures, and the sums that define its masks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.compat import saliency
from deeplift_engine.errors import InputError
from tests.helpers import off

L = keras.layers
UNIT = {"class_idx_to_explain": 1}
SIZE = (18, 16, 3)


@pytest.fixture(scope="module")
def network() -> de.Network:
    keras.utils.set_random_seed(0)
    x = source = keras.Input(SIZE)
    x = L.Conv2D(3, 3, activation="relu", name="conv")(x)
    return de.convert(keras.Model(source, L.Dense(2)(L.GlobalAveragePooling2D()(x))))


@pytest.fixture(scope="module")
def model(network: de.Network) -> saliency.ModelFunction:
    return saliency.model_function(network, conv_layer="conv")


@pytest.fixture(scope="module")
def image() -> Any:
    return np.random.default_rng(1).uniform(size=SIZE)


def test_masks_are_the_methods_scores(network: de.Network, model: Any, image: Any) -> None:
    x = image[np.newaxis]
    gradient = network.explainer("gradient").run(x, target=1).scores[0]
    assert off(saliency.GradientSaliency().GetMask(image, model, UNIT), gradient) < 1e-6
    grey = np.full(SIZE, 0.5)
    mask = saliency.IntegratedGradients().GetMask(image, model, UNIT, x_baseline=grey, x_steps=40)
    rise = network.predict(x)[0, 1] - network.predict(grey[np.newaxis])[0, 1]
    assert mask.sum() == pytest.approx(rise, abs=1e-2 * np.abs(mask).sum())
    cam = saliency.GradCam().GetMask(image, model, UNIT)
    assert cam.shape == SIZE
    assert 0 <= cam.min() <= cam.max() == pytest.approx(1)
    assert saliency.GradCam().GetMask(image, model, UNIT, False, False).shape == (16, 14)
    noisy = {"stdev_spread": 1e-6, "nsamples": 2}
    squares = saliency.GradientSaliency().GetSmoothedMask(image, model, UNIT, **noisy)
    plain = saliency.GradientSaliency().GetSmoothedMask(
        image, model, UNIT, magnitude=False, **noisy
    )
    assert off(squares, gradient**2) < 1e-3
    assert off(plain, gradient) < 1e-3


def test_occlusion_adds_over_the_windows_of_a_pixel(network: Any, model: Any, image: Any) -> None:
    expected, whole = np.zeros(SIZE), network.predict(image[np.newaxis])[0, 1]
    for row in range(SIZE[0] - 14):
        for column in range(SIZE[1] - 14):
            hidden = image.copy()
            hidden[row : row + 15, column : column + 15] = 0.3
            loss = whole - network.predict(hidden[np.newaxis])[0, 1]
            expected[row : row + 15, column : column + 15] += loss
    mask = saliency.Occlusion().GetMask(image, model, UNIT, size=15, value=0.3)
    assert off(mask, expected) < 1e-4


def test_xrai_ranks_segments_of_ones_own(model: Any, image: Any) -> None:
    cells = np.arange(18)[:, None] // 9 * 2 + np.arange(16) // 8
    segments = [cells == cell for cell in range(4)]
    parameters = saliency.XRAIParameters(
        steps=20, return_xrai_segments=True, return_ig_attributions=True, algorithm="fast"
    )
    found = saliency.XRAI().GetMaskWithDetails(
        image, model, UNIT, segments=segments, extra_parameters=parameters
    )
    ends = [np.full(SIZE, image.min()), np.full(SIZE, image.max())]
    np.testing.assert_array_equal(found.baselines, ends)
    pixels = np.mean(found.ig_attribution, axis=0).max(-1)
    means = np.array([pixels[cells == cell].mean() for cell in range(4)])
    assert off(found.attribution_mask, means[cells]) < 1e-5
    np.testing.assert_array_equal(found.segments, (1 + np.argsort(np.argsort(-means)))[cells])
    attribution = np.mean(found.ig_attribution, axis=0)
    parameters = saliency.XRAIParameters(return_xrai_segments=True, flatten_xrai_segments=False)
    again = saliency.XRAI().GetMaskWithDetails(
        image, None, None, None, segments, attribution, extra_parameters=parameters
    )
    assert off(again.attribution_mask, found.attribution_mask) < 1e-6
    assert [mask.sum() for mask in again.segments] == [72] * 4


def test_pictures_end_at_the_percentile(image: Any) -> None:
    grey = saliency.VisualizeImageGrayscale(image - 0.5, percentile=90)
    assert (grey.min(), grey.max()) == (0, 1)
    assert np.mean(grey == 1) == pytest.approx(0.1, abs=0.01)
    signed = saliency.VisualizeImageDiverging(np.ones(SIZE), 50)
    assert (signed == 1).all()


def test_a_mistake_is_named(network: de.Network, model: Any, image: Any) -> None:
    calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], str]] = [
        (saliency.GradientSaliency(), (image, network, UNIT), {}, "give model_function"),
        (saliency.GradientSaliency(), (image, model, {"a": 1, "b": 2}), {}, "the unit alone"),
        (saliency.XRAI(), (image, model, UNIT), {"baselines": [image[1:]]}, "baseline has shape"),
        (saliency.XRAI(), (image, model, UNIT), {"base_attribution": image[1:]}, "has shape"),
    ]
    for method, arguments, options, message in calls:
        with pytest.raises(InputError, match=message):
            method.GetMask(*arguments, **options)
    wrong = saliency.XRAIParameters(algorithm="slow")
    with pytest.raises(InputError, match="it is 'full' or 'fast'"):
        saliency.XRAI().GetMask(image, model, UNIT, extra_parameters=wrong)
