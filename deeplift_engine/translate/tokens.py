"""Tokens and masks: Embedding, Masking."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import Embedding, Identity, Product, Reshape, TokenFunction, UsedSteps
from deeplift_engine.translate.layer_context import LayerContext


def embedding(context: LayerContext) -> str:
    """Embedding; with ``mask_zero`` token 0 is not used."""
    name = context.add(Embedding(context.weight("embeddings")))
    if context.option("mask_zero", False):
        dtype = context.builder.dtype
        used = TokenFunction(lambda tokens: tf.cast(tokens != 0, dtype), is_condition=True)
        context.builder.masks[name] = context.add(used, suffix="/mask")
    return name


def masking(context: LayerContext) -> str:
    """Masking: steps all of whose features are ``mask_value`` become zeros and are not used."""
    value = context.option("mask_value", 0.0)
    mask = context.add(UsedSteps(value), suffix="/mask")
    if not np.any(value):  # what is masked is zeros as it is
        name = context.add(Identity())
    else:
        name = context.add(Product(2), context.inputs[0], expanded(context, mask))
    context.builder.masks[name] = mask
    return name


def expanded(context: LayerContext, mask: str, axes: int = 1) -> str:
    """A mask (n, steps) as (n, steps, 1...), to be multiplied with features."""
    sizes = [-1 if size is None else size for size in context.shape(mask)]
    return context.add(Reshape((*sizes, *[1] * axes)), mask, suffix="/used")
