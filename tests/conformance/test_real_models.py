"""Saved models of every age against what TensorFlow computed of them (truth.npz).

To 1e-5 of the largest magnitude; the noise of kernels alone is 1e-6. Token inputs have no
gradient: theirs is that of the embedding's output.
"""

from __future__ import annotations

import functools
import json
import time
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from deeplift_conversion import read_model
from deeplift_engine.errors import UnsupportedModelError
from tests.conformance.saved_models import (
    ARCHITECTURES,
    READABLE,
    RECURRENT,
    inputs,
    logits,
    moved,
    network,
    truth,
)
from tests.helpers import MODELS, needs_models, off, slow_among

pytestmark = needs_models
LARGE = {"spliceai1", "medaka", "factornet"}
"""Models whose walks back take seconds each: slow, but for the forward pass."""
FILES = sorted(path for path in MODELS.glob("*/*") if path.suffix in (".h5", ".hdf5", ".keras"))


@pytest.mark.parametrize("name", READABLE)
def test_the_forward_pass_is_tensorflows(name: str) -> None:
    model, net, expected = READABLE[name], network(name), truth(name)
    logit_layers = [(key, layer) for key, layer in model.names if key.startswith("z_")]
    for letter, suffix in (("x", ""), ("r", "r")):
        given = inputs(name, letter)
        found = net.predict(given)
        found = list(found.values()) if isinstance(found, dict) else [found]
        assert len(found) == sum(key[0] == "y" and key[1:].isdigit() for key in expected)
        for number, values in enumerate(found):
            assert off(values, expected[f"y{suffix}{number}"]) < model.output
        for number, (layer, values) in enumerate(net.activations(given, logits(name)).items()):
            limit = model.output if layer in net.outputs else 1e-5
            assert off(values, expected[f"z{suffix}{number}"]) < limit, layer
        for key, layer in logit_layers:
            values = net.activations(given, [layer])[layer]
            assert off(values, expected[f"z{suffix}{key[1:]}"]) < 1e-5, layer


@pytest.mark.parametrize("name", [name for name, model in READABLE.items() if model.activations])
def test_activations_inside_are_tensorflows(name: str) -> None:
    model, net = READABLE[name], network(name)
    expected = {
        dict(model.names).get(key[4:], key[4:]): values
        for key, values in truth(name).items()
        if key.startswith("act:")
    }
    assert expected
    late = {source for output in net.outputs for source in net.nodes[output].inputs}
    for layer, values in net.activations(inputs(name), expected).items():
        limit = model.output if layer in late else 1e-5
        samples = len(expected[layer])  # of medaka the truth holds the first sample's alone
        assert off(values[:samples], expected[layer]) < limit, layer


@pytest.mark.parametrize("name", slow_among(READABLE, LARGE))
def test_the_gradient_rule_gives_tensorflows_gradients(name: str) -> None:
    model, net = READABLE[name], network(name)
    explainer = net.explainer(
        rules="gradient",
        target=logits(name)[0],
        layers=model.embedding or None,
        fused=False,
        max_pooling="gradient",  # TensorFlow's: of elements that tie the first has all
    )
    found = explainer.run(inputs(name), target=model.unit).multipliers
    if model.embedding:
        assert off(found, truth(name)["ge0"]) < 1e-5
        return
    for number, info in enumerate(net.inputs):
        gradient = moved(name, truth(name)[f"g{number}"])
        values = found[info.name] if isinstance(found, dict) else found
        assert off(values, gradient) < 1e-5


@pytest.mark.parametrize(
    "name", slow_among([name for name in READABLE if name not in RECURRENT], LARGE)
)
@pytest.mark.parametrize("rules", ["rescale", "genomics_default"])
def test_contributions_sum_to_the_difference_behind_every_layer(name: str, rules: str) -> None:
    net = network(name)
    audit = net.audit(
        [array[:2] for array in inputs(name)],
        [array[:2] for array in inputs(name, "r")],
        target=READABLE[name].unit,
        target_layer=logits(name)[0],
        rules=rules,
    )
    assert audit.ok, str(audit)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECURRENT)
def test_contributions_sum_to_the_difference(name: str) -> None:
    explainer = network(name).explainer(target=logits(name)[0], fused=False)
    references = [array[:, np.newaxis] for array in inputs(name, "r")]
    found = explainer.run(inputs(name), references=references, target=READABLE[name].unit)
    assert np.max(found.relative_error) < 1e-4


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(MODELS)))
def test_reading_takes_less_than_a_second(path: Path) -> None:
    architecture = ARCHITECTURES.get(str(path.relative_to(MODELS)))
    start = time.process_time()  # however many others use the processor
    spec = read_model(path, architecture and MODELS / architecture)
    assert time.process_time() - start < 1
    assert spec.nodes


# one model in three forms


