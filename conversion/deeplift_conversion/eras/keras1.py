"""Keras 0.x and 1 layers in Keras 2's terms."""

from __future__ import annotations

from typing import Any

from deeplift_conversion.layers.table import KERAS_1, known

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
_HARMLESS = """
    input_dtype cache_enabled custom_name consume_less weights input_shape input_length
    W_regularizer U_regularizer b_regularizer W_constraint U_constraint b_constraint gamma_init
    beta_init gamma_regularizer beta_regularizer depthwise_init pointwise_init
    depthwise_regularizer pointwise_regularizer truncate_gradient
"""


def in_keras2_words(class_name: str, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return Keras 2's class name and options for a Keras 0.x or 1 layer."""
    name = KERAS_1.get(class_name, class_name)
    layer = known(name)
    own = layer.options or {} if layer else {}
    options: dict[str, Any] = {}
    for key, value in config.items():
        if key in own:
            options[key] = value
        elif key not in _HARMLESS.split():
            options[_OPTIONS.get(key, key)] = value
    if "output_dim" not in own and "output_dim" in options:
        options["units"] = options.pop("output_dim")
    if "input_dim" not in own:
        options.pop("input_dim", None)
    _set_kernel_size(options)
    ordering = options.pop("dim_ordering", None)
    if ordering is not None:
        options["data_format"] = "channels_first" if ordering == "th" else "channels_last"
    if "size" in own and "length" in options:
        options["size"] = options.pop("length")
    if name == "Flatten":
        # Keras 1 flattens row by row whatever the dim_ordering, as channels_last does in Keras 2.
        options["data_format"] = "channels_last"
    if name == "BatchNormalization":
        mode = options.pop("mode", 0)
        if mode:  # normalises by the sample's or batch's own moments: another layer altogether
            name = f"{name}Mode{mode}"
    if "output_padding" in own:
        shape = options.pop("output_shape", None)
        if isinstance(shape, list | tuple) and len(shape) > 2:
            first = options.get("data_format") == "channels_first"
            options["output_size"] = list(shape[2:] if first else shape[1:-1])
    return name, options


def _set_kernel_size(options: dict[str, Any]) -> None:
    for names in (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3")):
        if all(name in options for name in names):
            options["kernel_size"] = [options.pop(name) for name in names]
