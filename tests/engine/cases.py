"""The one table of generated models that the engine's tests share: layer x options x rank.

Each case is a small Keras 3 model. A layer by itself is put between ``Dense(tanh)``, so that
positive and negative parts reach it apart, and ``relu``, ``Flatten`` and ``Dense``, so that
multipliers reach it that differ from element to element.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers as L  # noqa: N812

import deeplift_engine as de

VECTOR, SEQUENCE, IMAGE = (7,), (12, 4), (8, 7, 4)
ROWS = (5, 6)
UNITS = 2


@dataclass(frozen=True)
class Case:
    """How to build a model.

    ``twin``, where given, builds a model with the same weights that Keras can run on a CPU and
    ``to_twin`` takes an input there; ``largest`` is the largest scale of inputs at which float32
    can hold the activations; ``target`` is the node that is explained.
    """

    build: Callable[[], keras.Model]
    twin: Callable[[], keras.Model] | None = None
    largest: float = 1e3
    target: str = "logits"
    smooth: bool = True


def body(x: Any) -> Any:
    """What follows a layer: a ReLU, and two units."""
    x = L.Activation("relu", name="after")(x)
    return L.Dense(UNITS, name="units")(L.Flatten(name="flat")(x) if x.ndim > 2 else x)


def around(
    make: Callable[[], Any], shape: tuple[int, ...], *, before: bool = True
) -> Callable[[], keras.Model]:
    """The layer that ``make`` makes, between others."""

    def build() -> keras.Model:
        x = source = keras.Input(shape, name="x")
        if before:
            x = L.Dense(shape[-1], activation="tanh", name="before")(x)
        return keras.Model(source, body(make()(x)))

    return build


def single(make: Callable[[], Any], *shapes: tuple[int, ...], **options: Any) -> dict[str, Case]:
    """One case for every shape, by the shape's rank."""
    return {f"rank {len(shape)}": Case(around(make, shape), **options) for shape in shapes}


def both_formats(make: Callable[[str], Any], shape: tuple[int, ...]) -> dict[str, Case]:
    """A layer with its channels last, and first: Keras cannot run the latter on a CPU."""
    rank = len(shape)
    first = (rank, *range(1, rank))
    last = (*range(2, rank + 1), 1)

    def build(channels_first: bool) -> keras.Model:
        x = source = keras.Input(shape, name="x")
        x = L.Permute(first)(L.Dense(shape[-1], activation="tanh")(x))
        if channels_first:
            x = make("channels_first")(x)
        else:
            x = make("channels_last")(L.Permute(last)(x))
            if x.ndim > 2:
                x = L.Permute((x.ndim - 1, *range(1, x.ndim - 1)))(x)
        return keras.Model(source, body(x))

    return {
        "channels last": Case(around(lambda: make("channels_last"), shape)),
        "channels first": Case(lambda: build(True), twin=lambda: build(False)),
    }


def merged(make: Callable[[], Any], *branches: Callable[[Any], Any]) -> Case:
    """A merging layer of several branches of one input (6,) or of their own shapes."""

    def build() -> keras.Model:
        source = keras.Input((6,), name="x")
        return keras.Model(source, body(make()([branch(source) for branch in branches])))

    return Case(build)


def dense(units: int, activation: str = "tanh") -> Callable[[Any], Any]:
    return lambda x: L.Dense(units, activation=activation)(x)


def table(rows: int, columns: int, activation: str = "tanh") -> Callable[[Any], Any]:
    return lambda x: L.Reshape((rows, columns))(L.Dense(rows * columns, activation=activation)(x))


def named(prefix: str, cases: dict[str, Case]) -> dict[str, Case]:
    return {f"{prefix}, {name}": case for name, case in cases.items()}


# ---------------------------------------------------------------- kernels

