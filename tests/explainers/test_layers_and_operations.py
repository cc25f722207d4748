"""A graph built of layers and the same graph built of operations: one answer of everything.

Two pairs of networks, of a sequence and of an image, are compared under every method, every rule
and every metric. `tests/layers/test_facts.py` has each operation by itself, under a few methods.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from keras import ops

import deeplift_engine as de
from deeplift_engine import evaluate
from deeplift_engine.rules import named_rules
from tests.explainers.keras_nets import float64
from tests.explainers.test_every_method import FITTED, ON_IMAGES, OPTIONS
from tests.helpers import off, slow_among

ROUNDING = 1e-9
"""In float64; sums are added in another order where a kernel is an operation."""
LETTERS, UNITS = (8, 4), 3
QUICK = {"completeness", "deletion"}
FAST = {"deeplift", "deep_taylor", "grad_cam", "integrated_gradients", "lrp_epsilon", "lrp_flat"}
"""The methods of the fast tests, two of those that ask most of what a layer says of itself."""
Function = Callable[..., Any]
Twins = tuple[de.Network, de.Network]

pytestmark = [
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning"),
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.InapplicableWarning"),
]


@functools.cache
def array(*shape: int) -> np.ndarray:
    """Weights, the same for equal shapes."""
    return np.random.default_rng(sum(shape)).normal(size=shape) / np.sqrt(shape[0])


def with_weights(layer: Any, *shapes: tuple[int, ...]) -> Function:
    def call(x: Any) -> Any:
        y = layer(x)
        layer.set_weights([array(*shape) for shape in shapes])
        return y

    return call


FUNCTIONS: dict[str, tuple[Function, Function]] = {
    "crop": (lambda x: L.Cropping1D((1, 2))(x), lambda x: x[:, 1:-2]),
    "pad": (
        lambda x: L.ZeroPadding1D((2, 1))(x),
        lambda x: ops.pad(x, [[0, 0], [2, 1], [0, 0]]),
    ),
    "repeat": (lambda x: L.UpSampling1D(2)(x), lambda x: ops.repeat(x, 2, axis=1)),
    "reshape": (lambda x: L.Reshape((4, 8))(x), lambda x: ops.reshape(x, (-1, 4, 8))),
    "permute": (lambda x: L.Permute((2, 1))(x), lambda x: ops.transpose(x, (0, 2, 1))),
    "half": (lambda x: L.Cropping1D((0, 4))(x), lambda x: ops.split(x, 2, axis=1)[0]),
    "multiply": (lambda x, y: L.Multiply()([x, y]), lambda x, y: x * y),
    "add": (lambda x, y: L.Add()([x, y]), lambda x, y: x + y),
    "subtract": (lambda x, y: L.Subtract()([x, y]), lambda x, y: x - y),
    "average": (lambda x, y: L.Average()([x, y]), lambda x, y: (x + y) / 2),
    "maximum": (lambda x, y: L.Maximum()([x, y]), ops.maximum),
    "join": (
        lambda x, y: L.Concatenate(axis=-1)([x, y]),
        lambda x, y: ops.concatenate([x, y], axis=-1),
    ),
    "relu": (lambda x: L.ReLU()(x), ops.relu),
    "leaky": (lambda x: L.LeakyReLU(0.25)(x), lambda x: ops.leaky_relu(x, 0.25)),
    "sigmoid": (lambda x: L.Activation("sigmoid")(x), ops.sigmoid),
    "softmax": (lambda x: L.Softmax()(x), ops.softmax),
    "unit": (
        lambda x: L.UnitNormalization()(x),
        lambda x: ops.normalize(x, axis=-1, epsilon=1e-12),
    ),
    "scale": (lambda x: L.Rescaling(0.5, -0.25)(x), lambda x: x * 0.5 - 0.25),
    "max_pool": (lambda x: L.MaxPooling1D(2)(x), lambda x: ops.max_pool(x, 2)),
    "mean_pool": (lambda x: L.AveragePooling1D(2)(x), lambda x: ops.average_pool(x, 2)),
    "mean": (lambda x: L.GlobalAveragePooling1D()(x), lambda x: ops.mean(x, axis=1)),
    "max": (lambda x: L.GlobalMaxPooling1D()(x), lambda x: ops.max(x, axis=1)),
    "dot": (
        lambda x, y: L.Dot(axes=(2, 2))([x, y]),
        lambda x, y: ops.matmul(x, ops.transpose(y, (0, 2, 1))),
    ),
    "dense": (
        lambda x: with_weights(L.Dense(5, name="mixing"), (x.shape[-1], 5), (5,))(x),
        lambda x: ops.matmul(x, array(x.shape[-1], 5)) + array(5),
    ),
    "convolve": (
        lambda x: with_weights(L.Conv1D(4, 3, padding="same", name="second"), (3, 4, 4), (4,))(x),
        lambda x: ops.conv(x, array(3, 4, 4), padding="same") + array(4),
    ),
}
"""Of layers, and of operations."""
KERNELS = {"dense": "mixing", "convolve": "second"}
"""What has weights, and the names of these layers."""


def sequence(of: int, kernels: bool = True) -> keras.Model:
    """Of layers or operations; ``kernels`` says whether of these too."""
    f = {name: pair[of] for name, pair in FUNCTIONS.items()}
    if not kernels:
        f |= {name: FUNCTIONS[name][0] for name in KERNELS}
    x = source = keras.Input(LETTERS, name="letters")
    x = with_weights(L.Conv1D(4, 3, padding="same", name="first"), (3, 4, 4), (4,))(x)
    x = f["relu"](x)
    moved = f["pad"](f["crop"](x))
    gate = f["sigmoid"](f["permute"](f["permute"](f["convolve"](x))))
    gated = f["multiply"](f["average"](x, moved), gate)
    scores = f["softmax"](f["dot"](f["scale"](gated), moved))
    mixed = f["dot"](scores, f["permute"](f["leaky"](f["subtract"](gated, moved))))
    joined = f["join"](mixed, f["maximum"](x, f["repeat"](f["max_pool"](gated))))
    pooled = f["mean_pool"](f["half"](joined))
    heads = f["join"](f["mean"](joined), f["max"](f["reshape"](f["add"](gated, x))))
    x = f["unit"](f["join"](L.Flatten()(pooled), f["dense"](heads)))
    x = L.Dense(6, activation="tanh", name="hidden")(x)
    return keras.Model(source, L.Dense(UNITS, activation="softmax", name="last")(x))


def image(of: int) -> keras.Model:
    x = source = keras.Input((16, 16, 3), name="pixels")
    x = L.Conv2D(4, 3, activation="relu", name="first")(x)
    x = (L.Cropping2D(1)(x), x[:, 1:-1, 1:-1])[of]
    x = (L.ZeroPadding2D(1)(x), ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]))[of]
    x = (L.MaxPooling2D(2)(x), ops.max_pool(x, 2))[of]
    return keras.Model(source, L.Dense(UNITS, name="last")(L.Flatten()(x)))


def networks(build: Callable[[int], keras.Model]) -> Twins:
    """Both, of the same weights."""
    with float64():
        layers, operations = build(0), build(1)
    for name in {layer.name for layer in operations.layers if layer.weights}:
        operations.get_layer(name).set_weights(layers.get_layer(name).get_weights())
    return de.convert(layers, dtype="float64"), de.convert(operations, dtype="float64")


@pytest.fixture(scope="module")
def twins() -> Function:
    """Of sequences, or of images; made once."""
    return functools.cache(lambda on_images: networks(image if on_images else sequence))


def data(on_images: bool, samples: int = 2) -> np.ndarray:
    generator = np.random.default_rng(0)
    if on_images:
        return generator.uniform(size=(samples, 16, 16, 3))
    return np.eye(4)[generator.integers(4, size=(samples, LETTERS[0]))]


def options_of(network: de.Network, name: str) -> dict[str, Any]:
    options = dict(OPTIONS.get(name, {}))
    if name == "concept_sensitivity":
        options = {"vector": np.arange(6.0), "layers": "hidden"}
    if name == "pairwise_mutagenesis":
        options["positions"] = [2, 3, 7]
    if name in FITTED:
        options["patterns"] = de.fit_patterns(network, data(False, 30))
    return options


def scores_of(result: Any) -> Iterator[Any]:
    yield from result.scores.values() if isinstance(result.scores, dict) else [result.scores]


@pytest.mark.parametrize("name", slow_among(de.methods(), de.methods().keys() - FAST))
def test_every_method_has_equal_scores(twins: Function, name: str) -> None:
    on_images = name in ON_IMAGES
    by_layers, by_operations = (
        network.explainer(name, fused=False, **options_of(network, name)).run(
            data(on_images), target=1
        )
        for network in twins(on_images)
    )
    for found, expected in zip(scores_of(by_operations), scores_of(by_layers), strict=True):
        assert off(found, expected) < ROUNDING


@pytest.mark.parametrize(
    ("rules", "max_pooling"),
    [
        pytest.param(name, pooling, marks=() if name == "reveal_cancel" else pytest.mark.slow)
        for name, pooling in [("rescale", "gradient"), *((name, "exact") for name in named_rules())]
    ],
)
def test_every_rule_has_equal_contributions(twins: Function, rules: str, max_pooling: str) -> None:
    x = data(False)
    by_layers, by_operations = (
        network.explainer(rules=rules, max_pooling=max_pooling, fused=False).run(
            x, target=1, references=de.references.shuffle(3)
        )
        for network in twins(False)
    )
    assert off(by_operations.scores, by_layers.scores) < ROUNDING


@pytest.fixture(scope="module")
def subjects(twins: Function) -> Function:
    """The scores of one method of each, made once."""

    @functools.cache
    def made(of_weights: bool) -> list[Any]:
        pair = networks(functools.partial(sequence, kernels=False)) if of_weights else twins(False)
        benches = [evaluate.Bench(network, data(False), target=1) for network in pair]
        return [bench.run("deeplift", fused=False) for bench in benches]

    return made


@pytest.mark.parametrize("name", slow_among(evaluate.METRICS, {*evaluate.METRICS} - QUICK))
def test_every_metric_has_equal_values(subjects: Function, name: str) -> None:
    """Layers are randomised by their names, which kernels that are operations have not."""
    pair = subjects(name == "randomisation")
    by_layers, by_operations = (evaluate.METRICS[name].measure(each) for each in pair)
    np.testing.assert_allclose(
        by_operations.values, by_layers.values, rtol=ROUNDING, atol=ROUNDING
    )  # absolute for completeness, which is rounding itself
