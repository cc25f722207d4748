"""The original's calls: targets, rules for single layers, own layers, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.compat.conversion import kerasapi_conversion as kc
from deeplift_engine.compat.layers import NonlinearMxtsMode
from deeplift_engine.compat.util import compile_func
from deeplift_engine.errors import InputError, ReferencesError, RuleError, TargetError
from tests.helpers import off

X = np.random.default_rng(0).normal(size=(5, 4))
RESCALE, REVEAL = NonlinearMxtsMode.Rescale, NonlinearMxtsMode.RevealCancel


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(6, activation="relu", name="first"),
            layers.Dense(5, activation="relu", name="second"),
            layers.Dense(2, name="last"),
        ]
    )
    place = str(tmp_path_factory.mktemp("choices") / "model.h5")
    model.save(place)
    return place


@pytest.fixture(scope="module")
def graph_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    keras.utils.set_random_seed(3)
    entry = keras.Input((4,), name="entry")
    hidden = keras.layers.Dense(6, activation="relu", name="first")(entry)
    hidden = keras.layers.Dense(5, activation="relu", name="second")(hidden)
    model = keras.Model(entry, keras.layers.Dense(2, name="last")(hidden))
    place = str(tmp_path_factory.mktemp("choices") / "graph.h5")
    model.save(place)
    return place


def converted(path: str, mode: str = RESCALE, **more: Any) -> Any:
    return kc.convert_model_from_saved_files(path, nonlinear_mxts_mode=mode, **more)


# targets


def test_an_activation_as_target_is_refused_with_the_layer_to_take(path: str) -> None:
    model = converted(path)
    with pytest.raises(RuntimeError, match=re.escape("'preact_2' (index 3, or -3 from")) as caught:
        model.get_target_contribs_func(0, target_layer_idx=-2)
    assert isinstance(caught.value, TargetError)
    model.get_target_contribs_func(0, target_layer_idx=-1)(0, [X])


def test_a_target_inside_the_network_is_warned_of(path: str) -> None:
    model = converted(path)
    layers = [*model.get_layers()]
    model._layers = [layer for layer in layers if layer.name != "1"]
    with pytest.warns(UserWarning, match="followed by 'preact_2'"):
        model.get_target_contribs_func(0, target_layer_idx=1)


def test_a_hidden_unit_before_its_activation_is_a_target(path: str) -> None:
    found = converted(path).get_target_contribs_func(0, target_layer_idx=3)(1, [X])
    expected = de.load(path).explainer(target="second/pre_activation").run(X, target=1)
    assert off(found, expected.scores) == 0


def test_a_layer_called_output_is_not_taken_for_another(tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(2, name="output"),
            keras.layers.Activation("softmax"),
        ]
    )
    model.save(tmp_path / "model.h5")
    function = converted(str(tmp_path / "model.h5"))
    try:
        scored = function.get_target_contribs_func(0)
    except TargetError:  # "output" is a word of the engine's own
        return
    kernel = model.get_layer("output").get_weights()[0]
    assert off(scored(0, [X]), X * kernel[:, 0]) < 1e-6


# rules for single layers


@pytest.mark.parametrize("key", [2, "2", "second"])
def test_a_layer_can_have_a_rule_of_its_own(path: str, key: Any) -> None:
    overrides = {key: {"nonlinear_mxts_mode": REVEAL}}
    model = converted(path, layer_overrides=overrides)
    rules = {"second": "reveal_cancel", "default": "rescale"}
    expected = de.load(path).explainer(rules=rules).run(X, target=0).scores
    assert off(model.get_target_contribs_func(0, -1)(0, [X]), expected) < 1e-6
    assert off(converted(path).get_target_contribs_func(0, -1)(0, [X]), expected) > 1e-3


def test_a_layer_can_have_a_rule_by_the_name_of_its_call(graph_path: str) -> None:
    overrides = {"second_0": {"nonlinear_mxts_mode": REVEAL}}
    model = converted(graph_path, layer_overrides=overrides)
    rules = {"second": "reveal_cancel", "default": "rescale"}
    expected = de.load(graph_path).explainer(rules=rules).run(X, target=0).scores
    assert off(model.get_target_contribs_func("entry_0", "last_0")(0, [X]), expected) < 1e-6


def test_the_genomics_default_of_a_single_layer(path: str) -> None:
    overrides = {2: {"nonlinear_mxts_mode": NonlinearMxtsMode.DeepLIFT_GenomicsDefault}}
    one = converted(path, layer_overrides=overrides).get_target_contribs_func(0, -1)(0, [X])
    overrides = {2: {"nonlinear_mxts_mode": REVEAL}}
    other = converted(path, layer_overrides=overrides).get_target_contribs_func(0, -1)(0, [X])
    assert off(one, other) < 1e-6


# own layers


@keras.saving.register_keras_serializable()
class Squash(keras.layers.Layer):
    def __init__(self, power: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.power = power

    def call(self, x: Any) -> Any:
        return keras.ops.abs(x) ** self.power

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power": self.power}


@pytest.fixture(scope="module")
def custom(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str]:
    model = keras.Sequential(
        [
            keras.Input((4,)),
            Squash(2.0, name="a"),
            keras.layers.Dense(3),
            Squash(1.5, name="b"),
            keras.layers.Dense(2),
        ]
    )
    place = str(tmp_path_factory.mktemp("custom") / "custom.h5")
    model.save(place)
    return model, place


def test_a_class_with_options_is_asked_once_for_each_layer(custom: tuple[Any, str]) -> None:
    asked = []

    def convert(config: Any, name: str, **kwargs: Any) -> Any:
        asked.append((name, config["power"], config["weights"]))
        return lambda x: abs(x) ** config["power"]

    model = converted(custom[1], custom_conversion_funcs={"Squash": convert, "Unused": convert})
    assert asked == [("a", 2.0, []), ("b", 1.5, [])]
    predicted = model.get_prediction_function(0, -1)([X], batch_size=8)
    assert off(predicted, custom[0].predict(X, verbose=0)) < 1e-5


def test_a_plain_function_is_the_forward_pass_of_all_layers_of_a_class(
    custom: tuple[Any, str],
) -> None:
    model = converted(custom[1], custom_conversion_funcs={"Squash": lambda x: x * 0})
    predict = model.get_prediction_function(0, -1)
    assert np.abs(predict([X], batch_size=8)).max() == 0


# what is refused


def test_what_is_not_known_is_refused(path: str) -> None:
    for more in (
        {"nonlinear_mxts_mode": "Shapley"},
        {"dense_mxts_mode": "SepPosAndNeg"},
        {"layer_overrides": {"nowhere": {"nonlinear_mxts_mode": REVEAL}}},
        {"layer_overrides": {2: {"max_mode": "exact"}}},
    ):
        with pytest.raises(RuleError):
            kc.convert_model_from_saved_files(path, **more)
    model = converted(path)
    with pytest.raises(InputError, match="no layer 9"):
        model.get_target_contribs_func(9, -1)
    with pytest.raises(RuleError):
        converted(path, maxpool_deeplift_mode="cross").get_target_contribs_func(0, -1)
    with pytest.raises(InputError, match="not both"):
        kc.convert_model_from_saved_files(path, path, path)


def test_names_that_a_graph_does_not_have_are_refused(graph_path: str) -> None:
    model = converted(graph_path)
    with pytest.raises(InputError, match=r"no layer 'entry'.*entry_0"):
        model.get_target_contribs_func("entry", "last_0")
    with pytest.raises(InputError, match="in the model's order"):
        model.get_prediction_function(["first_0"], "last_0")
    with pytest.raises(InputError, match="must be the model's inputs"):
        compile_func([model.get_name_to_layer()["first_0"]], model.get_name_to_layer()["last_0"])


def test_data_that_do_not_fit_are_refused(path: str) -> None:
    function = converted(path).get_target_contribs_func(0, -1)
    with pytest.raises(ReferencesError, match="do not broadcast"):
        function(0, [X], input_references_list=[np.zeros((3, 4))])
    with pytest.raises(InputError, match="one array for each input"):
        function(0, [X, X])
    with pytest.raises(InputError, match="keys"):
        function(0, {"nowhere": X})
