"""Tokens are grown by their embeddings; grids and caricatures are grown along activations."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError
from deeplift_engine.visualize import Pixels, Tokens, activation_grid, maximize

L = keras.layers
WORDS = ["", "bad", "dull", "fine", "good", "not", "the", "was"]
LIKED = np.array([0.0, -2.0, -1.0, 1.0, 2.0, -0.5, 0.0, 0.1])
STILL = Pixels(fourier=False, colours=False, jitter=0, scale=0, rotate=0)


@functools.cache
def texts() -> de.Network:
    """The sum of what each word is worth, of which the embedding has a part in each direction."""
    source = keras.Input((6,), dtype="int32", name="words")
    embedding = L.Embedding(8, 4, name="embedding")
    head = L.Dense(1, use_bias=False)
    model = keras.Model(source, head(L.Flatten()(embedding(source))))
    rows = np.random.default_rng(0).normal(size=(8, 4))
    rows[:, 0] = LIKED
    kernel = np.zeros((6, 4))
    kernel[:, 0] = [1, 1, 1, -1, 1, 1]
    model.set_weights([rows, kernel.reshape(-1, 1)])
    return de.convert(model)


@functools.cache
def colours() -> de.Network:
    """Red, green and blue, each a channel."""
    source = keras.Input((6, 4, 3))
    conv = L.Conv2D(3, 1, use_bias=False, activation="relu", name="conv")
    model = keras.Model(source, L.Dense(2)(L.Flatten()(conv(source))))
    conv.set_weights([np.eye(3)[np.newaxis, np.newaxis]])
    return de.convert(model)


def test_the_best_tokens_are_found() -> None:
    """The fourth word counts against: the worst word stands there."""
    found = maximize(texts(), form=Tokens(words=WORDS), samples=2, steps=60)
    assert set(found.texts) == {"good good good bad good good"}
    np.testing.assert_allclose(found.values, 12, rtol=1e-5)
    assert (found.values >= found.history[0]).all()
    assert len(found.figure().axes[0].texts) == 4
    masked = dataclasses.replace(texts().inputs[0], padding=0)
    assert Tokens().numbers(masked).tolist() == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.slow
def test_fixed_positions_stay_and_others_are_chosen_of_those_allowed() -> None:
    start = np.array([[7, 7, 7, 7, 7, 7]])
    form = Tokens(allowed=[2, 3, 7], fixed=[0])
    found = maximize(texts(), form=form, x=start, steps=40)
    np.testing.assert_array_equal(found.inputs, [[7, 3, 3, 2, 3, 3]])
    assert found.texts == ["7 3 3 2 3 3"]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (Tokens(allowed=[9]), "expected numbers from 0 to 7"),
        (Tokens(allowed=[0.5]), "expected numbers from 0 to 7"),
        (Tokens(fixed=[6]), "outside of 6 positions"),
        (Pixels(), "takes tokens"),
    ],
)
def test_what_are_no_tokens_is_refused(form: Any, text: str) -> None:
    with pytest.raises(InputError, match=text):
        maximize(texts(), form=form, steps=1)
    with pytest.raises(InputError, match="is looked up in no embedding"):
        maximize(colours(), units=0, form=Tokens(), steps=1)


@pytest.mark.slow
def test_a_grid_shows_what_a_layer_does_at_each_position() -> None:
    """Of an image of a red and a blue half, and one row of nothing."""
    x = np.zeros((1, 6, 4, 3))
    x[0, :3, :, 0], x[0, 3:5, :, 2] = 0.5, 0.8
    grid = activation_grid(colours(), x, "conv", grid=6, form=STILL, steps=10)
    rows = grid.cells[:, 0]
    assert rows.max() == 4
    assert len(grid.cells) == 20
    grown = grid.grown.inputs[:, 0, 3, 2]
    np.testing.assert_array_equal(grown.argmax(axis=1), np.where(rows < 3, 0, 2))
    means = activation_grid(colours(), x, "conv", grid=2, form=STILL, steps=1).activations
    np.testing.assert_allclose(means[0], [0.5, 0, 0], atol=1e-6)
    np.testing.assert_allclose(means[2], [0, 0, 0.8 * 2 / 3], atol=1e-6)
    assert len(grid.figure().axes[0].images) == 20
    with pytest.raises(InputError, match="one of a single sample"):
        activation_grid(colours(), np.repeat(x, 2, 0), "conv")
    with pytest.raises(InputError, match="is 0 everywhere"):
        activation_grid(colours(), 0 * x, "conv")


@pytest.mark.slow
def test_a_caricature_grows_along_the_activations_of_each_image() -> None:
    """Weights of each sample's own: what it has of each colour is made more of."""
    x = np.random.default_rng(0).uniform(size=(2, 6, 4, 3))
    units = de.targets.weights(colours().activations(x, "conv")["conv"] - 0.5)
    found = maximize(colours(), "conv", units=units, samples=2, form=STILL, steps=60)
    np.testing.assert_array_equal(found.inputs > 0.5, x > 0.5)
