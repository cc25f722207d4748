"""Cases of attention, kernels in Einstein's notation, and what masks do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers as L  # noqa: N812

from tests.cases.case import IMAGE, SEQUENCE, VECTOR, Case, around, body, since

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


# ---------------------------------------------------------------- attention

STEPS = (5, 4)


def padded(x: Any) -> Any:
    """Masked where x is 0. Of a mask of zeros Keras and we have different derivatives there."""
    return L.Masking(2.0)(L.Rescaling(1.0, offset=2.0)(x))


def unmasked(x: Any) -> Any:
    """Something of x that has no mask: Flatten would warn of it."""
    return L.Dot(axes=1)([x, x])


def attending(
    make: Callable[[], Any], call: Callable[[Any, Any], Any], *, masked: bool = False
) -> Case:
    """A layer called on a query (5, 4), a value (6, 4) and a key (6, 4) of two inputs."""

    def build() -> keras.Model:
        first, second = keras.Input(STEPS, name="x"), keras.Input((6, 4), name="y")
        sides = [padded(side) if masked else side for side in (first, second)]
        query, value, key = (
            L.Dense(4, activation=name)(side)
            for name, side in (("tanh", sides[0]), ("tanh", sides[1]), ("sigmoid", sides[1]))
        )
        found = call(make(), [query, value, key])
        found = found if isinstance(found, tuple) else (found,)
        if masked or len(found) > 1:  # scores carry the mask of their softmax
            found = [unmasked(part) for part in found]
        flat = [L.Flatten()(L.Activation("relu")(part)) for part in found]
        joined = flat[0] if len(flat) == 1 else L.Concatenate()(flat)
        return keras.Model([first, second], L.Dense(2, name="units")(joined))

    return Case(build, masked=masked)


def listed(*, key: bool = False, alone: bool = False, **options: Any) -> Callable[..., Any]:
    """A call with a list, as Attention wants it; ``alone`` of one sequence with itself."""

    def call(layer: Any, three: Any) -> Any:
        return layer([three[1]] * 2 if alone else three[: 3 if key else 2], **options)

    return call


def apart(*, key: bool = False, alone: bool = False, **options: Any) -> Callable[..., Any]:
    """A call with query, value and perhaps key; ``alone`` of one sequence with itself."""

    def call(layer: Any, three: Any) -> Any:
        query, value, keys = three
        if alone:
            return layer(value, value, **options)
        return layer(query, value, *([keys] if key else []), **options)

    return call


def plain() -> dict[str, Case]:
    """Attention and AdditiveAttention."""
    both = {"return_attention_scores": True}
    return {
        "Attention": attending(L.Attention, listed()),
        "Attention, scaled, key, masked": attending(
            lambda: L.Attention(use_scale=True), listed(key=True), masked=True
        ),
        "Attention, causal, scores": attending(
            L.Attention, listed(use_causal_mask=True, **both), masked=True
        ),
        "Attention, concat, scaled": attending(
            lambda: L.Attention(score_mode="concat", use_scale=True), listed(alone=True)
        ),
        "AdditiveAttention": attending(L.AdditiveAttention, listed(key=True), masked=True),
        "AdditiveAttention, no scale, causal": attending(
            lambda: L.AdditiveAttention(use_scale=False), listed(use_causal_mask=True)
        ),
    }


def heads() -> dict[str, Case]:
    """MultiHeadAttention and GroupQueryAttention."""
    both = {"return_attention_scores": True}
    many, group = L.MultiHeadAttention, L.GroupQueryAttention
    return {
        "MultiHeadAttention": attending(lambda: many(2, 3), apart(alone=True)),
        "MultiHeadAttention, options, key": attending(
            lambda: many(2, 3, value_dim=2, output_shape=(3, 2), use_bias=False), apart(key=True)
        ),
        "MultiHeadAttention, causal, scores": attending(
            lambda: many(2, 2), apart(alone=True, use_causal_mask=True, **both)
        ),
        "MultiHeadAttention, key, masked": attending(
            lambda: many(2, 2), apart(key=True), masked=True
        ),
        "MultiHeadAttention, masked, causal, dropout": attending(
            lambda: many(1, 3, dropout=0.2), apart(alone=True, use_causal_mask=True), masked=True
        ),
        "GroupQueryAttention": attending(lambda: group(3, 4, 2), apart(key=True)),
        **since(
            "3.15",
            {
                "GroupQueryAttention, gate": attending(
                    lambda: group(2, 2, 1, use_gate=True), apart()
                ),
                "GroupQueryAttention, window, scores": attending(
                    lambda: group(2, 2, 1, sliding_window=3, use_bias=False),
                    apart(alone=True, use_causal_mask=True, **both),
                ),
                "MultiHeadAttention, window, gate": attending(
                    lambda: many(2, 2, sliding_window=2, use_gate=True), apart(alone=True)
                ),
            },
        ),
    }


def image_attention(axes: tuple[int, ...] | None) -> Callable[[], keras.Model]:
    """Attention over some of the axes of an image of free width."""

    def build() -> keras.Model:
        source = keras.Input((3, None, 4), name="image")
        x = L.Dense(4, activation="tanh")(source)
        x = L.MultiHeadAttention(2, 3, attention_axes=axes)(x, x)
        return keras.Model(source, body(L.GlobalAveragePooling2D()(x)))

    return build


def given_masks() -> keras.Model:
    """An attention mask for each pair, one for each head, and one for steps."""
    source, steps = keras.Input(STEPS, name="x"), keras.Input((5,), dtype="bool", name="steps")
    pairs = keras.Input((5, 5), dtype="bool", name="pairs")
    each = keras.Input((2, 5, 5), dtype="bool", name="heads")
    x = L.Dense(4, activation="tanh")(source)
    x = L.MultiHeadAttention(2, 3)(x, x, attention_mask=pairs, use_causal_mask=True)
    x = L.MultiHeadAttention(2, 3)(x, x, attention_mask=each)
    x = L.GroupQueryAttention(2, 2, 1)(x, x, attention_mask=pairs, query_mask=steps)
    x = L.MultiHeadAttention(2, 3)(x, x, query_mask=steps, value_mask=steps)
    return keras.Model([source, steps, pairs, each], body(x))


def masked_softmax() -> keras.Model:
    """Softmax over two axes, some of them left out."""
    source, mask = keras.Input(STEPS, name="x"), keras.Input((5, 1), dtype="bool", name="mask")
    x = L.Dense(4, activation="tanh")(source)
    return keras.Model([source, mask], body(unmasked(L.Softmax(axis=(1, 2))(x, mask=mask))))


def merged_masks(*layers: Callable[[], Any]) -> Callable[[], keras.Model]:
    """Two masked inputs merged, then attended to with the mask that comes of it."""

    def build() -> keras.Model:
        sources = [keras.Input(STEPS, name=name) for name in "xy"]
        x, y = (L.Dense(4, activation="tanh")(padded(source)) for source in sources)
        found = [layer()([x, y]) for layer in layers]
        found = [L.Flatten()(unmasked(L.Attention()([part, part]))) for part in found]
        return keras.Model(sources, body(L.Concatenate()(found)))

    return build


def transformer(*, masks: bool) -> Callable[[], keras.Model]:
    """Tokens and their places, attention and a dense part, both with shortcuts; the mean.

    Which step is which is a second input, as plain layers can have it.
    """

    def build() -> keras.Model:
        source = keras.Input((None,), dtype="int32", name="tokens")
        places = keras.Input((None,), dtype="int32", name="places")
        x = L.Add()([L.Embedding(5, 4, mask_zero=masks)(part) for part in (source, places)])
        inner = L.MultiHeadAttention(2, 2)(x, x)
        x = L.LayerNormalization()(L.Add()([x, inner]))
        inner = L.Dense(4)(L.Dense(8, activation="gelu")(x))
        x = L.LayerNormalization()(L.Add()([x, inner]))
        return keras.Model([source, places], body(L.GlobalAveragePooling1D()(x)))

    return build


def cases() -> dict[str, Case]:
    """All of them."""
    return {
        **einsum(),
        "tokens, ReversibleEmbedding": Case(language()),
        "tokens, ReversibleEmbedding, not tied": Case(
            language(tie_weights=False, logit_soft_cap=2.0)
        ),
        **plain(),
        **heads(),
        "MultiHeadAttention of an image": Case(image_attention(None)),
        "MultiHeadAttention along rows": Case(image_attention((2,))),
        "tokens, masks given": Case(given_masks),
        "tokens, Softmax with a mask": Case(masked_softmax),
        "masks, Add, Concatenate": Case(
            merged_masks(L.Add, L.Concatenate, lambda: L.Concatenate(axis=1)), masked=True
        ),
        "masks, Maximum, Multiply": Case(merged_masks(L.Maximum, L.Multiply), masked=True),
        "tokens, transformer": Case(transformer(masks=False)),
        "tokens, transformer with masks": Case(transformer(masks=True)),
    }
