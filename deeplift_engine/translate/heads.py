"""Attention of several heads, with projections: MultiHeadAttention, GroupQueryAttention."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

import numpy as np

from deeplift_engine.layers import Activation, Product
from deeplift_engine.layers.attention import NewAxes
from deeplift_engine.layers.einsum import Contraction, EinsumKernel
from deeplift_engine.translate.attention import Limits, attention_weights, only
from deeplift_engine.translate.layer_context import LayerContext, Refusal
from deeplift_engine.util.typing import Array


def multi_head_attention(context: LayerContext) -> tuple[str, ...]:
    """MultiHeadAttention of Keras 2 and 3 over any attention axes."""
    only(
        context,
        (
            *("num_heads", "key_dim", "value_dim", "dropout", "use_bias", "output_shape"),
            *("attention_axes", "use_gate", "sliding_window"),
            *("query_shape", "key_shape", "value_shape", "ends_mask"),
        ),
    )
    rank = len(context.shape())
    axes = context.option("attention_axes")
    axes = tuple(range(1, rank)) if axes is None else axes if isinstance(axes, tuple) else (axes,)
    axes = tuple(int(axis) if axis >= 0 else int(axis) + rank + 1 for axis in axes)
    query, value, key = context.inputs
    masks = context.builder.masks
    if context.builder.era >= 3:
        # Keras takes the mask that the query carries, and from then on no layer finds one there
        context.argument("query_mask")
        query_mask = masks.get(query)
        others = [_explicit_or(context, "value", value), _explicit_or(context, "key", key)]
        for name in (query, value, key):
            masks.pop(name, None)
    elif context.option("ends_mask"):
        query_mask, others = None, [None, None]
    else:
        query_mask, others = masks.get(query), [masks.get(value), masks.get(key)]
    outputs = _heads(context, axes, 1, query_mask, others)
    if query_mask is not None:
        masks[outputs[0]] = query_mask
    return outputs


def group_query_attention(context: LayerContext) -> tuple[str, ...]:
    """GroupQueryAttention: several queries' heads share those of a key and a value."""
    only(
        context,
        (
            *("head_dim", "num_query_heads", "num_key_value_heads", "dropout", "use_bias"),
            *("use_gate", "sliding_window"),
        ),
    )
    sharing = int(context.option("num_query_heads")) // int(context.option("num_key_value_heads"))
    query, value, key = context.inputs
    query_mask = _explicit_or(context, "query", query)
    others = [_explicit_or(context, "value", value), _explicit_or(context, "key", key)]
    outputs = _heads(context, (1,), sharing, query_mask, others)
    if query in context.builder.masks:  # not the one that was given, says Keras
        context.builder.masks[outputs[0]] = context.builder.masks[query]
    return outputs


def _explicit_or(context: LayerContext, role: str, name: str) -> str | None:
    mask = context.argument(f"{role}_mask")
    return context.builder.masks.get(name) if mask is None else context.as_mask(mask)


def _heads(
    context: LayerContext,
    axes: Sequence[int],
    sharing: int,
    query_mask: str | None,
    other_masks: Iterable[str | None],
) -> tuple[str, ...]:
    """Attention with projections; ``sharing`` is how often each head of key and value counts."""
    query, value, key = context.inputs
    rank = len(context.shape(query))
    letters = _Letters.of(rank, axes)
    size = context.weight("query_kernel").shape[-1]
    queries = _projected(context, "query", query, factor=1 / np.sqrt(size))
    keys = _projected(context, "key", key, sharing)
    values = _projected(context, "value", value, sharing)
    scores = context.add(Contraction(letters.scores), queries, keys, suffix="/scores")
    returned = bool(context.argument("return_attention_scores"))
    fused = not (float(context.option("dropout") or 0) > 0 or returned or rank != 2)
    limits = Limits(
        _scores_mask(context, letters, query_mask, other_masks),
        bool(context.argument("use_causal_mask")),
        int(context.option("sliding_window") or 0),
        zeroed=context.builder.era >= 3 and not fused,
    )
    if (limits.causal or limits.window) and tuple(axes) != (1,):
        raise Refusal(
            f"attends over the axes {tuple(axes)} with a causal mask or window, which Keras"
            " takes over axis 1"
        )
    weights = attention_weights(context, scores, limits, tuple(range(-len(axes), 0)), "/weights")
    attended = context.add(Contraction(letters.combined), weights, values, suffix="/attended")
    if context.option("use_gate", False):
        opening = _projected(context, "gate", query, suffix="/gate/pre_activation")
        gate = context.add(Activation("sigmoid"), opening, suffix="/gate")
        attended = context.add(Product(2), attended, gate, suffix="/gated")
    kernel = context.weight("output_kernel")
    letters_out = ascii_uppercase[: kernel.ndim - 2]
    layer = EinsumKernel(
        f"...nh,nh{letters_out}->...{letters_out}", kernel, context.optional("output_bias")
    )
    output = context.add(layer, attended)
    return (output, weights) if returned else (output,)


