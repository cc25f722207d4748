"""The activation atlas: cells are means of activations, and what is grown goes along them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError

L = keras.layers


@pytest.fixture(scope="module")
def network() -> de.Network:
    """Channels of red, green and blue alone, and the classes that they are."""
    source = keras.Input((5, 5, 3))
    conv = L.Conv2D(3, 1, activation="relu", name="conv")
    head = L.Dense(3, name="classes")
    model = keras.Model(source, head(L.GlobalAveragePooling2D()(conv(source))))
    conv.set_weights([np.eye(3)[np.newaxis, np.newaxis], np.zeros(3)])
    head.set_weights([np.eye(3), np.zeros(3)])
    return de.convert(model)


def images(count: int = 60) -> tuple[Any, Any]:
    """Images of one colour each, of another strength at each pixel."""
    generator = np.random.default_rng(0)
    colours = generator.integers(3, size=count)
    strong = generator.uniform(0.7, 1, size=(count, 5, 5, 1))
    return np.eye(3)[colours][:, None, None] * strong, colours


@pytest.mark.slow
@pytest.mark.parametrize("projection", ["pca", pytest.param("tsne", marks=pytest.mark.thorough)])
def test_cells_are_means_and_images_go_along_them(network: de.Network, projection: str) -> None:
    x, colours = images()
    form = de.visualize.Pixels(jitter=0, scale=0, rotate=0, colours=False, fourier=False)
    atlas = de.visualize.activation_atlas(
        network, x, "conv", grid=3, projection=projection, form=form, steps=20, progress=False
    )
    assert atlas.counts.sum() <= len(x)
    assert len({*map(tuple, atlas.cells)}) == len(atlas.cells) >= 3
    top = atlas.activations.argmax(axis=1)
    assert {*top} == {0, 1, 2}
    np.testing.assert_array_equal(atlas.outputs.argmax(axis=1), top)
    middle = atlas.grown.inputs[:, 0, 2, 2]
    np.testing.assert_array_equal(middle.argmax(axis=1), top)
    assert (atlas.grown.values > atlas.grown.history[0]).all()
    places = [atlas.coordinates[colours == colour].mean(axis=0) for colour in range(3)]
    spread = max(atlas.coordinates[colours == colour].std(axis=0).max() for colour in range(3))
    apart = min(np.linalg.norm(places[i] - places[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert apart > spread
    panel = atlas.figure().axes[0]
    assert len(panel.images) == len(atlas.cells)


def test_an_atlas_needs_samples(network: de.Network) -> None:
    x, _ = images(4)
    with pytest.raises(InputError, match="2 samples"):
        de.visualize.activation_atlas(network, x[:2], "conv")
    with pytest.raises(InputError, match="No cell has 9 activations"):
        de.visualize.activation_atlas(network, x, "conv", least=9)
    with pytest.raises(InputError, match="projection is one of pca, tsne"):
        de.visualize.activation_atlas(network, x, "conv", projection="umap")
