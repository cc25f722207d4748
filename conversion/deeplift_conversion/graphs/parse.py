"""Builds the tree of a model from its configuration."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from deeplift_conversion.eras.canonical import canonical
from deeplift_conversion.eras.merge import merge_layer
from deeplift_conversion.eras.quantization import mode_of
from deeplift_conversion.eras.user_classes import REASON, is_of_keras, is_operation, unmarked
from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.files.untrusted import frozen
from deeplift_conversion.graphs.inbound import read_inbound, read_tensors, revive
from deeplift_conversion.graphs.sequential import chain
from deeplift_conversion.layers.table import LAYERS
from deeplift_conversion.tree import Call, Graph, Layer
from deeplift_conversion.weights.checkpoint import directories

logger = logging.getLogger("deeplift_conversion")
_MODELS = frozenset({"Sequential", "Functional", "Model", "Container", "Network", "Pipeline"})


def parse_model(document: dict[str, Any], era: int, source: str) -> tuple[str, Graph]:
    """Return the model's name and graph.

    Parameters
    ----------
    document
        ``{"class_name": ..., "config": ...}``, a bare ``get_config()``, or Keras 0.3's form.
    era
        See `deeplift_conversion.eras.generations`.
    source
        The file, for messages.
    """
    config = document.get("config", document)
    class_name = str(document.get("class_name", ""))
    if era > 0 and class_name not in ("", *_MODELS):
        _check_own_model(class_name, config, source)
    name = config.get("name") if isinstance(config, dict) and era > 0 else None
    graph = _graph(class_name, config, era, source)
    return str(name or "model"), graph


def _check_own_model(class_name: str, config: Any, source: str) -> None:
    """Refuse a model of a user's class, unless its configuration has the calls of its layers."""
    if not isinstance(config, dict) or not {"input_layers", "output_layers"} <= config.keys():
        raise ModelConfigError(
            f"{source}: the model's class is {class_name}, which is not Keras's: its configuration"
            " lists layers, but not how it calls them. Expected a Sequential or Functional model:"
            " rebuild it as one and save that."
        )
    logger.warning(
        "%s: the model's class is %s, which is not Keras's; it is read as the Functional model that"
        " its configuration describes",
        source,
        class_name,
    )


def parse_layer(saved: Any, era: int, source: str, fallback: str = "") -> Layer:
    """Return one layer, with everything inside it."""
    if not isinstance(saved, dict):
        raise ModelConfigError(f"{source}: expected a layer's configuration, met {saved!r}.")
    if era == 0 and "class_name" not in saved:
        class_name = saved.get("name")
        dropped = ("name", "layers") if class_name == "Merge" else ("name",)
        config = {key: value for key, value in saved.items() if key not in dropped}
        config["name"] = fallback or str(saved.get("custom_name") or class_name)
    else:
        class_name, config = saved.get("class_name"), saved.get("config", {})
    if not isinstance(class_name, str) or not isinstance(config, dict | list):
        raise ModelConfigError(
            f"{source}: expected a layer with 'class_name' and 'config', met {str(saved)[:120]}."
        )
    if _is_model(class_name, config, saved):
        return _nested(class_name, config, saved, era, source)
    if not isinstance(config, dict):
        raise ModelConfigError(f"{source}: options of a layer {class_name} are a list: {config!r}.")
    outer = saved.get("name") if "class_name" in saved else None
    name = str(outer or config.get("name") or fallback or class_name)
    config = {**config, "name": name}
    where = f"{source}: layer {name!r} ({unmarked(class_name)})"
    trainable = bool(config.get("trainable", True))
    if class_name == "Merge" and era < 3:
        return merge_layer(name, config, era, where)
    if class_name == "Lambda":
        options = _lambda_options(config)
        return Layer(name, "Lambda", "Lambda", options, era=era, saved=config)
    if is_operation(saved, config, era):
        options = frozen(dict(config))
        return Layer(name, f"ops.{class_name}", class_name, options, era=era, saved=config)
    new_class, options = canonical(class_name, config, era, where)
    sublayers = _sublayers(new_class, config, era, where)
    return Layer(
        name,
        new_class,
        _registered(class_name, saved),
        options,
        sublayers,
        trainable=trainable,
        era=era,
        saved=config,
        foreign=str(saved.get(REASON, "")) or _foreign_module(class_name, saved),
    )


