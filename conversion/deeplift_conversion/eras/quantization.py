"""Which layers of Keras 3 are quantised, and whether their weights alone are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ALWAYS_FLOAT = ("Embedding",)
"""Layers that read no numbers, so that nothing but their weights can be quantised."""
_READ = {"int8": ("Dense", "Embedding", "EinsumDense"), "int4": ("Dense", "Embedding")}
"""Modes by the layers whose weights are read."""


def mode_of(options: Mapping[str, Any]) -> str:
    """Return how a layer is quantised as saved, ``"int4/128"``, ``""`` where it is not."""
    policy = options.get("dtype")
    if isinstance(policy, str):
        return policy.partition("_from_")[0] if "_from_" in policy else ""
    config = policy.get("config") if isinstance(policy, dict) else None
    return str(config.get("mode") or "") if isinstance(config, dict) else ""


def refused_mode(class_name: str, options: Mapping[str, Any]) -> str:
    """Return the mode of a layer that is quantised in another way than that its weights are."""
    mode = mode_of(options)
    if not mode or (class_name in _ALWAYS_FLOAT and mode.partition("/")[0] in _READ):
        return ""
    saved = options.get("quantization_config")
    config = saved.get("config") if isinstance(saved, dict) else None
    floats = isinstance(config, dict) and config.get("activation_quantizer") is None
    return "" if floats and class_name in _READ.get(mode.partition("/")[0], ()) else mode


__all__ = ["mode_of", "refused_mode"]
