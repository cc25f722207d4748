"""Attention and AdditiveAttention, and softmax with a mask.

Scores of queries and keys, a softmax, and a sum of values with the softmax as weights: kernels
are linear, both sums of products are bilinear, and masks are nodes of 0 and 1 like any other
activation, so that every part is complete whichever masks input and reference have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_engine.layers import Activation, Product, ReLU, Scale, Softmax, Sum
from deeplift_engine.layers.attention import MaskedSoftmax, NewAxes
from deeplift_engine.layers.einsum import Contraction, EinsumKernel
from deeplift_engine.translate.activations import LAYERS, activation_layer
from deeplift_engine.translate.layer_context import Place, Refused


@dataclass(frozen=True)
class Limits:
    """Which scores count.

    ``mask`` is a node of 0 and 1 that broadcasts against them, or None; ``zeroed`` says that
    a query none of whose keys counts attends to nothing, rather than to all of them alike.
    """

    mask: str | None
    causal: bool = False
    window: int = 0
    zeroed: bool = False


def softmax(place: Place) -> str:
    """Softmax, with a mask of the input's rank if the call has one."""
    given = place.argument("mask")
    if given is None:
        return activation_layer(place)
    layer = LAYERS["Softmax"](place.spec.config)
    rank = len(place.shape())
    if len(place.shape(given)) != rank:
        raise Refused(
            f"its mask has {len(place.shape(given)) + 1} axes, its input {rank + 1}",
            "Save the model with a mask of the input's rank.",
        )
    assert isinstance(layer, Softmax)
    axes = tuple(axis if axis < 0 else axis - 1 - rank for axis in layer.axes)
    mask = _above_a_half(place, given) if place.draft.era >= 3 else place.as_mask(given)
    limits = Limits(mask, zeroed=place.draft.era >= 3)
    return attention_weights(place, place.inputs[0], limits, axes)


def _above_a_half(place: Place, name: str) -> str:
    """What Keras 3 takes a mask of numbers to be."""
    node = place.draft.nodes[name]
    if node.tokens or name in place.draft.truths:
        return place.as_mask(name)
    one = np.ones((), place.draft.dtype)
    above = place.add(Scale(one, -one / 2), name, suffix="/mask/above")
    above = place.add(ReLU(), above, suffix="/mask/positive")
    return place.add(Activation("nonzero"), above, suffix="/mask")


def attention_weights(
    place: Place, scores: str, limits: Limits, axes: tuple[int, ...] = (-1,), suffix: str = ""
) -> str:
    """The softmax of the scores that count."""
    if limits.mask is None and not limits.causal and not limits.window:
        return place.add(Softmax(axes), scores, suffix=suffix)
    layer = MaskedSoftmax(axes, limits.causal, limits.window, limits.zeroed)
    masks = [] if limits.mask is None else [limits.mask]
    return place.add(layer, scores, *masks, suffix=suffix)


def attention(place: Place) -> tuple[str, ...]:
    """Attention and AdditiveAttention of [query, value] or [query, value, key]."""
    only(place, ("use_scale", "score_mode", "causal", "dropout"))
    query, value = place.inputs[:2]
    key = place.inputs[2] if len(place.inputs) > 2 else value
    query_mask, value_mask = place.mask(0), place.mask(1)
    scores = _scores(place, query, key)
    keys = value_mask and place.add(NewAxes((-2,)), value_mask, suffix="/keys_used")
    causal = bool(place.argument("use_causal_mask", place.option("causal", False)))
    weights = attention_weights(place, scores, Limits(keys, causal), suffix="/weights")
    combine = Contraction("ts,sd->td")
    if query_mask is None:
        output = place.add(combine, weights, value)
    else:
        found = place.add(combine, weights, value, suffix="/of_all_queries")
        used = place.add(NewAxes((-1,)), query_mask, suffix="/queries_used")
        output = place.add(Product(2), found, used)
        place.draft.masks[output] = query_mask
    return (output, weights) if place.argument("return_attention_scores") else (output,)


def _scores(place: Place, query: str, key: str) -> str:
    """(n, queries, keys), by products or through a tanh of sums."""
    scale, dtype = place.optional("scale"), place.draft.dtype
    additive = place.spec.class_name == "AdditiveAttention"
    if not additive and place.option("score_mode", "dot") == "dot":
        if scale is not None:
            query = place.add(Scale(scale), query, suffix="/scaled_query")
        return place.add(Contraction("td,sd->ts"), query, key, suffix="/scores")
    sides = [
        place.add(NewAxes((axis,)), name, suffix=f"/{side}")
        for axis, name, side in ((-2, query, "query"), (-3, key, "key"))
    ]
    total = place.add(Sum(), *sides, suffix="/sums")
    width = place.shape(query)[-1]
    weights = np.ones(width or 1, dtype)
    if additive:
        weights = weights if scale is None else scale
    else:
        weights = weights * place.weight("concat_score_weight")
        if scale is not None:
            total = place.add(Scale(scale), total, suffix="/scaled_sums")
    curved = place.add(Activation("tanh"), total, suffix="/curved_sums")
    return place.add(EinsumKernel("...d,d->...", weights), curved, suffix="/scores")


def only(place: Place, known: Sequence[str]) -> None:
    """Refuse options that are not ``known``, and are not off."""
    for option, value in place.spec.config.items():
        if option not in (*known, "name", "dtype") and value not in (None, False):
            raise Refused(
                f"has the option {option}={value!r}, which is not known here",
                "Save the model without it.",
            )


__all__ = ["Limits", "attention", "attention_weights", "only", "softmax"]
