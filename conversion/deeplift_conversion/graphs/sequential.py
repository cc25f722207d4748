"""A Sequential model as a graph, with the input that its first layer declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.graphs.inbound import tensors_in
from deeplift_conversion.tree import Call, Graph, Layer, SavedTensor


def chain(
    layers: list[Layer],
    saved: list[Any],
    options: dict[str, Any],
    era: int,
    source: str,
    parse_branch: Callable[[dict[str, Any]], Graph],
) -> Graph:
    """Return the graph of layers called one after the other.

    Parameters
    ----------
    layers
        The layers.
    saved
        Their configurations as saved, the same number.
    options
        The model's own options (``build_input_shape``).
    era, source
        As in `deeplift_conversion.graphs.parse`.
    parse_branch
        Reads a model that a Keras 1 ``Merge`` joins.
    """
    config = saved[0].get("config")  # a list in Keras 1, where the first layer is a model
    branches = saved[0].get("layers") or (isinstance(config, dict) and config.get("layers"))
    if layers[0].saved_class_name == "Merge" and branches:
        graph = _joined(layers[0], [parse_branch(branch) for branch in branches], source)
        first, rest = graph, layers[1:]
    elif layers[0].class_name == "InputLayer":
        name = layers[0].name
        entry = SavedTensor(name, 0, 0)
        first = Graph((layers[0],), (Call(name, 0, ()),), [entry], [entry])
        rest = layers[1:]
    else:
        declared = _inputs_of(layers[0], saved[0], options, era)
        entries = [SavedTensor(layer.name, 0, 0) for layer in declared]
        calls_of = tuple(Call(layer.name, 0, ()) for layer in declared)
        first, rest = Graph(declared, calls_of, entries, entries), layers
    all_layers, calls, tensor = list(first.layers), list(first.calls), first.outputs
    for layer in rest:
        if layer.class_name == "InputLayer":
            continue
        calls.append(Call(layer.name, 0, (tensor if len(tensor) > 1 else tensor[0],)))
        all_layers.append(layer)
        tensor = _outputs_of(layer)
    names = [layer.name for layer in all_layers]
    if len(set(names)) != len(names):
        double = sorted({name for name in names if names.count(name) > 1})
        raise ModelConfigError(
            f"{source}: several layers are named {double}; expected unique names."
        )
    return Graph(tuple(all_layers), tuple(calls), first.inputs, tensor)


def _outputs_of(layer: Layer) -> list[SavedTensor]:
    if layer.graph is None:
        return [SavedTensor(layer.name, 0, 0)]
    count = len(list(tensors_in(layer.graph.outputs)))
    return [SavedTensor(layer.name, 0, index) for index in range(count)]


def _joined(merge: Layer, branches: list[Graph], source: str) -> Graph:
    layers: list[Layer] = []
    calls: list[Call] = []
    inputs: list[Any] = []
    outputs: list[Any] = []
    for branch in branches:
        layers += [layer for layer in branch.layers if layer not in layers]
        calls += [call for call in branch.calls if call not in calls]
        inputs += [tensor for tensor in branch.inputs if tensor not in inputs]
        outputs += branch.outputs
    calls.append(Call(merge.name, 0, (outputs,)))
    return Graph((*layers, merge), tuple(calls), inputs, [SavedTensor(merge.name, 0, 0)])


def _inputs_of(
    layer: Layer, saved: dict[str, Any], options: dict[str, Any], era: int
) -> tuple[Layer, ...]:
    """Return the inputs that the first layer declares: several where it is a model that has."""
    if layer.graph is not None:
        inner = [layer.graph.layer(tensor.layer) for tensor in tensors_in(layer.graph.inputs)]
        if len(inner) > 1:
            return tuple(inner)
    shape = _declared_shape(layer, saved, options)
    innermost = layer
    while innermost.graph is not None:
        innermost = innermost.graph.layers[0]
    dtype = str(innermost.config.get("dtype", "float32"))
    if dtype.startswith("mixed_"):
        dtype = "float32"
    if innermost.class_name == "Embedding":
        dtype = "int32"
    name = f"{layer.name}_input"
    config = {"name": name, "batch_shape": shape, "dtype": dtype}
    return (Layer(name, "InputLayer", "InputLayer", config, era=era),)


def _declared_shape(
    layer: Layer, saved: dict[str, Any], options: dict[str, Any]
) -> tuple[int | None, ...] | None:
    config = saved.get("config", saved)
    if isinstance(config, dict):
        for key in ("batch_input_shape", "batch_shape"):
            if isinstance(config.get(key), list):
                return tuple(config[key])
        if isinstance(config.get("input_shape"), list):
            return (None, *config["input_shape"])
    for shape in (
        options.get("build_input_shape"),
        (saved.get("build_config") or {}).get("input_shape"),
    ):
        if isinstance(shape, list) and shape:
            return tuple(shape)
    if layer.graph is not None:
        inner = layer.graph.layers[0].config.get("batch_shape")
        return tuple(inner) if inner else None
    if not isinstance(config, dict):
        return None
    if layer.class_name == "Embedding":
        length = config.get("input_length")
        return (None, *length) if isinstance(length, list) else (None, length)
    if isinstance(config.get("input_dim"), int):
        if "input_length" in config:
            return (None, config["input_length"], config["input_dim"])
        return (None, config["input_dim"])
    return None
