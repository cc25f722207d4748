"""Tokens and masks: Embedding, Masking."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import Embedding, Identity, Product, Reshape, TokenFunction, UsedSteps
from deeplift_engine.translate.layer_context import Place


def embedding(place: Place) -> str:
    """Embedding; with ``mask_zero`` token 0 is not used."""
    name = place.add(Embedding(place.weight("embeddings")))
    if place.option("mask_zero", False):
        dtype = place.draft.dtype
        used = TokenFunction(lambda tokens: tf.cast(tokens != 0, dtype))
        place.draft.masks[name] = place.add(used, suffix="/mask")
    return name


def masking(place: Place) -> str:
    """Masking: steps all of whose features are ``mask_value`` become zeros and are not used."""
    value = float(np.asarray(place.option("mask_value", 0.0)))
    mask = place.add(UsedSteps(value), suffix="/mask")
    if value == 0.0:  # what is masked is zeros as it is
        name = place.add(Identity())
    else:
        name = place.add(Product(2), place.inputs[0], expanded(place, mask))
    place.draft.masks[name] = mask
    return name


def expanded(place: Place, mask: str, axes: int = 1) -> str:
    """A mask (n, steps) as (n, steps, 1...), to be multiplied with features."""
    sizes = [-1 if size is None else size for size in place.shape(mask)]
    return place.add(Reshape((*sizes, *[1] * axes)), mask, suffix="/used")
