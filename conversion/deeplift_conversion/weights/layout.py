"""Arrays of every age in Keras 3's roles and layout, checked against the options."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.layers.table import LAYERS, family
from deeplift_conversion.spec import Array
from deeplift_conversion.tree import Layer
from deeplift_conversion.weights.quantized import plain_weights
from deeplift_conversion.weights.roles import OWN, slots_of

_CONVOLUTIONS = ("convolution", "transposed", "depthwise", "separable", "conv_lstm")
"""Families whose kernels Theano flips."""


def canonical_weights(
    layer: Layer, raw: dict[str, Array], theano: bool, where: str
) -> dict[str, Array]:
    """Return a layer's arrays by role in Keras 3's layout, read-only.

    Parameters
    ----------
    layer
        The layer.
    raw
        Its arrays as the file has them, by role (Keras 1: one for each gate).
    theano
        True if convolution kernels were trained as true convolutions and are to be flipped.
    where
        File and layer, for messages.

    Raises
    ------
    ModelConfigError
        If an array's shape does not fit the options, or another array.
    """
    weights = plain_weights(layer, raw, where)
    if layer.era < 2:
        weights = _from_keras1(layer, weights, where)
    if layer.saved_class_name.startswith("CuDNN"):
        weights = _from_cudnn(layer, weights, where)
    if theano and family(layer.class_name) in _CONVOLUTIONS:
        weights = {
            role: _flipped(values) if role.endswith("kernel") else values
            for role, values in weights.items()
        }
    if layer.saved.get("virtual_batch_size") and isinstance(layer.config.get("axis"), int):
        weights = {role: values.ravel() for role, values in weights.items()}
    slots = slots_of(layer.class_name, layer.config)
    if slots is not None:
        weights = {slot.role: weights[slot.role] for slot in slots}
    check_shapes(layer, weights, where)
    if theano and family(layer.class_name) == "conv_lstm":
        same = ("recurrent_kernel", *(["kernel"] if layer.config["padding"] == "same" else []))
        weights |= {role: _odd(weights[role]) for role in same}
    for role, values in weights.items():
        values = np.asarray(values, order="C")
        values.flags.writeable = False
        weights[role] = values
    return weights


def check_shapes(layer: Layer, weights: dict[str, Array], where: str) -> None:
    """Compare every array's shape with the options and with the layer's other arrays."""
    symbols: dict[str, int] = {}
    for slot in slots_of(layer.class_name, layer.config) or ():
        values = weights.get(slot.role)
        if values is None or slot.shape is None:
            continue
        expected = tuple(
            symbols.get(size, size) if isinstance(size, str) else size for size in slot.shape
        )
        fits = len(expected) == values.ndim and all(
            isinstance(size, str) or size == actual
            for size, actual in zip(expected, values.shape, strict=True)
        )
        if not fits:
            shape = str(expected).replace("'", "")
            raise ModelConfigError(
                f"{where} ({layer.saved_class_name}): {slot.role} has shape {values.shape},"
                f" expected {shape} from the options {_size_options(layer)}."
                f" Do architecture and weights belong together?{OWN}"
            )
        for size, actual in zip(slot.shape, values.shape, strict=True):
            if isinstance(size, str):
                symbols[size] = actual


def _size_options(layer: Layer) -> dict[str, Any]:
    keys = ("filters", "units", "kernel_size", "input_dim", "output_dim", "depth_multiplier")
    return {key: layer.config[key] for key in keys if key in layer.config}


def _from_keras1(layer: Layer, weights: dict[str, Array], where: str) -> dict[str, Array]:
    name, config = layer.class_name, layer.config
    if "W_i" in weights or "W_z" in weights:
        gates = LAYERS[name].gates
        if config.get("data_format") == "channels_first":
            weights = {role: _axes(values, {4: (2, 3, 1, 0)}) for role, values in weights.items()}
        roles = {"kernel": "W", "recurrent_kernel": "U", "bias": "b"}
        try:
            return {
                role: np.concatenate([weights[f"{kind}_{gate}"] for gate in gates], axis=-1)
                for role, kind in roles.items()
            }
        except ValueError as error:
            raise ModelConfigError(
                f"{where}: the gates' arrays differ in shape: {error}"
            ) from error
    kernel = weights.get("kernel")
    if kernel is not None and name == "Conv1D" and kernel.ndim == 4:
        length, filters = config["kernel_size"][0], config["filters"]
        if kernel.shape[:2] != (length, 1) or kernel.shape[3] != filters:
            kernel = kernel.transpose(2, 3, 1, 0)  # before Keras 1.2: (out, in, length, 1)
        weights["kernel"] = kernel[:, 0]
    elif kernel is not None and config.get("data_format") == "channels_first":
        if name in ("Conv2D", "Conv3D"):
            weights["kernel"] = _axes(kernel, {4: (2, 3, 1, 0), 5: (2, 3, 4, 1, 0)})
        elif name == "Conv2DTranspose":
            weights["kernel"] = _axes(kernel, {4: (2, 3, 0, 1)})
    elif kernel is not None and name == "Conv2DTranspose":
        weights["kernel"] = _axes(kernel, {4: (0, 1, 3, 2)})
    if name == "SeparableConv2D" and config["data_format"] == "channels_first":
        for role in ("depthwise_kernel", "pointwise_kernel"):
            weights[role] = _axes(weights[role], {4: (2, 3, 1, 0)})
    if layer.era == 0 and name == "BatchNormalization" and "moving_variance" in weights:
        # Keras 0 divides by (standard deviation + epsilon), later ones by sqrt(variance + epsilon).
        epsilon = config["epsilon"]
        deviation = weights["moving_variance"].astype(np.float64)
        variance = (deviation + epsilon) ** 2 - epsilon
        weights["moving_variance"] = variance.astype(weights["moving_variance"].dtype)
    return weights


def _axes(values: Array, orders: dict[int, tuple[int, ...]]) -> Array:
    order = orders.get(values.ndim)
    return values if order is None else values.transpose(order)


def _from_cudnn(layer: Layer, weights: dict[str, Array], where: str) -> dict[str, Array]:
    """Bring cuDNN's transposed gates and doubled biases to the plain layer's layout."""
    gates = 4 if layer.class_name == "LSTM" else 3
    units = layer.config["units"]
    kernel, recurrent = weights["kernel"], weights["recurrent_kernel"]
    bias = weights["bias"]
    width = gates * units
    if kernel.ndim != 2 or kernel.shape[1] != width or bias.shape != (2 * width,):
        raise ModelConfigError(
            f"{where} ({layer.saved_class_name}): kernel {kernel.shape} and bias {bias.shape},"
            f" expected (in, {width}) and ({2 * width},)."
        )
    return {
        "kernel": np.hstack(
            [gate.T.reshape(gate.shape, order="F") for gate in np.hsplit(kernel, gates)]
        ),
        "recurrent_kernel": np.hstack([gate.T for gate in np.hsplit(recurrent, gates)]),
        "bias": np.add(*np.split(bias, 2)) if gates == 4 else bias.reshape(2, width),
    }


def _odd(kernel: Array) -> Array:
    """Return an even kernel with a zero behind: Theano pads it by one more in front."""
    spatial = kernel.ndim - 2
    return np.pad(kernel, [(0, 1 - size % 2) for size in kernel.shape[:spatial]] + [(0, 0)] * 2)


def _flipped(kernel: Array) -> Array:
    spatial = kernel.ndim - 2
    return np.flip(kernel, axis=tuple(range(spatial)))
