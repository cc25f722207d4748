"""Parses a model's architecture: JSON or YAML, as text, a file, or a mapping."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.files.source import read_bytes
from deeplift_conversion.files.untrusted import plain, short_text

Architecture = str | Path | Mapping[str, Any]


def read_architecture(architecture: Architecture) -> tuple[dict[str, Any], bytes, str]:
    """Return the architecture's configuration, its bytes (for the hash) and its name."""
    if isinstance(architecture, Mapping):
        config = _with_layers(plain(architecture, "the architecture"), "the architecture")
        return config, json.dumps(config, sort_keys=True).encode(), "the architecture"
    if isinstance(architecture, str) and architecture.lstrip().startswith("{"):
        return parse(architecture.encode(), "the architecture"), architecture.encode(), "(text)"
    data = read_bytes(architecture, "architecture file")
    return parse(data, str(architecture)), data, str(architecture)


def parse(data: bytes, name: str) -> dict[str, Any]:
    """Parse the bytes of a JSON or YAML architecture.

    Raises
    ------
    ModelConfigError
        If it is neither, or describes no layers.
    """
    short_text(data, name)
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelConfigError(
            f"{name}: expected an architecture in JSON or YAML (what model.to_json() or"
            f" model.to_yaml() writes), met binary data ({error}). The weights file is the first"
            " argument, the architecture the second."
        ) from error
    document = _parse_text(content, name)
    for _ in range(2):  # json.dump(model.to_json(), f) is a common slip: JSON inside a string
        if isinstance(document, str) and document.lstrip().startswith("{"):
            document = _parse_text(document, name)
    return _with_layers(plain(document, name), name)


def parse_json(value: Any, name: str) -> dict[str, Any]:
    """Parse the JSON configuration that a model file carries."""
    if isinstance(value, str | bytes):
        short_text(value, name)
    try:
        if isinstance(value, bytes):
            value = value.decode("utf-8")
        document = json.loads(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelConfigError(
            f"{name}: the model's configuration is not JSON ({error}). The file is damaged; give"
            " the architecture separately (architecture=...) or save the model again."
        ) from error
    return _with_layers(plain(document, name), name)


def _parse_text(content: str, name: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        if content.lstrip()[:1] in ("{", "["):
            raise ModelConfigError(
                f"{name}: expected JSON (what model.to_json() writes), but: {error}."
            ) from error
    return _parse_yaml(content, name)


def _parse_yaml(content: str, name: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ModelConfigError(
            f"{name}: this is not JSON, and YAML needs PyYAML, which is not installed."
            " Install it (pip install pyyaml), or convert the architecture to JSON."
        ) from error

    class PlainLoader(yaml.SafeLoader):
        """The safe loader, reading Python tags as the plain data behind them.

        Mappings are not merged: Keras never writes it, and merges of merges double each time.
        """

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
                raise yaml.YAMLError("it merges mappings (<<)")

    def untagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        return loader.construct_scalar(node)  # type: ignore[arg-type]

    PlainLoader.add_multi_constructor("tag:yaml.org,2002:python/", untagged)
    try:
        return yaml.load(content, Loader=PlainLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ModelConfigError(
            f"{name}: neither JSON nor YAML: {str(error).splitlines()[0]}. Expected what"
            " model.to_json() or model.to_yaml() writes."
        ) from error


def _with_layers(document: Any, name: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise ModelConfigError(
            f"{name}: expected a model's configuration (a mapping with 'class_name' and 'config'),"
            f" met {type(document).__name__}."
        )
    config = document.get("config", document)
    layers = config.get("layers") if isinstance(config, dict) else config
    if isinstance(document.get("nodes"), dict | list) and document.get("name") == "Graph":
        raise ModelConfigError(f"{name}: a Keras 0.3 Graph model; only Sequential ones are read.")
    if not isinstance(layers, list) or not layers:
        class_name = document.get("class_name") or document.get("name")
        raise ModelConfigError(
            f"{name}: the configuration of {class_name!r} lists no layers. Expected a Sequential or"
            " Functional model; a subclassed model's layers are Python code and in no file: rebuild"
            " it as a Functional model."
        )
    return document