CONV1D: dict[str, dict[str, Any]] = {
    "valid": {},
    "same, even kernel": {"kernel_size": 4, "padding": "same"},
    "causal": {"padding": "causal"},
    "stride 2, valid": {"strides": 2},
    "stride 3, same": {"strides": 3, "padding": "same", "kernel_size": 4},
    "stride above kernel": {"strides": 4, "kernel_size": 2},
    "stride 2, causal": {"strides": 2, "padding": "causal"},
    "dilation 2, valid": {"dilation_rate": 2},
    "dilation 3, same": {"dilation_rate": 3, "padding": "same"},
    "dilation 2, causal": {"dilation_rate": 2, "padding": "causal", "kernel_size": 2},
    "groups, same": {"groups": 2, "filters": 6, "padding": "same"},
    "groups, stride 2": {"groups": 2, "filters": 6, "strides": 2},
    "no bias, relu": {"use_bias": False, "activation": "relu"},
}
CONV2D: dict[str, dict[str, Any]] = {
    "valid": {},
    "same, even kernel": {"kernel_size": (2, 4), "padding": "same"},
    "stride 2 3, same": {"strides": (2, 3), "padding": "same"},
    "stride 2, valid": {"strides": 2, "kernel_size": 2},
    "1x1, stride 2, same": {"strides": 2, "kernel_size": 1, "padding": "same"},
    "dilation 2 1, same": {"dilation_rate": (2, 1), "padding": "same"},
    "groups": {"groups": 2, "filters": 4},
}
DEPTHWISE1D: dict[str, dict[str, Any]] = {
    "valid": {},
    "multiplier 2, same": {"depth_multiplier": 2, "padding": "same"},
    "stride 2, same": {"strides": 2, "padding": "same"},
    "dilation 2": {"dilation_rate": 2},
}
DEPTHWISE2D: dict[str, dict[str, Any]] = {
    "valid": {},
    "multiplier 2, same": {"depth_multiplier": 2, "padding": "same"},
    "stride 2, same": {"strides": 2, "padding": "same"},
    "stride 2, valid": {"strides": 2, "use_bias": False},
    "dilation 2, same": {"dilation_rate": 2, "padding": "same"},
}
SEPARABLE1D: dict[str, dict[str, Any]] = {
    **DEPTHWISE1D,
    "relu": {"activation": "relu"},
}


def kernels() -> dict[str, Case]:
    found = {
        **named("Dense", single(lambda: L.Dense(5), VECTOR, ROWS, IMAGE)),
        **named("Dense sigmoid", single(lambda: L.Dense(5, activation="sigmoid"), VECTOR, ROWS)),
        "Dense, no bias": Case(around(lambda: L.Dense(5, use_bias=False), VECTOR)),
    }
    for layer, options, shape, defaults in (
        (L.Conv1D, CONV1D, SEQUENCE, {"filters": 5, "kernel_size": 3}),
        (L.Conv2D, CONV2D, IMAGE, {"filters": 3, "kernel_size": 3}),
        (L.DepthwiseConv1D, DEPTHWISE1D, SEQUENCE, {"kernel_size": 3}),
        (L.DepthwiseConv2D, DEPTHWISE2D, IMAGE, {"kernel_size": 3}),
        (L.SeparableConv1D, SEPARABLE1D, SEQUENCE, {"filters": 5, "kernel_size": 3}),
        (L.SeparableConv2D, DEPTHWISE2D, IMAGE, {"filters": 5, "kernel_size": 3}),
    ):
        for name, chosen in options.items():

            def make(data_format: str, layer: Any = layer, given: Any = (defaults, chosen)) -> Any:
                return layer(**given[0] | given[1], data_format=data_format)

            forms = both_formats(make, shape)
            if name not in ("valid", "same, even kernel", "stride 2, same", "groups"):
                del forms["channels first"]
            if chosen.get("padding") == "causal":  # Keras has no causal channels first
                forms.pop("channels first", None)
            found |= named(f"{layer.__name__} {name}", forms)
    return found


# ---------------------------------------------------------------- pooling and normalising

WINDOWS: dict[str, dict[str, Any]] = {
    "2": {"pool_size": 2},
    "3, same": {"pool_size": 3, "padding": "same"},
    "overlapping": {"pool_size": 4, "strides": 2},
    "overlapping, same": {"pool_size": 3, "strides": 1, "padding": "same"},
    "strides above size": {"pool_size": 2, "strides": 3},
}
WINDOWS_2D: dict[str, dict[str, Any]] = {
    "2": {"pool_size": 2},
    "3 2, same": {"pool_size": (3, 2), "padding": "same"},
    "overlapping": {"pool_size": 3, "strides": 1},
    "overlapping, same": {"pool_size": (2, 3), "strides": (1, 2), "padding": "same"},
}


def pooling() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for layer, windows, shape in (
        (L.MaxPooling1D, WINDOWS, SEQUENCE),
        (L.AveragePooling1D, WINDOWS, SEQUENCE),
        (L.MaxPooling2D, WINDOWS_2D, IMAGE),
        (L.AveragePooling2D, WINDOWS_2D, IMAGE),
    ):
        for name, options in windows.items():

            def make(data_format: str, layer: Any = layer, options: Any = options) -> Any:
                return layer(**options, data_format=data_format)

            forms = both_formats(make, shape)
            if name != "2":
                del forms["channels first"]
            found |= named(f"{layer.__name__} {name}", forms)
    for layer, shape in (
        (L.GlobalMaxPooling1D, SEQUENCE),
        (L.GlobalMaxPooling2D, IMAGE),
        (L.GlobalAveragePooling1D, SEQUENCE),
        (L.GlobalAveragePooling2D, IMAGE),
    ):
        for keepdims in (False, True):

            def make(data_format: str, layer: Any = layer, keepdims: bool = keepdims) -> Any:
                return layer(keepdims=keepdims, data_format=data_format)

            words = ", keepdims" if keepdims else ""
            found |= named(f"{layer.__name__}{words}", both_formats(make, shape))
    return found


