"""Every weight-bearing layer, saved by Keras 3 in each container, comes out the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deeplift_conversion import ModelConfigError, ModelSpec, read_config, read_model
from tests.conversion.conversion_files import every_array, layer_arrays, layout

keras = pytest.importorskip("keras")
L = keras.layers

SEQUENCE, IMAGE, VOLUME = (8, 4), (8, 6, 2), (5, 6, 7, 2)
CASES: dict[str, tuple[tuple[int, ...], Callable[[], Any]]] = {
    "dense": (SEQUENCE, lambda: L.Dense(3)),
    "dense without bias": (SEQUENCE, lambda: L.Dense(3, use_bias=False)),
    "einsum": (
        SEQUENCE,
        lambda: L.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d"),
    ),
    "conv1d groups": (SEQUENCE, lambda: L.Conv1D(6, 3, groups=2)),
    "conv2d": (IMAGE, lambda: L.Conv2D(3, (2, 3))),
    "conv3d": (VOLUME, lambda: L.Conv3D(3, 2)),
    "depthwise 1d": (SEQUENCE, lambda: L.DepthwiseConv1D(3, depth_multiplier=2)),
    "depthwise 2d": (IMAGE, lambda: L.DepthwiseConv2D(3)),
    "separable 1d": (SEQUENCE, lambda: L.SeparableConv1D(3, 3)),
    "separable 2d": (IMAGE, lambda: L.SeparableConv2D(3, 3, use_bias=False)),
    "transposed 1d": (SEQUENCE, lambda: L.Conv1DTranspose(3, 3)),
    "transposed 2d": (IMAGE, lambda: L.Conv2DTranspose(3, 3)),
    "transposed 3d": (VOLUME, lambda: L.Conv3DTranspose(3, 3)),
    "spectrogram": (SEQUENCE, lambda: L.STFTSpectrogram(frame_length=4)),
    "spectrogram, one part": (SEQUENCE, lambda: L.STFTSpectrogram("imag", frame_length=4)),
    "batch norm": (SEQUENCE, lambda: L.BatchNormalization()),
    "batch norm no scale": (SEQUENCE, lambda: L.BatchNormalization(scale=False)),
    "batch norm no center": (SEQUENCE, lambda: L.BatchNormalization(center=False)),
    "batch norm bare": (SEQUENCE, lambda: L.BatchNormalization(center=False, scale=False)),
    "batch norm frozen": (SEQUENCE, lambda: L.BatchNormalization(trainable=False)),
    "layer norm": (SEQUENCE, lambda: L.LayerNormalization()),
    "layer norm two axes": (SEQUENCE, lambda: L.LayerNormalization(center=False, axis=[1, 2])),
    "group norm": (SEQUENCE, lambda: L.GroupNormalization(2)),
    "rms norm": (SEQUENCE, lambda: L.RMSNormalization()),
    "normalization": (SEQUENCE, lambda: L.Normalization()),
    "normalization fixed": (SEQUENCE, lambda: L.Normalization(mean=1.0, variance=2.0)),
    "prelu": (SEQUENCE, lambda: L.PReLU(shared_axes=[1])),
    "embedding": ((8,), lambda: L.Embedding(9, 3)),
    "simple rnn": (SEQUENCE, lambda: L.SimpleRNN(3)),
    "lstm": (SEQUENCE, lambda: L.LSTM(3, dropout=0.1)),
    "gru": (SEQUENCE, lambda: L.GRU(3)),
    "gru reset before": (SEQUENCE, lambda: L.GRU(3, reset_after=False)),
    "rnn of a cell": (SEQUENCE, lambda: L.RNN(L.LSTMCell(3))),
    "rnn of cells": (SEQUENCE, lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2), L.LSTMCell(2)])),
    "bidirectional": (SEQUENCE, lambda: L.Bidirectional(L.LSTM(3), merge_mode="sum")),
    "bidirectional of two": (
        SEQUENCE,
        lambda: L.Bidirectional(L.GRU(3), backward_layer=L.GRU(2, go_backwards=True)),
    ),
    "conv lstm 1d": ((3, 8, 4), lambda: L.ConvLSTM1D(2, 3)),
    "conv lstm 2d": ((3, 8, 8, 4), lambda: L.ConvLSTM2D(2, 3)),
    "time distributed": (SEQUENCE, lambda: L.TimeDistributed(L.Dense(2))),
    "time distributed model": (
        (3, 8, 4),
        lambda: L.TimeDistributed(
            keras.Sequential(
                [L.Conv1D(2, 3), L.BatchNormalization(), L.Flatten(), L.Dense(2)],
            )
        ),
    ),
    "spectral norm": (SEQUENCE, lambda: L.SpectralNormalization(L.Conv1D(3, 3))),
}


def randomise(model: Any) -> None:
    generator = np.random.default_rng(1)
    for weight in model.weights:
        if "float" in str(weight.dtype):
            weight.assign(generator.normal(size=weight.shape).astype("float32"))


def every_way(model: Any, folder: Path) -> dict[str, ModelSpec]:
    """The model read from each container, and live."""
    randomise(model)
    model.save(folder / "m.keras")
    model.save_weights(folder / "m.weights.h5")
    (folder / "m.json").write_text(model.to_json())
    weights_by_layer = {
        layer.name: [(w.path, w.numpy()) for w in layer.weights] for layer in model.layers
    }
    specs = {
        "keras": read_model(folder / "m.keras"),
        "weights": read_model(folder / "m.weights.h5", folder / "m.json"),
        "live": read_config(
            json.loads(model.to_json()), weights_by_layer, keras_version=keras.__version__
        ),
    }
    try:
        model.save(folder / "m.h5")
    except ValueError:  # Keras cannot write two weights of one name: a frozen Bidirectional
        return specs
    return {**specs, "h5": read_model(folder / "m.h5")}


def check(model: Any, folder: Path) -> ModelSpec:
    specs = every_way(model, folder)
    expected = sorted(np.asarray(w.numpy(), "float64").tobytes() for w in model.weights)
    for how, spec in specs.items():
        met = sorted(np.asarray(values, "float64").tobytes() for values in every_array(spec))
        assert met == expected, how
        assert layout(spec) == layout(specs["keras"]), how
    return specs["keras"]


@pytest.fixture(scope="module")
def all_layers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, ModelSpec]]:
    """One model of all cases, so that saving costs once."""
    keras.backend.clear_session()
    inputs = {shape: keras.Input(shape) for shape in sorted({shape for shape, _ in CASES.values()})}
    outputs = []
    for case, (shape, make) in CASES.items():
        layer = make()
        layer.name = case.replace(" ", "_")
        outputs.append(layer(inputs[shape]))
    model = keras.Model(list(inputs.values()), outputs)
    return model, every_way(model, tmp_path_factory.mktemp("all"))


@pytest.mark.parametrize("case", CASES)
def test_every_layer_has_keras_own_arrays_in_every_container(
    case: str, all_layers: tuple[Any, dict[str, ModelSpec]]
) -> None:
    model, specs = all_layers
    layer = model.get_layer(case.replace(" ", "_"))
    expected = sorted(np.asarray(w.numpy(), "float64").tobytes() for w in layer.weights)
    layer_layout = [entry for entry in layout(specs["keras"]) if entry[0] == layer.name]
    assert len(layer_layout) == 1
    assert len(specs) == 4
    for how, spec in specs.items():
        layer_spec = spec.layers[layer.name]
        met = sorted(np.asarray(values, "float64").tobytes() for values in layer_arrays(layer_spec))
        assert met == expected, how
        assert [entry for entry in layout(spec) if entry[0] == layer.name] == layer_layout, how


@pytest.mark.parametrize("layer", [lambda: L.LSTM(3), lambda: L.GRU(2)])
def test_a_frozen_wrapper_is_read(layer: Callable[[], Any], tmp_path: Path) -> None:
    keras.backend.clear_session()
    inputs = keras.Input(SEQUENCE)
    check(keras.Model(inputs, L.Bidirectional(layer(), trainable=False)(inputs)), tmp_path)


def test_what_a_call_says_of_training_does_not_count(tmp_path: Path) -> None:
    """Keras 3 predicts with training=False in every layer, and saves True where it is a default."""
    keras.backend.clear_session()
    source = keras.Input((4, 4, 2))
    x = L.Dropout(0.5, name="explicit")(L.RandomFlip(name="default")(source), training=True)
    for how, spec in every_way(keras.Model(source, x), tmp_path).items():
        assert [dict(node.arguments) for node in spec.nodes] == [{}, {}, {}], how


def two_inputs() -> tuple[Any, Any]:
    keras.backend.clear_session()
    return keras.Input(SEQUENCE, name="a"), keras.Input((5, 4), name="b")


def test_attention_layers_have_their_arrays_by_role(tmp_path: Path) -> None:
    a, b = two_inputs()
    layer = L.MultiHeadAttention(2, 3, value_dim=5, name="mha")
    spec = check(keras.Model([a, b], layer(a, b)), tmp_path)
    weights = spec.layers["mha"].weights
    np.testing.assert_array_equal(weights["query_kernel"], layer.query_dense.kernel.numpy())
    np.testing.assert_array_equal(weights["value_bias"], layer.value_dense.bias.numpy())
    np.testing.assert_array_equal(weights["output_kernel"], layer.output_dense.kernel.numpy())
    assert [ref.node for ref in spec.nodes[-1].inputs] == ["a", "b", "b"]
    for make in (
        lambda: L.MultiHeadAttention(2, 3, use_bias=False)(a, b, key=b),
        lambda: L.GroupQueryAttention(4, 4, 2)(a, b),
        lambda: L.Attention(use_scale=True, score_mode="concat")([a, b]),
        lambda: L.AdditiveAttention()([a, b]),
    ):
        check(keras.Model([a, b], make()), tmp_path)


def test_arrays_of_bidirectional_cells_go_to_their_own_direction(tmp_path: Path) -> None:
    keras.backend.clear_session()
    inputs = keras.Input(SEQUENCE)
    layer = L.Bidirectional(L.LSTM(3), name="both")
    spec = check(keras.Model(inputs, layer(inputs)), tmp_path)
    forward, backward = spec.layers["both"].children
    np.testing.assert_array_equal(
        forward.weights["kernel"], layer.forward_layer.cell.kernel.numpy()
    )
    np.testing.assert_array_equal(
        backward.weights["recurrent_kernel"], layer.backward_layer.cell.recurrent_kernel.numpy()
    )
    assert not forward.config["go_backwards"]
    assert backward.config["go_backwards"]


def test_nested_and_frozen_models_keep_each_array_with_its_layer(tmp_path: Path) -> None:
    keras.backend.clear_session()
    inputs = keras.Input(SEQUENCE)
    innermost = keras.Sequential([keras.Input((8, 3)), L.Dense(2), L.BatchNormalization()])
    first = L.BatchNormalization(name="first")
    inner = keras.Sequential(
        [keras.Input(SEQUENCE), L.Dense(3), first, L.Dense(3), innermost], name="inner"
    )
    model = keras.Model(inputs, inner(inputs))
    spec = check(model, tmp_path)
    np.testing.assert_array_equal(spec.layers["inner/first"].weights["beta"], first.beta.numpy())
    for frozen in (first, innermost, inner):  # Keras then orders the weights in the file anew
        frozen.trainable = False
        spec = check(model, tmp_path)
        np.testing.assert_array_equal(
            spec.layers["inner/first"].weights["moving_mean"], first.moving_mean.numpy()
        )


def test_a_layer_that_two_models_share_is_found_in_both(tmp_path: Path) -> None:
    keras.backend.clear_session()
    inputs = keras.Input(SEQUENCE)
    shared = L.Dense(4, name="shared")
    one = keras.Sequential([keras.Input(SEQUENCE), shared, L.Dense(3)], name="one")
    two = keras.Sequential([keras.Input(SEQUENCE), shared, L.Dense(3)], name="two")
    model = keras.Model(inputs, L.Add()([one(inputs), two(inputs)]))
    for how, spec in every_way(model, tmp_path).items():
        for name in ("one/shared", "two/shared"):
            kernel = spec.layers[name].weights["kernel"]
            np.testing.assert_array_equal(kernel, shared.kernel.numpy(), err_msg=how)


def test_older_checkpoint_folders_are_found(tmp_path: Path) -> None:
    import h5py

    keras.backend.clear_session()
    model = keras.Sequential([keras.Input(SEQUENCE), L.LSTM(3), L.Dense(2)])
    specs = every_way(model, tmp_path)
    with h5py.File(tmp_path / "m.weights.h5", "a") as file:
        file.move("layers", "_layer_checkpoint_dependencies")
    old = read_model(tmp_path / "m.weights.h5", tmp_path / "m.json")
    assert layout(old) == layout(specs["keras"])


def test_the_same_model_has_one_hash_for_the_same_bytes_and_arrays_cannot_be_changed(
    tmp_path: Path,
) -> None:
    import hashlib

    keras.backend.clear_session()
    model = keras.Sequential([keras.Input(SEQUENCE), L.Dense(2)])
    specs = every_way(model, tmp_path)
    data = (tmp_path / "m.keras").read_bytes()
    assert specs["keras"].sha256 == hashlib.sha256(data).hexdigest()
    both = (tmp_path / "m.weights.h5").read_bytes() + (tmp_path / "m.json").read_bytes()
    assert specs["weights"].sha256 == hashlib.sha256(both).hexdigest()
    assert len(specs["live"].sha256) == 64
    for spec in specs.values():
        for values in every_array(spec):
            assert not values.flags.writeable


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    keras.backend.clear_session()
    wide = keras.Sequential([keras.Input(SEQUENCE), L.Dense(4), L.Dense(4), L.LSTM(3)])
    wide.save_weights(tmp_path / "wide.weights.h5")
    narrow = keras.Sequential([keras.Input(SEQUENCE), L.Dense(4)])
    deep = keras.Sequential([keras.Input(SEQUENCE), *(L.Dense(4) for _ in range(3)), L.LSTM(3)])
    with pytest.raises(ModelConfigError, match=r"saved in /layers/dense_1, for which"):
        read_model(tmp_path / "wide.weights.h5", narrow.to_json())
    with pytest.raises(ModelConfigError, match="weights are missing: 0 arrays are saved"):
        read_model(tmp_path / "wide.weights.h5", deep.to_json())
