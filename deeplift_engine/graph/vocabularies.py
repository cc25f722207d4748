"""What the tokens of an input are looked up in, and which of them a mask leaves out.

Both also behind layers that move the tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.graph.inputs import Table


def tables(graph: Graph) -> dict[str, Table]:
    """The smallest table for each input that an embedding looks up."""
    smallest: dict[str, Table] = {}
    for node, inputs in _readers(graph):
        rows = node.layer.core.vocabulary
        if rows is None:
            continue
        for name in inputs:
            if name not in smallest or rows < smallest[name].rows:
                smallest[name] = Table(node.keras_layer, rows)
    return smallest


def paddings(graph: Graph, vocabularies: Mapping[str, Table]) -> dict[str, int]:
    """The token that a mask leaves out, for each input that has a table and such a mask.

    A mask is a condition on each token by itself that a single one of the table does not meet.
    """
    tokens_left_out: dict[str, int] = {}
    for node, inputs in _readers(graph):
        masked = set(inputs) & set(vocabularies) - set(tokens_left_out)
        if masked and _tells_tokens(graph, node):
            rows = min(vocabularies[name].rows for name in masked)
            source = graph.nodes[node.inputs[0]]
            with tf.init_scope():
                column = np.arange(rows).reshape(-1, *[1] * len(source.shape))
                tokens = tf.cast(column, source.dtype)
                used = np.asarray(node.layer.core.forward(tokens)).reshape(rows, -1).any(axis=1)
            if np.count_nonzero(~used) == 1 < rows:
                tokens_left_out |= dict.fromkeys(masked, int(np.argmin(used)))
    return tokens_left_out


def _tells_tokens(graph: Graph, node: Node) -> bool:
    """Whether a node is a condition on the tokens of one tensor, each by itself."""
    layer = node.layer.core
    return (
        layer.is_condition
        and len(node.inputs) == 1
        and len(node.shape) == len(graph.nodes[node.inputs[0]].shape)
    )


def _readers(graph: Graph) -> Iterator[tuple[Node, set[str]]]:
    """Nodes that read inputs, at most moved, and those inputs."""
    sources: dict[str, set[str]] = {name: {name} for name in graph.inputs}
    for node in graph.nodes.values():
        inputs = set[str]().union(*(sources.get(name, set()) for name in node.inputs))
        if node.layer.core.moves:
            sources[node.name] = inputs
        elif inputs:
            yield node, inputs


__all__ = ["paddings", "tables"]
