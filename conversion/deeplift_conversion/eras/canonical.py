"""Class and options of a layer, from any age of Keras, in Keras 3's terms."""

from __future__ import annotations

import re
from typing import Any

from deeplift_conversion.eras.activations import canonical_activation
from deeplift_conversion.eras.keras1 import in_keras2_words
from deeplift_conversion.eras.quantization import refused_mode
from deeplift_conversion.eras.saved_names import is_harmless
from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.files.untrusted import frozen
from deeplift_conversion.layers.keras_layer import KerasLayer
from deeplift_conversion.layers.table import ALIASES, known

_SPATIAL = frozenset(
    [
        "kernel_size",
        "strides",
        "dilation_rate",
        "pool_size",
        "output_padding",
        "output_size",
        "size",
    ]
)
"""Options that are tuples over the spatial axes."""
_CHILD_OPTIONS = frozenset({"layer", "backward_layer", "cell", "cells"})
_FUNCTIONS = frozenset({"activation", "recurrent_activation"})


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
    name, options = class_name, frozen(config)
    if era < 2:
        name, options = in_keras2_words(name, options)
    name = _plain_class_name(name)
    if mode := refused_mode(name, options):
        return f"Quantized{name}", {**options, "dtype": "float32", "quantized": mode}
    dtype = _dtype(options.pop("dtype", None))
    if name.startswith("CuDNN") and name[5:] in ("LSTM", "GRU"):
        name = name[5:]
        options |= {"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True}
        if name == "GRU":
            options["reset_after"] = True
    layer = known(name)
    if layer is None:
        for key in _FUNCTIONS & options.keys():
            options[key] = canonical_activation(options[key], era)
        return name, frozen({**options, "dtype": dtype})
    defaults = layer.defaults(era)
    _rename(layer, options)
    result = {"name": str(options.get("name", "")), "dtype": dtype} | {
        key: value
        for key, value in options.items()
        if key in defaults or not _says_nothing(key, value)
    }
    result = {**defaults, **result}
    for key in _FUNCTIONS & result.keys():
        result[key] = canonical_activation(result[key], era)
    _shape_options(layer, result, where)
    return name, frozen(result)


def _plain_class_name(name: str) -> str:
    name = ALIASES.get(name, name)
    if name[-2:] in ("V1", "V2") and known(name[:-2]):
        return name[:-2]
    if ">" in name:  # tf.keras registers some built-in layers under a package
        package, _, bare = name.rpartition(">")
        if package.startswith(("keras", "Keras", "tf.keras")) and known(bare):
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


def _says_nothing(key: str, value: Any) -> bool:
    return is_harmless(key) or key in _CHILD_OPTIONS or (key == "time_major" and not value)


def _rename(layer: KerasLayer, options: dict[str, Any]) -> None:
    """Give options Keras 3's names, and drop those that say nothing of this layer."""
    for old, new in layer.renamed.items():
        if old in options:
            options[new] = options.pop(old)
    for key in (layer.options or {}).keys() - _FUNCTIONS:
        if isinstance(options.get(key), dict):  # tf.keras saves some numbers as arrays
            options[key] = _number(options[key])
    for key in ("implementation", "batch_shape"):
        if key not in (layer.options or ()):
            options.pop(key, None)
    axis = options.get("axis")
    if isinstance(axis, list | tuple) and len(axis) == 1:
        options["axis"] = axis[0]


def _number(value: dict[str, Any]) -> Any:
    inner = value.get("value", value.get("config"))
    if isinstance(inner, dict):
        inner = inner.get("value", inner)
    return inner if isinstance(inner, int | float) else value


def _shape_options(layer: KerasLayer, options: dict[str, Any], where: str) -> None:
    """Bring sizes, strides and paddings to tuples of one length."""
    match = re.search(r"([123])D", layer.name)
    rank = int(match.group(1)) if match else 0
    if rank:
        if "pool_size" in (layer.options or ()) and options["strides"] is None:
            options["strides"] = options["pool_size"]
        for key in _SPATIAL & options.keys():
            if options[key] is not None:
                options[key] = _sizes(options[key], rank, key, where)
        if layer.margins:
            options[layer.margins] = _margins(options[layer.margins], rank, layer.margins, where)
    if isinstance(options.get("padding"), str):
        options["padding"] = options["padding"].lower()
    if options.get("data_format", "") is None:
        options["data_format"] = "channels_last"


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