FORMS = {
    # to channels last, letters last: (n, 28, 28, 1) and (n, 200, 4)
    "mnist, Keras 1 th": lambda array: array.transpose(0, 2, 3, 1),
    "mnist, Keras 1 tf": lambda array: array,
    "talgata, Keras 1 th": lambda array: array[:, 0].transpose(0, 2, 1),
    "talgata, Keras 1 tf": lambda array: array[..., 0].transpose(0, 2, 1),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("rules", ["rescale", "genomics_default", "reveal_cancel", "gradient"])
def test_three_forms_of_one_model_give_the_same_scores(name: str, rules: str) -> None:
    plain = f"{name.split(',')[0]}, Keras 2"
    expected = scored(plain, rules)
    found = scored(name, rules)
    assert off(found.predictions, expected.predictions) < 1e-5
    assert off(FORMS[name](found.scores), expected.scores) < 1e-5
    assert off(FORMS[name](found.multipliers), expected.multipliers) < 1e-5


@functools.cache
def scored(name: str, rules: str) -> de.Attribution:
    explainer = network(name).explainer(rules=rules, fused=False)
    return explainer.run(inputs(name), target=1, references=inputs(name, "r"))


# what cannot be attributed through


PYTHON = {"Lambda", "RevCompConv1D"}
"""Code: refused unless the user gives the function."""
REFUSED = ["carnd-lambda/model.h5", "spi1-profile/Spi1ProfileModel_rc.h5"]


def saved_layers(file: str) -> dict[str, str]:
    """Class by name, straight from the configuration in the file."""
    with h5py.File(MODELS / file) as stored:
        text = stored.attrs["model_config"]
    layers = json.loads(text)["config"]
    layers = layers["layers"] if isinstance(layers, dict) else layers
    return {layer["config"]["name"]: layer["class_name"] for layer in layers}


@pytest.mark.parametrize("file", REFUSED)
def test_everything_unsupported_is_said_in_one_error(file: str) -> None:
    expected = {name: kind for name, kind in saved_layers(file).items() if kind in PYTHON}
    assert expected
    with pytest.raises(UnsupportedModelError) as raised:
        de.load(MODELS / file)
    lines = [line.strip() for line in str(raised.value).splitlines()]
    assert file in lines[0]
    rows = de.coverage(MODELS / file).having("refused")
    assert {row.layer: row.class_name for row in rows} == expected
    assert all("functions=" in row.advice for row in rows)
    listed = [line for line in lines[1:] if "coverage(path)" not in line]
    assert {line.split(":")[0] for line in listed} <= {
        f"{name} ({kind})" for name, kind in expected.items()
    }
    left_out = [int(line.split()[1]) for line in lines[1:] if "coverage(path)" in line]
    assert len(listed) + sum(left_out) == len(expected)


def test_lambdas_whose_functions_are_given_convert() -> None:
    """The steering model: what its Lambdas did, written anew, and the rest by Keras 3."""
    file = MODELS / "carnd-lambda/model.h5"
    functions = {
        "lambda_1": lambda x: x / 255 - 0.5,
        "lambda_2": lambda x: tf.raw_ops.ResizeBilinear(
            images=x, size=(64, 64), align_corners=True
        ),
    }
    net = de.load(file, functions=functions)
    twin = steering(file, functions)
    generator = np.random.default_rng(0)
    x, reference = generator.uniform(0, 255, (2, 2, 160, 320, 3)).astype("float32")
    assert off(net.predict(x), twin(x)) < 1e-5
    audit = net.audit(x, reference)
    assert audit.ok, str(audit)


def steering(file: Path, functions: dict[str, Any]) -> keras.Model:
    """The same model, layer by layer, the arrays straight from the file."""
    convolution = functools.partial(keras.layers.Conv2D, kernel_size=5, activation="relu")
    dense = functools.partial(keras.layers.Dense, activation="relu")
    pool = keras.layers.MaxPooling2D
    model = keras.Sequential(
        [
            keras.Input((160, 320, 3)),
            keras.layers.Lambda(functions["lambda_1"]),
            keras.layers.Cropping2D(((70, 26), (0, 0))),
            keras.layers.Lambda(functions["lambda_2"], output_shape=(64, 64, 3)),
            *[convolution(8), pool(), convolution(8), pool(), convolution(16)],
            *[keras.layers.Flatten(), dense(100), dense(50), dense(10), keras.layers.Dense(1)],
        ]
    )
    names = [f"conv2d_{number}" for number in (1, 2, 3)] + [f"dense_{n}" for n in (1, 2, 3, 4)]
    with h5py.File(file) as stored:
        groups = [stored[f"model_weights/{name}/{name}"] for name in names]
        model.set_weights([group[key][()] for group in groups for key in ("kernel:0", "bias:0")])
    return model


def test_every_saved_model_is_tried() -> None:
    there = {path.parent.name for path in MODELS.glob("*/about.json")}
    assert there == {file.split("/")[0] for file in REFUSED} | {
        model.file.split("/")[0] for model in READABLE.values()
    }
