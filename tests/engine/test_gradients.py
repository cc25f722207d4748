"""The gradient rule is TensorFlow's gradient of the Keras model, to 1e-5 of the largest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from deeplift_engine.engine.activation_pairs import ActivationPairs
from deeplift_engine.engine.task import Task
from deeplift_engine.rules import Multiplier
from tests.cases.generated_models import CASES, Opened, rounded, seeded
from tests.helpers import off

Opening = Callable[[str], Opened]


def kerass(case: Opened, inputs: list[Any], output: int, unit: Any) -> list[Any]:
    def gradient(points: list[Any]) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(points)
            found = case.model(points if len(points) > 1 else points[0], training=False)
            found = found[output] if isinstance(found, list | tuple) else found
            value = tf.reduce_sum(found[(slice(None), *unit)])
        sent: list[Any] = tape.gradient(value, points, unconnected_gradients="zero")
        return sent

    sent = case.keras(gradient)([tf.constant(array) for array in inputs])
    return [part.numpy() for part in sent]


def walked_back(task: Task, inputs: list[Any], unit: Any) -> list[Any]:
    """Multipliers at the inputs by the graph's own walk, eagerly: compiling takes longer."""
    graph = task.graph
    given = dict(zip(graph.inputs, map(tf.constant, inputs), strict=True))
    values = graph.forward(given, graph.ancestors([task.target]))
    ends = {name: value[:, tf.newaxis] for name, value in values.items()}
    rules = {name: assigned.rule for name, assigned in task.rules.items()}
    pairs = ActivationPairs(graph, rules, ends, ends, task.dtype, fused=False)
    seed = np.zeros((1, 1, 1, *values[task.target].shape[1:]), "float32")
    seed[(0, 0, 0, *unit)] = 1
    start = {task.target: Multiplier(tf.constant(seed))}
    arrived = graph.backward(start, task.attribution_nodes, rules, pairs.ends)
    nothing = Multiplier(tf.zeros((1, 1, 1)))
    found = [arrived.get(name, nothing).mean.numpy()[0] for name in graph.inputs]
    return [
        multiplier[:, 0] if multiplier.ndim > 2 else multiplier.reshape((1,) * array.ndim)
        for multiplier, array in zip(found, inputs, strict=True)
    ]


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("tokens")])
def test_the_gradient_rule_is_the_gradient(opened: Opening, name: str) -> None:
    case = opened(name)
    net, unit = case.network, case.unit()
    inputs = rounded(case.inputs(3, seeded(name)))
    node = case.target if case.target in net.outputs else net.outputs[0]
    task = net.explainer(rules="gradient", target=node, fused=False).task
    expected = kerass(case, inputs, net.outputs.index(node), unit)
    for ours, theirs in zip(walked_back(task, inputs, unit), expected, strict=True):
        assert off(np.broadcast_to(ours, theirs.shape), theirs) < 1e-5


@pytest.mark.parametrize("name", ["stack", "two outputs, count"])
def test_a_run_under_the_gradient_rule_is_the_gradient(opened: Opening, name: str) -> None:
    """As that walk, compiled; scores are gradient times input, and claim no sum."""
    case = opened(name)
    net, inputs = case.network, case.inputs(3, seeded(name))
    explainer = net.explainer(rules="gradient", target=case.target, fused=False)
    found = explainer.run(inputs, target=case.unit())
    assert found.relative_error is None
    multipliers, scores = (
        list(part.values()) if isinstance(part, dict) else [part]
        for part in (found.multipliers, found.scores)
    )
    rounded = [array.astype("float32") for array in inputs]
    expected = walked_back(explainer.task, rounded, case.unit())
    for ours, theirs, score, x in zip(multipliers, expected, scores, rounded, strict=True):
        assert off(ours, np.broadcast_to(theirs, x.shape)) < 1e-5
        assert off(score, ours * x) < 1e-5


@pytest.mark.parametrize("rules", ["rescale", "reveal_cancel", "genomics_default"])
@pytest.mark.parametrize("name", ["stack", "hidden softmax", "image stack"])
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
