"""Quantised weights and LoRA, of files and of models in memory: as Keras computes, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.errors import UnsupportedModelError
from tests.helpers import needs_keras

RANDOM = np.random.default_rng(0)
pytestmark = pytest.mark.filterwarnings("ignore")


def tokens() -> Any:
    source = L.Input((4,), dtype="int32")
    x = L.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d")(
        L.Embedding(7, 6)(source)
    )
    x = L.EinsumDense("abd,edf->abef", output_shape=(None, 2, 3))(x)
    return keras.Model(source, L.Dense(3, activation="relu")(L.GlobalAveragePooling2D()(x)))


def sequence() -> Any:
    source = L.Input((8, 4))
    x = L.Conv1D(5, 3, activation="relu", use_bias=False)(source)
    return keras.Model(source, L.Dense(3)(L.Dense(7)(x)))


def data(model: Any) -> Any:
    shape = (5, *model.inputs[0].shape[1:])
    if model.inputs[0].dtype == "int32":
        return RANDOM.integers(0, 7, shape)
    return RANDOM.normal(size=shape).astype("float32")


def check(model: Any, directory: Path, *suffixes: str) -> None:
    x = data(model)
    expected = model.predict(x, verbose=0)
    networks = [de.convert(model)]
    for suffix in suffixes:
        model.save(directory / f"model{suffix}")
        networks.append(de.load(directory / f"model{suffix}"))
    for network in networks:
        np.testing.assert_allclose(network.predict(x), expected, rtol=1e-5, atol=1e-6)


LORA: dict[str, Callable[[], Any]] = {
    "Dense": lambda: L.Dense(4),
    "Conv1D": lambda: L.Conv1D(4, 3),
    "EinsumDense": lambda: L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="e"),
    "Embedding": lambda: L.Embedding(7, 3),
}


@pytest.mark.parametrize("alpha", [None, 3.0])
@pytest.mark.parametrize("name", LORA)
def test_a_product_of_low_rank_is_part_of_the_kernel(
    name: str, alpha: float | None, tmp_path: Path
) -> None:
    layer = LORA[name]()
    source = L.Input((6,), dtype="int32") if name == "Embedding" else L.Input((6, 3))
    model = keras.Model(source, layer(source))
    layer.enable_lora(2, lora_alpha=alpha)
    for variable in layer.trainable_variables:
        variable.assign(RANDOM.normal(size=variable.shape))
    check(model, tmp_path, ".keras", ".h5")


@needs_keras("3.15")
@pytest.mark.parametrize("build", [tokens, sequence])
@pytest.mark.parametrize("block", [None, 4, 128, -1, 0])
def test_quantised_weights_are_read(
    build: Callable[[], Any], block: int | None, tmp_path: Path
) -> None:
    from keras import quantizers

    model = build()
    if block == 0:
        config: Any = quantizers.Int8QuantizationConfig(activation_quantizer=None)
    else:
        config = quantizers.Int4QuantizationConfig(block_size=block or 8)
    kinds = (L.Dense, L.Embedding, *((L.EinsumDense,) if block == 0 else ()))
    for layer in model._flatten_layers():
        if isinstance(layer, kinds):
            layer.quantize(config=config)
    check(model, tmp_path, ".keras", ".h5")


@needs_keras("3.15")
@pytest.mark.parametrize("mode", ["int8", "float8"])
def test_quantised_activations_are_refused_in_a_row(mode: str, tmp_path: Path) -> None:
    model = sequence()
    model.quantize(mode)
    for suffix in (".keras", ".h5"):
        model.save(tmp_path / f"model{suffix}")
        with pytest.raises(UnsupportedModelError, match=rf"quantised numbers \({mode}\)"):
            de.load(tmp_path / f"model{suffix}")
        assert mode in str(de.coverage(tmp_path / f"model{suffix}"))
    with pytest.raises(UnsupportedModelError, match=mode):
        de.convert(model)


@needs_keras("3.15")
def test_a_wrapped_layer_is_refused_which_keras_computes_without_scales() -> None:
    source = L.Input((4, 6))
    model = keras.Model(source, L.TimeDistributed(L.Dense(3))(source))
    model.quantize("int4")
    with pytest.raises(UnsupportedModelError, match=r"quantised numbers \(int4"):
        de.convert(model)


@needs_keras("3.15")
@pytest.mark.parametrize("mode", ["int8", "int4"])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_quantised_layers_within_others_are_rows(mode: str, suffix: str, tmp_path: Path) -> None:
    source = L.Input((4, 6))
    model = keras.Model(source, L.MultiHeadAttention(2, 3, name="mha")(source, source))
    model.quantize(mode)
    model.save(tmp_path / f"model{suffix}")
    with pytest.raises(UnsupportedModelError, match=r"quantised numbers \(the layers within it\)"):
        de.load(tmp_path / f"model{suffix}")
    rows = de.coverage(tmp_path / f"model{suffix}").rows
    assert [row.status for row in rows if row.layer == "mha"] == ["refused"]
