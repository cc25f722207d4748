"""While a model trains, scores are those of its weights of that moment; nothing is traced."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812
from PIL import Image

import deeplift_engine as de
from deeplift_engine.errors import InputError, OutputError
from tests.helpers import off

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3)).astype("uint8")
LABELS = np.arange(6) % 2


def image_model() -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            L.Conv2D(4, 3, strides=2, padding="same"),
            L.BatchNormalization(),
            L.ReLU(),
            L.DepthwiseConv2D(3, activation="relu"),
            L.Flatten(),
            L.Dense(5, activation="tanh"),
            L.Dense(2, activation="softmax", name="classes"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", ["deeplift", pytest.param("integrated_gradients", marks=pytest.mark.thorough)]
)
def test_refilled_functions_give_what_new_ones_give(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = image_model()
    x = (PIXELS / 255).astype("float32")
    explainer = de.training.RefilledExplainer(model, method, target="classes:1")
    before = explainer.run(x).scores
    assert explainer.refills
    for _ in range(2):
        model.fit(x, LABELS, verbose=0)
        with monkeypatch.context() as patch:
            traced = traces(patch)
            after = explainer.run(x)
            assert traced == []
            expected = de.convert(model).explainer(method, target="classes:1").run(x)
            assert traced
        assert off(after.scores, expected.scores) < 1e-4
        assert off(after.predictions, model.predict(x, verbose=0)) < 1e-5
        assert off(after.scores, before) > 1e-2


def traces(patch: pytest.MonkeyPatch) -> list[str]:
    """Names of functions that are made to be traced from now on."""
    traced: list[str] = []
    real = tf.function

    def function(f: Any, *args: Any, **kwargs: Any) -> Any:
        traced.append(f.__name__)
        return real(f, *args, **kwargs)

    patch.setattr(tf, "function", function)
    return traced


@pytest.mark.slow
def test_what_cannot_be_followed_is_made_anew() -> None:
    model = image_model()
    x = (PIXELS / 255).astype("float32")
    explainer = de.training.RefilledExplainer(model, "lrp_epsilon", target="classes:1")
    explainer.run(x)
    assert explainer.refills is False  # kernels and batch norm are multiplied
    model.fit(x, LABELS, verbose=0)
    expected = de.convert(model).explainer("lrp_epsilon", target="classes:1").run(x)
    assert off(explainer.run(x).scores, expected.scores) < 1e-4


@pytest.mark.slow
def test_a_callback_writes_pictures_and_tensorboard_s_images(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), L.Conv2D(2, 3, activation="relu"), L.Flatten(),
         L.Dense(2, activation="softmax", name="classes")]
    )  # fmt: skip
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    pictures = de.images.read(PIXELS[:2], preprocess="unit")
    callback = de.training.ScoreCallback(
        pictures, target="classes:1", references=pictures.black(), every=2,
        folder=tmp_path / "pictures", log_dir=tmp_path / "log",
    )  # fmt: skip
    x = (PIXELS / 255).astype("float32")
    model.fit(x, LABELS, epochs=4, verbose=0, callbacks=[callback])
    names = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert names == ["contributions_0002.png", "contributions_0004.png"]
    expected = de.convert(model).explainer(target="classes:1").run(pictures)
    assert callback.result is not None
    assert off(callback.result.scores, expected.scores) < 1e-4
    # statement 48: the log has the picture itself, not scaled by its own range
    (log,) = (tmp_path / "log").iterdir()
    logged = list(events(log))
    assert [event.step for event in logged if event.summary.value] == [2, 4]
    (value,) = logged[-1].summary.value
    width, height, content = tf.make_ndarray(value.tensor)
    assert value.metadata.plugin_data.plugin_name == "images"
    assert content == (tmp_path / "pictures" / names[1]).read_bytes()
    with Image.open(tmp_path / "pictures" / names[1]) as picture:
        assert picture.size == (int(width), int(height))


def events(path: Path) -> Any:
    """The events of a log: records of a length, its checksum, the event, its checksum."""
    content = path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        yield tf.compat.v1.Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]


def test_arguments_that_say_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="say draw="):
        de.training.ScoreCallback(PIXELS, folder=tmp_path)
    with pytest.raises(InputError, match="every=0"):
        de.training.ScoreCallback(PIXELS, every=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file is a file; name a folder"):
        de.training.ScoreCallback(PIXELS, folder=tmp_path / "file", draw=lambda result: None)
