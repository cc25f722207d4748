"""One task of several heads: the graph with one more node, which holds the outputs of all.

The outputs of the heads' layers are flattened and lie one behind the other. That node is the
target, of which each head has its own units: see `deeplift_engine.engine.head_rows`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from deeplift_engine.engine.head_rows import of_head
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import TargetError
from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.layers.layer import Layer
from deeplift_engine.layers.structural import Concatenate, Reshape
from deeplift_engine.util.options import shown


def joint_task(heads: Mapping[Any, Any], task_of: Callable[[Any], Task]) -> Task:
    """One task of several heads.

    Parameters
    ----------
    heads
        Targets by names of the user's own.
    task_of
        Gives the task of one of these targets by itself; tasks differ in nothing else.

    Raises
    ------
    TargetError
        Without any head, for heads within heads, and for a layer that depends on no input or whose
        outputs are tokens.
    """
    if not heads:
        raise TargetError(
            "target={} names no head: give at least one, target={'counts': 'logcounts:0'}."
        )
    tasks: dict[str, Task] = {}
    for name, target in heads.items():
        with of_head(name):
            if not isinstance(name, str):
                raise TargetError(f"The name of a head is a text, not {shown(name)}.")
            tasks[name] = _checked(task_of(target))
    first = next(iter(tasks.values()))
    graph, node = with_outputs(
        first.graph, {name: task.target for name, task in tasks.items()}, "heads"
    )
    layers = {name: task.settings["target_layer"] for name, task in tasks.items()}
    settings = {**first.settings, "target_layer": layers}
    return replace(first, graph=graph, target=node, settings=settings, units=None, heads=tasks)


def _checked(task: Task) -> Task:
    """The task, if it can be that of a head."""
    node = task.graph.nodes[task.target]
    if task.heads:
        raise TargetError("It has heads of its own: a head is one layer and its units.")
    if task.graph.ancestors([node.name]).isdisjoint(task.graph.inputs):
        raise TargetError(f"{node.name!r} depends on no input: there is nothing to explain.")
    if node.tokens:
        raise TargetError(f"{node.name!r} gives {node.dtype}, whose differences mean nothing.")
    return task


def with_outputs(graph: Graph, layers: Mapping[str, str], name: str) -> tuple[Graph, str]:
    """The graph with a node that holds the outputs of ``layers``, by names of theirs, flattened.

    Returns the graph, and the name of the node, which begins with ``name``.
    """
    end = f"{name} {', '.join(layers)}"
    while any(name == end or name.startswith(f"{end}/") for name in graph.nodes):
        end += "_"
    nodes = dict(graph.nodes)

    def add(name: str, layer: Layer, inputs: tuple[str, ...], units: int | None) -> str:
        nodes[name] = Node(name, layer, inputs, (units,), dtype, "Heads", end)
        return name

    sizes = [_units(graph.nodes[layer].shape) for layer in layers.values()]
    dtype = graph.nodes[next(iter(layers.values()))].dtype
    flat = tuple(
        add(f"{end}/{head}", Reshape((-1,)), (layer,), units)
        for (head, layer), units in zip(layers.items(), sizes, strict=True)
    )
    known = [units for units in sizes if units is not None]
    add(end, Concatenate(1), flat, sum(known) if len(known) == len(sizes) else None)
    return replace(graph, nodes=nodes), end


def _units(shape: tuple[int | None, ...]) -> int | None:
    """The number of units of a layer, None where an axis is free."""
    known = [size for size in shape if size is not None]
    return math.prod(known) if len(known) == len(shape) else None


__all__ = ["joint_task", "with_outputs"]
