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
    options = {
        name: _in_space(op.option(name), rank, first)
        for name in names
        if op.option(name) is not None
    }
    options["padding"] = str(op.option("padding", "valid")).lower()
    return rank, {**options, "data_format": "channels_first" if first else "channels_last"}


def _in_space(sizes: Any, rank: int, first: bool) -> Any:
    """Sizes of ``rank`` spatial axes, where those of samples and channels may be among them."""
    if not isinstance(sizes, tuple) or len(sizes) != rank + 2:
        return sizes
    return sizes[2:] if first else sizes[1:-1]


def pool(op: Operation) -> tuple[str, ...]:
    """MaxPool and AveragePool."""
    rank, options = _spatial(op, "pool_size", "strides")
    kind = "Max" if op.name == "max_pool" else "Average"
    return as_layer(op, f"{kind}Pooling{rank}D", options)


def _kernel(op: Operation) -> Array:
    kernel = op.operand("kernel")
    if isinstance(kernel, NodeName):
        raise Refusal(f"{op.name} with a kernel that is computed")
    return kernel


def depthwise(op: Operation) -> tuple[str, ...]:
    """DepthwiseConv with a constant kernel."""
    rank, options = _spatial(op, "strides", "dilation_rate")
    return as_layer(op, f"DepthwiseConv{rank}D", options, {"depthwise_kernel": _kernel(op)})


def convolution(op: Operation) -> tuple[str, ...]:
    """Conv with a constant kernel."""
    kernel = _kernel(op)
    rank, options = _spatial(op, "strides", "dilation_rate")
    inputs = op.shape(op.tensor())[0 if options["data_format"] == "channels_first" else -1]
    groups = (inputs or 0) // kernel.shape[-2]
    return as_layer(op, f"Conv{rank}D", {**options, "groups": groups}, {"kernel": kernel})


NORMS: dict[str, tuple[str, dict[str, str]]] = {
    "batch_norm": (
        "BatchNormalization",
        {"mean": "moving_mean", "variance": "moving_variance", "offset": "beta", "scale": "gamma"},
    ),
    "layer_norm": ("LayerNormalization", {"gamma": "gamma", "beta": "beta"}),
    "rms_norm": ("RMSNormalization", {"scale": "scale"}),
}
"""Normalisations: the layer, and its array for each argument that is one."""


def norm(op: Operation) -> tuple[str, ...]:
    """BatchNorm, LayerNorm and RMSNorm with constant arrays."""
    class_name, roles = NORMS[op.name]
    weights: dict[str, Array] = {}
    for name, role in roles.items():
        if op.arguments.get(name) is None:
            continue
        array = op.operand(name)
        if isinstance(array, NodeName):
            raise Refusal(f"{op.name} with arrays that are computed")
        weights[role] = array
    if op.name == "batch_norm" and any(
        array.size != max(array.shape, default=1) for array in weights.values()
    ):
        raise Refusal("batch_norm with arrays of several axes")
    options = {
        "axis": op.option("axis", -1),
        "epsilon": op.number("epsilon", 1e-7),
        "rms_scaling": bool(op.option("rms_scaling", False)),
    }
    if op.name == "rms_norm" and not weights:
        weights = {"scale": np.ones((), op.dtype)}
    return as_layer(op, class_name, options, weights)


OPERATIONS: dict[str, Translator] = {
    **dict.fromkeys(("max_pool", "average_pool"), pool),
    "conv": convolution,
    "depthwise_conv": depthwise,
    **dict.fromkeys(NORMS, norm),
}
