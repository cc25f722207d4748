"""Every class that Keras has is attributed through, or refused with a reason."""

from __future__ import annotations

import inspect
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.errors import UnsupportedModelError
from deeplift_engine.translate.build_graph import TRANSLATORS
from deeplift_engine.translate.refused import REFUSED
from tests.helpers import needs_keras, off

IN_NO_FILE = {
    "InputSpec",  # no layer
    "Layer",  # what others are derived from
    "Wrapper",
    "Lambda",  # refused by what it holds
    "Pipeline",  # read as the layers in it
}


def classes() -> set[str]:
    """Names under which Keras saves its layers; an alias is another name of the same class."""
    public = (getattr(L, name) for name in dir(L))
    return {thing.__name__ for thing in public if inspect.isclass(thing)}


@needs_keras("3.14")
def test_every_class_of_keras_has_a_translator_or_a_reason() -> None:
    known = set(TRANSLATORS) | set(REFUSED) | IN_NO_FILE
    renamed = {"GroupedQueryAttention": "GroupQueryAttention"}
    assert {renamed.get(name, name) for name in classes()} - known == set()
    assert set(REFUSED) & set(TRANSLATORS) == set()
    assert set(REFUSED) <= classes()


@pytest.mark.parametrize("name", REFUSED)
def test_reasons_are_sentences(name: str) -> None:
    reason, advice = REFUSED[name]
    assert reason[0].islower()
    assert not reason.endswith(".")
    assert advice.endswith(".")


def test_a_refused_layer_is_named_with_its_reason(tmp_path: Path) -> None:
    x = source = keras.Input((6, 5, 3))
    x = L.AutoContrast(name="stretched")(x)
    keras.Model(source, L.Dense(2)(L.Flatten()(x))).save(tmp_path / "m.keras")
    with pytest.raises(
        UnsupportedModelError,
        match=r"stretched \(AutoContrast\): stretches every image by its own .* Apply it to the",
    ):
        de.load(tmp_path / "m.keras")


def test_a_pipeline_is_its_layers(tmp_path: Path) -> None:
    x = source = keras.Input((6, 5, 3))
    x = L.Pipeline([L.Rescaling(0.5), L.RandomFlip(), L.Resizing(4, 4), L.CenterCrop(2, 3)])(x)
    model = keras.Model(source, L.Dense(2)(L.Flatten()(x)))
    model.save(tmp_path / "m.keras")
    images = np.random.default_rng(0).random((2, 6, 5, 3)).astype("float32")
    for network in (de.load(tmp_path / "m.keras"), de.convert(model)):
        assert off(network.predict(images), model.predict(images, verbose=0)) < 1e-6
