"""XRAI beside its published procedure, step by step, and scikit-image's dilation."""

from __future__ import annotations

import functools
import sys
from typing import Any

import keras
import numpy as np
import pytest
from skimage import morphology, segmentation, transform

import deeplift_engine as de
from deeplift_engine.errors import DeepliftEngineError, InputError, RuleError
from deeplift_engine.explainers.maps.regions import Division, Ranking, ordered, ranked, regions
from tests.helpers import off

L = keras.layers
EXACT = 1e-12  # float64, sums in another order
SMALL = {"size": None, "scales": (5.0, 40.0), "min_size": 8, "dilation": 1, "least": 6}


def model() -> Any:
    keras.utils.set_random_seed(2)
    return keras.Sequential(
        [
            keras.Input((24, 20, 3)),
            L.Conv2D(4, 5, activation="relu", name="conv"),
            L.GlobalMaxPooling2D(),
            L.Dense(2, name="units"),
        ]
    )


@functools.cache
def network() -> Any:
    return de.convert(model(), dtype="float64")


@functools.cache
def explainer(of: str = "deeplift", **options: Any) -> Any:
    return network().explainer("xrai", of=of, fused=False, **(SMALL | options))


def images(samples: int = 3) -> Any:
    """Rectangles of one colour each, on noise."""
    generator = np.random.default_rng(0)
    made = generator.normal(scale=0.05, size=(samples, 24, 20, 3))
    for image in made:
        for _ in range(3):
            top, left = generator.integers(0, 14), generator.integers(0, 10)
            image[top : top + 9, left : left + 8] += generator.uniform(-1, 1, size=3)
    return made


def by_procedure(values: Any, masks: Any, least: int, area: float) -> Any:
    """Each region's mean over what it adds, all of them asked again at every step."""
    found, covered = np.full(values.shape, np.nan), np.zeros(values.shape, bool)
    left = list(masks)
    while covered.mean() <= area:
        left = [mask for mask in left if (mask & ~covered).sum() >= least]
        if not left:
            break
        gains = [values[mask & ~covered].mean() for mask in left]
        best = left.pop(int(np.argmax(gains)))
        found[best & ~covered] = max(gains)
        covered |= best
    found[~covered] = values[~covered].mean() if not covered.all() else 0
    return found


def masks_of(labels: Any, dilation: int) -> list[Any]:
    disk = morphology.disk(dilation)
    return [
        morphology.dilation(level == label, disk) for level in labels for label in np.unique(level)
    ]


@pytest.mark.parametrize("dilation", [0, 1, 3])
def test_regions_are_dilated_as_by_scikit_image(dilation: int) -> None:
    labels = np.random.default_rng(1).integers(0, 4, size=(2, 9, 7)) * 3
    labels[0, :, :5] = 0
    found = regions(labels, dilation)
    expected = masks_of(labels, dilation)
    np.testing.assert_array_equal(found.T.reshape(-1, 9, 7), expected)


@pytest.mark.parametrize("least", [1, 12])
@pytest.mark.parametrize("area", [0.3, 1.0])
def test_regions_are_ranked_as_published(least: int, area: float) -> None:
    generator = np.random.default_rng(3)
    labels = np.stack([generator.integers(0, n, size=(12, 11)) for n in (3, 9, 20)])
    values = generator.normal(size=labels[0].shape)
    masks = masks_of(labels, 1)
    found = ranked(values.ravel(), regions(labels, 1), least, area).reshape(values.shape)
    assert off(found, by_procedure(values, masks, least, area)) < EXACT
    assert found.sum() == pytest.approx(values.sum())


def test_the_fast_way_orders_regions_once() -> None:
    generator = np.random.default_rng(3)
    labels = np.stack([generator.integers(0, n, size=(12, 11)) for n in (3, 9, 20)])
    values = generator.normal(size=labels[0].shape)
    masks = sorted(masks_of(labels, 1), key=lambda mask: -values[mask].mean())
    expected, free = np.full(values.shape, np.nan), np.ones(values.shape, bool)
    for mask in masks:
        new = mask & free
        if new.sum() >= 4:
            expected[new], free = values[new].mean(), free & ~mask
    expected[free] = values[free].mean() if free.any() else 0
    found = ordered(values.ravel(), regions(labels, 1), 4, 1.0).reshape(values.shape)
    assert off(found, expected) < EXACT


