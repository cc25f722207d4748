"""XRAI beside PAIR's saliency on one model: with the same segments, scores or both."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.compat import saliency
from tests.helpers import off

L = keras.layers
SIZE, UNIT = (36, 32, 3), 1


@pytest.fixture(scope="module")
def peer() -> Any:
    """PAIR's package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("saliency.core")


@pytest.fixture(scope="module")
def network() -> de.Network:
    keras.utils.set_random_seed(0)
    x = source = keras.Input(SIZE)
    x = L.Conv2D(4, 5, activation="tanh")(x)
    return de.convert(keras.Model(source, L.Dense(2)(L.GlobalMaxPooling2D()(x))))


@pytest.fixture(scope="module")
def image() -> Any:
    """Rectangles of one colour each, on noise."""
    generator = np.random.default_rng(0)
    made = generator.normal(scale=0.05, size=SIZE)
    for _ in range(4):
        top, left = generator.integers(0, 24), generator.integers(0, 20)
        made[top : top + 12, left : left + 12] += generator.uniform(-1, 1, size=3)
    return made


@pytest.fixture(scope="module")
def call_model(peer: Any, network: de.Network) -> Any:
    """The model as PAIR calls it: gradients of the unit, by this engine."""
    explainer = network.explainer("gradient")

    def call(images: Any, call_model_args: Any = None, expected_keys: Any = None) -> dict[str, Any]:
        scores = explainer.run(np.asarray(images), target=UNIT, progress=False).scores
        return {peer.base.INPUT_OUTPUT_GRADIENTS: scores}

    return call


def parameters(module: Any, algorithm: str, **others: Any) -> Any:
    made = module.XRAIParameters(steps=60, algorithm=algorithm, **others)
    made.experimental_params["min_pixel_diff"] = 20
    return made


def segments() -> Any:
    """Masks that overlap, and leave some pixels out."""
    rows, columns = np.mgrid[0:36, 0:32]
    cells = [(rows // 9 == r) & (columns // 8 == c) for r in range(4) for c in range(3)]
    disks = [(rows - r) ** 2 + (columns - c) ** 2 < 60 for r, c in ((9, 9), (20, 16), (30, 8))]
    return [*cells, *disks]


@pytest.mark.parametrize("algorithm", ["full", "fast"])
def test_regions_of_the_same_scores_are_theirs(
    peer: Any, network: de.Network, image: Any, algorithm: str
) -> None:
    scores = np.random.default_rng(2).normal(size=SIZE)
    arguments = (image, None, None, None, segments(), scores, 1)
    mine = saliency.XRAI().GetMask(*arguments, parameters(saliency, algorithm))
    theirs = peer.XRAI().GetMask(*arguments, parameters(peer, algorithm))
    assert off(mine, theirs) < 1e-12
    assert len(np.unique(theirs)) > 10


def test_only_their_plain_mean_differs_in_integrated_gradients(
    peer: Any, network: de.Network, image: Any, call_model: Any
) -> None:
    """By the same segments; theirs is a mean of both ends and the points between."""
    model = saliency.model_function(network)
    own = {"segments": segments()}
    mine, theirs = (
        xrai.GetMaskWithDetails(
            image,
            call,
            {"class": UNIT},
            extra_parameters=parameters(module, "full", return_ig_attributions=True),
            batch_size=61,
            **own,
        )
        for xrai, call, module in (
            (saliency.XRAI(), model, saliency),
            (peer.XRAI(), call_model, peer),
        )
    )
    for end, expected in zip(mine.baselines, theirs.baselines, strict=True):
        np.testing.assert_array_equal(end, expected)
    rise = [network.predict(np.stack([image, end]))[:, UNIT] @ [1, -1] for end in mine.baselines]
    sums = [np.sum(each) for each in mine.ig_attribution]
    np.testing.assert_allclose(sums, rise, rtol=1e-3, atol=1e-4)
    assert 1e-5 < off(mine.ig_attribution[0], theirs.ig_attribution[0]) < 0.05
    assert 1e-5 < off(mine.attribution_mask, theirs.attribution_mask) < 0.05


@pytest.mark.slow
def test_images_are_divided_as_theirs(peer: Any, image: Any) -> None:
    scores = np.random.default_rng(3).normal(size=SIZE)
    mine, theirs = (
        module.XRAI().GetMask(image, None, None, None, None, scores, 1, parameters(module, "full"))
        for module in (saliency, peer)
    )
    assert off(mine, theirs) < 1e-12
    assert len(np.unique(theirs)) > 3
    ranks = [
        module.XRAI().GetMaskWithDetails(
            image,
            None,
            None,
            segments=segments(),
            base_attribution=scores,
            extra_parameters=parameters(module, "full", return_xrai_segments=True),
        )
        for module in (saliency, peer)
    ]
    rest = ~np.any(segments(), axis=0)
    covered = [np.argsort(np.argsort(found.segments[~rest])) for found in ranks]
    assert (ranks[1].segments[rest] == ranks[1].segments.max()).all()  # whatever their mean is
    assert len(covered[0]) == len(covered[1])
