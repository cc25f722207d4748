"""A class is Keras's only if name, package, module and options are; activations by version."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_conversion import ModelConfigError, read_config
from deeplift_conversion.eras.saved_names import foreign_options
from deeplift_conversion.eras.user_classes import marked
from deeplift_engine.errors import InputError, UnsupportedModelError

X = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("float32")


class Conv1D(L.Conv1D):
    """One option more than Keras's has."""

    def __init__(self, *args: Any, temperature: float = 2.0, **options: Any) -> None:
        super().__init__(*args, **options)
        self.temperature = temperature

    def call(self, x: Any) -> Any:
        return super().call(x) / self.temperature

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}


class GRU(L.GRU):
    """Keras's options under other names."""

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {**config, "units_": config["units"]}


class Add(L.Add):
    """A layer without arrays, too."""

    def __init__(self, factors: Any = (1.0, 2.0), **options: Any) -> None:
        super().__init__(**options)
        self.factors = factors

    def call(self, inputs: Any) -> Any:
        return sum(factor * x for factor, x in zip(self.factors, inputs, strict=True))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factors": list(self.factors)}


class Parallel(L.Layer):
    """Layers side by side, under the key of a Sequential's."""

    def __init__(self, layers: Any, **options: Any) -> None:
        super().__init__(**options)
        self.layers = layers

    def build(self, shape: Any) -> None:
        for layer in self.layers:
            layer.build(shape)
        super().build(shape)

    def call(self, x: Any) -> Any:
        return sum(layer(x) for layer in self.layers)

    def get_config(self) -> dict[str, Any]:
        layers = [keras.saving.serialize_keras_object(layer) for layer in self.layers]
        return {**super().get_config(), "layers": layers}


LAYERS: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "convolution": (lambda: Conv1D(3, 2), ("Conv1D", "temperature")),
    "inside a wrapper": (
        lambda: L.TimeDistributed(Conv1D(3, 2, temperature=3.0)),
        ("Conv1D", "temperature"),
    ),
    "recurrent": (lambda: GRU(3), ("GRU", "units_")),
    "merging": (lambda: Add(), ("Add", "factors")),
    "holding layers": (lambda: Parallel([L.Dense(4), L.Dense(4)]), ("Parallel",)),
}


def model_of(make: Callable[[], Any]) -> keras.Model:
    layer = make()
    source = keras.Input((2, 6, 4) if isinstance(layer, L.TimeDistributed) else (6, 4))
    return keras.Model(source, layer([source, source] if isinstance(layer, L.Add) else source))


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("name", LAYERS)
def test_classes_with_names_of_keras_are_refused_by_name(
    name: str, suffix: str, tmp_path: Path
) -> None:
    make, words = LAYERS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model_of(make).save(tmp_path / f"m{suffix}")
    with pytest.raises(UnsupportedModelError) as refused:
        de.load(tmp_path / f"m{suffix}")
    assert all(word in str(refused.value) for word in (*words, "layers={"))


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_class_that_holds_layers_can_be_defined(suffix: str, tmp_path: Path) -> None:
    model = model_of(LAYERS["holding layers"][0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / f"m{suffix}")

    def parallel(layer: de.CustomLayer) -> Any:
        arrays = list(layer.weights.values())
        first = layer.apply("Dense", layer.input, weights=arrays[:2])
        return first + layer.apply("Dense", layer.input, weights=arrays[2:])

    for definitions in (
        {"layers": {"Parallel": parallel}},
        {"functions": {"Parallel": lambda x, weights: _parallel(x, list(weights.values()))}},
    ):
        network = de.load(tmp_path / f"m{suffix}", **definitions)  # type: ignore[arg-type]
        np.testing.assert_allclose(network.predict(X), model.predict(X, verbose=0), atol=1e-5)


def _parallel(x: Any, arrays: list[Any]) -> Any:
    return x @ (arrays[0] + arrays[2]) + arrays[1] + arrays[3]


def sequential(*layers: dict[str, Any], **config: Any) -> dict[str, Any]:
    first = {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 6, 4]}}
    return {"class_name": "Sequential", "config": {"layers": [first, *layers], **config}}


