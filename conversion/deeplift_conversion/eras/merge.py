"""Keras 1's ``Merge``, one layer with a mode, as Keras 2's and 3's merging layers.

Its cosine is no layer of later Keras: a number a sample has the shape (samples, 1, 1) there,
and a matrix is divided by what is not the length of its rows. It stays a ``Merge``.
"""

from __future__ import annotations

from typing import Any

from deeplift_conversion.layers.table import MERGE_MODES
from deeplift_conversion.tree import Layer


def merge_layer(name: str, config: dict[str, Any], era: int, where: str) -> Layer:
    """Return the layer that does what a ``Merge`` of this mode does.

    A mode that is a Python function becomes a ``Lambda`` without its code.
    """
    mode = config.get("mode", "sum")
    options: dict[str, Any] = {"name": name, "dtype": "float32"}
    class_name = MERGE_MODES.get(mode) if isinstance(mode, str) else None
    if class_name is None or config.get("mode_type", "raw") != "raw":
        options["function"] = {"bytecode": True}
        options["function_type"] = str(config.get("mode_type", "lambda"))
        options["arguments"] = config.get("arguments") or {}
        return Layer(name, "Lambda", "Merge", options, era=era, saved=config)
    branches = config.get("layers")
    if era == 1 and branches and all(_is_sequential(branch) for branch in branches):
        options["ends_mask"] = True  # Keras 1 keeps no mask at the end of a Sequential model
    if class_name == "Concatenate":
        options["axis"] = config.get("concat_axis", -1)
    if class_name in ("Dot", "Merge"):
        options["axes"] = _axes(config.get("dot_axes", -1))
    if class_name == "Dot":
        options["normalize"] = False
    if class_name == "Merge":
        options["mode"] = mode
    return Layer(name, class_name, "Merge", options, era=era, saved=config)


def _is_sequential(branch: Any) -> bool:
    return isinstance(branch, dict) and branch.get("class_name") == "Sequential"


def _axes(axes: Any) -> Any:
    """Return Keras 1's ``dot_axes``, which may be ``[[a], [b]]``, as ``a`` or ``(a, b)``."""
    if not isinstance(axes, list):
        return axes
    flat = [axis[0] if isinstance(axis, list) and len(axis) == 1 else axis for axis in axes]
    return tuple(flat)