def test_segments_of_ones_own_are_labels_or_masks() -> None:
    image, pixels = images(1)[0], np.random.default_rng(4).normal(size=(2, 24, 20))
    cells = np.arange(24)[:, None] // 6 * 4 + np.arange(20) // 5
    means = np.stack([[own[cells == cell].mean() for cell in range(16)] for own in pixels])
    masks = np.stack([cells == cell for cell in range(16)])
    for segments in (cells, masks, lambda image: cells, list(masks)):
        for fast in (False, True):
            ranking = Ranking(dilation=0, least=6, segments=segments, fast=fast)
            assert off(ranking(image, pixels), means[:, cells]) < EXACT
    for segments in (cells[1:], cells.astype(float), "slic", [1, [2]]):
        with pytest.raises(RuleError, match="segments of shape"):
            Ranking(segments=segments)(image, pixels)
    made = explainer("gradient", segments=lambda image: cells == 3, algorithm="fast")
    assert np.unique(made.run(images(1), target=0).scores).size == 2


def test_images_are_divided_by_scikit_image_at_every_scale() -> None:
    image = images(1)[0]
    scaled = 2 * (image - image.min()) / (image.max() - image.min()) - 1
    labels = Division(scales=(5, 40), sigma=0.8, min_size=8, size=None)(image)
    for level, scale in zip(labels, (5, 40), strict=True):
        expected = segmentation.felzenszwalb(scaled, scale=scale, sigma=0.8, min_size=8)
        np.testing.assert_array_equal(level, expected)
    assert labels[0].max() > labels[1].max() > 0


def test_divisions_at_another_size_come_back_to_the_image() -> None:
    image = images(1)[0]
    scaled = 2 * (image - image.min()) / (image.max() - image.min()) - 1
    large = transform.resize(scaled, (60, 50), order=3, mode="constant", anti_aliasing=True)
    labels = segmentation.felzenszwalb(large, scale=30, sigma=0.8, min_size=40)
    expected = transform.resize(labels, (24, 20), order=0, preserve_range=True, anti_aliasing=False)
    found = Division(scales=(30,), sigma=0.8, min_size=40, size=(60, 50))(image)
    assert labels.max() > 2
    np.testing.assert_array_equal(found[0], expected)


def test_an_image_of_one_colour_is_one_region() -> None:
    image = np.full((10, 16, 1), 7.0)
    assert not Division(scales=(50,), sigma=0.8, min_size=150, size=(224, 224))(image).any()


@pytest.mark.parametrize("over_channels", ["max", "sum"])
@pytest.mark.parametrize("of", ["deeplift", "gradient"])
def test_maps_are_the_methods_scores_over_regions(of: str, over_channels: str) -> None:
    x = images()
    found = explainer(of, over_channels=over_channels).run(x, target=[1, 0])
    assert found.scores.shape == (2, 3, 24, 20)
    ends = np.stack([np.full_like(x, 0), np.full_like(x, 0)], axis=1)
    ends[:, 0] += x.min((1, 2, 3), keepdims=True)
    ends[:, 1] += x.max((1, 2, 3), keepdims=True)
    references = {"references": de.references.per_sample(ends)} if of == "deeplift" else {}
    scores = network().explainer(of).run(x, target=[1, 0], **references).scores
    pixels = getattr(scores, over_channels)(axis=-1)
    for sample, image in enumerate(x):
        labels = Division(scales=(5, 40), sigma=0.8, min_size=8, size=None)(image)
        for target in range(2):
            expected = by_procedure(pixels[target, sample], masks_of(labels, 1), 6, 1.0)
            assert off(found.scores[target, sample], expected) < EXACT


def test_references_of_ones_own() -> None:
    x = images()
    default = explainer().run(x, target=0)
    zeros = explainer().run(x, target=0, references=0.0)
    assert default.settings["references"] == "black and white"
    assert zeros.settings["references"] == "constant(0)"
    assert off(zeros.scores, default.scores) > 1e-3
    with pytest.raises(InputError, match="xrai compares with no references"):
        explainer("gradient").run(x, target=0, references=0.0)


