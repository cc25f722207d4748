"""The walk there as one TensorFlow function, and what of the target is known without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from deeplift_engine.graph.graph import Graph
from deeplift_engine.util.typing import Tensor


def traced(graph: Graph, names: Iterable[str]) -> Any:
    """A function of a tensor (n, ...) for each input, to the activations (n, ...) of ``names``.

    It is traced here and never again.
    """
    wanted = list(names)

    def forward(*values: Tensor) -> list[Tensor]:
        found = graph.forward(dict(zip(graph.inputs, values, strict=True)), wanted)
        return [found[name] for name in wanted]

    signature = [
        tf.TensorSpec([None, *graph.nodes[name].shape], graph.nodes[name].dtype, name=f"input_{i}")
        for i, name in enumerate(graph.inputs)
    ]
    function = tf.function(forward, input_signature=signature, autograph=False)
    return function.get_concrete_function()


def target_shape(
    graph: Graph, target: str, data: Sequence[Any], activation: Callable[[list[Any]], Any]
) -> tuple[int, ...]:
    """Shape of the target's layer without batch axis; a free one is that of the data.

    ``activation`` gives the target's on one sample.
    """
    shape = graph.nodes[target].shape
    if None not in shape:
        return tuple(size or 0 for size in shape)
    return tuple(activation([array[:1] for array in data]).shape[1:])