def normalising() -> dict[str, Case]:
    options: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
        "vector": (VECTOR, {}),
        "sequence": (SEQUENCE, {"epsilon": 0.1}),
        "image": (IMAGE, {}),
        "axis 1 of a sequence": (SEQUENCE, {"axis": 1}),
        "axis 1 of an image": (IMAGE, {"axis": 1}),
        "axis 2 of an image": (IMAGE, {"axis": 2}),
        "no scale": (SEQUENCE, {"scale": False}),
        "no center": (SEQUENCE, {"center": False}),
        "neither": (VECTOR, {"scale": False, "center": False}),
    }
    found = {
        f"BatchNormalization, {name}": Case(
            around(lambda chosen=chosen: L.BatchNormalization(**chosen), shape)
        )
        for name, (shape, chosen) in options.items()
    }
    found["Rescaling"] = Case(around(lambda: L.Rescaling(-0.5, offset=0.3), ROWS))
    return found


# ---------------------------------------------------------------- activations

STEEP = {"exponential": 5.0, "squareplus": 1e3}
"""Largest scale of inputs where that is not 1,000."""


def activation_names() -> list[str]:
    """Every function that Keras has under `keras.activations`, so that a new one is missed."""
    # threshold takes two more arguments, so that no layer can be given it by name
    helpers = {"get", "serialize", "deserialize", "threshold"}
    return [
        name
        for name in dir(keras.activations)
        if not name.startswith("_")
        and name not in helpers
        and callable(getattr(keras.activations, name))
    ]


ACTIVATION_LAYERS: dict[str, Callable[[], Any]] = {
    "ReLU": lambda: L.ReLU(),
    "ReLU, max_value": lambda: L.ReLU(max_value=0.7),
    "ReLU, negative_slope": lambda: L.ReLU(negative_slope=0.3),
    "ReLU, threshold": lambda: L.ReLU(threshold=0.4),
    "ReLU, all": lambda: L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2),
    "LeakyReLU": lambda: L.LeakyReLU(negative_slope=0.2),
    "PReLU": lambda: L.PReLU(),
    "PReLU, shared_axes": lambda: L.PReLU(shared_axes=[1]),
    "ELU": lambda: L.ELU(alpha=0.7),
    "Softmax": lambda: L.Softmax(),
    "Softmax, axis 1": lambda: L.Softmax(axis=1),
    "Activation, elu": lambda: L.Activation("elu"),
}


def activations() -> dict[str, Case]:
    found = {
        f"activation {name}": Case(
            around(lambda name=name: L.Activation(name), (5, 6), before=False),
            largest=STEEP.get(name, 1e3),
        )
        for name in activation_names()
    }
    found["activation glu"] = Case(_gated_linear)
    for name, make in ACTIVATION_LAYERS.items():
        found[f"{name} at the input"] = Case(around(make, ROWS, before=False))
        found[f"{name} inside"] = Case(around(make, ROWS))
    return found


def _gated_linear() -> keras.Model:
    """Keras is wrong about the shape of glu's output, so no weights can follow it."""
    x = source = keras.Input((5, 6), name="x")
    x = L.Activation("glu")(L.Dense(6, activation="tanh")(x))
    return keras.Model(source, L.GlobalAveragePooling1D()(x))


# ---------------------------------------------------------------- moving elements, merging


def structural() -> dict[str, Case]:
    inactive = {
        "Dropout": lambda: L.Dropout(0.5),
        "SpatialDropout1D": lambda: L.SpatialDropout1D(0.5),
        "GaussianNoise": lambda: L.GaussianNoise(1.0),
        "GaussianDropout": lambda: L.GaussianDropout(0.5),
        "AlphaDropout": lambda: L.AlphaDropout(0.5),
        "ActivityRegularization": lambda: L.ActivityRegularization(0.1),
        "Identity": lambda: L.Identity(),
    }
    found = {name: Case(around(make, SEQUENCE)) for name, make in inactive.items()}
    sequences = {
        "Permute": lambda: L.Permute((2, 1)),
        "Reshape": lambda: L.Reshape((6, 8)),
        "Reshape -1": lambda: L.Reshape((-1, 3)),
        "ZeroPadding1D": lambda: L.ZeroPadding1D((1, 3)),
        "Cropping1D": lambda: L.Cropping1D((2, 1)),
        "UpSampling1D": lambda: L.UpSampling1D(3),
    }
    found |= {name: Case(around(make, SEQUENCE)) for name, make in sequences.items()}
    found["RepeatVector"] = Case(around(lambda: L.RepeatVector(3), VECTOR))
    found["Permute of an image"] = Case(around(lambda: L.Permute((3, 1, 2)), IMAGE))
    images: dict[str, Callable[[str], Any]] = {
        "Flatten": lambda form: L.Flatten(data_format=form),
        "ZeroPadding2D": lambda form: L.ZeroPadding2D(((1, 0), (2, 1)), data_format=form),
        "Cropping2D": lambda form: L.Cropping2D(((1, 2), (0, 3)), data_format=form),
        "UpSampling2D": lambda form: L.UpSampling2D((2, 3), data_format=form),
        "UpSampling2D bilinear": lambda form: L.UpSampling2D(
            (2, 3), interpolation="bilinear", data_format=form
        ),
        "SpatialDropout2D": lambda form: L.SpatialDropout2D(0.5, data_format=form),
    }
    for name, make in images.items():
        found |= named(name, both_formats(make, IMAGE))
    return found


