"""Cases of the layers of every day: kernels, pooling, activations, moving and merging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers as L  # noqa: N812

from tests.cases.case import (
    IMAGE,
    ROWS,
    SEQUENCE,
    VECTOR,
    Case,
    around,
    body,
    both_formats,
    dense,
    merged,
    named,
    single,
    table,
)

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
        (L.DepthwiseConv2D, DEPTHWISE2D, (8, 9, 4), {"kernel_size": 3}),
        (L.SeparableConv1D, SEPARABLE1D, SEQUENCE, {"filters": 5, "kernel_size": 3}),
        (L.SeparableConv2D, DEPTHWISE2D, IMAGE, {"filters": 3, "kernel_size": 3}),
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


def cases() -> dict[str, Case]:
    """All of them."""
    return {
        **kernels(),
        **pooling(),
        **normalising(),
        **activations(),
        **structural(),
        **merging(),
    }
