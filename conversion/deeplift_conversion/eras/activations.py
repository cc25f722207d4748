"""Activations: built-in ones by their lower-case name, whatever form the file gives them."""

from __future__ import annotations

from typing import Any

from deeplift_conversion.layers.table import LAYERS

BUILT_IN = frozenset(
    [
        "linear",
        "relu",
        "relu6",
        "sigmoid",
        "tanh",
        "softmax",
        "softplus",
        "softsign",
        "elu",
        "selu",
        "celu",
        "gelu",
        "silu",
        "swish",
        "exponential",
        "hard_sigmoid",
        "hard_silu",
        "hard_swish",
        "hard_tanh",
        "hard_shrink",
        "soft_shrink",
        "tanh_shrink",
        "leaky_relu",
        "mish",
        "log_sigmoid",
        "log_softmax",
        "glu",
        "squareplus",
        "threshold",
        "sparse_plus",
        "sparse_sigmoid",
        "sparsemax",
    ]
)
_CLASSES = frozenset(layer.name for layer in LAYERS.values() if layer.is_activation)
"""Layers that tf.keras finds by their names where an activation is meant."""
_SAME = {
    "relu_6": "relu6",
    "hard_swish": "hard_silu",
    "swish": "silu",
    "logsoftmax": "log_softmax",
    "log_softmax_v2": "log_softmax",
    "softmax_v2": "softmax",
    "identity": "linear",
}


def canonical_activation(value: Any, era: int) -> Any:
    """Return the name of a built-in activation, or the saved object as it was.

    Keras 1 and 2 define ``hard_sigmoid`` as 0.2 x + 0.5 clipped to [0, 1], Keras 3 as
    relu6(x + 3) / 6; the former is named ``"hard_sigmoid_keras2"``.
    """
    name = _name(value)
    if name is None:
        return value
    name = _SAME.get(name, name)
    if name == "hard_sigmoid" and era < 3:
        return "hard_sigmoid_keras2"
    return name


def _name(value: Any) -> str | None:
    if value is None:
        return "linear"
    if isinstance(value, str):
        name = value.lower() if value in _CLASSES else value
        return name if name in BUILT_IN or name in _SAME else None
    if not isinstance(value, dict):
        return None
    class_name, config = value.get("class_name"), value.get("config")
    if class_name == "function" and isinstance(config, str):
        return _name(config)
    module = str(value.get("module") or "")
    if module.startswith("keras") and "activations" in module and isinstance(class_name, str):
        return None if config else _name(class_name)
    return None
