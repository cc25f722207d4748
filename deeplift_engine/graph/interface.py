"""Inputs and outputs of a network, named by the structure of the saved model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deeplift_conversion import ModelSpec
from deeplift_conversion.spec import Path
from deeplift_engine.errors import TargetError
from deeplift_engine.graph.graph import Graph
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.graph.known_heads import KnownHeads, known_heads
from deeplift_engine.graph.layouts import channels_axis
from deeplift_engine.graph.naming import Names
from deeplift_engine.graph.structure import has_keys, labels, packed
from deeplift_engine.graph.vocabularies import paddings, tables
from deeplift_engine.util.typing import Array


def paths_of(paths: Sequence[Path], count: int) -> Sequence[Path]:
    """Return the paths of a structure, by default those of one tensor or of a flat list."""
    return paths or ([()] if count == 1 else [(number,) for number in range(count)])


def input_layers(spec: ModelSpec) -> dict[str, str]:
    """Return the name of each Input layer by the name of its input, a key where it has one."""
    names = labels(paths_of(spec.input_paths, len(spec.inputs)), spec.inputs)
    return dict(zip(names, spec.inputs, strict=True))


@dataclass(frozen=True)
class Interface:
    """Inputs and outputs of a network.

    Attributes
    ----------
    inputs
        Name, shape and dtype of each input, and more.
    outputs
        Node of each output by its name: its key in the model's structure, or the node's name.
    output_paths
        Path of each output in that structure.
    names
        All names by which users call nodes.
    logits
        The node that a final softmax or sigmoid reads, by the node of that activation.
    known_heads
        The heads of a model of one of the field's programs, None of any other.
    """

    inputs: tuple[InputInfo, ...]
    outputs: Mapping[str, str]
    output_paths: Sequence[Path]
    names: Names
    logits: Mapping[str, str]
    known_heads: KnownHeads | None = None

    def packed(self, values: Sequence[Array]) -> Any:
        """Return outputs as Keras does where they have keys; else the only one, or by name."""
        if has_keys(self.output_paths):
            return packed(self.output_paths, values)
        return values[0] if len(values) == 1 else dict(zip(self.outputs, values, strict=True))

    def target_node(self, target: str) -> str:
        """Return the node that ``target`` (``"logits"``, ``"output"``, a layer) stands for.

        Raises
        ------
        TargetError
            If there is no such node, several outputs, or two nodes that it could stand for.
        """
        if target not in ("logits", "output"):
            return self.names.node(target, TargetError, target=True)
        nodes = dict.fromkeys(self.outputs.values())
        if len(nodes) > 1:
            logits = [f"{self.logits[node]!r}" for node in nodes if node in self.logits]
            names = [
                f"output:{key}" if key in ("logits", "output") else key for key in self.outputs
            ]
            raise TargetError(
                f"The model has several outputs; name one as target=: {', '.join(names)}"
                + (f"; their logits: {', '.join(logits)}" if logits else "")
                + f". So explainer(target={names[-1]!r}), or with a unit target='{names[-1]}:0'; "
                f"on the command line --target {names[-1]}:0."
            )
        (output,) = nodes
        node = self.logits.get(output, output) if target == "logits" else output
        if target in self.outputs and output != node:
            raise TargetError(
                f"target={target!r} could be the output of that key or {node!r}: say "
                f"'output:{target}' or {node!r}."
            )
        if target in self.names.nodes and target not in (node, output):
            raise TargetError(
                f"target={target!r} could be the layer of that name or {node!r}: say "
                f"'layer:{target}' or {node!r}."
            )
        return node


def interface(graph: Graph, spec: ModelSpec, logits: Mapping[str, str]) -> Interface:
    """Return the inputs and outputs of the graph of a saved model."""
    vocabularies, layers = tables(graph), input_layers(spec)
    padding_of = paddings(graph, vocabularies)
    inputs = tuple(
        InputInfo(
            name,
            graph.nodes[name].shape,
            graph.nodes[name].dtype,
            vocabularies.get(name),
            channels_axis(graph, name),
            path,
            layers[name],
            padding_of.get(name),
        )
        for name, path in zip(graph.inputs, paths_of(spec.input_paths, len(layers)), strict=True)
    )
    output_paths = paths_of(spec.output_paths, len(graph.outputs))
    outputs = dict(zip(labels(output_paths, graph.outputs), graph.outputs, strict=True))
    names = Names(graph.nodes, {layer: name for name, layer in layers.items()}, outputs)
    return Interface(inputs, outputs, output_paths, names, logits, known_heads(outputs))
