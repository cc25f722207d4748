"""The layers that a saved model lists, also where the rest of it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deeplift_conversion.errors import DeepliftEngineError
from deeplift_conversion.files.architecture import Architecture, parse_json, read_architecture
from deeplift_conversion.files.hdf5 import opened, split_text
from deeplift_conversion.files.keras_members import is_folder, of_folder, unpacked
from deeplift_conversion.files.source import container, read_bytes
from deeplift_conversion.files.untrusted import Budget


def listed_layers(
    path: str | Path, architecture: Architecture | None = None
) -> list[tuple[str, str]]:
    """Return name and class of each layer in the configuration; none where it cannot be read.

    Parameters
    ----------
    path, architecture
        As for `deeplift_conversion.read_model`.
    """
    try:
        return list(_layers(_document(path, architecture)))
    except (DeepliftEngineError, OSError, RuntimeError, LookupError, TypeError, ValueError):
        return []


def _document(path: str | Path, architecture: Architecture | None) -> Any:
    if architecture is not None:
        return read_architecture(architecture)[0]
    if is_folder(path):
        return of_folder(path)[0][0]
    data, source = read_bytes(path), str(path)
    if container(data, path) == "zip":
        return unpacked(data, Budget(len(data)), source)[0]
    with opened(data, source) as file:
        return parse_json(split_text(file, "model_config"), source)


def _layers(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    config = document.get("config", document)
    for layer in config["layers"] if isinstance(config, dict) else config:
        options = layer.get("config")
        inner = options.get("name") if isinstance(options, dict) else None
        class_name = layer.get("registered_name") or layer.get("class_name")
        yield str(layer.get("name") or inner or class_name), str(class_name)
