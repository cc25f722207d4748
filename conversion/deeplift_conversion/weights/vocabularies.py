"""Vocabularies of lookup layers, which ``.keras`` keeps in files beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import h5py

from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.files.hdf5 import array, child
from deeplift_conversion.files.untrusted import Budget
from deeplift_conversion.tree import Graph, Layer
from deeplift_conversion.weights.checkpoint import CONTAINERS, directories, has_folder


def with_vocabularies(
    graph: Graph,
    vocabularies: Mapping[str, bytes],
    root: h5py.Group,
    budget: Budget,
    source: str,
    home: str = "",
) -> Graph:
    """Return the same model with the words of each layer in its option ``vocabulary``.

    Weights of words that a layer was adapted to are in its option ``idf_weights``.

    Parameters
    ----------
    graph
        Its layers, with those of nested models.
    vocabularies
        What is in the file of a layer: a word a line, special ones among them, by the folder of
        the layer, ``layers/string_lookup_1``.
    root
        The weights.
    budget
        What reading may take.
    source
        The model's file, for messages.
    home
        The folder of the model, with a slash at its end; empty for the outermost.

    Raises
    ------
    ModelConfigError
        If a file is no UTF-8, or has another number of words than the layer was saved with.
    """
    if not vocabularies:
        return graph
    saved = [layer for layer in graph.layers if has_folder(layer)]
    folders = dict(zip([layer.name for layer in saved], directories(saved), strict=True))
    layers = []
    for layer in graph.layers:
        paths = [
            f"{home}{box}/{folders[layer.name]}" for box in CONTAINERS if layer.name in folders
        ]
        for path in paths:
            if layer.graph is not None:
                inner = with_vocabularies(
                    layer.graph, vocabularies, root, budget, source, f"{path}/"
                )
                layer = replace(layer, graph=inner)
            elif path in vocabularies:
                layer = _with_words(layer, vocabularies[path], f"{source}: layer {layer.name!r}")
                layer = _with_weights(layer, root, path, budget)
        layers.append(layer)
    return replace(graph, layers=tuple(layers))


def _with_words(layer: Layer, content: bytes, where: str) -> Layer:
    """Words are cut at line feeds and nothing else, as other ends of lines may be within one."""
    try:
        words: list[str | int] = list(content.decode().split("\n"))
        if layer.class_name == "IntegerLookup":
            words = [int(word) for word in words]
    except ValueError as error:
        raise ModelConfigError(f"{where}: its vocabulary is damaged ({error}).") from error
    size = layer.config.get("vocabulary_size")
    if size is not None and size != len(words):
        raise ModelConfigError(
            f"{where}: its vocabulary has {len(words)} words, and it was saved with {size}. The"
            " file is damaged: fetch or save it again."
        )
    return replace(layer, config={**layer.config, "vocabulary": words})


def _with_weights(layer: Layer, root: h5py.Group, path: str, budget: Budget) -> Layer:
    """Weights of words of a layer that was adapted, which no other layer of text has."""
    weights = child(root, f"{path}/vars/idf_weights")
    if not isinstance(weights, h5py.Dataset):
        return layer
    learned = array(weights, budget).tolist()
    return replace(layer, config={**layer.config, "idf_weights": learned})