@pytest.mark.parametrize(
    ("class_name", "extra"),
    [
        ("kerasplus>LayerNormalization", {}),
        ("Keras_tools>LayerNormalization", {}),
        (
            "LayerNormalization",
            {"module": "kerasic.layers", "registered_name": "LayerNormalization"},
        ),
        ("LayerNormalization", {"module": None, "registered_name": "p>LayerNormalization"}),
    ],
)
def test_packages_and_modules_tell_whose_a_class_is(class_name: str, extra: Any) -> None:
    layer = {"class_name": class_name, "config": {"name": "n", "axis": -1}, **extra}
    spec = read_config(sequential(layer), {"n": [("0", np.ones(4)), ("1", np.ones(4))]})
    assert spec.layers["n"].foreign
    named = extra.get("registered_name") or class_name  # with its package, where a file tells it
    assert spec.layers["n"].saved_class_name == named
    known = {"class_name": "keras>LayerNormalization", "config": {"name": "n", "axis": -1}}
    arrays = {"n": [("gamma", np.ones(4)), ("beta", np.ones(4))]}
    assert read_config(sequential(known), arrays).layers["n"].class_name == "LayerNormalization"


def test_models_of_other_classes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    document = sequential({"class_name": "ReLU", "config": {"name": "r"}})
    with pytest.raises(ModelConfigError, match="class is Ensemble, which is not Keras's"):
        read_config({**document, "class_name": "Ensemble"}, {})
    source = keras.Input((6, 4))
    functional = json.loads(keras.Model(source, L.ReLU()(source)).to_json())
    with caplog.at_level(logging.WARNING, "deeplift_conversion"):
        assert read_config({**functional, "class_name": "Trained"}, {}).outputs
    assert "the model's class is Trained" in caplog.text


ACTIVATIONS = [
    ("softsign", "0.3.3", False),
    ("elu", "1.0.8", False),
    ("elu", "1.2.2", True),
    ("selu", "2.0.2", False),
    ("selu", "2.1.6", True),
    ("exponential", "2.2.0", False),
    ("swish", "2.3.1", False),
    ("swish", "2.3.0-tf", True),
    ("gelu", "2.2.4-tf", False),
    ("gelu", "2.4.0", True),
    ("relu6", "2.2.4", False),
    ("mish", "2.12.0", False),
    ("mish", "2.15.0", True),
    ("hard_silu", "2.15.0", False),
    ("celu", "3.4.1", False),
    ("celu", "3.10.0", True),
    ("relu", "1.0.0", True),
]


@pytest.mark.parametrize(("name", "version", "known"), ACTIVATIONS)
def test_activations_are_those_of_the_version_that_wrote_the_file(
    name: str, version: str, known: bool
) -> None:
    for value in (name, {"class_name": "function", "config": name}):
        layer = {"class_name": "Activation", "config": {"activation": value}}
        found = marked(layer, (), version, int(version[0]))["config"]["activation"]
        assert (found == value) is known
        assert known or found == f"own>{name}"


def old_dense(path: Path, activation: str) -> Any:
    """A file of Keras 2.2.4, and the arrays in it."""
    rng = np.random.default_rng(1)
    kernel, bias = rng.normal(size=(4, 2)).astype("f4"), rng.normal(size=2).astype("f4")
    config = {"name": "d", "units": 2, "activation": activation, "batch_input_shape": [None, 4]}
    document = {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": "Dense", "config": config}]},
    }
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(document)
        file.attrs["keras_version"] = b"2.2.4"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"d"]
        layer = group.create_group("d")
        layer.attrs["weight_names"] = [b"d/kernel:0", b"d/bias:0"]
        layer["d/kernel:0"], layer["d/bias:0"] = kernel, bias
    return kernel, bias


