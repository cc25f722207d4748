"""PatternNet and PatternAttribution, and the patterns that they need."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError, RuleError
from tests.explainers.keras_nets import float64
from tests.explainers.relevance import dense_relevance as dense
from tests.helpers import off

L = keras.layers


def linear(weights: Any) -> de.Network:
    with float64():
        source = keras.Input((len(weights),))
        model = keras.Model(source, L.Dense(1)(source))
    model.set_weights([np.asarray(weights, float)[:, np.newaxis], np.array([0.7])])
    return de.convert(model, dtype="float64")


def test_the_signal_of_a_linear_model_is_found() -> None:
    """Kindermans 2018, section 2: a signal along (1, 0), a distractor along (1, 1)."""
    generator = np.random.default_rng(0)
    signal, distractor = generator.normal(size=(2, 100_000, 1))
    x = signal * [1.0, 0.0] + distractor * [1.0, 1.0]
    network = linear([1.0, -1.0])  # cancels the distractor
    patterns = de.fit_patterns(network, x, estimator="linear")
    (found,) = patterns.of_kernels.values()
    assert off(found[:, 0], [1.0, 0.0]) < 0.01  # a mean over 100,000 samples
    some = x[:5]
    value = network.predict(some)
    net = network.explainer("pattern_net", patterns=patterns).run(some)
    assert off(net.scores, value * found[:, 0]) < 1e-12
    attribution = network.explainer("pattern_attribution", patterns=patterns).run(some)
    assert off(attribution.scores, value * found[:, 0] * [1.0, -1.0]) < 1e-12
    assert off(attribution.scores.sum(1), value[:, 0]) < 1e-9


def images(norm: bool = False) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((6, 5, 2)),
            L.Conv2D(4, 3, strides=2, padding="same"),
            *([L.BatchNormalization()] if norm else []),
            L.Activation("relu"),
            L.MaxPooling2D((1, 2), strides=1),
            L.Conv2D(4, 2, groups=2),
            L.Activation("relu"),
            L.Flatten(),
            L.Dense(5),
            L.Activation("relu"),
            L.Dense(3),
        ]
    )


@functools.cache
def opened(norm: bool = False) -> tuple[keras.Model, de.Network]:
    with float64():
        keras.utils.set_random_seed(3)
        model = images(norm)
        generator = np.random.default_rng(4)
        model.set_weights(
            [
                np.abs(generator.normal(0, 0.5, w.shape))
                if w.ndim == 1
                else generator.normal(0, 0.5, w.shape)
                for w in model.get_weights()
            ]
        )
        return model, de.convert(model, dtype="float64")


def data(samples: int = 40) -> Any:
    return np.random.default_rng(5).normal(size=(samples, 6, 5, 2)) + 0.3


def by_hand(model: keras.Model, x: Any, estimator: str) -> list[Any]:
    """Patterns of every kernel, each output of which is a row of a dense matrix at each place."""
    found = []
    layers = list(model.layers)
    for number, layer in enumerate(layers):
        if isinstance(layer, dense.KERNELS):
            before = x
            for other in layers[:number]:
                before = other(before).numpy()
            follows = number + 1 < len(layers) and isinstance(layers[number + 1], L.Activation)
            found.append(_pattern(layer, before, estimator == "relu" and follows))
    return found


def _pattern(layer: Any, x: Any, active: bool) -> Any:
    kernel, bias = (weight.numpy() for weight in layer.weights)
    y = layer(x).numpy()
    outputs = kernel.shape[-1]
    columns = []
    for unit in range(outputs):
        windows, values = [], []
        for place in np.ndindex(y.shape[1:-1]):
            windows.append(_window(layer, x, place, unit))
            values.append(y[(slice(None), *place, unit)])
        read, value = np.concatenate(windows), np.concatenate(values)
        kept = value > 0 if active else np.ones(len(value), bool)
        along = (read[kept] * value[kept, np.newaxis]).mean(0) - read[kept].mean(0) * value.mean()
        weights = kernel[..., unit].ravel()
        assert off(read @ weights + bias[unit], value) < 1e-9
        columns.append((along / (weights @ along)).reshape(kernel.shape[:-1]))
    return np.stack(columns, -1)


def _window(layer: Any, x: Any, place: tuple[int, ...], unit: int) -> Any:
    if isinstance(layer, L.Dense):
        return x
    height, width = layer.kernel_size
    if layer.padding == "same":  # TensorFlow's: what is missing, less before than behind
        margins = []
        for size, window, stride in zip(
            x.shape[1:3], layer.kernel_size, layer.strides, strict=True
        ):
            total = max((-(-size // stride) - 1) * stride + window - size, 0)
            margins.append((total // 2, total - total // 2))
        x = np.pad(x, [(0, 0), *margins, (0, 0)])
    top, left = (at * stride for at, stride in zip(place, layer.strides, strict=True))
    each = x.shape[-1] // layer.groups
    group = unit // (layer.filters // layer.groups)
    part = x[:, top : top + height, left : left + width, group * each : (group + 1) * each]
    return part.reshape(len(x), -1)


@pytest.mark.parametrize("estimator", ["relu", "linear"])
def test_patterns_are_what_windows_one_by_one_give(estimator: str) -> None:
    model, network = opened()
    x = data()
    found = de.fit_patterns(network, x, estimator=estimator).of_kernels
    expected = by_hand(model, x, estimator)
    assert len(found) == len(expected) == 4
    for ours, theirs in zip(found.values(), expected, strict=True):
        assert off(ours, theirs) < 1e-9


def test_batches_give_the_patterns_of_all() -> None:
    network = opened()[1]
    x = data()
    whole = de.fit_patterns(network, x).of_kernels
    parts = de.fit_patterns(network, iter([x[:7], x[7:8], x[8:]])).of_kernels
    for name, values in whole.items():
        assert off(parts[name], values) < 1e-9


@pytest.mark.parametrize("method", ["pattern_net", "pattern_attribution"])
def test_the_walk_back_is_the_gradient_with_other_kernels(method: str) -> None:
    model, network = opened()
    x, patterns = data(4), de.fit_patterns(network, data())
    found = network.explainer(method, patterns=patterns).run(x, target=2)
    assert off(found.scores, walked_back(model, x, patterns, method, 2)) < 1e-9


def walked_back(model: keras.Model, x: Any, patterns: de.Patterns, method: str, unit: int) -> Any:
    arrays = iter(patterns.of_kernels.values())
    with float64():
        other = keras.models.clone_model(model)
    for layer, clone in zip(model.layers, other.layers, strict=True):
        if isinstance(layer, dense.KERNELS):
            kernel, array = layer.weights[0].numpy(), next(arrays)
            clone.set_weights(
                [
                    array * kernel if method == "pattern_attribution" else array,
                    layer.get_weights()[1],
                ]
            )
    found = []
    for sample in x:
        at = [sample]
        for layer in model.layers:
            at.append(layer(at[-1][np.newaxis]).numpy()[0])
        arrived = np.where(np.arange(3) == unit, at[-1], 0.0)
        for clone, point in zip(reversed(other.layers), reversed(at[:-1]), strict=True):
            if isinstance(clone, L.Activation):
                arrived = arrived.reshape(point.shape) * (point > 0)
            elif isinstance(clone, L.Flatten):
                arrived = arrived.reshape(point.shape)
            elif isinstance(clone, L.MaxPooling2D):
                arrived = dense.winners(clone, point, arrived)
            else:
                arrived = (dense.matrix(clone, point.shape)[0] @ arrived.ravel()).reshape(
                    point.shape
                )
        found.append(arrived)
    return np.stack(found)


def test_patterns_come_back_from_a_file(tmp_path: Path) -> None:
    network = opened()[1]
    patterns = de.fit_patterns(network, data())
    path = tmp_path / "patterns.npz"
    patterns.save(path)
    expected = network.explainer("pattern_net", patterns=patterns).run(data(2), target=0)
    found = network.explainer("pattern_net", patterns=str(path)).run(data(2), target=0)
    np.testing.assert_array_equal(found.scores, expected.scores)


def test_merged_batch_norm_has_the_patterns_of_its_own_kernel() -> None:
    network = opened(norm=True)[1]
    merged, apart = (
        de.fit_patterns(network, data(), batch_norm=choice) for choice in ("merge", "rule")
    )
    name = next(iter(merged.of_kernels))
    assert off(merged.of_kernels[name], apart.of_kernels[name]) > 0.01
    found = network.explainer("pattern_attribution", patterns=merged).run(data(3), target=1)
    assert np.isfinite(found.scores).all()
    kernel = next(node.name for node in network.nodes.values() if node.class_name == "Conv2D")
    with pytest.raises(RuleError, match="batch_norm='rule'"):
        network.explainer(
            "pattern_net", patterns=merged, layers=kernel, target=network.target_node()
        )
    network.explainer("pattern_net", patterns=apart, layers=kernel)


def test_mistakes_are_named() -> None:
    network = opened()[1]
    with pytest.raises(RuleError, match="needs patterns="):
        network.explainer("pattern_net")
    with pytest.raises(RuleError, match="fit_patterns"):
        network.explainer("pattern_net", patterns=de.Patterns({}))
    with pytest.raises(RuleError, match="'relu' or 'linear'"):
        de.fit_patterns(network, data(), estimator="quadratic")
    with pytest.raises(InputError, match="no batch"):
        de.fit_patterns(network, iter([]))
    others = de.fit_patterns(network, data()).of_kernels
    doubled = de.Patterns({name: 2 * values for name, values in others.items()})
    with pytest.raises(RuleError, match="another kernel"):
        network.explainer("pattern_net", patterns=doubled)
