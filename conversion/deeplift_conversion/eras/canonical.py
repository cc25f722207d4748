"""Class and options of a layer, from any age of Keras, in Keras 3's terms."""

from __future__ import annotations

import re
from typing import Any

from deeplift_conversion.eras.activations import canonical_activation
from deeplift_conversion.eras.keras1 import in_keras2_words
from deeplift_conversion.eras.options import HARMLESS, HARMLESS_ENDINGS, OPTIONS, SPATIAL
from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.files.untrusted import frozen

ALIASES = {
    "SyncBatchNormalization": "BatchNormalization",
    "UnifiedLSTM": "LSTM",
    "UnifiedGRU": "GRU",
    "LayerNorm": "LayerNormalization",
    "GroupedQueryAttention": "GroupQueryAttention",
}
_GATED = frozenset({"LSTM", "GRU", "LSTMCell", "GRUCell", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
_CHILD_OPTIONS = frozenset({"layer", "backward_layer", "cell", "cells"})


def canonical(
    class_name: str, config: dict[str, Any], era: int, where: str
) -> tuple[str, dict[str, Any]]:
    """Return the Keras 3 class and options of a saved layer.

    Parameters
    ----------
    class_name, config
        As the file has them.
    era
        0 to 3, see `deeplift_conversion.eras.generations`.
    where
        The file and layer, for messages.

    Returns
    -------
    tuple
        Class name, and options: those of known classes complete, without what changes nothing
        at prediction (initialisers, regularisers ...), lists as tuples. A class that is not
        known keeps its name and all its options.
    """
    name, options = class_name, dict(config)
    if era < 2:
        name, options = in_keras2_words(name, options)
    name = _plain_class_name(name)
    dtype = _dtype(options.pop("dtype", None))
    if name.startswith("CuDNN") and name[5:] in ("LSTM", "GRU"):
        name = name[5:]
        options |= {"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True}
        if name == "GRU":
            options["reset_after"] = True
    if name not in OPTIONS:
        for key in ("activation", "recurrent_activation"):
            if key in options:
                options[key] = canonical_activation(options[key], era)
        return name, frozen({**options, "dtype": dtype})
    _rename(name, options)
    known = dict(OPTIONS[name])
    if era < 3:
        _use_old_defaults(name, known)
    result: dict[str, Any] = {"name": str(options.get("name", "")), "dtype": dtype}
    for key, value in options.items():
        if key in known or (not _harmless(key) and not (key == "time_major" and not value)):
            result[key] = value
    result = {**known, **result}
    if name not in ("Activation",) or "activation" in config:
        for key in ("activation", "recurrent_activation"):
            if key in result:
                result[key] = canonical_activation(result[key], era)
    _shape_options(name, result, where)
    return name, frozen(result)


def _plain_class_name(name: str) -> str:
    name = ALIASES.get(name, name)
    if name not in OPTIONS and name[-2:] in ("V1", "V2") and name[:-2] in OPTIONS:
        return name[:-2]
    if ">" in name:  # tf.keras registers some built-in layers under a package
        package, _, bare = name.rpartition(">")
        if package.startswith(("keras", "Keras", "tf.keras")) and bare in OPTIONS:
            return bare
    for prefix in ("experimental.preprocessing.", "keras.layers."):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def _dtype(value: Any) -> str:
    if isinstance(value, dict):
        config = value.get("config")
        inner = config.get("name") if isinstance(config, dict) else None
        return str(inner or value.get("name") or "float32")
    return str(value or "float32")


def _harmless(key: str) -> bool:
    return key in HARMLESS or key in _CHILD_OPTIONS or key.endswith(HARMLESS_ENDINGS)


def _rename(name: str, options: dict[str, Any]) -> None:
    if name == "LeakyReLU" and "alpha" in options:
        options["negative_slope"] = options.pop("alpha")
    if name in ("ReLU", "LeakyReLU", "ELU", "ThresholdedReLU"):
        for key, value in options.items():
            if isinstance(value, dict):  # tf.keras saves some numbers as arrays
                options[key] = _number(value)
    if "implementation" in options and not name.startswith("LocallyConnected"):
        del options["implementation"]
    if name != "InputLayer":
        options.pop("batch_shape", None)
    elif "batch_input_shape" in options:
        options["batch_shape"] = options.pop("batch_input_shape")
    if name == "Softmax" and isinstance(options.get("axis"), list) and len(options["axis"]) == 1:
        options["axis"] = options["axis"][0]


def _number(value: dict[str, Any]) -> Any:
    inner = value.get("value", value.get("config"))
    if isinstance(inner, dict):
        inner = inner.get("value", inner)
    return inner if isinstance(inner, int | float) else value


def _use_old_defaults(name: str, known: dict[str, Any]) -> None:
    if name in _GATED and "recurrent_activation" in known:
        known["recurrent_activation"] = "hard_sigmoid"
    if "reset_after" in known:
        known["reset_after"] = False
    if name == "RandomCrop":  # at inference, where Keras 3 does nothing
        known["resizes"] = True


def _shape_options(name: str, options: dict[str, Any], where: str) -> None:
    """Bring sizes, strides, paddings and axes to tuples of one length."""
    match = re.search(r"([123])D", name)
    rank = int(match.group(1)) if match else 0
    if rank:
        if name.startswith(("MaxPooling", "AveragePooling")) and options["strides"] is None:
            options["strides"] = options["pool_size"]
        for key in SPATIAL & options.keys():
            if options[key] is not None:
                options[key] = _sizes(options[key], rank, key, where)
        if name.startswith("UpSampling"):
            options["size"] = _sizes(options["size"], rank, "size", where)
        if name.startswith("ZeroPadding"):
            options["padding"] = _margins(options["padding"], rank, "padding", where)
        if name.startswith("Cropping"):
            options["cropping"] = _margins(options["cropping"], rank, "cropping", where)
    if isinstance(options.get("padding"), str):
        options["padding"] = options["padding"].lower()
    if options.get("data_format", "") is None:
        options["data_format"] = "channels_last"
    if name.endswith("Normalization"):
        axis = options.get("axis")
        if isinstance(axis, list | tuple) and len(axis) == 1:
            options["axis"] = axis[0]


def _sizes(value: Any, rank: int, key: str, where: str) -> tuple[int, ...]:
    values = value if isinstance(value, list | tuple) else [value] * rank
    if len(values) == 1:
        values = [values[0]] * rank
    if len(values) != rank or not all(_is_integer(entry) for entry in values):
        raise ModelConfigError(
            f"{where}: option {key} is {value!r}, expected {rank} whole number(s)."
        )
    return tuple(int(entry) for entry in values)


def _margins(value: Any, rank: int, key: str, where: str) -> tuple[Any, ...]:
    """Return (before, after), or a pair of these for each of several axes."""
    if isinstance(value, dict):  # Keras 1: {"top_pad": 1, "bottom_pad": 1, ...}
        sides = [("top_pad", "bottom_pad"), ("left_pad", "right_pad")][-min(rank, 2) :]
        strange = value.keys() - {side for pair in sides for side in pair}
        if strange or rank > 2:
            raise ModelConfigError(
                f"{where}: option {key} is {value!r}, expected numbers for some of"
                f" {[side for pair in sides for side in pair]}."
            )
        value = [[value.get(side, 0) for side in pair] for pair in sides]
        value = value[0] if rank == 1 else value
    if not isinstance(value, list | tuple):
        value = [[value, value]] * rank
    elif rank == 1:
        value = [value] if len(value) == 2 else [[*value, *value]]
    elif len(value) == 2 * rank and all(_is_integer(entry) for entry in value):
        value = [value[2 * axis : 2 * axis + 2] for axis in range(rank)]
    pairs = [entry if isinstance(entry, list | tuple) else [entry, entry] for entry in value]
    if len(pairs) != rank or not all(
        len(pair) == 2 and all(_is_integer(entry) for entry in pair) for pair in pairs
    ):
        raise ModelConfigError(
            f"{where}: option {key} is {value!r}, expected a pair of whole numbers for each of"
            f" {rank} axes."
        )
    margins = tuple((int(pair[0]), int(pair[1])) for pair in pairs)
    return margins[0] if rank == 1 else margins


def _is_integer(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
