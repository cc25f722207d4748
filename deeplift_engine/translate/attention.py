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
from deeplift_engine.translate.activations import put_activation, softmax_axes
from deeplift_engine.translate.layer_context import LayerContext, Refusal


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


def softmax(context: LayerContext) -> str:
    """Softmax, with a mask of the input's rank if the call has one."""
    mask_argument = context.argument("mask")
    rank = len(context.shape())
    axes = softmax_axes(context.spec.config, rank)
    if mask_argument is None:
        return put_activation(context, Softmax(axes))
    if len(context.shape(mask_argument)) != rank:
        raise Refusal(
            f"its mask has {len(context.shape(mask_argument)) + 1} axes, its input {rank + 1}",
            "Save the model with a mask of the input's rank.",
        )
    mask = (
        _above_a_half(context, mask_argument)
        if context.builder.era >= 3
        else context.as_mask(mask_argument)
    )
    limits = Limits(mask, zeroed=context.builder.era >= 3)
    return attention_weights(context, context.inputs[0], limits, axes)


def _above_a_half(context: LayerContext, name: str) -> str:
    """What Keras 3 takes a mask of numbers to be."""
    node = context.builder.nodes[name]
    if node.tokens or name in context.builder.truths:
        return context.as_mask(name)
    one = np.ones((), context.builder.dtype)
    above = context.add(Scale(one, -one / 2), name, suffix="/mask/above")
    above = context.add(ReLU(), above, suffix="/mask/positive")
    return context.add(Activation("nonzero"), above, suffix="/mask")


def attention_weights(
    context: LayerContext,
    scores: str,
    limits: Limits,
    axes: tuple[int, ...] = (-1,),
    suffix: str = "",
) -> str:
    """The softmax of the scores that count."""
    if limits.mask is None and not limits.causal and not limits.window:
        return context.add(Softmax(axes), scores, suffix=suffix)
    layer = MaskedSoftmax(axes, limits.causal, limits.window, limits.zeroed)
    masks = [] if limits.mask is None else [limits.mask]
    return context.add(layer, scores, *masks, suffix=suffix)


def attention(context: LayerContext) -> tuple[str, ...]:
    """Attention and AdditiveAttention of [query, value] or [query, value, key]."""
    only(context, ("use_scale", "score_mode", "causal", "dropout"))
    query, value = context.inputs[:2]
    key = context.inputs[2] if len(context.inputs) > 2 else value
    query_mask, value_mask = context.mask(0), context.mask(1)
    scores = _scores(context, query, key)
    keys = value_mask and context.add(NewAxes((-2,)), value_mask, suffix="/keys_used")
    causal = bool(context.argument("use_causal_mask", context.option("causal", False)))
    weights = attention_weights(context, scores, Limits(keys, causal), suffix="/weights")
    combine = Contraction("ts,sd->td")
    if query_mask is None:
        output = context.add(combine, weights, value)
    else:
        attended = context.add(combine, weights, value, suffix="/of_all_queries")
        used = context.add(NewAxes((-1,)), query_mask, suffix="/queries_used")
        output = context.add(Product(2), attended, used)
        context.builder.masks[output] = query_mask
    return (output, weights) if context.argument("return_attention_scores") else (output,)


def _scores(context: LayerContext, query: str, key: str) -> str:
    """(n, queries, keys), by products or through a tanh of sums."""
    scale, dtype = context.optional("scale"), context.builder.dtype
    additive = context.spec.class_name == "AdditiveAttention"
    if not additive and context.option("score_mode", "dot") == "dot":
        if scale is not None:
            query = context.add(Scale(scale), query, suffix="/scaled_query")
        return context.add(Contraction("td,sd->ts"), query, key, suffix="/scores")
    sides = [
        context.add(NewAxes((axis,)), name, suffix=f"/{side}")
        for axis, name, side in ((-2, query, "query"), (-3, key, "key"))
    ]
    total = context.add(Sum(), *sides, suffix="/sums")
    width = context.shape(query)[-1]
    weights = np.ones(width or 1, dtype)
    if additive:
        weights = weights if scale is None else scale
    else:
        weights = weights * context.weight("concat_score_weight")
        if scale is not None:
            total = context.add(Scale(scale), total, suffix="/scaled_sums")
    curved = context.add(Activation("tanh"), total, suffix="/curved_sums")
    return context.add(EinsumKernel("...d,d->...", weights), curved, suffix="/scores")


def only(context: LayerContext, known: Sequence[str]) -> None:
    """Refuse options that are not ``known``, and are not off."""
    for option, value in context.spec.config.items():
        if option not in (*known, "name", "dtype") and value not in (None, False):
            raise Refusal(
                f"has the option {option}={value!r}, which is not known here",
                "Save the model without it.",
            )


__all__ = ["Limits", "attention", "attention_weights", "only", "softmax"]