def merging() -> dict[str, Case]:
    found: dict[str, Case] = {}
    two = (dense(4), dense(4, "sigmoid"))
    three = (*two, dense(4, "softplus"))
    wide = (table(3, 4), table(3, 4, "sigmoid"))
    for layer in (L.Add, L.Multiply, L.Average, L.Maximum, L.Minimum):
        found[f"{layer.__name__} of two"] = merged(layer, *two)
        found[f"{layer.__name__} of three"] = merged(layer, *three)
        found[f"{layer.__name__} of rank 3"] = merged(layer, *wide)
    found["Multiply of four"] = merged(L.Multiply, *three, dense(4, "softsign"))
    found["Multiply, broadcast"] = merged(L.Multiply, table(3, 4), table(3, 1, "sigmoid"))
    found["Add, broadcast"] = merged(L.Add, table(3, 4), table(1, 4, "sigmoid"))
    found["Multiply by itself"] = Case(_square)
    found["Subtract"] = merged(L.Subtract, *two)
    found["Concatenate"] = merged(L.Concatenate, *three)
    found["Concatenate, axis 1"] = merged(
        lambda: L.Concatenate(axis=1), table(3, 4), table(2, 4, "sigmoid")
    )
    found["Concatenate, axis -1"] = merged(
        lambda: L.Concatenate(axis=-1), table(3, 4), table(3, 2, "sigmoid")
    )
    for normalize in (False, True):
        words = ", normalize" if normalize else ""

        def dot(axes: Any, normalize: bool = normalize) -> Callable[[], Any]:
            return lambda: L.Dot(axes=axes, normalize=normalize)

        found[f"Dot of vectors{words}"] = merged(dot(1), *two)
        found[f"Dot, axes 1{words}"] = merged(dot(1), table(3, 4), table(3, 2, "sigmoid"))
        found[f"Dot, axes 2{words}"] = merged(dot(2), table(3, 4), table(2, 4, "sigmoid"))
        found[f"Dot, axes 2 1{words}"] = merged(dot((2, 1)), table(3, 4), table(4, 2, "sigmoid"))
    return found


def _square() -> keras.Model:
    source = keras.Input((6,), name="x")
    x = L.Dense(4, activation="tanh")(source)
    return keras.Model(source, body(L.Multiply()([x, x])))


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
CASES: dict[str, Case] = {
    **kernels(),
    **pooling(),
    **normalising(),
    **activations(),
    **structural(),
    **merging(),
    **NETWORKS,
}
LAYERS = [name for name in CASES if name not in NETWORKS]
FREE_LENGTH = 15


# ---------------------------------------------------------------- building and data


def seeded(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


def give_weights(model: keras.Model, generator: np.random.Generator) -> None:
    """Random weights: kernels that keep the scale, statistics far from those of a new layer."""
    for weight in model.weights:
        shape, role = tuple(weight.shape), weight.path.rsplit("/", 1)[-1]
        if role == "moving_variance":
            values = generator.uniform(0.3, 2.0, shape)
        elif "kernel" in role:
            fan_in = max(1, int(np.prod(shape[:-1])))
            values = generator.normal(0, 1.2 / np.sqrt(fan_in), shape)
        elif role == "alpha":
            values = generator.uniform(-0.4, 0.6, shape)
        else:
            values = generator.normal(0, 0.5, shape)
        weight.assign(values.astype("float32"))


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

    def inputs(self, samples: int, generator: np.random.Generator) -> list[Any]:
        """Standard normal, one array an input, float64."""
        return [
            generator.normal(
                size=(
                    samples,
                    *(FREE_LENGTH if size is None else size for size in info.shape),
                )
            )
            for info in self.network.inputs
        ]

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
    model = case.build()
    give_weights(model, seeded(name))
    path = folder / f"{zlib.crc32(name.encode()):08x}{suffix}"
    model.save(path)
    if case.twin is not None:
        twin = case.twin()
        twin.set_weights(model.get_weights())
        model = twin
    return Opened(name, case, model, path)
