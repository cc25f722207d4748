"""Networks with randomised layers, built from the specification of a network."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deeplift_conversion import LayerSpec, ModelSpec
from deeplift_engine.errors import InputError
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.network import Network

Draw = Callable[[Array, float, np.random.Generator], Array]


def _normal(array: Array, centre: float, rng: np.random.Generator) -> Array:
    return rng.normal(centre, float(array.std()), array.shape).astype(array.dtype)


def _permuted(array: Array, centre: float, rng: np.random.Generator) -> Array:
    return rng.permutation(array.ravel()).reshape(array.shape)


DRAWS: Mapping[str, Draw] = {"normal": _normal, "permuted": _permuted}
ORDERS = ("cascading", "independent")
WEIGHTS = ("kernel", "embeddings", "bias")
FACTORS = ("gamma", "beta", "alpha", "scale")
"""Weights of normalisations, attention and PReLU; values around zero would switch layers off."""


def randomised(
    network: Network, order: str = "cascading", draw: str = "normal", seed: int = 0
) -> Iterator[tuple[str, Network]]:
    """Pairs of the layer randomised last and the network, from the output down.

    Arguments are those of `deeplift_engine.evaluate.randomisation`.

    Raises
    ------
    InputError
        For a network without learnt weights.
    """
    spec = network.spec
    called = dict.fromkeys(node.layer for node in reversed(spec.nodes))
    names = [name for name in called if _learns(spec.layers[name])]
    if not names:
        raise InputError(f"{spec.source} has no layer that learns and could be randomised.")
    for number, name in enumerate(names):
        chosen = names[: number + 1] if order == "cascading" else [name]
        layers = {
            key: _drawn(layer, DRAWS[draw], seed) if key in chosen else layer
            for key, layer in spec.layers.items()
        }
        source = f"{spec.source} (randomised: {', '.join(chosen)})"
        yield name, network.respecified(replace(spec, layers=layers, source=source))


def _learns(layer: LayerSpec) -> bool:
    inner = layer.config.get("model")
    return (
        any(_learnt(role) for role in layer.weights)
        or any(map(_learns, layer.children))
        or (isinstance(inner, ModelSpec) and any(map(_learns, inner.layers.values())))
    )


def _learnt(role: str) -> bool:
    return role in FACTORS or any(word in role for word in WEIGHTS)


def _drawn(layer: LayerSpec, draw: Draw, seed: int) -> LayerSpec:
    """A layer with new random arrays, inner layers included."""
    config, inner = dict(layer.config), layer.config.get("model")
    if isinstance(inner, ModelSpec):
        drawn = {name: _drawn(cell, draw, seed) for name, cell in inner.layers.items()}
        config["model"] = replace(inner, layers=drawn)
    weights = {
        role: draw(
            array,
            float(array.mean()) if role in FACTORS else 0.0,
            np.random.default_rng([seed, zlib.crc32(f"{layer.name}/{role}".encode())]),
        )
        if _learnt(role)
        else array
        for role, array in layer.weights.items()
    }
    children = tuple(_drawn(child, draw, seed) for child in layer.children)
    return replace(layer, config=config, weights=weights, children=children)
