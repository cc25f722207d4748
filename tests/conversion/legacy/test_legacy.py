"""Models that TensorFlow 2.15 saved, against what it computed of them; see `make` beside.

Forward to 1e-5 of the largest magnitude (kernels of two versions differ by 1e-6).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from deeplift_conversion import LayerSpec, read_model
from deeplift_engine.errors import UnsupportedModelError
from tests.conversion.legacy.files import files, numbers
from tests.conversion.legacy.page import PAGE, package_rows, saved_rows
from tests.helpers import ROOT, off

FUNCTIONS = {
    "lambdas": {
        "affine": lambda x: x * 2.0 + 1.0,
        "reverse": lambda x: tf.reverse(x, [1]),
        "product": lambda pair: pair[0] * pair[1],
    }
}
FILES = files()
MODELS = [name for name in FILES if name.endswith(".h5")]
ARCHIVES = [name for name in FILES if name.endswith(".keras")]


@functools.cache
def network(file: str) -> de.Network:
    return de.load(FILES[file], functions=FUNCTIONS.get(file.split(".")[0]))


def inputs_of(file: str, letter: str) -> list[Any]:
    result = numbers(file)
    return [result[f"{letter}{number}"] for number in range(len(network(file).inputs))]


def target(file: str) -> str:
    """The units that read all branches; of a Sequential model its logits."""
    return "total" if len(network(file).outputs) > 1 else "logits"


@pytest.mark.parametrize("file", MODELS)
def test_the_forward_pass_is_that_of_tensorflow_2_15(file: str) -> None:
    net, expected = network(file), numbers(file)
    for letter, outputs in (("x", "y"), ("r", "yr")):
        result = net.predict(inputs_of(file, letter))
        values = result if isinstance(result, dict) else {net.outputs[0]: result}
        assert len(values) == sum(key.rstrip("0123456789") == outputs for key in expected)
        for number, (name, value) in enumerate(values.items()):
            assert off(value, expected[f"{outputs}{number}"]) < 1e-5, name


@pytest.mark.parametrize("file", ARCHIVES)
def test_an_archive_holds_the_same_model(file: str) -> None:
    """Calls, options and arrays: so what is shown of the HDF5 file holds for this one."""
    archive, model = read_model(FILES[file]), read_model(FILES[file.replace(".keras", ".h5")])
    assert (archive.inputs, archive.outputs) == (model.inputs, model.outputs)
    assert repr(archive.nodes) == repr(model.nodes)  # arrays among them have no truth value
    assert archive.layers.keys() == model.layers.keys()
    for name, layer in archive.layers.items():
        for ours, theirs in zip(inside(layer), inside(model.layers[name]), strict=True):
            assert (ours.name, ours.class_name) == (theirs.name, theirs.class_name)
            assert repr(ours.config) == repr(theirs.config)
            assert ours.weights.keys() == theirs.weights.keys()
            for role, array in ours.weights.items():
                np.testing.assert_array_equal(array, theirs.weights[role])


def inside(layer: LayerSpec) -> Iterator[LayerSpec]:
    """A layer and those that it wraps."""
    yield layer
    for child in layer.children:
        yield from inside(child)
    if "model" in layer.config:
        for inner in layer.config["model"].layers.values():
            yield from inside(inner)


@pytest.mark.slow
@pytest.mark.parametrize("file", MODELS)
def test_contributions_sum_to_the_difference_behind_every_layer(file: str) -> None:
    x, references = inputs_of(file, "x"), inputs_of(file, "r")
    audit = network(file).audit(x, references, target=0, target_layer=target(file))
    assert audit.ok, str(audit)


@pytest.mark.thorough
@pytest.mark.parametrize("rules", ["rescale", "reveal_cancel"])
@pytest.mark.parametrize("file", MODELS)
def test_contributions_sum_strictly(file: str, rules: str) -> None:
    explainer = network(file).explainer(rules=rules, target=target(file), fused=False)
    references = [array[:, np.newaxis] for array in inputs_of(file, "r")]
    result = explainer.run(inputs_of(file, "x"), references=references, target=0, strict=True)
    assert np.max(result.relative_error) < 1e-4


def test_lambdas_are_refused_without_their_functions() -> None:
    with pytest.raises(UnsupportedModelError) as raised:
        de.load(FILES["lambdas.h5"])
    for name in FUNCTIONS["lambdas"]:
        assert f"{name} (Lambda)" in str(raised.value)


@pytest.mark.slow
def test_the_page_says_which_of_them_keras_loads() -> None:
    """``python -m tests.conversion.legacy.page`` writes it anew."""
    page = (ROOT / PAGE).read_text()
    if f"Keras {keras.__version__}" not in page:
        pytest.skip(f"the page is of another Keras than {keras.__version__}")
    for row in saved_rows():
        assert row in page


def test_the_page_names_the_layers_of_packages() -> None:
    page = (ROOT / PAGE).read_text()
    for row in package_rows():
        assert row in page
