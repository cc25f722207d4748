"""One call of a layer in a model's specification becomes nodes of the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from deeplift_conversion import ModelSpec, NodeSpec, TensorRef
from deeplift_engine.translate.layer_context import LayerContext, NodeName, Refusal


def put_node(context: LayerContext, node: NodeSpec, node_names: dict[TensorRef, str]) -> None:
    """Put a call whose inputs exist, and enter its outputs into ``node_names``."""
    context.inputs = [node_names[ref] for ref in node.inputs]
    context.arguments = {
        name: _resolved(value, node_names) for name, value in node.arguments.items()
    }
    for index, name in enumerate(context.builder.translate(context)):
        node_names[TensorRef(node.name, index)] = name


def put_constants(context: LayerContext) -> None:
    """Put constants among the inputs of a call as nodes."""
    values = list(_leaves(context.arguments.get("args")))
    nodes = [value for value in values if isinstance(value, NodeName)]
    if not nodes or not all(isinstance(value, NodeName | np.ndarray) for value in values):
        return
    context.inputs = [
        value if isinstance(value, NodeName) else context.constant(value, nodes[0], f"/input_{i}")
        for i, value in enumerate(values)
    ]
    context.used.add("args")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for entry in value:
            yield from _leaves(entry)
    else:
        yield value


def put_model(context: LayerContext, model: ModelSpec) -> tuple[str, ...]:
    """Put the model that a wrapper holds as the nodes of that wrapper."""
    node_names = {
        TensorRef(name): source for name, source in zip(model.inputs, context.inputs, strict=True)
    }
    for node in model.nodes:
        if node.name in model.inputs:
            continue
        layer = model.layers[node.layer]
        inner = context.child(layer, f"{context.name}/{node.name}", [])
        try:
            put_node(inner, node, node_names)
        except Refusal as refused:
            raise Refusal(f"{layer.name} in it: {refused.reason}", refused.advice) from refused
    return tuple(node_names[ref] for ref in model.outputs)


def references(node: NodeSpec) -> Iterator[TensorRef]:
    """Every tensor that a call reads."""
    yield from node.inputs
    yield from _within(tuple(node.arguments.values()))


def _within(value: Any) -> Iterator[TensorRef]:
    if isinstance(value, TensorRef):
        yield value
    elif isinstance(value, Mapping):
        yield from _within(tuple(value.values()))
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _within(entry)


def _resolved(value: Any, node_names: Mapping[TensorRef, str]) -> Any:
    """Arguments with the names of nodes for tensors."""
    if isinstance(value, TensorRef):
        return NodeName(node_names[value])
    if isinstance(value, Mapping):
        return {key: _resolved(entry, node_names) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_resolved(entry, node_names) for entry in value)
    return value
