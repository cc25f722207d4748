"""Pictures of kernels and activations hold what the network holds."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError

L = keras.layers


@pytest.fixture(scope="module")
def network() -> de.Network:
    keras.utils.set_random_seed(0)
    layers = [L.Conv2D(5, 3, activation="relu", name="conv"), L.MaxPooling2D(2, name="pool")]
    head = [L.Conv2D(4, 2, name="upper"), L.Flatten(), L.Dense(3, name="units")]
    return de.convert(keras.Sequential([keras.Input((11, 9, 3)), *layers, *head]))


def shown(figure: Any) -> list[Any]:
    return [panel.images[0].get_array() for panel in figure.axes if panel.images]


def test_kernels_are_drawn_with_one_scale(network: de.Network) -> None:
    kernel = network.nodes["conv/pre_activation"].layer.kernel
    colours = shown(de.visualize.draw_filters(network, "conv", most=4))
    assert len(colours) == 4
    for number, picture in enumerate(colours):
        scaled = (kernel[..., number] + np.abs(kernel[..., :4]).max()) / 2
        np.testing.assert_allclose(
            np.asarray(picture), scaled / np.abs(kernel[..., :4]).max(), atol=1e-6
        )
    upper = network.nodes["upper"].layer.kernel
    figure = de.visualize.draw_filters(network, "upper")
    np.testing.assert_allclose(shown(figure)[2], upper.mean(2)[..., 2], atol=1e-6)
    limits = [panel.images[0].get_clim() for panel in figure.axes[:4]]
    largest = float(np.abs(upper.mean(2)).max())
    np.testing.assert_allclose(limits, [(-largest, largest)] * 4, rtol=1e-6)
    with pytest.raises(InputError, match="Layers with a kernel: conv, units, upper"):
        de.visualize.draw_filters(network, "units")


def test_activations_are_drawn_layer_by_layer(network: de.Network) -> None:
    x = np.random.default_rng(0).uniform(size=(3, 11, 9, 3))
    figure = de.visualize.draw_activations(network, x, ["conv", "pool", "units"], sample=1, most=2)
    titles = [part.get_suptitle() for part in figure.subfigs]
    assert titles[0] == "conv: 2 of 5 channels; a unit reads 3 x 3"
    assert titles[1] == "pool: 2 of 5 channels; a unit reads 4 x 4"
    assert titles[2] == "units: 3 units"
    activations = network.activations(x, ["conv", "units"])
    order = np.argsort(-activations["conv"][1].max(axis=(0, 1)))
    np.testing.assert_allclose(shown(figure)[0], activations["conv"][1, ..., order[0]], atol=1e-6)
    np.testing.assert_allclose(shown(figure)[-1], activations["units"][1][None], atol=1e-6)
    with pytest.raises(InputError, match="sample is a whole number"):
        de.visualize.draw_activations(network, x, "conv", sample=3)


def test_sequences_are_maps_of_channels_by_positions() -> None:
    keras.utils.set_random_seed(0)
    layers = [L.Conv1D(6, 5, activation="relu", name="conv"), L.Flatten(), L.Dense(1)]
    network = de.convert(keras.Sequential([keras.Input((30, 4)), *layers]))
    x = np.eye(4)[np.random.default_rng(0).integers(4, size=(1, 30))]
    figure = de.visualize.draw_activations(network, x, "conv", most=3)
    assert shown(figure)[0].shape == (3, 26)
    assert figure.axes[0].get_xlabel() == "position"
    kernels = shown(de.visualize.draw_filters(network, "conv"))
    assert [kernel.shape for kernel in kernels] == [(4, 5)] * 6
