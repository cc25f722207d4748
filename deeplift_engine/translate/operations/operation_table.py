"""The one table of operations: name in Keras 3's words → how it becomes attribution layers."""

from __future__ import annotations

from dataclasses import replace

from deeplift_conversion import LayerSpec
from deeplift_engine.translate.layer_context import LayerContext, NodeName, Refusal
from deeplift_engine.translate.operations import (
    arithmetic,
    attention,
    comparisons,
    composed,
    contractions,
    functions,
    images,
    indexing,
    joining,
    keras3,
    layered,
    lookups,
    reductions,
    shaping,
    sizes,
    tensorflow,
)
from deeplift_engine.translate.operations.call import Translator

OPERATIONS: dict[str, Translator] = {
    **arithmetic.OPERATIONS,
    **functions.OPERATIONS,
    **comparisons.OPERATIONS,
    **lookups.OPERATIONS,
    **shaping.OPERATIONS,
    **joining.OPERATIONS,
    **indexing.OPERATIONS,
    **reductions.OPERATIONS,
    **contractions.OPERATIONS,
    **attention.OPERATIONS,
    **layered.OPERATIONS,
    **images.OPERATIONS,
    **sizes.OPERATIONS,
    **composed.OPERATIONS,
}

_JUMPS = "a position is a whole number that jumps, no difference can be shared by what moves it"
_ORDER = "which element comes where changes from input to reference"
_TOGETHER = "it counts through all samples together"
_CHANCE = "its output depends on chance"
REFUSED = {
    **dict.fromkeys(("argmax", "argmin", "nanargmax", "nanargmin", "searchsorted"), _JUMPS),
    **dict.fromkeys(("argsort", "argpartition", "digitize", "top_k"), _JUMPS),
    **dict.fromkeys(("sort", "median", "quantile", "percentile"), _ORDER),
    **dict.fromkeys(("bincount", "flatnonzero", "nonzero", "ravel", "unique"), _TOGETHER),
    **dict.fromkeys(("dropout", "random.normal", "random.uniform"), _CHANCE),
}
"""Operations that have no attribution layer for a reason of their own."""


def is_operation(spec: LayerSpec) -> bool:
    """Whether a layer is an operation, of whatever era."""
    return spec.class_name.startswith("ops.") or spec.class_name in tensorflow.CLASSES


def check(spec: LayerSpec) -> None:
    """Raise `Refusal` for an operation that is not in the table."""
    name = operation_name(spec)
    if name not in OPERATIONS:
        reason = f": {REFUSED[name]}" if name in REFUSED else ""
        raise Refusal(
            f"no attribution layer for the operation {name}{reason}",
            f"Give its forward pass yourself: functions={{{spec.name!r}: f}}.",
        )


def operation(context: LayerContext) -> str | tuple[str, ...]:
    """Put an operation."""
    builder = context.builder
    arguments = {key: sizes.resolved(value, builder) for key, value in context.arguments.items()}
    tensors = tuple(sizes.resolved(NodeName(name), builder) for name in context.inputs)
    args = arguments.get("args", tensors)
    arguments["args"] = args if isinstance(args, tuple) else (args,)
    context.used.update(context.arguments)
    read = keras3.read if context.spec.class_name.startswith("ops.") else tensorflow.read
    operation = read(replace(context, arguments=arguments))
    known = sizes.folded(operation)
    return OPERATIONS[operation.name](operation) if known is None else known


def operation_name(spec: LayerSpec) -> str:
    """Keras 3's name of the operation that a layer is."""
    if spec.class_name.startswith("ops."):
        return keras3.name_of(spec.class_name)
    return tensorflow.name_of(spec)
