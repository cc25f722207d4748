"""Layers within one's own layer: their arrays by the folders of `.keras` files of any version."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from tests.helpers import off

RANDOM = np.random.default_rng(0)


class Encoder(L.Layer):
    """Attention, a recurrent layer and a model within a layer."""

    def __init__(self, use_bias: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.mha = L.MultiHeadAttention(2, 3, use_bias=use_bias)
        self.rnn = L.LSTM(4, return_sequences=True, use_bias=use_bias)
        self.dense = keras.Sequential([L.Dense(6, use_bias=use_bias), L.LayerNormalization()])

    def call(self, x: Any) -> Any:
        return self.rnn(self.dense(self.mha(x, x)))

    def build(self, shape: Any) -> None:
        self.mha.build(shape, shape)
        self.dense.build(shape)
        self.rnn.build((*shape[:-1], 6))


def encoder(layer: Any) -> Any:
    attention = {"num_heads": 2, "key_dim": 3, "weights": layer.part("mha")}
    x = layer.apply("MultiHeadAttention", layer.input, layer.input, layer.input, **attention)
    x = layer.apply("Dense", x, weights=layer.part("dense/layers/dense"))
    norm = layer.part("dense/layers/layer_normalization")
    x = layer.apply("LayerNormalization", x, weights=norm)
    return layer.apply("LSTM", x, units=4, return_sequences=True, weights=layer.part("rnn"))


def renamed(path: Path, names: dict[str, str]) -> None:
    """Give folders of a file the names of another version."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(members["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        for old, new in names.items():
            file.move(f"layers/encoder/{old}", f"layers/encoder/{new}")
    members["model.weights.h5"] = weights.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("version", ["2.13", "2.15", "3"])
def test_inner_layers_are_parts(version: str, use_bias: bool, tmp_path: Path) -> None:
    source = keras.Input((4, 3))
    model = keras.Model(source, L.Dense(2)(L.Flatten()(Encoder(use_bias, name="own")(source))))
    for variable in model.trainable_variables:
        variable.assign(RANDOM.uniform(-1, 1, size=variable.shape))
    path = tmp_path / "m.keras"
    model.save(path)
    heads = ("query", "key", "value", "output")
    names = {f"mha/{name}_dense": f"mha/_{name}_dense" for name in heads}
    if version == "2.13":
        names["dense/layers"] = "dense/_layer_checkpoint_dependencies"
    if version != "3":
        renamed(path, names)
    network = de.load(path, layers={"Encoder": encoder})
    x = RANDOM.normal(size=(3, 4, 3)).astype("float32")
    assert off(network.predict(x), model.predict(x, verbose=0)) < 1e-5
