"""The one table of generated models that the engine's tests share: layer x options x rank.

The cases are in ``cases_*.py``, one file a family of layers; here they are put together, built,
saved and opened.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from tests.cases.case import UNITS, Case, body
from tests.helpers import keras_has

# ---------------------------------------------------------------- whole networks


def stack() -> keras.Model:
    """Convolution, batch norm, ReLU, pooling twice, then dense layers."""
    x = source = keras.Input((24, 4), name="letters")
    for number, pool in enumerate((L.MaxPooling1D(3, 2, padding="same"), L.AveragePooling1D(2))):
        x = L.Conv1D(6, 5, padding="same", name=f"conv_{number}")(x)
        x = L.BatchNormalization(name=f"norm_{number}")(x)
        x = pool(L.Activation("relu", name=f"relu_{number}")(x))
    x = L.Dense(8, activation="relu", name="hidden")(L.Flatten()(L.Dropout(0.3)(x)))
    return keras.Model(source, L.Dense(3, activation="softmax", name="classes")(x))


def image_stack() -> keras.Model:
    """Pooling before the ReLU, depthwise convolutions, global pooling."""
    x = source = keras.Input((11, 9, 3), name="image")
    x = L.Activation("relu")(L.MaxPooling2D(2)(L.Conv2D(5, 3)(x)))
    x = L.LeakyReLU(negative_slope=0.1)(L.BatchNormalization()(L.DepthwiseConv2D(3)(x)))
    x = L.GlobalMaxPooling2D()(L.SeparableConv2D(6, 2, padding="same")(x))
    return keras.Model(source, L.Dense(2, activation="sigmoid", name="units")(x))


def residual() -> keras.Model:
    """Dilated convolutions with shortcuts, of free length, cropped at the end."""
    x = source = keras.Input((None, 4), name="letters")
    x = L.Conv1D(5, 3, padding="same", activation="relu")(x)
    for dilation in (1, 2, 4):
        inner = L.Activation("relu")(L.BatchNormalization()(x))
        inner = L.Conv1D(5, 3, padding="same", dilation_rate=dilation)(inner)
        x = L.Add()([x, inner])
    x = L.GlobalAveragePooling1D()(L.Cropping1D(3)(x))
    return keras.Model(source, L.Dense(2, name="units")(x))


def gated() -> keras.Model:
    """A channel gate: sigmoid of pooled features times the features."""
    x = source = keras.Input((10, 4), name="letters")
    x = L.Conv1D(6, 3, activation="gelu", padding="same")(x)
    gate = L.Dense(6, activation="sigmoid")(L.GlobalAveragePooling1D()(x))
    x = L.Multiply()([x, L.Reshape((1, 6))(gate)])
    return keras.Model(source, body(L.Minimum()([x, L.Conv1D(6, 1)(x)])))


def hidden_softmax() -> keras.Model:
    """A softmax in the middle, weighting positions."""
    x = source = keras.Input((9, 4), name="letters")
    x = L.Conv1D(5, 3, activation="tanh")(x)
    weights = L.Softmax(axis=1)(L.Dense(5)(x))
    return keras.Model(source, body(L.Dot(axes=(1, 1))([x, weights])))


def nested() -> keras.Model:
    """A model within a model within a model."""
    first = keras.Sequential([keras.Input((6,)), L.Dense(5, activation="relu")], name="first")
    middle_input = keras.Input((6,))
    middle = keras.Model(middle_input, L.Dense(4, activation="elu")(first(middle_input)))
    source = keras.Input((6,), name="x")
    return keras.Model(source, body(middle(source)))


def shared_layer() -> keras.Model:
    """One convolution and one ReLU, both used twice."""
    source = keras.Input((10, 4), name="letters")
    conv, relu = L.Conv1D(4, 3, padding="same", name="conv"), L.ReLU(name="relu")
    x = relu(conv(source))
    x = relu(conv(x))
    return keras.Model(source, body(x))


def shared_model() -> keras.Model:
    """One encoder of two inputs, called a second time on its own output's table."""
    encoder_input = keras.Input((6,))
    hidden = L.Dense(6, activation="tanh", name="inner")(encoder_input)
    encoder = keras.Model(encoder_input, L.Dense(6, activation="relu")(hidden), name="encoder")
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    x = L.Concatenate()([encoder(left), encoder(right), encoder(encoder(left))])
    return keras.Model([left, right], body(x))


def two_inputs_two_outputs() -> keras.Model:
    """A sequence and a vector in; a profile and a count out."""
    letters, extra = keras.Input((10, 4), name="letters"), keras.Input((3,), name="extra")
    x = L.Conv1D(5, 3, activation="relu", padding="same")(letters)
    profile = L.Conv1D(2, 3, padding="same", name="profile")(x)
    pooled = L.Concatenate()([L.GlobalAveragePooling1D()(x), L.Dense(4, "tanh")(extra)])
    count = L.Dense(2, activation="softplus", name="count")(pooled)
    return keras.Model([letters, extra], [profile, count])


def plain_sequential() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((7,), name="x"),
            L.Dense(6, activation="relu"),
            L.Dense(5, activation="softplus"),
            L.Dense(UNITS, name="units"),
        ]
    )


