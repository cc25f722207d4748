"""A model cut behind layers that are applied to the data beforehand, as those that read text."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from deeplift_conversion import LayerSpec, ModelSpec, NodeSpec, TensorRef
from deeplift_engine.errors import InputError, UnsupportedModelError
from deeplift_engine.translate.build_graph import survey
from deeplift_engine.translate.nodes import references
from deeplift_engine.util.suggestions import suggest

logger = logging.getLogger("deeplift_engine")

Shape: TypeAlias = tuple[int | None, ...]
Behind: TypeAlias = str | Sequence[str] | Mapping[str, Sequence[int | None]] | None
"""Names of layers, with the shapes that they give where these cannot be told."""

LOOKUPS = ("TextVectorization", "StringLookup", "IntegerLookup", "Hashing", "Discretization")
"""Layers whose output jumps or whose input is text: numbers of words, of bins."""
CROSSING = "HashedCrossing"
"""Gives one number for those of several lookups."""


def cut(spec: ModelSpec, behind: Behind = None, defined: Collection[str] = ()) -> ModelSpec:
    """The model behind some layers, each of which becomes an input of the layer's name.

    Behind lookups that read nothing but inputs it is cut by itself.

    Parameters
    ----------
    spec
        The model.
    behind
        Names of layers behind which it begins; or a mapping of them to the shapes of one sample
        that they give, where these do not follow from the layers before.
    defined
        Names and classes of layers that the user defines, which stay.

    Returns
    -------
    ModelSpec
        With the layers that were cut off in ``fronts``; inputs that only they read are gone.

    Raises
    ------
    InputError
        If there is no such layer, or it is an input.
    UnsupportedModelError
        If the shape that a layer gives cannot be told.
    """
    shapes = _named(spec, behind)
    fronts = _fronts(spec, shapes, defined)
    if not fronts:
        return spec
    inputs = {
        node.name: _input_layer(
            node.name,
            _shape(spec, node) if (shape := shapes.get(node.layer)) is None else shape,
            _dtype(spec.layers[node.layer]),
        )
        for node in fronts
    }
    for node in fronts:
        logger.info(
            "the model begins behind %s (%s)", node.name, spec.layers[node.layer].class_name
        )
    return _behind(spec, {node.name: spec.layers[node.layer] for node in fronts}, inputs)


def _named(spec: ModelSpec, behind: Behind) -> dict[str, Shape | None]:
    names = [behind] if isinstance(behind, str) else list(behind or ())
    for name in names:
        if name not in spec.layers or spec.layers[name].class_name == "InputLayer":
            known = [key for key, layer in spec.layers.items() if layer.class_name != "InputLayer"]
            raise InputError(
                f"behind={name!r}: {spec.source} has no such layer. "
                + suggest(name, known, f"It has {', '.join(known[:8])}.")
            )
    shapes = behind if isinstance(behind, Mapping) else dict.fromkeys(names)
    return {name: None if shape is None else tuple(shape) for name, shape in shapes.items()}


def _fronts(spec: ModelSpec, named: Collection[str], defined: Collection[str]) -> list[NodeSpec]:
    """What is named, lookups of inputs, and what crosses those."""
    fronts = [node for node in spec.nodes if node.layer in named or _is_front(spec, node, defined)]
    names = {node.name for node in fronts}
    crossings = [
        node
        for node in spec.nodes
        if spec.layers[node.layer].class_name == CROSSING
        and node.name not in names
        and {ref.node for ref in references(node)} <= names
    ]
    return [*fronts, *crossings]


def _is_front(spec: ModelSpec, node: NodeSpec, defined: Collection[str]) -> bool:
    layer = spec.layers[node.layer]
    sources = {ref.node for ref in references(node)}
    return (
        layer.class_name in LOOKUPS
        and not layer.foreign
        and not {layer.name, layer.class_name, layer.saved_class_name} & set(defined)
        and bool(sources)
        and sources <= set(spec.inputs)
    )


def _behind(
    spec: ModelSpec, fronts: Mapping[str, LayerSpec], inputs: Mapping[str, LayerSpec]
) -> ModelSpec:
    """The model of which some nodes are inputs, and nothing is left that these alone read."""
    nodes = {
        node.name: NodeSpec(node.name, node.name, ()) if node.name in inputs else node
        for node in spec.nodes
    }
    needed = _ancestors(nodes, (ref.node for ref in spec.outputs))
    all_nodes = {node.name: node for node in spec.nodes}
    before = {name: _ancestors(all_nodes, [name]) for name in inputs}
    order: dict[str, Any] = {}
    paths = spec.input_paths or [(number,) for number in range(len(spec.inputs))]
    for name, path in zip(spec.inputs, paths, strict=True):
        heirs = [front for front, above in before.items() if name in above and front not in order]
        for heir in [name, *heirs]:
            if heir in needed:
                order[heir] = path
    distinct = spec.input_paths and len(set(order.values())) == len(order)
    layers = {**spec.layers, **inputs}
    used = {nodes[name].layer for name in needed}
    return replace(
        spec,
        layers={name: layer for name, layer in layers.items() if name in used},
        nodes=tuple(node for name, node in nodes.items() if name in needed),
        inputs=tuple(order),
        input_paths=tuple(order.values()) if distinct else (),
        fronts={**spec.fronts, **{name: fronts[name] for name in fronts if name in needed}},
    )


def _ancestors(nodes: Mapping[str, NodeSpec], ends: Any) -> set[str]:
    """Names of nodes and of all that they depend on."""
    waiting, above = list(ends), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in above:
            above.add(name)
            waiting.extend(ref.node for ref in references(nodes[name]))
    return above


def _input_layer(name: str, shape: Shape, dtype: str) -> LayerSpec:
    return LayerSpec(
        name, "InputLayer", {"name": name, "batch_shape": (None, *shape), "dtype": dtype}
    )


def _dtype(layer: LayerSpec) -> str:
    """The dtype of what a layer gives: numbers of words and bins are whole."""
    whole = (
        layer.class_name in (*LOOKUPS, CROSSING) and layer.config.get("output_mode", "int") == "int"
    )
    return "int64" if whole else "float32"


def _shape(spec: ModelSpec, node: NodeSpec) -> Shape:
    """The shape of one sample that a node gives.

    Raises
    ------
    UnsupportedModelError
        If it cannot be told.
    """
    layer = spec.layers[node.layer]
    if layer.class_name == CROSSING:
        one = layer.config.get("output_mode", "int") == "int"
        return (1,) if one else (layer.config.get("num_bins"),)
    known = _shape_of_lookup(spec, node) if layer.class_name in LOOKUPS else _built(spec, node)
    if known is None:
        raise UnsupportedModelError(
            f"{spec.source}: the shape that {layer.name!r} ({layer.class_name}) gives is not in "
            f"the file. Say it, without the samples: behind={{{layer.name!r}: (length, channels)}} "
            f"(--behind {layer.name}=LENGTH,CHANNELS)."
        )
    return known


def _built(spec: ModelSpec, node: NodeSpec) -> Shape | None:
    """The shape of a node of the layers before it, where all of these can be built."""
    before = _ancestors({each.name: each for each in spec.nodes}, [node.name])
    inputs = tuple(name for name in spec.inputs if name in before)
    nodes = tuple(each for each in spec.nodes if each.name in before)
    trunk = replace(
        spec,
        nodes=nodes,
        layers={each.layer: spec.layers[each.layer] for each in nodes},
        inputs=inputs,
        outputs=(TensorRef(node.name),),
        input_paths=(),
        output_paths=(),
    )
    graph = survey(trunk, {}).graph
    return graph.nodes[graph.outputs[0]].shape if graph.outputs else None


def _shape_of_lookup(spec: ModelSpec, node: NodeSpec) -> Shape | None:
    layer = spec.layers[node.layer]
    config, (source, *_) = layer.config, references(node)
    above = spec.layers.get(source.node)
    read: Shape = tuple(above.config["batch_shape"][1:]) if above is not None else ()
    if layer.class_name == "TextVectorization":
        if config.get("output_mode", "int") == "int":
            return (config.get("output_sequence_length"),)
        read = (None,)
    elif config.get("output_mode", "int") == "int":
        return read
    depth = _depth(layer)
    if depth is None:
        return None
    if config["output_mode"] == "one_hot":
        return (*(read[:-1] if read and read[-1] == 1 else read), depth)
    return (*read[:-1], depth)


def _depth(layer: LayerSpec) -> int | None:
    """The number of columns of a lookup that gives one for each word or bin."""
    config = layer.config
    if layer.class_name == "Discretization":
        edges = config.get("bin_boundaries")
        return config.get("num_bins") if edges is None else len(edges) + 1
    if layer.class_name == "Hashing":
        return config.get("num_bins")
    if config.get("pad_to_max_tokens"):
        return config.get("max_tokens")
    return config.get("vocabulary_size")


__all__ = ["LOOKUPS", "Behind", "cut"]
