"""Layers are counted and named as the original does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine.compat as deeplift
from deeplift_engine.compat import util
from deeplift_engine.compat.conversion import keras_conversion
from deeplift_engine.compat.conversion import kerasapi_conversion as kc
from deeplift_engine.compat.util import compile_func
from deeplift_engine.errors import InputError
from tests.compat.calls import converted, one_hot


def described(model: Any) -> list[tuple[str, str]]:
    return [(layer.get_name(), type(layer).__name__) for layer in model.get_layers()]


def test_sequential_layers_are_counted_and_named_as_the_original_does(
    sequential: tuple[Any, str],
) -> None:
    expected = [
        ("input", "Input"),
        ("preact_1", "Conv1D"),
        ("1", "ReLU"),
        ("2", "MaxPool1D"),
        ("3", "Conv1D"),
        # no layer for Activation("linear"), but the count goes on
        ("5", "ReLU"),
        ("6", "Flatten"),
        ("7", "NoOp"),
        ("preact_8", "Dense"),
        ("8", "ReLU"),
        ("9", "Dense"),
        ("10", "Sigmoid"),
    ]
    model = converted(sequential[1])
    assert described(model) == expected
    assert model.get_layers()[1].get_shape() == (None, 26, 6)


def test_a_first_layer_with_the_input_shape_is_number_0(sequential: tuple[Any, str]) -> None:
    # as Keras 2 wrote it: no InputLayer, the shape with the first layer
    model, path = sequential
    document = {"class_name": "Sequential", "config": model.get_config()}
    _, *layers = document["config"]["layers"]
    layers[0]["config"]["batch_input_shape"] = [None, 30, 4]
    names = [
        name
        for name, _ in described(
            kc.convert_model_from_saved_files(path, json_file=keras_2_json(path, layers))
        )
    ]
    assert names[:4] == ["input", "preact_0", "0", "1"]


def keras_2_json(path: str, layers: list[dict[str, Any]]) -> str:
    written = Path(path).with_suffix(".json")
    config = [{"class_name": x["class_name"], "config": x["config"]} for x in layers]
    written.write_text(json.dumps({"class_name": "Sequential", "config": config}))
    return str(written)


def test_other_models_name_each_call_of_a_layer(functional: tuple[Any, str]) -> None:
    model = converted(functional[1])
    names = list(model.get_name_to_layer())
    assert sorted(names) == sorted(
        [
            *("left_0", "right_0", "one_0", "both_0", "joined_0", "preact_classes_0", "classes_0"),
            *("preact_shared_0", "shared_0", "preact_shared_1", "shared_1"),
        ]
    )
    assert names[-2:] == ["preact_classes_0", "classes_0"]
    assert model.get_input_layer_names() == ["left_0", "right_0"]
    assert isinstance(model, deeplift.models.GraphModel)


def test_layers_inside_nested_models_have_both_positions(folder: Path) -> None:
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="relu")])
    outer = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(1)])
    path = str(folder / "nested.h5")
    outer.save(path)
    names = [name for name, _ in described(converted(path))]
    assert names == ["input", "preact_1-1", "1-1", "2"]


def test_models_in_memory_are_counted_as_their_files_are(sequential: tuple[Any, str]) -> None:
    """The calls of deeplift 0.5, over the same engine."""
    model, path = sequential
    ours = keras_conversion.convert_sequential_model(model, num_dims=3, verbose=False)
    assert described(ours) == described(converted(path))
    x = one_hot()
    first, last = (ours.get_layers()[i].get_activation_vars() for i in (0, -2))
    whole, unit = (compile_func([first], units)([x]) for units in (last, last[:, 0]))
    np.testing.assert_array_equal(unit, whole[:, 0])
    for wrong in (0, (slice(2), 0)):
        with pytest.raises(InputError, match="the samples first"):
            last[wrong]
    with pytest.raises(InputError, match="has 3 axes"):
        keras_conversion.convert_sequential_model(model, num_dims=4)
    assert deeplift.__version__.startswith("0.6.")


def test_normalised_kernels_compute_the_same_of_letters() -> None:
    draw = np.random.default_rng(0)
    kernel, bias = draw.normal(size=(5, 4, 3)), draw.normal(size=3)
    windows = np.eye(4)[draw.integers(4, size=(20, 5))]
    expected = np.einsum("nwl,wlc->nc", windows, kernel) + bias
    for ordering, axes in (("tf", (0, 1, 2)), ("th", (2, 1, 0))):
        centred, offset = util.mean_normalise_weights_for_sequence_convolution(
            kernel.transpose(axes), bias, 1, ordering
        )
        assert np.abs(centred.sum(1)).max() < 1e-12
        found = np.einsum("nwl,wlc->nc", windows, centred.transpose(axes)) + offset
        np.testing.assert_allclose(found, expected)
    centred, offset = util.mean_normalise_rnn_weights(kernel[0], bias)
    np.testing.assert_allclose(centred + offset, kernel[0] + bias)
    logits = windows[:, 0] @ kernel[0] + bias
    weights, biases = util.get_mean_normalised_softmax_weights(kernel[0], bias)
    np.testing.assert_allclose(windows[:, 0] @ weights + biases, logits - logits.mean(1)[:, None])


def test_shuffles_stay_in_their_array() -> None:
    letters = list("ACGTACGT")
    assert util.in_place_shuffle(letters, np.random.RandomState(1)) is letters
    assert sorted(letters) == sorted("ACGTACGT")
    assert letters != list("ACGTACGT")
    rows = np.arange(12).reshape(6, 2)
    assert sorted(util.in_place_shuffle(rows)[:, 0]) == [0, 2, 4, 6, 8, 10]
