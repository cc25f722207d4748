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
from deeplift_engine.translate.layer_context import Place, Refused
from deeplift_engine.util.typing import Array


def multi_head_attention(place: Place) -> tuple[str, ...]:
    """MultiHeadAttention of Keras 2 and 3 over any attention axes."""
    only(
        place,
        (
            *("num_heads", "key_dim", "value_dim", "dropout", "use_bias", "output_shape"),
            *("attention_axes", "use_gate", "sliding_window"),
            *("query_shape", "key_shape", "value_shape"),
        ),
    )
    rank = len(place.shape())
    axes = place.option("attention_axes")
    axes = tuple(range(1, rank)) if axes is None else axes if isinstance(axes, tuple) else (axes,)
    axes = tuple(int(axis) if axis >= 0 else int(axis) + rank + 1 for axis in axes)
    query, value, key = place.inputs
    masks = place.draft.masks
    if place.draft.era >= 3:
        # Keras takes the mask that the query carries, and from then on no layer finds one there
        place.argument("query_mask")
        query_mask = masks.get(query)
        others = [_explicit_or(place, "value", value), _explicit_or(place, "key", key)]
        for name in (query, value, key):
            masks.pop(name, None)
    else:
        query_mask, others = masks.get(query), [masks.get(value), masks.get(key)]
    outputs = _heads(place, axes, 1, query_mask, others)
    if query_mask is not None:
        masks[outputs[0]] = query_mask
    return outputs


def group_query_attention(place: Place) -> tuple[str, ...]:
    """GroupQueryAttention: several queries' heads share those of a key and a value."""
    only(
        place,
        (
            *("head_dim", "num_query_heads", "num_key_value_heads", "dropout", "use_bias"),
            *("use_gate", "sliding_window"),
        ),
    )
    sharing = int(place.option("num_query_heads")) // int(place.option("num_key_value_heads"))
    query, value, key = place.inputs
    query_mask = _explicit_or(place, "query", query)
    others = [_explicit_or(place, "value", value), _explicit_or(place, "key", key)]
    outputs = _heads(place, (1,), sharing, query_mask, others)
    if query in place.draft.masks:  # not the one that was given, says Keras
        place.draft.masks[outputs[0]] = place.draft.masks[query]
    return outputs


def _explicit_or(place: Place, role: str, name: str) -> str | None:
    given = place.argument(f"{role}_mask")
    return place.draft.masks.get(name) if given is None else place.as_mask(given)


def _heads(
    place: Place,
    axes: Sequence[int],
    sharing: int,
    query_mask: str | None,
    other_masks: Iterable[str | None],
) -> tuple[str, ...]:
    """Attention with projections; ``sharing`` is how often each head of key and value counts."""
    query, value, key = place.inputs
    rank = len(place.shape(query))
    letters = _Letters.of(rank, axes)
    size = place.weight("query_kernel").shape[-1]
    queries = _projected(place, "query", query, factor=1 / np.sqrt(size))
    keys = _projected(place, "key", key, sharing)
    values = _projected(place, "value", value, sharing)
    scores = place.add(Contraction(letters.scores), queries, keys, suffix="/scores")
    returned = bool(place.argument("return_attention_scores"))
    fused = not (float(place.option("dropout") or 0) > 0 or returned or rank != 2)
    limits = Limits(
        _scores_mask(place, letters, query_mask, other_masks),
        bool(place.argument("use_causal_mask")),
        int(place.option("sliding_window") or 0),
        zeroed=place.draft.era >= 3 and not fused,
    )
    if (limits.causal or limits.window) and tuple(axes) != (1,):
        raise Refused(
            f"attends over the axes {tuple(axes)} with a causal mask or window, which Keras"
            " takes over axis 1"
        )
    weights = attention_weights(place, scores, limits, tuple(range(-len(axes), 0)), "/weights")
    found = place.add(Contraction(letters.combined), weights, values, suffix="/attended")
    if place.option("use_gate", False):
        opening = _projected(place, "gate", query, suffix="/gate/pre_activation")
        gate = place.add(Activation("sigmoid"), opening, suffix="/gate")
        found = place.add(Product(2), found, gate, suffix="/gated")
    kernel = place.weight("output_kernel")
    letters_out = ascii_uppercase[: kernel.ndim - 2]
    layer = EinsumKernel(
        f"...nh,nh{letters_out}->...{letters_out}", kernel, place.optional("output_bias")
    )
    output = place.add(layer, found)
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
    place: Place, role: str, name: str, sharing: int = 1, factor: float = 1.0, suffix: str = ""
) -> str:
    """(n, ..., features) → (n, ..., heads, size), times ``factor``."""

    def heads(part: str) -> Array | None:
        array = place.optional(f"{role}_{part}")
        if array is None:
            return None
        repeated = np.repeat(array, sharing, axis=-2) if sharing > 1 else array
        return (repeated * factor).astype(array.dtype) if factor != 1 else repeated

    kernel = heads("kernel")
    if kernel is None:
        raise Refused(f"has no kernel for its {role}")
    layer = EinsumKernel("...d,dnh->...nh", kernel, heads("bias"))
    return place.add(layer, name, suffix=suffix or f"/{role}")


def _scores_mask(
    place: Place, letters: _Letters, query_mask: str | None, others: Iterable[str | None]
) -> str | None:
    """All masks of data as one that broadcasts against the scores."""
    parts = []
    if query_mask is not None:
        parts.append(place.add(NewAxes((-1,)), query_mask, suffix="/queries_used"))
    for mask in dict.fromkeys(other for other in others if other is not None):
        parts.append(place.add(NewAxes((-2,)), mask, suffix="/keys_used"))
    given = place.argument("attention_mask")
    if parts and letters.attended > 1:
        raise Refused("attends over several axes with a mask of one")
    if given is not None:
        own = place.as_mask(given)
        if parts and len(place.shape(own)) != 2:
            raise Refused("has a mask for each head beside masks of its inputs")
        parts.append(own)
    grown = []
    for mask in parts:
        before = letters.rank - len(place.shape(mask))
        places = tuple(range(-2 * letters.attended - before, -2 * letters.attended))
        grown.append(
            place.add(NewAxes(places), mask, suffix="/mask_of_heads") if before > 0 else mask
        )
    if len(grown) < 2:
        return grown[0] if grown else None
    return place.add(Product(len(grown)), *grown, suffix="/mask")


__all__ = ["group_query_attention", "multi_head_attention"]
