"""Cases of attention, kernels in Einstein's notation, and what masks do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers as L  # noqa: N812

from tests.engine.case import IMAGE, SEQUENCE, VECTOR, Case, around, body

# ---------------------------------------------------------------- kernels

EINSUM: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "ab,bc->ac": (VECTOR, {"output_shape": 5, "bias_axes": "c", "activation": "relu"}),
    "abc,cd->abd": (SEQUENCE, {"output_shape": (12, 5), "bias_axes": "bd"}),
    "abc,cde->abde": (SEQUENCE, {"output_shape": (12, 3, 2), "bias_axes": "de"}),
    "abcd,cde->abe": ((3, 4, 5), {"output_shape": (3, 6), "bias_axes": "e"}),
    "abc,bcd->acbd": (SEQUENCE, {"output_shape": (4, 12, 3), "bias_axes": "cd"}),
    "abc,bd->acd": (SEQUENCE, {"output_shape": (4, 3), "activation": "softplus"}),
    "...c,cd->...d": (IMAGE, {"output_shape": 5, "bias_axes": "d"}),
    "...bc,bcd->...d": ((3, 4, 5), {"output_shape": 6}),
    "ab...,bc->ac...": ((5, 4), {"output_shape": 3, "bias_axes": "c"}),
    "abc,d->abd": (SEQUENCE, {"output_shape": (12, 2)}),
}


def einsum() -> dict[str, Case]:
    return {
        f"EinsumDense {equation}": Case(
            around(lambda equation=equation, more=more: L.EinsumDense(equation, **more), shape)
        )
        for equation, (shape, more) in EINSUM.items()
    }


def language(**options: Any) -> Callable[[], keras.Model]:
    """Tokens to logits of tokens by one embedding."""

    def build() -> keras.Model:
        source = keras.Input((6,), dtype="int32", name="tokens")
        embedding = L.ReversibleEmbedding(5, 4, **options)
        x = L.Dense(4, activation="tanh")(embedding(source))
        return keras.Model(source, body(embedding(x, reverse=True)))

    return build


def cases() -> dict[str, Case]:
    """All of them."""
    return {
        **einsum(),
        "tokens, ReversibleEmbedding": Case(language()),
        "tokens, ReversibleEmbedding, not tied": Case(
            language(tie_weights=False, logit_soft_cap=2.0)
        ),
    }
