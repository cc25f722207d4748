"""Layers that wrap others: TimeDistributed, SpectralNormalization, models within them."""

from __future__ import annotations

from dataclasses import replace

from deeplift_engine.layers import Identity
from deeplift_engine.translate.layer_context import Place
from deeplift_engine.translate.nodes import put_model


def time_distributed(place: Place) -> tuple[str, ...]:
    """TimeDistributed: the inner layer at every step; its nodes take the wrapper's name."""
    (child,) = place.spec.children
    inner = replace(place.child(child, place.name, place.inputs), depth=place.depth + 1)
    place.argument("mask")
    return place.draft.translate(inner)


def inner_model(place: Place) -> tuple[str, ...]:
    """A model that a wrapper holds."""
    found = put_model(place, place.spec.config["model"])
    first = place.add(Identity(), found[0])
    return (first, *found[1:])


def wrapped(place: Place) -> tuple[str, ...]:
    """A wrapper that does nothing at inference: SpectralNormalization, whose kernel is as saved."""
    (child,) = place.spec.children
    return place.draft.translate(place.child(child, place.name, place.inputs, **place.arguments))
