"""Layers that wrap others: TimeDistributed, SpectralNormalization, models within them."""

from __future__ import annotations

from dataclasses import replace

from deeplift_engine.layers import Identity
from deeplift_engine.translate.layer_context import LayerContext
from deeplift_engine.translate.nodes import put_model


def time_distributed(context: LayerContext) -> tuple[str, ...]:
    """TimeDistributed: the inner layer at every step; its nodes take the wrapper's name."""
    (child,) = context.spec.children
    inner = replace(context.child(child, context.name, context.inputs), depth=context.depth + 1)
    context.argument("mask")
    outputs = context.builder.translate(inner)
    if context.option("drops_inner_mask"):
        for output in outputs:
            context.builder.masks.pop(output, None)
    return outputs


def inner_model(context: LayerContext) -> tuple[str, ...]:
    """A model that a wrapper holds."""
    outputs = put_model(context, context.spec.config["model"])
    first = context.add(Identity(), outputs[0])
    return (first, *outputs[1:])


def wrapped(context: LayerContext) -> tuple[str, ...]:
    """A wrapper that does nothing at inference: SpectralNormalization, whose kernel is as saved."""
    (child,) = context.spec.children
    return context.builder.translate(
        context.child(child, context.name, context.inputs, **context.arguments)
    )
