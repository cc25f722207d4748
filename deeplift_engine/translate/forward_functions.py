"""Users' functions of tensors: traced where that is possible, else one step each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from deeplift_engine.layers import Identity, Layer, PathFunction, TokenFunction
from deeplift_engine.tensors.tensor_ops import scratch_graph
from deeplift_engine.translate.layer_context import LayerContext, Refusal
from deeplift_engine.translate.traced_functions import Trace, put_operations
from deeplift_engine.translate.user_calls import called, shapes
from deeplift_engine.translate.user_layers import NODES


def put_function(
    context: LayerContext,
    function: Callable[..., Any],
    nodes: int | None,
    sources: Sequence[str],
    *,
    suffix: str = "",
    what: str = "its function",
) -> tuple[str, ...]:
    """A function of tensors as the operations that it is made of, else as one step.

    Where an operation has no attribution layer, or the user gives ``nodes``, each output is
    averaged along the path; of tokens, looked up.
    """
    function = getattr(function, "python_function", function)  # of a tf.function
    trace, functions = _traced(context, function, sources, what)
    note = ""
    if nodes is None:
        try:
            return _put_trace(context, trace, functions, sources, suffix)
        except Refusal as refused:
            note = f"one step: {refused.reason}"
    tokens = [context.builder.nodes[name].tokens for name in sources]
    if any(tokens) and (len(tokens) > 1 or context.depth):
        met = "at every step" if context.depth else "together with other tensors"
        raise Refusal(
            f"{what} takes tokens {met}, and tokens have no path to follow",
            f"Say what it is made of instead: layers={{{context.spec.name!r}: made}}.",
        )
    names = []
    for number, one in enumerate(functions):
        layer: Layer = (
            TokenFunction(one) if any(tokens) else PathFunction(one, nodes or NODES, note)
        )
        name = context.add(layer, *sources, suffix=suffix + _number(number))
        if any(tokens):
            _check_token_axes(context, sources[0], name, what)
        names.append(name)
    return tuple(names)


def put_traced(
    context: LayerContext, function: Callable[..., Any], sources: Sequence[str]
) -> tuple[str, ...]:
    """A function of tensors as the operations that it is made of.

    Raises
    ------
    Refusal
        If one of them has no attribution layer.
    """
    trace, functions = _traced(context, function, sources, "its function")
    return _put_trace(context, trace, functions, sources, "")


def _put_trace(
    context: LayerContext,
    trace: Trace,
    functions: Sequence[Callable[..., Any]],
    sources: Sequence[str],
    suffix: str,
) -> tuple[str, ...]:
    outputs = put_operations(context, trace, sources, context.name + suffix, functions)
    same = [tensor is trace.inputs[0] for tensor in trace.outputs]
    return tuple(
        put_output(context, name, suffix + _number(number), notes=same[number])
        for number, name in enumerate(outputs)
    )


def put_output(context: LayerContext, node: str, suffix: str, *, notes: bool = True) -> str:
    """A node under the layer's own name, with its mask if ``notes``, and its logits."""
    builder = context.builder
    name = context.add(Identity(), node, suffix=suffix)
    if notes and node in builder.masks:
        builder.masks[name] = builder.masks[node]
    if node in builder.logits:
        builder.logits[name] = builder.logits[node]
    return name


def _check_token_axes(context: LayerContext, source: str, name: str, what: str) -> None:
    """A function of tokens must work on each by itself: its axes stay, features come behind."""
    before, after = context.shape(source), context.shape(name)
    if len(after) < len(before) or any(
        None not in pair and pair[0] != pair[1] for pair in zip(before, after, strict=False)
    ):
        raise Refusal(
            f"{what} makes shape {after} of tokens of shape {before}, so it is not clear which "
            "token its output is of",
            "Index tokens first, x[:, 1:], and say the rest by layers={"
            f"{context.spec.name!r}: made}}.",
        )


def _number(number: int) -> str:
    return f"/output_{number}" if number else ""


@dataclass(frozen=True, eq=False)
class _OutputOf:
    """One of several outputs of a function."""

    function: Callable[..., Any]
    number: int

    def __call__(self, *tensors: Any) -> Any:
        return self.function(*tensors)[self.number]


def _traced(
    context: LayerContext, function: Callable[..., Any], sources: Sequence[str], what: str
) -> tuple[Trace, list[Callable[..., Any]]]:
    """A function's trace, each output checked, and a function for each output."""
    nodes = [context.builder.nodes[name] for name in sources]
    with scratch_graph():
        tensors = [
            tf.compat.v1.placeholder(node.dtype, [None, *node.shape[context.depth :]])
            for node in nodes
        ]
        value = called(context, what, _traceable(function), tensors)
        outputs = value if isinstance(value, list | tuple) else [value]
        for output in outputs:
            _check_output(context, output, all(node.tokens for node in nodes), what)
    several = outputs is value
    functions = [
        _OutputOf(function, number) if several else function for number in range(len(outputs))
    ]
    return Trace(tensors, outputs), functions


def _traceable(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, its control flow converted only where it needs that.

    Errors of a converted function are TensorFlow's, not its own.
    """

    def traceable(*tensors: Any) -> Any:
        try:
            return function(*tensors)
        except tf.errors.OperatorNotAllowedInGraphError:
            return tf.function(function)(*tensors)

    return traceable


def _check_output(context: LayerContext, output: Any, of_tokens: bool, what: str) -> None:
    met = f"for inputs of shape {shapes(context)} (without batch axis)"
    if not tf.is_tensor(output):
        raise Refusal(f"{what} returned {type(output).__name__}, no tensor, {met}")
    if not output.dtype.is_floating and not of_tokens:
        raise Refusal(
            f"{what} returned {output.dtype.name} values, which no contribution reaches, {met}",
            "Cast them to numbers: tf.cast(y, x.dtype).",
        )
    if output.dtype.is_floating and output.dtype.name != context.builder.dtype:
        raise Refusal(
            f"{what} returned {output.dtype.name} values; the network has {context.builder.dtype}",
            "Make constants in the dtype of the input: tf.cast(c, x.dtype).",
        )
    if output.shape.rank is None:
        raise Refusal(f"{what} returned a tensor of unknown rank {met}", "Set its shape.")
    if output.shape.rank == 0 or output.shape[0] is not None:
        raise Refusal(
            f"{what} returned shape {tuple(output.shape)} {met}: the batch axis is lost",
            "Its inputs have a batch axis in front, (n, ...), which its output needs too.",
        )


__all__ = ["put_function", "put_output", "put_traced"]