NETWORKS: dict[str, Case] = {
    "stack": Case(stack),
    "image stack": Case(image_stack),
    "residual": Case(residual),
    "gated": Case(gated),
    "hidden softmax": Case(hidden_softmax),
    "nested": Case(nested),
    "shared layer": Case(shared_layer),
    "shared model": Case(shared_model),
    "two outputs, count": Case(two_inputs_two_outputs, target="count"),
    "two outputs, profile": Case(two_inputs_two_outputs, target="profile"),
    "sequential": Case(plain_sequential),
    "softmax as the target": Case(stack, target="classes"),
    "sigmoid as the target": Case(image_stack, target="units"),
}


def collected() -> dict[str, Case]:
    """The cases of every ``cases_*.py`` beside this one."""
    found: dict[str, Case] = {}
    for info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if info.name.startswith("cases_"):
            more = importlib.import_module(f"tests.cases.{info.name}").cases()
            assert found.keys().isdisjoint(more)
            found |= more
    return found


CASES: dict[str, Case] = {**collected(), **NETWORKS}
LAYERS = [name for name in CASES if name not in NETWORKS]
FAMILIES_OF_THEIR_OWN = ("operations", "tokens", "masks")


def first_of_each(
    names: Iterable[str] = CASES, first: Any = pytest.mark.slow, again: Any = pytest.mark.thorough
) -> list[Any]:
    """All cases for a slow test; those after the first of a layer are thorough ones.

    Or with other marks, such as none and a slow test. That each of them is complete is tested in
    float64, without compiling.
    """
    seen: set[str] = set()
    marked = []
    for name in names:
        family = re.split("[ ,]", name)[0]
        repeated = family in seen and family not in FAMILIES_OF_THEIR_OWN and name not in NETWORKS
        marked.append(pytest.param(name, marks=again if repeated else first))
        seen.add(family)
    return marked


FREE_LENGTH = 15


# ---------------------------------------------------------------- building and data


def seeded(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


def rounded(inputs: list[Any]) -> list[Any]:
    """Numbers as float32; tokens as they are."""
    return [array.astype("float32") if array.dtype.kind == "f" else array for array in inputs]


def give_weights(model: keras.Model, generator: np.random.Generator) -> None:
    """Random weights: kernels that keep the scale, statistics far from those of a new layer."""
    for weight in model.weights:
        shape, role = tuple(weight.shape), weight.path.rsplit("/", 1)[-1]
        if role in ("moving_variance", "variance"):
            values = generator.uniform(0.3, 2.0, shape)
        elif "kernel" in role:
            fan_in = max(1, int(np.prod(shape[:-1])))
            values = generator.normal(0, 1.2 / np.sqrt(fan_in), shape)
        elif role == "alpha":
            values = generator.uniform(-0.4, 0.6, shape)
        else:
            values = generator.normal(0, 0.5, shape)
        weight.assign(values.astype("float32"))
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):  # Normalization keeps its statistics twice
            layer.finalize_state()


@dataclass(frozen=True)
class Opened:
    """A case, built, saved and read back."""

    name: str
    case: Case
    model: keras.Model
    path: Path

    @functools.cached_property
    def network(self) -> de.Network:
        return de.load(self.path)

    @functools.cached_property
    def exact(self) -> de.Network:
        return de.load(self.path, dtype="float64")

    def keras(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """What runs Keras: a function of tensors, as it is or compiled where the case says so."""
        if not self.case.by_xla:
            return function
        compiled: Callable[[Any], Any] = tf.function(function, jit_compile=True, autograph=False)
        return compiled

    def inputs(self, samples: int, generator: np.random.Generator) -> list[Any]:
        """One array an input: standard normal in float64, or tokens.

        Where the case says so, some of the last steps are zeros: masked.
        """
        return [self._input(info, samples, generator) for info in self.network.inputs]

    def _input(self, info: Any, samples: int, generator: np.random.Generator) -> Any:
        shape = (samples, *(FREE_LENGTH if size is None else size for size in info.shape))
        if info.dtype == "bool":
            return generator.random(shape) < 0.7
        if not info.dtype.startswith("float"):
            return generator.integers(0, self.case.tokens, shape)
        values = generator.normal(size=shape)
        if self.case.masked:
            for row in values:
                row[len(row) - generator.integers(0, len(row)) :] = 0
        return values

    @property
    def target(self) -> str:
        return self.network.target_node(self.case.target)

    def unit(self) -> Any:
        """One unit of the target, the same every time."""
        shape = self.network.nodes[self.target].shape
        return tuple(0 if size is None else size - 1 for size in shape)


def build(name: str, folder: Path, suffix: str = ".h5") -> Opened:
    """Make a case's model, with weights that depend on nothing but its name, and save it."""
    keras.utils.clear_session(free_memory=False)  # for the names; collecting garbage takes long
    case = CASES[name]
    if not keras_has(case.since):
        pytest.skip(f"{name!r} is for Keras from {case.since} on")
    model = case.build()
    give_weights(model, seeded(name))
    path = folder / f"{zlib.crc32(name.encode()):08x}{suffix}"
    model.save(path)
    if case.twin is not None:
        twin = case.twin()
        twin.set_weights(model.get_weights())
        model = twin
    return Opened(name, case, model, path)
