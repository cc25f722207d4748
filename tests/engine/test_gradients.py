"""The gradient rule is TensorFlow's gradient of the Keras model, to 1e-5 of the largest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.engine.cases import CASES, Opened, seeded
from tests.helpers import off

Opening = Callable[[str], Opened]


def kerass(case: Opened, inputs: list[Any], output: int, unit: Any) -> list[Any]:
    points = [tf.constant(array) for array in inputs]
    with tf.GradientTape() as tape:
        tape.watch(points)
        found = case.model(points if len(points) > 1 else points[0])
        found = found[output] if isinstance(found, list | tuple) else found
        value = tf.reduce_sum(found[(slice(None), *unit)])
    sent = tape.gradient(value, points, unconnected_gradients="zero")
    return [part.numpy() for part in sent]


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_rule_is_the_gradient(opened: Opening, name: str) -> None:
    case = opened(name)
    net, unit = case.network, case.unit()
    inputs = [array.astype("float32") for array in case.inputs(3, seeded(name))]
    node = case.target if case.target in net.outputs else net.outputs[0]
    found = net.explainer(rules="gradient", target=node, fused=False).run(inputs, target=unit)
    assert found.relative_error is None or case.network.graph  # claims no sum
    multipliers = found.multipliers
    parts = list(multipliers.values()) if isinstance(multipliers, dict) else [multipliers]
    for ours, theirs in zip(
        parts, kerass(case, inputs, net.outputs.index(node), unit), strict=True
    ):
        assert off(ours, theirs) < 1e-5


@pytest.mark.parametrize("rules", ["rescale", "reveal_cancel", "genomics_default"])
@pytest.mark.parametrize("name", ["stack", "hidden softmax", "gated", "image stack"])
def test_at_its_own_reference_every_rule_is_the_gradient(
    opened: Opening, name: str, rules: str
) -> None:
    """Every chord is a tangent there: Δx = 0 in every layer."""
    case = opened(name)
    net = case.exact
    x = case.inputs(3, seeded(name))
    arguments: dict[str, Any] = {"target": case.unit(), "references": x[0]}
    with pytest.warns(match="equal the sample itself"):
        found = net.explainer(rules=rules, fused=False).run(x, **arguments)
    gradient = net.explainer(rules="gradient", fused=False).run(x, target=case.unit())
    assert not np.any(found.scores)
    assert off(found.multipliers, gradient.multipliers) < 1e-9
