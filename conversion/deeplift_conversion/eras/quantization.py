"""Which layers of Keras 3 are quantised, and whether their weights alone are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deeplift_conversion.layers.table import known


def mode_of(options: Mapping[str, Any]) -> str:
    """Return how a layer is quantised as saved, ``"int4/128"``, ``""`` where it is not."""
    policy = options.get("dtype")
    if isinstance(policy, str):
        return policy.partition("_from_")[0] if "_from_" in policy else ""
    config = policy.get("config") if isinstance(policy, dict) else None
    return str(config.get("mode") or "") if isinstance(config, dict) else ""


def refused_mode(class_name: str, options: Mapping[str, Any]) -> str:
    """Return the mode of a layer that is quantised in another way than that its weights are."""
    mode, layer = mode_of(options), known(class_name)
    if not mode or layer is None:
        return ""
    saved = options.get("quantization_config")
    config = saved.get("config") if isinstance(saved, dict) else None
    floats = isinstance(config, dict) and config.get("activation_quantizer") is None
    read = mode.partition("/")[0] in layer.quantized
    return "" if read and (floats or layer.reads_tokens) else mode


__all__ = ["mode_of", "refused_mode"]
