"""Vocabularies of lookup layers of a model in memory, which its configuration lacks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from deeplift_conversion import ModelSpec


def with_vocabularies(spec: ModelSpec, model: Any) -> ModelSpec:
    """The same model, with what the layers that were cut off learned in their options."""
    if not spec.fronts:
        return spec
    layers = {layer.name: layer for layer in model.layers}
    fronts = {
        name: replace(front, config={**front.config, **_learned(layers.get(front.name))})
        for name, front in spec.fronts.items()
    }
    return replace(spec, fronts=fronts)


def _learned(layer: Any) -> dict[str, Any]:
    """The vocabulary of a layer, and the weights of its words, if it has any."""
    if not hasattr(layer, "get_vocabulary"):
        return {}
    weights = getattr(getattr(layer, "_lookup_layer", layer), "idf_weights_const", None)
    return {
        "vocabulary": list(layer.get_vocabulary()),
        **({} if weights is None else {"idf_weights": np.asarray(weights).tolist()}),
    }


__all__ = ["with_vocabularies"]