def _registered(class_name: str, saved: dict[str, Any]) -> str:
    """Return the class of a layer with the package that a Keras 3 file tells."""
    registered, bare = str(saved.get("registered_name") or ""), unmarked(class_name)
    if registered.rpartition(">")[2] != bare or is_of_keras(saved):
        return class_name
    return class_name.removesuffix(bare) + registered


def _foreign_module(class_name: str, saved: dict[str, Any]) -> str:
    """Return a sentence on the module of a class that is not Keras's, where the file tells it."""
    module = saved.get("module")
    if not isinstance(module, str) or not module or module == "builtins" or is_of_keras(saved):
        return ""
    return f"it is of the module {module}"


def _is_model(class_name: str, config: Any, saved: dict[str, Any]) -> bool:
    """Tell a model of Keras's; a user's class may hold layers, too, and call them otherwise."""
    if isinstance(config, list):
        return True
    registered = bool(saved.get("registered_name")) and not is_of_keras(saved)
    return class_name in _MODELS and not registered


def _nested(class_name: str, config: Any, saved: dict[str, Any], era: int, source: str) -> Layer:
    options = config if isinstance(config, dict) else {}
    name = str(saved.get("name") or options.get("name") or class_name.lower())
    graph = _graph(class_name, config, era, f"{source}: model {name!r}")
    return Layer(
        name,
        "Functional",
        class_name,
        {"name": name},
        graph=graph,
        trainable=bool(options.get("trainable", True)),
        era=era,
    )


def _graph(class_name: str, config: Any, era: int, source: str) -> Graph:
    if isinstance(config, dict) and "input_layers" in config and class_name != "Sequential":
        return _functional(config, era, source)
    saved = config if isinstance(config, list) else config.get("layers")
    if not isinstance(saved, list) or not saved:
        raise ModelConfigError(
            f"{source}: {class_name or 'the model'} lists no layers. Expected a Sequential or"
            " Functional model; a subclassed model's layers are Python code and in no file."
        )
    layers: list[Layer] = []
    for entry, fallback in zip(saved, _names(saved), strict=True):
        layer = parse_layer(entry, era, source, fallback)
        if era < 2 and layer.graph is not None:  # Keras 1 saves no names of models in a model
            count = sum(other.graph is not None for other in layers)
            layer = replace(layer, name=f"{layer.name}_{count}" if count else layer.name)
        layers.append(layer)
    options = config if isinstance(config, dict) else {}
    return chain(
        layers, saved, options, era, source, lambda entry: parse_branch(entry, era, source)
    )


def parse_branch(saved: dict[str, Any], era: int, source: str) -> Graph:
    """Return the graph of one of the models that a Keras 1 ``Merge`` joins."""
    layer = parse_layer(saved, era, source)
    if layer.graph is None:
        return chain(
            [layer], [saved], {}, era, source, lambda entry: parse_branch(entry, era, source)
        )
    return layer.graph


def _names(saved: list[Any]) -> list[str]:
    """Name the layers of Keras 0.3, which have none, as Keras 1 would."""
    counts: dict[str, int] = {}
    names = []
    for entry in saved:
        kind = ""
        if isinstance(entry, dict):
            kind = str(entry.get("custom_name") or entry.get("name") or "layer").lower()
        counts[kind] = counts.get(kind, 0) + 1
        names.append(f"{kind}_{counts[kind]}")
    return names


