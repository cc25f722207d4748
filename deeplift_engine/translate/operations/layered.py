"""Operations that do what a Keras layer does, given their arrays as constants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deeplift_conversion import LayerSpec
from deeplift_engine.translate.layer_context import NodeName, Refusal
from deeplift_engine.translate.operations.call import Operation, Translator
from deeplift_engine.util.typing import Array


def as_layer(
    op: Operation,
    class_name: str,
    options: Mapping[str, Any],
    weights: Mapping[str, Array] | None = None,
) -> tuple[str, ...]:
    """The attribution layers of a Keras layer in the place of the operation."""
    spec = LayerSpec(op.context.spec.name, class_name, dict(options), dict(weights or {}))
    child = op.context.child(spec, op.context.name, [op.numbers()])
    return op.context.builder.translate(child)


def _spatial(op: Operation, *names: str) -> tuple[int, dict[str, Any]]:
    """The number of spatial axes, and options by name."""
    rank = len(op.shape(op.tensor())) - 1
    first = str(op.option("data_format", "")) in ("channels_first", "NCW", "NCHW", "NCDHW")
    options = {name: op.option(name) for name in names if op.option(name) is not None}
    options["padding"] = str(op.option("padding", "valid")).lower()
    return rank, {**options, "data_format": "channels_first" if first else "channels_last"}


def pool(op: Operation) -> tuple[str, ...]:
    """MaxPool and AveragePool."""
    rank, options = _spatial(op, "pool_size", "strides")
    kind = "Max" if op.name == "max_pool" else "Average"
    return as_layer(op, f"{kind}Pooling{rank}D", options)


def convolution(op: Operation) -> tuple[str, ...]:
    """Conv with a constant kernel."""
    kernel = op.operand("kernel")
    if isinstance(kernel, NodeName):
        raise Refusal("conv with a kernel that is computed")
    rank, options = _spatial(op, "strides", "dilation_rate")
    inputs = op.shape(op.tensor())[0 if options["data_format"] == "channels_first" else -1]
    groups = (inputs or 0) // kernel.shape[-2]
    return as_layer(op, f"Conv{rank}D", {**options, "groups": groups}, {"kernel": kernel})


def layer_norm(op: Operation) -> tuple[str, ...]:
    """LayerNorm and RMSNorm with constant arrays."""
    names = {"layer_norm": ("gamma", "beta"), "rms_norm": ("scale",)}[op.name]
    weights = {
        name: np.asarray(op.operand(name))
        for name in names
        if op.arguments.get(name) is not None and not isinstance(op.operand(name), NodeName)
    }
    if len(weights) < sum(op.arguments.get(name) is not None for name in names):
        raise Refusal(f"{op.name} with arrays that are computed")
    options = {
        "axis": op.option("axis", -1),
        "epsilon": op.number("epsilon", 1e-7),
        "rms_scaling": bool(op.option("rms_scaling", False)),
    }
    if op.name == "rms_norm" and not weights:
        weights = {"scale": np.ones((), op.dtype)}
    layer = {"layer_norm": "LayerNormalization", "rms_norm": "RMSNormalization"}[op.name]
    return as_layer(op, layer, options, weights)


OPERATIONS: dict[str, Translator] = {
    **dict.fromkeys(("max_pool", "average_pool"), pool),
    "conv": convolution,
    **dict.fromkeys(("layer_norm", "rms_norm"), layer_norm),
}
