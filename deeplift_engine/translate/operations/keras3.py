"""Keras 3's own operations: classes of ``keras.src.ops`` in a saved model."""

from __future__ import annotations

import re
from typing import Any

from deeplift_engine.translate.layer_context import LayerContext, Refusal
from deeplift_engine.translate.operations.call import Operation

PARAMETERS = {
    "average": ("x", "weights"),
    "batch_norm": ("x", "mean", "variance", "offset", "scale"),
    "clip": ("x", "x_min", "x_max"),
    "concatenate": ("*xs",),
    "conv": ("x", "kernel"),
    "depthwise_conv": ("x", "kernel"),
    "dot_product_attention": ("query", "key", "value", "bias", "mask", "scale"),
    "einsum": ("*operands",),
    "full_like": ("x", "fill_value"),
    "get_item": ("x", "key"),
    "hstack": ("*xs",),
    "isclose": ("x1", "x2", "rtol", "atol"),
    "layer_norm": ("x", "gamma", "beta"),
    "pad": ("x", "constant_values"),
    "rms_norm": ("x", "scale"),
    "select": ("condlist", "choicelist", "default"),
    "slice": ("x", "start_indices"),
    "stack": ("*xs",),
    "take": ("x", "indices"),
    "vstack": ("*xs",),
    "where": ("condition", "x1", "x2"),
}
"""Parameters of a call in their order; ``*`` marks a list. Others take x, or x1 and x2."""

ALIASES = {
    "abs": "absolute",
    "amax": "max",
    "amin": "min",
    "array_split": "split",
    "conjugate": "conj",
    "fabs": "absolute",
    "fmax": "maximum",
    "fmin": "minimum",
    "true_divide": "divide",
}


def read(context: LayerContext) -> Operation:
    """The operation that a node of a Keras 3 file is."""
    name = name_of(context.spec.class_name)
    args = context.arguments["args"]
    arguments: dict[str, Any] = {
        key: value for key, value in context.spec.config.items() if key != "name"
    }
    arguments |= {key: value for key, value in context.arguments.items() if key != "args"}
    alone = len(args) == 1 and arguments.keys().isdisjoint(("x1", "x2"))
    parameters = PARAMETERS.get(name, ("x",) if alone else ("x1", "x2"))
    free = tuple(parameter for parameter in parameters if parameter not in arguments)
    arguments |= bound(name, args, free)
    return Operation(name, arguments, context)


def name_of(class_name: str) -> str:
    """``"ops.NotEqual"`` as ``"not_equal"``, and what has two names by one of them."""
    name = in_words(class_name[4:])
    return ALIASES.get(name, name)


def in_words(name: str) -> str:
    """``"NotEqual"`` as ``"not_equal"``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def bound(name: str, args: tuple[Any, ...], parameters: tuple[str, ...]) -> dict[str, Any]:
    """Positional arguments by name.

    A list may be the one argument of a call or all of them, as the file has it.
    """
    if parameters and parameters[0].startswith("*"):
        several = args[0] if len(args) == 1 and isinstance(args[0], tuple) else args
        return {parameters[0][1:]: several} if several else {}
    if len(args) > len(parameters):
        raise Refusal(f"{name} takes {len(parameters)} tensors, not {len(args)}")
    return dict(zip(parameters, args, strict=False))