def _functional(config: dict[str, Any], era: int, source: str) -> Graph:
    saved = config.get("layers")
    if not isinstance(saved, list) or not saved:
        raise ModelConfigError(f"{source}: a Functional model without layers.")
    layers = tuple(parse_layer(entry, era, source) for entry in saved)
    names = frozenset(layer.name for layer in layers)
    if len(names) != len(layers):
        raise ModelConfigError(f"{source}: two layers have the same name; names must be unique.")
    calls = []
    for layer, entry in zip(layers, saved, strict=True):
        nodes = entry.get("inbound_nodes") or []
        if not nodes and layer.class_name == "InputLayer":
            calls.append(Call(layer.name, 0, ()))
        for index, node in enumerate(nodes):
            where = f"{source}: layer {layer.name!r}, call {index}"
            args, kwargs = read_inbound(node, names, where)
            calls.append(Call(layer.name, index, args, kwargs))
    inputs = read_tensors(config["input_layers"], source)
    outputs = read_tensors(config.get("output_layers", []), source)
    return Graph(layers, tuple(calls), inputs, outputs)


def _sublayers(
    class_name: str, config: dict[str, Any], era: int, where: str
) -> tuple[tuple[str, Layer], ...]:
    inner = LAYERS[class_name].inner if class_name in LAYERS else ""
    if class_name == "Bidirectional":
        forward: Any = config.get(inner)
        first = parse_layer(forward, era, where)
        if _within(first, "Bidirectional"):  # each doubles what it holds, and Keras has no such
            raise ModelConfigError(f"{where}: a Bidirectional within a Bidirectional.")
        base = first.name.removeprefix("forward_")
        first = replace(first, name=f"forward_{base}")  # as Keras names it, and its arrays
        if isinstance(config.get("backward_layer"), dict):
            second = parse_layer(config["backward_layer"], era, where)
        else:
            options = forward["config"]
            flipped = {
                **options,
                "name": f"backward_{base}",
                "go_backwards": not options.get("go_backwards", False),
            }
            second = parse_layer({**forward, "config": flipped}, era, where)
        return (("forward_layer", first), ("backward_layer", second))
    if inner == "cells":
        cells: list[Layer] = []
        for number, cell in enumerate(config.get("cells") or []):
            layer = parse_layer(cell, era, where)
            double = any(layer.name == other.name for other in cells)
            cells.append(replace(layer, name=f"{layer.name}_{number}") if double else layer)
        folders = directories(cells)
        return tuple((f"cells/{folder}", cell) for folder, cell in zip(folders, cells, strict=True))
    if not inner:
        return ()
    layer = parse_layer(config.get(inner), era, where)
    if mode := mode_of(layer.saved):  # a wrapper reads the integers themselves, without scales
        options = {**layer.config, "quantized": mode}
        layer = replace(layer, class_name=f"Quantized{layer.saved_class_name}", config=options)
    return ((inner, layer),)


def _within(layer: Layer, class_name: str) -> bool:
    """Whether a layer, or a layer inside it, is of a class."""
    inner = [sublayer for _, sublayer in layer.sublayers]
    inner += layer.graph.layers if layer.graph is not None else ()
    return layer.class_name == class_name or any(_within(each, class_name) for each in inner)


def _lambda_options(config: dict[str, Any]) -> dict[str, Any]:
    """Keep what a Lambda is called and takes, never its code."""
    options: dict[str, Any] = {"name": config.get("name"), "dtype": "float32"}
    for key in ("function_type", "output_shape_type", "output_shape"):
        if key in config and (config[key] is None or isinstance(config[key], str | list)):
            options[key] = frozen(config[key])
    options["arguments"] = frozen(revive(config.get("arguments") or {}))
    function = config.get("function")
    if isinstance(function, dict) and function.get("class_name") == "function":
        function = function.get("config")
    options["function"] = function if _is_name(function) else {"bytecode": True}
    return options


def _is_name(function: Any) -> bool:
    return isinstance(function, str) and function.isidentifier() and len(function) < 100
