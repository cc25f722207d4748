"""Vocabularies of lookup layers of a model in memory, which its configuration lacks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from deeplift_conversion import ModelSpec


def with_vocabularies(spec: ModelSpec, model: Any) -> ModelSpec:
    """The same model, with the words of the layers that were cut off in their options."""
    if not spec.fronts:
        return spec
    layers = {layer.name: layer for layer in model.layers}
    fronts = {
        name: replace(front, config={**front.config, "vocabulary": words})
        if (words := _words(layers.get(front.name))) is not None
        else front
        for name, front in spec.fronts.items()
    }
    return replace(spec, fronts=fronts)


def _words(layer: Any) -> list[Any] | None:
    return list(layer.get_vocabulary()) if hasattr(layer, "get_vocabulary") else None


__all__ = ["with_vocabularies"]
