"""The age of Keras that wrote a configuration: 0 (Keras 0.x), 1, 2 (with tf.keras) or 3."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_KERAS_1_MARKS = frozenset(
    {"border_mode", "nb_filter", "dim_ordering", "input_dtype", "W_regularizer", "inner_init"}
)


def era_of(document: dict[str, Any], version: str) -> int:
    """Return the era of a model's configuration.

    Parameters
    ----------
    document
        The configuration, ``{"class_name": ..., "config": ...}``.
    version
        The Keras version that the file records, or ``""``. A recorded version decides.
    """
    match = re.match(r"(\d+)\.", version)
    if match and int(match.group(1)) <= 3:
        return int(match.group(1))
    if "config" not in document and _is_prehistoric(document):
        return 0
    for mapping in _mappings(document):
        class_name = mapping.get("class_name")
        if class_name == "__keras_tensor__" or "batch_shape" in mapping:
            return 3
        if "registered_name" in mapping and str(mapping.get("module", "")).startswith("keras"):
            return 3 if not _mentions(document, "batch_input_shape") else 2
        if _KERAS_1_MARKS & mapping.keys():
            return 1
    return 2


def _is_prehistoric(document: dict[str, Any]) -> bool:
    layers = document.get("layers")
    return (
        isinstance(layers, list)
        and bool(layers)
        and all(isinstance(layer, dict) and "class_name" not in layer for layer in layers)
    )


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for entry in value.values():
            yield from _mappings(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _mappings(entry)


def _mentions(document: dict[str, Any], key: str) -> bool:
    return any(key in mapping for mapping in _mappings(document))


def mentions_full_border(document: dict[str, Any]) -> bool:
    """Tell whether a layer of Keras 1 has a border mode that Theano alone could run."""
    return any(mapping.get("border_mode") == "full" for mapping in _mappings(document))