@dataclass(frozen=True)
class _Letters:
    """Equations of scores and of what they weigh; queries' axes are small, keys' large."""

    scores: str
    combined: str
    attended: int

    @classmethod
    def of(cls, rank: int, axes: Sequence[int]) -> _Letters:
        """For inputs of ``rank`` without batch axis that attend over ``axes``, from 1."""
        target = "abcdefg"[: rank - 1]
        source = "".join(
            letter.upper() if position in axes else letter
            for position, letter in enumerate(target, 1)
        )
        batch = "".join(letter for letter in target if letter in source)
        table = batch + "n" + "".join(target[axis - 1] for axis in axes)
        table += "".join(source[axis - 1] for axis in axes)
        return cls(f"{target}nh,{source}nh->{table}", f"{table},{source}nh->{target}nh", len(axes))

    @property
    def rank(self) -> int:
        """Number of the scores' axes."""
        return len(self.combined.partition(",")[0])


def _projected(
    context: LayerContext,
    role: str,
    name: str,
    sharing: int = 1,
    factor: float = 1.0,
    suffix: str = "",
) -> str:
    """(n, ..., features) → (n, ..., heads, size), times ``factor``."""

    def heads(array_kind: str) -> Array | None:
        array = context.optional(f"{role}_{array_kind}")
        if array is None:
            return None
        repeated = np.repeat(array, sharing, axis=-2) if sharing > 1 else array
        return (repeated * factor).astype(array.dtype) if factor != 1 else repeated

    kernel = heads("kernel")
    if kernel is None:
        raise Refusal(f"has no kernel for its {role}")
    layer = EinsumKernel("...d,dnh->...nh", kernel, heads("bias"))
    return context.add(layer, name, suffix=suffix or f"/{role}")


def _scores_mask(
    context: LayerContext, letters: _Letters, query_mask: str | None, others: Iterable[str | None]
) -> str | None:
    """All masks of data as one that broadcasts against the scores."""
    masks = []
    if query_mask is not None:
        masks.append(context.add(NewAxes((-1,)), query_mask, suffix="/queries_used"))
    for mask in dict.fromkeys(other for other in others if other is not None):
        masks.append(context.add(NewAxes((-2,)), mask, suffix="/keys_used"))
    attention_mask = context.argument("attention_mask")
    if masks and letters.attended > 1:
        raise Refusal("attends over several axes with a mask of one")
    if attention_mask is not None:
        own = context.as_mask(attention_mask)
        if masks and len(context.shape(own)) != 2:
            raise Refusal("has a mask for each head beside masks of its inputs")
        masks.append(own)
    grown = []
    for mask in masks:
        before = letters.rank - len(context.shape(mask))
        axes = tuple(range(-2 * letters.attended - before, -2 * letters.attended))
        grown.append(
            context.add(NewAxes(axes), mask, suffix="/mask_of_heads") if before > 0 else mask
        )
    if len(grown) < 2:
        return grown[0] if grown else None
    return context.add(Product(len(grown)), *grown, suffix="/mask")


__all__ = ["group_query_attention", "multi_head_attention"]
