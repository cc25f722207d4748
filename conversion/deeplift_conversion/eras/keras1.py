"""Keras 0.x and 1 layers in Keras 2's terms."""

from __future__ import annotations

from typing import Any

from deeplift_conversion.eras.axis_order import CLASSES as CLASSES_WITHOUT_ORDER
from deeplift_conversion.eras.axis_order import UNSAID

CLASSES = {
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "AtrousConv1D": "Conv1D",
    "AtrousConv2D": "Conv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "Deconvolution3D": "Conv3DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "TimeDistributedDense": "Dense",
}
_OPTIONS = {
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "border_mode": "padding",
    "subsample": "strides",
    "subsample_length": "strides",
    "stride": "strides",
    "pool_length": "pool_size",
    "atrous_rate": "dilation_rate",
    "bias": "use_bias",
    "inner_activation": "recurrent_activation",
    "p": "rate",
    "sigma": "stddev",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "dims": "target_shape",
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "forget_bias_init": "bias_initializer",
}
_HARMLESS = frozenset(
    {
        "input_dtype",
        "cache_enabled",
        "custom_name",
        "consume_less",
        "weights",
        "input_shape",
        "input_length",
        "W_regularizer",
        "U_regularizer",
        "b_regularizer",
        "W_constraint",
        "U_constraint",
        "b_constraint",
        "gamma_init",
        "beta_init",
        "gamma_regularizer",
        "beta_regularizer",
        "depthwise_init",
        "pointwise_init",
        "depthwise_regularizer",
        "pointwise_regularizer",
        "truncate_gradient",
    }
)
_RECURRENT = frozenset({"SimpleRNN", "LSTM", "GRU"})


def in_keras2_words(class_name: str, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return Keras 2's class name and options for a Keras 0.x or 1 layer."""
    name = CLASSES.get(class_name, class_name)
    options: dict[str, Any] = {}
    for key, value in config.items():
        if key == "dims" and class_name == "Permute":
            options[key] = value
        elif key not in _HARMLESS:
            options[_OPTIONS.get(key, key)] = value
    if name != "Embedding" and "output_dim" in options:
        options["units"] = options.pop("output_dim")
    if name != "Embedding":
        options.pop("input_dim", None)
    _set_kernel_size(options)
    _set_data_format(name, options)
    if name == "UpSampling1D" and "length" in options:
        options["size"] = options.pop("length")
    if name == "Flatten":
        # Keras 1 flattens row by row whatever the dim_ordering, as channels_last does in Keras 2.
        options["data_format"] = "channels_last"
    if name in _RECURRENT:
        options.setdefault("use_bias", True)
        if name != "SimpleRNN":
            options.setdefault("recurrent_activation", "hard_sigmoid")
        if name == "GRU":
            options["reset_after"] = False
    if name == "BatchNormalization":
        mode = options.pop("mode", 0)
        if mode:  # normalises by the sample's or batch's own moments: another layer altogether
            name = f"BatchNormalizationMode{mode}"
    if name in ("Conv2DTranspose", "Conv3DTranspose"):
        shape = options.pop("output_shape", None)
        if isinstance(shape, list | tuple) and len(shape) > 2:
            first = options.get("data_format") == "channels_first"
            options["output_size"] = list(shape[2:] if first else shape[1:-1])
    return name, options


def _set_kernel_size(options: dict[str, Any]) -> None:
    for names in (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3")):
        if all(name in options for name in names):
            options["kernel_size"] = [options.pop(name) for name in names]


def _set_data_format(class_name: str, options: dict[str, Any]) -> None:
    ordering = options.pop("dim_ordering", None)
    if ordering is not None:
        options["data_format"] = "channels_first" if ordering == "th" else "channels_last"
    elif class_name in CLASSES_WITHOUT_ORDER:
        options["data_format"] = UNSAID