def test_batch_size_and_neighbours_change_nothing() -> None:
    x, made = images(4), explainer()
    whole = made.run(x, target="all").scores
    assert off(made.run(x, target="all", batch_size=1).scores, whole) < EXACT
    assert off(made.run(x[[2, 0]], target="all").scores, whole[:, [2, 0]]) < EXACT


def test_channels_first_images_have_the_same_maps() -> None:
    def made(first: bool) -> Any:
        data_format = "channels_first" if first else "channels_last"
        x = source = keras.Input((3, 24, 20) if first else (24, 20, 3))
        x = L.Conv2D(4, 5, activation="relu", data_format=data_format)(x)
        x = L.GlobalMaxPooling2D(data_format=data_format)(x)
        return keras.Model(source, L.Dense(2)(x))

    last, first = made(False), made(True)
    first.set_weights(last.get_weights())
    x = images()
    expected, found = (
        de.convert(one, dtype="float64")
        .explainer("xrai", of="deeplift", **SMALL)
        .run(data, target=1)
        for one, data in ((last, x), (first, np.moveaxis(x, -1, 1)))
    )
    assert np.abs(expected.scores).max() > 0
    assert off(found.scores, expected.scores) < EXACT


def test_the_region_that_the_target_reads_comes_first() -> None:
    """A network that sees red alone, and an image of a red and a blue square."""
    seeing = model()
    kernel = np.zeros((5, 5, 3, 4))
    kernel[:, :, 0, 0] = 1
    seeing.set_weights([kernel, np.zeros(4), np.eye(4, 2), np.zeros(2)])
    image = np.zeros((1, 24, 20, 3))
    image[0, 2:10, 2:10, 0] = image[0, 12:20, 8:16, 2] = 1
    found = de.convert(seeing).explainer("xrai", of="deeplift", **SMALL)
    scores = found.run(image, target=0, references=0.0).scores[0]
    red = np.zeros((24, 20), bool)
    red[2:10, 2:10] = True
    assert scores[red].min() > scores[~morphology.dilation(red, morphology.disk(1))].max()


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(InputError, match=r"divides images.*'conv'.* and is no input"):
        network().explainer("xrai", layers="conv")
    row = de.convert(keras.Sequential([keras.Input((12, 4)), L.Conv1D(3, 2), L.Flatten()]))
    with pytest.raises(InputError, match=r"divides images.*shape \(12, 4\)\. Name an image"):
        row.explainer("xrai")


def test_one_image_of_several_inputs_by_its_name() -> None:
    row, picture = keras.Input((4,), name="row"), keras.Input((24, 20, 3), name="picture")
    x = L.Flatten()(L.Conv2D(2, 5, activation="relu")(picture))
    net = de.convert(keras.Model([row, picture], L.Dense(1)(L.Concatenate()([row, x]))))
    with pytest.raises(InputError, match="'row' has shape"):
        net.explainer("xrai")
    data = [np.ones((3, 4)), images()]
    found = net.explainer("xrai", layers="picture", of="deeplift", **SMALL).run(data)
    assert found.scores.shape == (3, 24, 20)


def test_without_scikit_image_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(DeepliftEngineError, match=r"scikit-image.*deeplift_engine\[methods\]"):
        network().explainer("xrai")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scales": 50.0}, "a list of one or more, each a finite number above 0"),
        ({"scales": ()}, "a list of one or more"),
        ({"scales": (5, 0)}, r"above 0, not \(5, 0\)"),
        ({"size": "null"}, "each a whole number of 1 or more, or None, not 'null'"),
        ({"size": (9,)}, "a list of 2"),
        ({"dilation": -1}, "dilation is a whole number of 0 or more, not -1"),
        ({"area": 1.5}, "area is a finite number above 0 and at most 1"),
        ({"least": 0}, "least is a whole number of 1 or more"),
        ({"over_channels": "mean"}, "one of max, sum, not 'mean'"),
        ({"of": "deeplfit"}, "There is no method 'deeplfit'"),
        ({"of_options": {"rule": 1}}, "deeplift takes no option 'rule'"),
        ({"of": "grad_cam"}, "an image's elements, and 'grad_cam' gives maps"),
        ({"of": "smoothgrad", "of_options": {"of": "layer_cam"}}, "'smoothgrad' gives maps"),
    ],
)
def test_options_that_make_no_sense(options: Any, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        network().explainer("xrai", **({"of": "deeplift"} | SMALL | options))
