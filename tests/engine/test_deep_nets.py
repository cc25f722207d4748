"""Deep networks of keras.applications and a transformer: converted, equal to Keras, complete.

Random weights; batch normalisation has the statistics of a batch of pictures, each of them then
changed by some, so that activations neither vanish nor explode in a hundred layers and no
statistic is trivial.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from tests.helpers import off

pytestmark = pytest.mark.slow
UNITS, PICTURES = 10, 16
STEPS, TOKENS, WIDTH = 24, 50, 32


def application(make: Callable[..., keras.Model], size: int) -> keras.Model:
    """A network of keras.applications that gives logits."""
    shape = (size, size, 3)
    return make(weights=None, input_shape=shape, classes=UNITS, classifier_activation=None)


def transformer() -> keras.Model:
    """Four encoder blocks over tokens and their positions."""
    tokens = keras.Input((STEPS,), dtype="int32", name="tokens")
    positions = keras.Input((STEPS,), dtype="int32", name="positions")
    x = L.Embedding(TOKENS, WIDTH)(tokens) + L.Embedding(STEPS, WIDTH)(positions)
    for _ in range(4):
        normal = L.LayerNormalization()(x)
        x = x + L.MultiHeadAttention(4, WIDTH // 4)(normal, normal)
        normal = L.LayerNormalization()(x)
        inner = L.Dense(4 * WIDTH, activation="gelu")(normal)
        x = x + L.Dropout(0.1)(L.Dense(WIDTH)(inner))
    pooled = L.GlobalAveragePooling1D()(L.LayerNormalization()(x))
    return keras.Model([tokens, positions], L.Dense(UNITS)(pooled))


NETS: dict[str, Callable[[], keras.Model]] = {
    "MobileNetV3Small": functools.partial(application, keras.applications.MobileNetV3Small, 64),
    "ResNet50": functools.partial(application, keras.applications.ResNet50, 64),
    "EfficientNetB0": functools.partial(application, keras.applications.EfficientNetB0, 64),
    "Xception": functools.partial(application, keras.applications.Xception, 71),
    "transformer": transformer,
}


def pictures(size: int, generator: np.random.Generator) -> Any:
    """Smooth coloured pictures (16, size, size, 3), their values about 0 to 255."""
    coarse = generator.normal(size=(PICTURES, 5, 5, 3)) + generator.normal(size=(PICTURES, 1, 1, 3))
    fine = keras.ops.image.resize(coarse.astype("float32"), (size, size))
    noise = generator.normal(size=(PICTURES, size, size, 3))
    return (127 + 50 * np.asarray(fine) + 10 * noise).astype("float32")


def random_inputs(model: keras.Model, generator: np.random.Generator) -> list[Any]:
    if len(model.inputs) == 2:
        positions = np.tile(np.arange(STEPS), (PICTURES, 1)).astype("int32")
        return [generator.integers(0, TOKENS, (PICTURES, STEPS)).astype("int32"), positions]
    found = pictures(model.input_shape[1], generator)
    # the first two expect -1 to 1 and have no layer that brings pictures there
    return [found / 127.5 - 1 if model.name in ("resnet50", "xception") else found]


def randomised(model: keras.Model, inputs: list[Any], generator: np.random.Generator) -> None:
    """Give the model's normalising layers and biases values as training might."""
    normalising = [layer for layer in model.layers if isinstance(layer, L.BatchNormalization)]
    for weight in model.trainable_weights:
        if weight.name == "gamma":
            weight.assign(generator.uniform(0.6, 1.2, weight.shape))
        elif weight.name in ("beta", "bias"):
            weight.assign(generator.normal(0, 0.1, weight.shape))
    for layer in normalising:
        layer.momentum = 0.0  # the moving statistics become those of the one batch
    model(inputs if len(inputs) > 1 else inputs[0], training=True)
    for layer in normalising:
        layer.momentum = 0.99
        variance = np.asarray(layer.moving_variance)
        shift = 0.1 * np.sqrt(variance) * generator.normal(size=variance.shape)
        layer.moving_variance.assign(variance * generator.uniform(0.8, 1.3, variance.shape))
        layer.moving_mean.assign(np.asarray(layer.moving_mean) + shift)


class Saved(NamedTuple):
    """A model's file, inputs, and what Keras computes of them in either precision."""

    path: Path
    inputs: list[Any]
    float32: Any
    float64: Any


@pytest.fixture(scope="module", params=NETS)
def saved(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Saved]:
    keras.utils.set_random_seed(7)
    generator = np.random.default_rng(7)
    model = NETS[request.param]()
    inputs = random_inputs(model, generator)
    randomised(model, inputs, generator)
    path = tmp_path_factory.mktemp("deep") / f"{request.param}.h5"
    model.save(path)
    inputs = [array[:2] for array in inputs]
    with computing_in("float64"):
        exact = NETS[request.param]()
    exact.set_weights(model.get_weights())
    yield Saved(path, inputs, kerass(model, inputs), kerass(exact, inputs))
    path.unlink()  # up to a hundred megabytes
    keras.backend.clear_session()


@contextmanager
def computing_in(dtype: str) -> Iterator[None]:
    """Keras builds models of that dtype."""
    before = keras.config.floatx()
    try:
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
        yield
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(before)


def kerass(model: keras.Model, inputs: list[Any]) -> Any:
    return np.asarray(model(inputs if len(inputs) > 1 else inputs[0], training=False))


@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=pytest.mark.thorough), "float64"])
def test_a_deep_network_equals_keras_and_is_complete(saved: Saved, dtype: str) -> None:
    """One input and one reference; every activation is of a size that tells something."""
    network = de.load(saved.path, dtype=dtype)
    outputs = network.predict(saved.inputs)
    assert saved.float64.dtype == np.float64
    if dtype == "float64":
        # the file's constants are float32 (epsilon of norms, scales), those of Keras in float64
        # are not, but for gelu's; what follows them moves by as much as their rounding
        assert off(outputs, saved.float64) < 1e-6
    else:
        # Keras's own rounding moves the logits of ResNet50 by 3e-5 of the largest
        noise = off(saved.float32, saved.float64)
        assert noise < 1e-4
        assert off(outputs, saved.float32) < max(1e-5, 2 * noise)
    behind = network.activations(saved.inputs, network.nodes)
    sizes = {name: float(np.std(values)) for name, values in behind.items() if values.size > 2}
    assert all(size < 1e3 for size in sizes.values())
    assert sizes[network.outputs[0]] > 1e-2
    explainer = network.explainer(target="output", fused=False)
    x, references = ([array[row : row + 1] for array in saved.inputs] for row in (0, 1))
    found = explainer.run(x, references=references, target=3, strict=True)
    assert abs(found.target_delta[0]) > 1e-2
    assert found.relative_error[0] < (1e-3 if dtype == "float32" else 1e-8)
