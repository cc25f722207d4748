"""The forward pass is Keras's own, to 1e-5 of the largest output."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from tests.cases.generated_models import CASES, NETWORKS, Opened, build, rounded, seeded
from tests.helpers import needs_keras, off

Opening = Callable[[str], Opened]
SAMPLES = 3


def outputs(found: Any) -> list[Any]:
    if isinstance(found, dict):
        return list(found.values())
    return list(found) if isinstance(found, list | tuple) else [found]


def kerass(case: Opened, inputs: list[Any]) -> list[Any]:
    given = inputs if len(inputs) > 1 else inputs[0]
    found = case.keras(lambda points: case.model(points, training=False))(given)
    return [np.asarray(values) for values in outputs(found)]


@pytest.mark.parametrize("name", CASES)
def test_the_forward_pass_is_kerass(opened: Opening, name: str) -> None:
    case = opened(name)
    inputs = rounded(case.inputs(SAMPLES, seeded(name)))
    found = outputs(case.network.predict(inputs))
    for ours, theirs in zip(found, kerass(case, inputs), strict=True):
        assert off(ours, theirs) < 1e-5


@pytest.mark.parametrize("name", NETWORKS)
def test_a_keras_3_archive_is_the_same_network(opened: Opening, name: str, tmp_path: Path) -> None:
    case, archive = opened(name), build(name, tmp_path, ".keras")
    inputs = case.inputs(SAMPLES, seeded(name))
    pairs = zip(
        outputs(archive.network.predict(inputs)), outputs(case.network.predict(inputs)), strict=True
    )
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_model_in_memory_is_the_same_network(opened: Opening, name: str) -> None:
    case = opened(name)
    before = [weight.numpy() for weight in case.model.weights]
    network = de.convert(case.model)
    inputs = case.inputs(SAMPLES, seeded(name))
    pairs = zip(
        outputs(network.predict(inputs)), outputs(case.network.predict(inputs)), strict=True
    )
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours, theirs)
    for weight, value in zip(case.model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


@pytest.mark.parametrize("name", ["stack", "hidden softmax", "two outputs, count"])
def test_float64_is_float64_all_the_way(opened: Opening, name: str) -> None:
    case = opened(name)
    inputs = case.inputs(SAMPLES, seeded(name))
    exact, rounded = (outputs(net.predict(inputs)) for net in (case.exact, case.network))
    for ours, theirs in zip(exact, rounded, strict=True):
        assert ours.dtype == np.float64
        assert theirs.dtype == np.float32
        assert 0 < off(theirs, ours) < 1e-5


@pytest.mark.thorough
@needs_keras("3.15")
def test_every_layer_that_can_be_built_is_in_the_table(opened: Opening) -> None:
    """A new attribution layer needs a case here."""
    from deeplift_engine.translate.reshaping import INACTIVE
    from deeplift_engine.translate.table import TRANSLATORS

    only_old = {
        "Merge",  # Keras 1 only, in test_merge_keras1
        "ThresholdedReLU",  # Keras 2 only; tests of the reader have it
        "LocallyConnected1D",  # in test_local
        "LocallyConnected2D",
        "RandomCrop",  # in test_resizing, with what else images are augmented by
        "ConvLSTM3D",  # in tests/conversion/legacy
        "TimeDistributed",  # its nodes are of the class of the layer inside
        "SpectralNormalization",
        *INACTIVE,
    }
    missing = set(TRANSLATORS) - only_old
    firsts = {re.split("[ ,]", name)[0]: name for name in reversed(CASES)}
    for name in sorted(CASES, key=lambda name: name not in firsts.values()):
        if not missing:
            break
        missing -= {node.class_name for node in opened(name).network.nodes.values()}
    assert missing == set()


def test_threshold_cannot_be_named_alone() -> None:
    """The one function of keras.activations that is left out of the table."""
    with pytest.raises(TypeError, match="required positional"):
        keras.layers.Activation("threshold")(np.zeros((1, 2), "float32"))
