"""Dissolves nested models: a tree of graphs becomes one list of calls in order."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from deeplift_conversion.eras.changes import as_computed
from deeplift_conversion.eras.origin import Origin
from deeplift_conversion.eras.quantization import mode_of
from deeplift_conversion.eras.user_classes import unmarked
from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.graphs.calls import arguments_of
from deeplift_conversion.graphs.inbound import mapped, paths_in, tensors_in
from deeplift_conversion.graphs.shapes import input_shape
from deeplift_conversion.layers.table import LAYERS
from deeplift_conversion.spec import LayerSpec, ModelSpec, NodeSpec, TensorRef
from deeplift_conversion.tree import Call, Graph, Layer, SavedTensor
from deeplift_conversion.weights.assign import Assigned
from deeplift_conversion.weights.layout import canonical_weights
from deeplift_conversion.weights.quantized import is_quantized

Key = tuple[str, int]
MOST_CALLS = 20_000
"""Calls that a model may have: one of nested models that are called twice doubles with each."""


def flatten(
    name: str,
    graph: Graph,
    raw: Assigned,
    origin: Origin,
    source: str,
    calls: Iterator[int] | None = None,
) -> ModelSpec:
    """Return the model of a graph and its arrays, every nested model dissolved.

    Parameters
    ----------
    name
        The model's name.
    graph
        Its layers and calls.
    raw
        Arrays of each layer by path, as the file has them.
    origin
        Who saved the model: what its layers computed goes by that.
    source
        The file, for messages.
    calls
        Counts the calls of all the file, where the graph is a model in a layer.
    """
    work = _Flattening(raw, origin, source, itertools.count() if calls is None else calls)
    outputs = work.expand(graph, "", "", None, {})
    inputs = [tensor for tensor in tensors_in(graph.inputs) if isinstance(tensor, SavedTensor)]
    names = tuple(dict.fromkeys(tensor.layer for tensor in inputs))
    nodes = {node.name for node in work.nodes}
    strange = [name for name in names if name not in nodes]
    if strange or not names or not outputs:
        raise ModelConfigError(
            f"{source}: inputs {list(names)}, outputs {len(outputs)}: expected at least one of each"
            f" and every input a layer of the model (missing: {strange})."
        )
    if len(names) < len(inputs):
        twice = [name for name in names if [tensor.layer for tensor in inputs].count(name) > 1]
        raise ModelConfigError(
            f"{source}: the input {twice[0]!r} is in the model's inputs more than once, at"
            f" {list(paths_in(graph.inputs))}: only one of several arrays would be used. Build the"
            " model with each input once."
        )
    work.complete_inputs()
    return ModelSpec(
        name,
        work.layers,
        tuple(work.nodes),
        names,
        tuple(outputs),
        input_paths=tuple(paths_in(graph.inputs)),
        output_paths=tuple(paths_in(graph.outputs)),
    )


class _Flattening:
    """State of one flattening: layers by path, nodes in order."""

    def __init__(self, raw: Assigned, origin: Origin, source: str, calls: Iterator[int]) -> None:
        self.raw = raw
        self.origin = origin
        self.source = source
        self.calls = calls
        self.layers: dict[str, LayerSpec] = {}
        self.nodes: list[NodeSpec] = []

    def expand(
        self,
        graph: Graph,
        layer_prefix: str,
        node_prefix: str,
        arguments: tuple[Any, ...] | None,
        extra: Mapping[str, Any],
    ) -> list[TensorRef]:
        """Append the calls of a graph and return its outputs.

        ``arguments`` are the tensors that a nested graph is called with, None for the outermost.
        """
        where = f"{self.source}: model {layer_prefix[:-1]!r}" if layer_prefix else self.source
        layers = {layer.name: layer for layer in graph.layers}
        graph = _counted_from_0(graph)
        shifts = _shifts(graph)
        bindings = {} if arguments is None else _bound(graph, arguments, where)
        outputs: dict[Key, list[TensorRef] | str] = {}

        def resolve(value: Any) -> Any:
            if not isinstance(value, SavedTensor):
                return value
            key = (value.layer, value.node - shifts.get(value.layer, 0))
            output = outputs.get(key)
            if output is None:
                raise ModelConfigError(
                    f"{where}: a call uses output {value.tensor} of call {value.node} of layer"
                    f" {value.layer!r}, which does not exist."
                )
            if isinstance(output, str):
                return TensorRef(output, value.tensor)
            if not 0 <= value.tensor < len(output):
                raise ModelConfigError(
                    f"{where}: output {value.tensor} of model {value.layer!r} is used, which has"
                    f" {len(output)}."
                )
            return output[value.tensor]

        for call in _ordered(graph, shifts, where):
            if next(self.calls) >= MOST_CALLS:
                raise ModelConfigError(
                    f"{where}: with what nested models call, more than {MOST_CALLS:,} calls of"
                    " layers; no saved model has so many. Is the file damaged?"
                )
            layer = layers[call.layer]
            path = layer_prefix + layer.name
            node = node_prefix + layer.name + (f":{call.index}" if call.index else "")
            if layer.class_name == "InputLayer" and call.layer in bindings:
                outputs[call.layer, call.index] = [bindings[call.layer]]
                continue
            args, kwargs = mapped(call.args, resolve), mapped(dict(call.kwargs), resolve)
            if layer.graph is not None:
                inner = {**extra, **({"training": True} if kwargs.get("training") else {})}
                outputs[call.layer, call.index] = self.expand(
                    layer.graph, path + "/", node + "/", args, inner
                )
                continue
            if path not in self.layers:
                self.layers[path] = self.layer(layer, path)
            inputs, others = arguments_of(layer, args, {**extra, **kwargs})
            self.nodes.append(NodeSpec(node, path, inputs, others))
            outputs[call.layer, call.index] = node
        return [resolve(tensor) for tensor in tensors_in(graph.outputs)]

    def layer(self, layer: Layer, path: str) -> LayerSpec:
        """Return one layer with its arrays and wrapped layers."""
        if layer.graph is not None:
            inside = {
                key.removeprefix(path + "/"): arrays
                for key, arrays in self.raw.items()
                if key.startswith(path + "/")
            }
            source = f"{self.source}: model {path!r}"
            model = flatten(layer.name, layer.graph, inside, self.origin, source, self.calls)
            inner = {**layer.config, "model": model}
            return LayerSpec(path, "Functional", inner, {}, (), layer.saved_class_name)
        where = f"{self.source}: layer {path!r}"
        theano, raw = self.origin.backend == "theano", self.raw.get(path, {})
        if layer.class_name in LAYERS and not mode_of(layer.saved) and is_quantized(raw.values()):
            quantized = {**layer.config, "quantized": "the layers within it"}
            kind = f"Quantized{layer.class_name}"
            return LayerSpec(path, kind, quantized, raw, (), layer.saved_class_name)
        weights = canonical_weights(layer, raw, theano, where)
        children = tuple(
            self.layer(sublayer, f"{path}/{sublayer.name}") for _, sublayer in layer.sublayers
        )
        saved, config = unmarked(layer.saved_class_name), layer.config
        if saved == layer.saved_class_name:  # else it is the user's own class
            config = as_computed(layer.class_name, config, layer.saved, self.origin)
        if layer.class_name == "Bidirectional" and config.get("zeroes", True):
            children = tuple(map(_zeroed, children))
        return LayerSpec(path, layer.class_name, config, weights, children, saved, layer.foreign)

    def complete_inputs(self) -> None:
        """Fill in shapes and dtypes of inputs that the file lacks, from the layers that read them.

        An input that only embeddings read holds whole numbers, though tf.keras's Sequential
        declares it float32.
        """
        readers_of: dict[TensorRef, list[LayerSpec]] = {}
        for reader in self.nodes:
            for tensor in dict.fromkeys(reader.inputs):
                readers_of.setdefault(tensor, []).append(self.layers[reader.layer])
        for node in self.nodes:
            layer = self.layers[node.layer]
            if layer.class_name != "InputLayer":
                continue
            readers = readers_of.get(TensorRef(node.name), [])
            config = dict(layer.config)
            if not isinstance(config.get("batch_shape"), tuple):
                where = f"{self.source}: input {node.name!r}"
                config["batch_shape"] = input_shape(readers, where)
            if readers and all(map(_reads_tokens, readers)) and "int" not in config["dtype"]:
                config["dtype"] = "int32"
            self.layers[node.layer] = replace(layer, config=config)


def _zeroed(half: LayerSpec) -> LayerSpec:
    """Set the option that Bidirectional forces on its halves."""
    if "zero_output_for_mask" not in half.config or half.config.get("never_zeroed"):
        return half
    zeroes = bool(half.config["return_sequences"])
    return replace(half, config={**half.config, "zero_output_for_mask": zeroes})


def _reads_tokens(layer: LayerSpec) -> bool:
    if layer.class_name == "TimeDistributed":
        return _reads_tokens(layer.children[0])
    return layer.class_name in LAYERS and LAYERS[layer.class_name].reads_tokens


def _bound(graph: Graph, arguments: tuple[Any, ...], where: str) -> dict[str, TensorRef]:
    """Match the tensors of a call with a nested graph's inputs: by key, by name or in order.

    Keys count where the graph's inputs are a mapping, names of its inputs where they are a tensor
    or a list, as in Keras.
    """
    wanted = [tensor.layer for tensor in tensors_in(graph.inputs)]
    if len(arguments) == 1 and isinstance(arguments[0], dict):
        keys = sorted(graph.inputs) if isinstance(graph.inputs, dict) else wanted
        if arguments[0].keys() >= set(keys):
            arguments = tuple(arguments[0][key] for key in keys)
    tensors = [value for value in tensors_in(arguments) if value is not None]
    if len(tensors) != len(wanted) or not all(isinstance(value, TensorRef) for value in tensors):
        raise ModelConfigError(
            f"{where}: called with {len(tensors)} tensors, but it has inputs {wanted}."
        )
    return dict(zip(wanted, tensors, strict=True))


def _shifts(graph: Graph) -> dict[str, int]:
    """Return by how much calls of each nested model are numbered too high.

    Keras counts a model's own construction as its call 0; Keras 3 does so only for outputs,
    see `_counted_from_0`. Where the numbers themselves are unambiguous, they decide.
    """
    used: dict[str, set[int]] = {}
    for tensor in _tensors(graph):
        used.setdefault(tensor.layer, set()).add(tensor.node)
    shifts = {}
    for layer in graph.layers:
        if layer.graph is None or layer.name not in used:
            continue
        calls = sum(call.layer == layer.name for call in graph.calls)
        numbers = used[layer.name]
        if 0 in numbers:
            shifts[layer.name] = 0
        elif max(numbers) >= calls:
            shifts[layer.name] = 1
        else:
            shifts[layer.name] = int(layer.era < 3)
    return shifts


def _counted_from_0(graph: Graph) -> Graph:
    """Return a graph whose outputs number calls as its layers do.

    Keras 3 numbers the calls of Functional models one too high there, and there alone.
    """
    layers = {layer.name: layer for layer in graph.layers}

    def lowered(value: Any) -> Any:
        layer = layers.get(value.layer) if isinstance(value, SavedTensor) else None
        if layer is None or layer.graph is None or layer.era < 3 or not value.node:
            return value
        return (
            value if layer.saved_class_name == "Sequential" else replace(value, node=value.node - 1)
        )

    return replace(graph, outputs=mapped(graph.outputs, lowered))


def _tensors(graph: Graph) -> Iterator[SavedTensor]:
    for call in graph.calls:
        for value in tensors_in([list(call.args), dict(call.kwargs)]):
            if isinstance(value, SavedTensor):
                yield value
    for value in tensors_in(graph.outputs):
        if isinstance(value, SavedTensor):
            yield value


def _ordered(graph: Graph, shifts: Mapping[str, int], where: str) -> list[Call]:
    """Return the calls so that each comes after those it reads, else in saved order."""
    position = {(call.layer, call.index): number for number, call in enumerate(graph.calls)}
    waiting: list[int] = []
    readers: dict[int, list[int]] = {}
    for number, call in enumerate(graph.calls):
        sources = set()
        for value in tensors_in([list(call.args), dict(call.kwargs)]):
            if isinstance(value, SavedTensor):
                key = (value.layer, value.node - shifts.get(value.layer, 0))
                if key not in position:
                    raise ModelConfigError(
                        f"{where}: layer {call.layer!r} reads call {value.node} of layer"
                        f" {value.layer!r}, which does not exist."
                    )
                sources.add(position[key])
        waiting.append(len(sources))
        for source in sources:
            readers.setdefault(source, []).append(number)
    ready = [number for number, count in enumerate(waiting) if count == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        number = heapq.heappop(ready)
        order.append(graph.calls[number])
        for reader in readers.get(number, ()):
            waiting[reader] -= 1
            if not waiting[reader]:
                heapq.heappush(ready, reader)
    if len(order) < len(graph.calls):
        stuck = [call.layer for call, count in zip(graph.calls, waiting, strict=True) if count]
        raise ModelConfigError(f"{where}: layers {stuck[:6]} read each other in a circle.")
    return order
