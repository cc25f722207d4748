"""Custom Keras layers that tests save, and what users would say of them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L  # noqa: N812

import deeplift_engine as de

LENGTH = 12


class RevCompConv1D(L.Conv1D):
    """A convolution with every kernel and its reverse complement."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*super().compute_output_shape(input_shape)[:-1], 2 * self.filters)

    def call(self, inputs: Any) -> Any:
        kernel = tf.concat([self.kernel, self.kernel[::-1, ::-1, ::-1]], -1)
        bias = tf.concat([self.bias, self.bias[::-1]], -1)
        output = tf.nn.convolution(
            inputs, kernel, self.strides, self.padding.upper(), dilations=self.dilation_rate
        )
        return self.activation(output + bias)


@keras.saving.register_keras_serializable("Tests")
class Block(L.Layer):
    """Two dense layers, a gain for each feature, and a shortcut."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = units
        self.first, self.second = L.Dense(units, activation="relu"), L.Dense(units)

    def build(self, input_shape: Any) -> None:
        self.gain = self.add_weight(shape=(self.units,), name="gain")
        self.first.build(input_shape)
        self.second.build(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def call(self, inputs: Any) -> Any:
        return self.second(self.first(inputs)) * self.gain + inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


class Wave(L.Layer):
    """sin(rate · x) times a gain for each feature: nothing that has a rule of its own."""

    def __init__(self, rate: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.rate = rate

    def build(self, input_shape: Any) -> None:
        self.gain = self.add_weight(shape=(input_shape[-1],), name="gain")

    def call(self, inputs: Any) -> Any:
        return tf.sin(self.rate * inputs) * self.gain

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


class Halves(L.Layer):
    """The two halves of the features; called with two inputs, of their difference."""

    def call(self, inputs: Any, other: Any = None) -> Any:
        x = inputs if other is None else inputs - other
        return x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]


def revcomp(layer: de.CustomLayer) -> Any:
    """What RevCompConv1D is made of."""
    kernel, bias = layer.weights.values()
    both = {
        "kernel": np.concatenate([kernel, kernel[::-1, ::-1, ::-1]], axis=-1),
        "bias": np.concatenate([bias, bias[::-1]]),
    }
    options = {**layer.config, "filters": 2 * layer.config["filters"]}
    return layer.apply("Conv1D", layer.input, weights=both, **options)


def block(layer: de.CustomLayer) -> Any:
    """What Block is made of, be its arrays named (HDF5) or numbered (.keras)."""
    named = "gain" in layer.weights
    first, second = dict.fromkeys(role.split("/")[0] for role in layer.weights if "/" in role)
    x = layer.apply("Dense", layer.input, weights=layer.part(first), activation="relu")
    x = layer.apply("Dense", x, weights=layer.part(second))
    return x * layer.weights["gain" if named else "0"] + layer.input


def wave(x: Any, weights: Any, config: Any) -> Any:
    """The forward pass of Wave."""
    (gain,) = weights.values()
    return tf.sin(config["rate"] * x) * gain


def halves(layer: de.CustomLayer) -> Any:
    """What Halves is made of."""
    x, other = layer.inputs[0], layer.argument("other")
    if other is not None:
        x = layer.apply("Subtract", x, other)
    middle = x.shape[-1] // 2
    return x[..., :middle], x[..., middle:]


def randomised(model: keras.Model, seed: int = 0) -> keras.Model:
    """The model with random weights, biases too."""
    generator = np.random.default_rng(seed)
    model.set_weights([generator.normal(0, 0.5, array.shape) for array in model.get_weights()])
    return model


def reverse_complement_model(custom: bool = True) -> keras.Model:
    """Two convolutions with kernels of both strands; without ``custom`` as plain ones."""
    keras.utils.clear_session(free_memory=False)
    x = source = keras.Input((LENGTH, 4), name="letters")
    for number, (filters, width) in enumerate(((3, 5), (2, 3))):
        name = f"conv_{number}"
        if custom:
            x = RevCompConv1D(filters, width, activation="relu", name=name)(x)
        else:
            x = L.Conv1D(2 * filters, width, activation="relu", name=name)(x)
    return keras.Model(source, L.Dense(2, name="units")(L.Flatten(name="flat")(x)))


def letters(samples: int, seed: int = 0) -> Any:
    """Random sequences (samples, LENGTH, 4), one-hot."""
    generator = np.random.default_rng(seed)
    return np.eye(4, dtype="float32")[generator.integers(4, size=(samples, LENGTH))]


def vectors(samples: int, size: int = 6, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(samples, size)).astype("float32")
