"""Directions of the signal in what kernels read, fitted from data (Kindermans 2018).

A kernel w finds its signal y = w·x + b among distractors, so it has to cancel them, and points to
where they are not rather than to where the signal is. The pattern a is the direction in which x
changes with y; it is fitted from data, and scaled so that w·a = 1:

    a = c / (w·c)      c = E₊[x·y] - E₊[x]·E[y]

with means over the samples and windows whose unit is active (the two-component estimator, for
units that a ReLU follows), or over all (the linear one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from deeplift_engine.engine.block_sizes import pairs_per_block
from deeplift_engine.engine.blocks import slices
from deeplift_engine.errors import InputError, OutputError, RuleError
from deeplift_engine.graph.fold_batch_norm import merging
from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.graph.inputs import InputInfo, arrays
from deeplift_engine.util.storage import read, write
from deeplift_engine.util.typing import Array, Tensor


@dataclass(frozen=True, eq=False)
class Patterns:
    """An array like the kernel for each node that has one, by name, of `fit_patterns`.

    ``batch_norm`` says whether the kernels are those with batch norm merged into them.
    """

    of_kernels: Mapping[str, Array]
    batch_norm: str = "merge"

    def __repr__(self) -> str:
        """Without the arrays."""
        return f"<{self}>"

    def __str__(self) -> str:
        """How many there are."""
        return f"patterns of {len(self.of_kernels)} kernels"

    def save(self, path: str, *, overwrite: bool = False) -> None:
        """Write an ``.npz`` or HDF5 file, complete or not at all."""
        write(path, dict(self.of_kernels), {"batch_norm": self.batch_norm}, overwrite=overwrite)

    @classmethod
    def load(cls, path: str) -> Patterns:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If there is no such file, or it holds something else.
        """
        try:
            arrays, settings = read(path, "Patterns.save")
        except OutputError as error:
            raise InputError(f"patterns: {error}") from error
        if "batch_norm" not in settings:
            raise InputError(f"patterns: {path} holds none. Expected a file of Patterns.save.")
        return cls(arrays, str(settings["batch_norm"]))


class FittedNetwork(Protocol):
    """The attributes of a `Network` that patterns are fitted on."""

    graph: Graph
    inputs: tuple[InputInfo, ...]
    dtype: str


def fit_patterns(
    network: FittedNetwork, data: Any, *, estimator: str = "relu", batch_norm: str = "merge"
) -> Patterns:
    """Fit the patterns of all dense layers and convolutions.

    Parameters
    ----------
    network
        Its kernels.
    data
        Inputs as `Explainer.run` takes them, or an iterator over batches of such.
    estimator
        ``"relu"``, over the active units where a ReLU follows a kernel and over all elsewhere, or
        ``"linear"``, over all.
    batch_norm
        ``"merge"`` fits kernels into which batch norm is merged, ``"rule"`` those of the file; the
        methods do the same.

    Raises
    ------
    RuleError
        For an unknown estimator or ``batch_norm``.
    InputError
        If the data do not fit the network, or there are none.
    """
    if estimator not in ("relu", "linear"):
        raise RuleError(f"estimator is 'relu' or 'linear', not {estimator!r}.")
    graph = merging(network.graph, network.graph.outputs, batch_norm)
    nodes = {name: node for name, node in graph.nodes.items() if node.layer.learns_pattern}
    measure = _measuring(graph, nodes.values(), estimator == "relu")
    sums: list[Array] = []
    for block in _blocks(network, data, pairs_per_block(graph, nodes, network.dtype)):
        measured = [np.asarray(tensor) for tensor in measure(*map(tf.constant, block))]
        sums = [a + b for a, b in zip(sums, measured, strict=True)] if sums else measured
    if not sums:
        raise InputError("fit_patterns() met no batch of data.")
    each = zip(*[iter(sums)] * len(SUMS), strict=True)
    return Patterns(
        {
            name: _pattern(node.layer, *of_node)
            for (name, node), of_node in zip(nodes.items(), each, strict=True)
        },
        batch_norm,
    )


def _blocks(network: FittedNetwork, data: Any, most: int) -> Iterator[list[Array]]:
    for batch in data if isinstance(data, Iterator) else [data]:
        checked = arrays(batch, network.inputs, network.dtype)
        for rows in slices(len(checked[0]), most):
            yield [array[rows] for array in checked]


SUMS = ("products", "active", "inputs", "outputs", "all")
"""The sums for a kernel: x·y and x over the active, their number, y over all, their number.

The first and the third are like the kernel, the others have one number for each output.
"""


def _measuring(graph: Graph, nodes: Iterable[Node], active: bool) -> Callable[..., Any]:
    """A compiled function of inputs that gives `SUMS` of every node, one behind the other."""
    wanted = list(dict.fromkeys(name for node in nodes for name in (node.name, *node.inputs)))

    def measure(*values: Tensor) -> list[Tensor]:
        at = graph.forward(dict(zip(graph.inputs, values, strict=True)), wanted)
        sums: list[Tensor] = []
        for node in nodes:
            x, y = (tf.cast(at[name], tf.float64) for name in (node.inputs[0], node.name))
            counted = tf.cast(y > 0, y.dtype) if active and _feeds(node, graph) else tf.ones_like(y)
            axes = list(range(y.shape.rank - 1))
            sums += [
                _outer(node.layer, x, y * counted),
                tf.reduce_sum(counted, axis=axes),
                _outer(node.layer, x, counted),
                tf.reduce_sum(y, axis=axes),
                tf.reduce_sum(tf.ones_like(y), axis=axes),
            ]
        return sums

    signature = [
        tf.TensorSpec([None, *graph.nodes[name].shape], graph.nodes[name].dtype)
        for name in graph.inputs
    ]
    compiled: Callable[..., Any] = tf.function(measure, input_signature=signature, autograph=False)
    return compiled


def _feeds(node: Node, graph: Graph) -> bool:
    """Whether a ReLU reads the node, with nothing between that changes it."""
    readers = graph.readers()[node.name]
    return any(
        reader.layer.rectifies or (reader.layer.is_identity and _feeds(reader, graph))
        for reader in readers
    )


def _pattern(
    layer: Any, products: Array, active: Array, inputs: Array, outputs: Array, count: Array
) -> Array:
    """c / (w·c) for every output; 0 for one that never changes."""
    kernel = np.asarray(layer.kernel, np.float64)
    number = np.maximum(active, 1)
    along = products / number - inputs / number * (outputs / count)
    size = (kernel * along).sum(axis=tuple(range(kernel.ndim - 1)))
    pattern = np.divide(along, size, out=np.zeros_like(along), where=size != 0)
    return np.asarray(pattern, layer.kernel.dtype)


def _outer(layer: Any, x: Tensor, weights: Tensor) -> Tensor:
    """The sum over all windows of what each reads times its ``weights``, like the kernel."""
    kernel = tf.zeros(layer.kernel.shape, x.dtype)
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        output = layer.with_kernel(x, kernel)
    return tape.gradient(output, kernel, output_gradients=weights)


__all__ = ["Patterns", "fit_patterns"]