def test_an_activation_is_defined_by_the_name_of_its_function(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    kernel, bias = old_dense(path, "gelu")
    with pytest.raises(UnsupportedModelError, match=r"'gelu' is not Keras's.*'gelu': f"):
        de.load(path)
    network = de.load(path, functions={"gelu": lambda x: x * tf.sigmoid(1.702 * x)})
    x = X[:, 0]
    z = x @ kernel + bias
    np.testing.assert_allclose(network.predict(x), z / (1 + np.exp(-1.702 * z)), atol=1e-5)
    result = network.explainer("deeplift").run(x, target=0, strict=True)
    assert "gelu" in result.settings["custom_layers"]
    with pytest.raises(InputError, match="'gelo', which is no layer"):
        de.load(path, functions={"gelo": tf.nn.gelu})


def doubled(x: Any) -> Any:
    return 2 * x


def gelu(x: Any) -> Any:
    """Under the name of one of Keras's."""
    return x * tf.sigmoid(x)


def test_definitions_win_over_activations_of_keras(tmp_path: Path) -> None:
    source = keras.Input((4,))
    model = keras.Model(source, L.Dense(3, activation="gelu", name="d")(source))
    model.save(tmp_path / "m.keras")
    network = de.load(tmp_path / "m.keras", functions={"gelu": doubled})
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(network.predict(X[:, 0]), 2 * (X[:, 0] @ kernel + bias), atol=1e-5)


def test_functions_of_models_in_memory_are_not_taken_by_name() -> None:
    source = keras.Input((4,))
    model = keras.Model(source, L.Dense(3, activation=gelu, name="d")(source))
    with pytest.raises(UnsupportedModelError, match="'gelu' is not Keras's"):
        de.convert(model)
    found = de.convert(model, functions={"gelu": gelu}).predict(X[:, 0])
    np.testing.assert_allclose(found, model.predict(X[:, 0], verbose=0), atol=1e-5)


def test_a_function_that_no_keras_has_is_defined_by_its_name(tmp_path: Path) -> None:
    source = keras.Input((4,))
    model = keras.Model(source, L.Dense(3, activation=doubled, name="d")(source))
    model.save(tmp_path / "m.keras")
    with pytest.raises(UnsupportedModelError, match=r"functions=\{'doubled': f\}"):
        de.load(tmp_path / "m.keras")
    found = de.load(tmp_path / "m.keras", functions={"doubled": doubled}).predict(X[:, 0])
    np.testing.assert_allclose(found, model.predict(X[:, 0], verbose=0), atol=1e-5)


def test_recurrent_layers_take_a_definition_of_an_activation() -> None:
    source = keras.Input((6, 4))
    model = keras.Model(source, L.LSTM(3, activation="tanh", name="r")(source))
    like = keras.Model(source, L.LSTM(3, activation="linear", name="r")(source))
    like.set_weights(model.get_weights())
    found = de.convert(model, functions={"tanh": lambda x: 1.0 * x}).predict(X)
    np.testing.assert_allclose(found, like.predict(X, verbose=0), atol=1e-5)


def test_options_of_older_keras_are_known() -> None:
    assert not foreign_options("Dense", frozenset(["output_dim", "W_regularizer", "input_dim"]))
    assert not foreign_options("LSTM", frozenset(["consume_less", "inner_init", "time_major"]))
    assert not foreign_options("BatchNormalization", frozenset(["renorm", "mode", "gamma_init"]))
    assert foreign_options("Dense", frozenset(["units", "dropout"])) == ["dropout"]
    assert foreign_options("LayerNormalization", frozenset(["eps", "axis"])) == ["eps"]


@pytest.mark.parametrize("frozen", ["forward_layer", "backward_layer", "both", "neither"])
@pytest.mark.parametrize("cell", [L.GRU, L.LSTM])
def test_arrays_of_frozen_halves_go_by_name(cell: Any, frozen: str, tmp_path: Path) -> None:
    source = keras.Input((6, 4))
    layer = L.Bidirectional(cell(3), name="b")
    model = keras.Model(source, layer(source))
    for half in ("forward_layer", "backward_layer"):
        getattr(layer, half).trainable = frozen not in (half, "both")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "m.h5")
    expected = model.predict(X, verbose=0)
    np.testing.assert_allclose(de.load(tmp_path / "m.h5").predict(X), expected, atol=1e-5)


def test_arrays_of_a_frozen_layer_in_a_nested_model_go_by_name(tmp_path: Path) -> None:
    source = keras.Input((4,))
    first, second = L.Dense(4, name="first"), L.Dense(4, name="second")
    inner = keras.Model(source, second(first(source)), name="inner")
    outer = keras.Input((4,))
    model = keras.Model(outer, inner(outer))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:  # as if the first had been frozen
        group = file["model_weights/inner"]
        names = list(group.attrs["weight_names"])
        group.attrs["weight_names"] = names[2:] + names[:2]
    expected = model.predict(X[:, 0], verbose=0)
    np.testing.assert_allclose(de.load(tmp_path / "m.h5").predict(X[:, 0]), expected, atol=1e-5)
