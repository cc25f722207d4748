"""Models that begin with layers of text, numbers of words or bins, and the networks behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError, UnsupportedModelError
from tests.helpers import off

TEXTS = np.array(["good\u2028film nel\x85 yes", "a bad bad film", "good"], object)
COLOURS = np.array(["red", "blue", "pink"], object)[:, np.newaxis]


@pytest.fixture(scope="module")
def mixed() -> Any:
    """Inputs with keys, of text, of a column of words, of numbers in bins, and of plain numbers."""
    keras.utils.set_random_seed(0)
    inputs = {
        "text": keras.Input((), dtype="string", name="text"),
        "colour": keras.Input((1,), dtype="string", name="colour"),
        "size": keras.Input((1,), name="size"),
        "plain": keras.Input((3,), name="plain"),
    }
    # 15: folders go by class, in the order of the model's layers
    second = keras.layers.TextVectorization(output_sequence_length=4, name="tv2")
    first = keras.layers.TextVectorization(output_sequence_length=3, ngrams=2, name="tv1")
    colour = keras.layers.StringLookup(output_mode="one_hot", name="colours")
    second.adapt(TEXTS)
    first.adapt(TEXTS[::-1])
    colour.adapt(COLOURS)
    bins = keras.layers.Discretization([0.0, 1.0], output_mode="one_hot", name="bins")
    if bins(inputs["size"]).shape[-1] != 3:  # of Keras 3.13, which gives 3 all the same
        pytest.skip("this Keras tells another shape of one-hot bins than it gives")
    pieces = [
        keras.layers.Flatten()(keras.layers.Embedding(12, 3)(second(inputs["text"]))),
        keras.layers.Flatten()(keras.layers.Embedding(30, 3)(first(inputs["text"]))),
        colour(inputs["colour"]),
        bins(inputs["size"]),
        inputs["plain"],
    ]
    joined = keras.layers.Concatenate()(pieces)
    return keras.Model(inputs, keras.layers.Dense(2, activation="tanh")(joined))


def behind(model: Any) -> dict[str, Any]:
    """What the layers that are cut off give."""
    layers = {name: model.get_layer(name) for name in ("tv2", "tv1", "colours", "bins")}
    size = np.array([[-1.0], [0.0], [3.0]], "float32")
    return {
        "tv2": np.asarray(layers["tv2"](TEXTS)),
        "tv1": np.asarray(layers["tv1"](TEXTS)),
        "colours": np.asarray(layers["colours"](COLOURS)),
        "bins": np.asarray(layers["bins"](size)),
        "plain": np.arange(9, dtype="float32").reshape(3, 3),
    }


@pytest.mark.parametrize("form", ["zip", "folder", "memory"])
def test_a_model_is_cut_behind_its_lookups(mixed: Any, form: str, tmp_path: Path) -> None:
    if form == "memory":
        network = de.convert(mixed)
    else:
        path = tmp_path / ("model.keras" if form == "zip" else "model")
        mixed.save(path, zipped=form == "zip")
        network = de.load(path)
    assert set(network.spec.fronts) == {"tv2", "tv1", "colours", "bins"}
    for name in ("tv2", "tv1", "colours"):  # 15, 16
        expected = mixed.get_layer(name).get_vocabulary()
        assert network.spec.fronts[name].config["vocabulary"] == expected
    inputs = behind(mixed)
    data = {info.name: inputs[info.layer or info.name] for info in network.inputs}
    raw = {
        "text": TEXTS,
        "colour": COLOURS,
        "size": np.array([[-1.0], [0.0], [3.0]], "float32"),
        "plain": inputs["plain"],
    }
    tensors = {name: keras.ops.convert_to_tensor(value) for name, value in raw.items()}
    assert off(network.predict(data), np.asarray(mixed(tensors))) < 1e-6
    # 16: Keras reads a file with such words otherwise than it wrote it, and may refuse it
    assert network.verify(data).ok in ((True,) if form == "memory" else (True, None))


def test_inputs_that_are_cut_off_one_by_one_keep_their_keys(tmp_path: Path) -> None:
    text, plain = keras.Input((1,), dtype="string", name="text"), keras.Input((2,), name="plain")
    vector = keras.layers.TextVectorization(output_sequence_length=4, vocabulary=["good", "bad"])
    flat = keras.layers.Flatten()(keras.layers.Embedding(4, 2)(vector(text)))
    model = keras.Model(
        {"text": text, "plain": plain},
        keras.layers.Dense(1)(keras.layers.Concatenate()([flat, plain])),
    )
    model.save(tmp_path / "model.keras")
    network = de.load(tmp_path / "model.keras")
    assert {info.name: info.layer for info in network.inputs}["text"] == vector.name
    x = {"text": np.asarray(vector(TEXTS)), "plain": np.ones((3, 2), "float32")}
    assert network.verify(x).ok


def test_a_nested_vocabulary_is_that_of_its_folder(tmp_path: Path) -> None:  # 15
    vector = keras.layers.TextVectorization(output_sequence_length=4)
    vector.adapt(TEXTS)
    reader = keras.Sequential([keras.Input((), dtype="string"), vector])
    model = keras.Sequential(
        [reader, keras.layers.Embedding(12, 2), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.save(tmp_path / "model.keras")
    network = de.load(tmp_path / "model.keras")
    (front,) = network.spec.fronts.values()
    assert front.config["vocabulary"] == vector.get_vocabulary()
    tokens = np.asarray(vector(TEXTS))
    expected = tokens
    for layer in model.layers[1:]:
        expected = layer(expected)
    assert off(network.predict(tokens), np.asarray(expected)) < 1e-6


def test_a_model_begins_behind_a_layer_that_is_named(tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input((6, 2)),
            keras.layers.Conv1D(3, 2, name="features"),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    path = tmp_path / "model.keras"
    model.save(path)
    x = np.random.default_rng(0).normal(size=(4, 6, 2)).astype("float32")
    features = np.asarray(model.layers[0](x))
    for chosen in ("features", ["features"], {"features": (5, 3)}, {"features": None}):
        network = de.load(path, behind=chosen)
        assert [(info.name, info.shape) for info in network.inputs] == [("features", (5, 3))]
    assert off(network.predict(features), np.asarray(model(x))) < 1e-6
    assert network.verify(features).ok
    with pytest.raises(InputError, match=r"no such layer. Near it: features"):
        de.load(path, behind="feature")


def test_a_shape_that_cannot_be_told_is_asked_for(tmp_path: Path) -> None:
    crossed = keras.layers.HashedCrossing(8, output_mode="one_hot", name="crossed")
    a, b = keras.Input((1,), dtype="string"), keras.Input((1,), dtype="int64")
    out = keras.layers.Dense(1)(crossed((a, b)))
    path = tmp_path / "model.keras"
    keras.Model([a, b], out).save(path)
    with pytest.raises(UnsupportedModelError, match="behind='crossed'"):
        de.load(path)
    assert de.load(path, behind="crossed").inputs[0].shape == (8,)
    unknown = keras.layers.Lambda(lambda x: x[:, :2], name="unknown")
    x = keras.Input((3,))
    keras.Model(x, keras.layers.Dense(1)(unknown(x))).save(tmp_path / "other.keras")
    with pytest.raises(UnsupportedModelError, match=r"is not in the file\. Say it"):
        de.load(tmp_path / "other.keras", behind="unknown")
    assert de.load(tmp_path / "other.keras", behind={"unknown": (2,)}).inputs[0].shape == (2,)
