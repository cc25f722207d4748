"""Classes that are a user's own, though Keras has one of the same name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from deeplift_conversion.eras.options import OPTIONS

MARK = "own>"
"""In front of a class's name: what follows is not Keras's."""
_KERAS = ("keras.", "tf_keras.", "tensorflow.")
_HELD = ("InputLayer", "TimeDistributed", "Bidirectional", "SpectralNormalization", "RNN")


def marked(document: Any, own: Collection[str]) -> Any:
    """Return a configuration with a mark on classes that are not Keras's though it has their names.

    These are the ones called ``own``, and those of which a Keras 3 file says that they come from
    another module. Their options and arrays are then kept as saved. Wrappers stay what they are.
    """
    if isinstance(document, list):
        return [marked(entry, own) for entry in document]
    if not isinstance(document, dict):
        return document
    mapping = {key: marked(entry, own) for key, entry in document.items()}
    class_name = mapping.get("class_name")
    plain = class_name.rpartition(">")[2] if isinstance(class_name, str) else ""
    if plain not in OPTIONS or plain in _HELD or not isinstance(mapping.get("config"), dict):
        return mapping
    if plain in own or _is_registered(mapping):
        mapping["class_name"] = MARK + plain
    return mapping


def _is_registered(saved: dict[str, Any]) -> bool:
    """Tell what was registered by a user: Keras's own have a module and no registered name."""
    module = str(saved.get("module") or "")
    return bool(saved.get("registered_name")) and not module.startswith(_KERAS)


def unmarked(class_name: str) -> str:
    """Return a class's name as the file has it."""
    return class_name.removeprefix(MARK)


__all__ = ["MARK", "marked", "unmarked"]
