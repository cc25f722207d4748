"""Linear layers against a dense matrix that pushing basis vectors through forward gives.

The transposed map, the map of magnitudes and its transpose, in float64 to 1e-12.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from deeplift_engine.graph.graph import Node
from deeplift_engine.layers import Linear
from tests.cases.generated_models import CASES, Opened, seeded
from tests.helpers import off

Opening = Callable[[str], Opened]
LENGTH = 15


def is_about_linear_layers(name: str) -> bool:
    return not name.startswith(("activation", "GlobalMax", "MaxPooling", "Multiply", "M"))


NAMES = [name for name in CASES if is_about_linear_layers(name)]


def sizes(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    return tuple(LENGTH if size is None else size for size in shape)


def matrices(node: Node, shapes: list[tuple[int, ...]], layer: Linear | None = None) -> list[Any]:
    """(in, out) for each input, flattened: forward of every basis vector less that of nothing."""
    forward = node.layer.forward if layer is None else layer.linear
    found = []
    for position, shape in enumerate(shapes):
        count = int(np.prod(shape))
        given = [np.zeros((count + 1, *other)) for other in shapes]
        given[position][1:] = np.eye(count).reshape(count, *shape)
        outputs = forward(*map(tf.constant, given)).numpy()
        found.append((outputs[1:] - outputs[:1]).reshape(count, -1))
    return found


def check_transpose(layer: Linear, shapes: list[Any], output: Any, expected: list[Any]) -> None:
    multiplier = np.random.default_rng(0).normal(size=(2, *output))
    sent = layer.transpose(tf.constant(multiplier), shapes)
    for values, shape, matrix in zip(sent, shapes, expected, strict=True):
        whole = np.broadcast_to(values.numpy(), (2, *shape))  # equal shares may come as one
        assert off(whole.reshape(2, -1), multiplier.reshape(2, -1) @ matrix.T) < 1e-12


def linear_nodes(case: Opened) -> list[tuple[Node, list[tuple[int, ...]]]]:
    nodes = case.exact.nodes
    return [
        (node, [sizes(nodes[source].shape) for source in node.inputs])
        for node in nodes.values()
        if isinstance(node.layer, Linear)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_linear_layer_is_its_matrix(opened: Opening, name: str) -> None:
    for node, shapes in linear_nodes(opened(name)):
        if int(np.sum([np.prod(shape) for shape in shapes])) > 400:
            continue
        dense = matrices(node, shapes)
        output = node.layer.forward(*[tf.zeros((1, *shape), tf.float64) for shape in shapes])
        check_transpose(node.layer, shapes, output.shape[1:], dense)
        magnitudes = node.layer.absolute()
        for found, expected in zip(matrices(node, shapes, magnitudes), dense, strict=True):
            assert off(found, np.abs(expected)) < 1e-12, node.name
        check_transpose(magnitudes, shapes, output.shape[1:], [np.abs(part) for part in dense])


# RevealCancel, written out with split kernels


TINY = 1e-9


class Net:
    """Dense matrices with biases, and functions between them: f(x W + b)."""

    def __init__(self, steps: list[tuple[Any, Any, Any]]) -> None:
        self.steps = steps

    def activations(self, x: Any) -> list[Any]:
        """What every matrix and every function gives, in order."""
        found = [x]
        for matrix, bias, function in self.steps:
            found.append(found[-1] @ matrix + bias)
            found.append(function(found[-1]))
        return found

    def multipliers(self, x: Any, x0: Any, unit: int) -> Any:
        """Sections 3.5.1 and 3.5.3 of the paper, the two signs of every product apart."""
        at, at0 = self.activations(x), self.activations(x0)
        parts: dict[int, tuple[Any, Any]] = {}
        for number, (matrix, _, _) in enumerate(self.steps):
            delta = at[2 * number] - at0[2 * number]
            products = delta[:, np.newaxis] * matrix
            positive, negative = np.maximum(products, 0).sum(0), np.minimum(products, 0).sum(0)
            parts[number] = (positive, negative)
            base = at0[2 * number + 1]
            assert np.abs(base + positive + negative - at[2 * number + 1]).max() < 1e-12
        above = below = np.eye(self.steps[-1][0].shape[1])[unit]
        for number in reversed(range(len(self.steps))):
            matrix, _, function = self.steps[number]
            (positive, negative), base = parts[number], at0[2 * number + 1]
            # a part of zero has the limit of its quotient
            up = np.where(positive == 0, TINY, positive)
            down = np.where(negative == 0, -TINY, negative)
            early = function(base + up) - function(base)
            late = function(base + negative + up) - function(base + negative)
            above = above * (early + late) / 2 / up
            early = function(base + down) - function(base)
            late = function(base + positive + down) - function(base + positive)
            below = below * (early + late) / 2 / down
            delta = (at[2 * number] - at0[2 * number])[:, np.newaxis]
            sides = np.where(matrix * delta > 0, above, below)
            sent = matrix * np.where(delta == 0, (above + below) / 2, sides)
            above = below = sent.sum(1)
        return above


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "softplus": lambda x: np.logaddexp(x, 0),
    "silu": lambda x: x / (1 + np.exp(-x)),
}


def dense_net(activation: str, folder: Any) -> tuple[Any, Net]:
    import keras

    generator = np.random.default_rng(1)
    source = x = keras.Input((6,))
    steps = []
    for units, name in ((7, activation), (5, activation), (3, "linear")):
        layer = keras.layers.Dense(units, activation=name)
        x = layer(x)
        layer.set_weights([generator.normal(0, 0.6, tuple(w.shape)) for w in layer.weights])
        kernel, bias = (np.asarray(w, np.float64) for w in layer.get_weights())
        steps.append((kernel, bias, FUNCTIONS[name]))
    keras.Model(source, x).save(folder / "dense.h5")
    return folder / "dense.h5", Net(steps)


def convolutional_net(activation: str, folder: Any) -> tuple[Any, Net]:
    """Two convolutions as matrices, by Keras's own pass over basis vectors, and a dense layer."""
    import keras

    generator = np.random.default_rng(2)
    source = x = keras.Input((9, 2))
    layers = [
        keras.layers.Conv1D(4, 3, dilation_rate=2, padding="same", activation=activation),
        keras.layers.Conv1D(3, 4, strides=2, activation=activation),
    ]
    steps = []
    for layer in layers:
        shape = tuple(x.shape[1:])
        x = layer(x)
        layer.set_weights([generator.normal(0, 0.5, tuple(w.shape)) for w in layer.weights])
        plain = type(layer).from_config(layer.get_config() | {"activation": "linear"})
        size = int(np.prod(shape))
        basis = np.concatenate([np.zeros((1, size)), np.eye(size)]).astype("float32")
        plain.build((None, *shape))
        plain.set_weights(layer.get_weights())
        outputs = np.asarray(plain(basis.reshape(-1, *shape)), np.float64)
        outputs = outputs.reshape(size + 1, -1)
        steps.append((outputs[1:] - outputs[0], outputs[0], FUNCTIONS[activation]))
    last = keras.layers.Dense(3)
    x = last(keras.layers.Flatten()(x))
    kernel, bias = (np.asarray(w, np.float64) for w in last.get_weights())
    steps.append((kernel, bias, FUNCTIONS["linear"]))
    keras.Model(source, x).save(folder / "conv.h5")
    return folder / "conv.h5", Net(steps)


@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus", "silu"])
@pytest.mark.parametrize("make", [dense_net, convolutional_net])
def test_reveal_cancel_is_the_papers(
    make: Callable[..., tuple[Any, Net]], activation: str, tmp_path: Any
) -> None:
    """To 1e-6: the matrices of the convolutions come from float32 arithmetic."""
    import deeplift_engine as de

    path, net = make(activation, tmp_path)
    network = de.load(path, dtype="float64")
    generator = seeded(activation)
    shape = tuple(size or 0 for size in network.inputs[0].shape)
    x, x0 = generator.normal(size=(2, 4, *shape))
    found = network.explainer(rules="reveal_cancel", fused=False).run(
        x, target="all", references=x0
    )
    for unit in range(3):
        for sample in range(4):
            expected = net.multipliers(x[sample].ravel(), x0[sample].ravel(), unit)
            assert off(found.multipliers[unit, sample].ravel(), expected) < 1e-6
