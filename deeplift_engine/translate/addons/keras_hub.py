"""keras-hub, once keras-nlp: blocks of transformers, embeddings of tokens and positions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from deeplift_engine.translate.addons.addon import (
    Addon,
    dense,
    length,
    operation,
    rows,
    without,
)
from deeplift_engine.translate.custom_layer import CustomLayer
from deeplift_engine.translate.symbol import Symbol
from deeplift_engine.util.typing import Array

Definition = Callable[[CustomLayer], Any]
_PROJECTIONS = {
    "query": {"query", "query_dense"},
    "key": {"key", "key_dense"},
    "value": {"value", "value_dense"},
    "output": {"attention_output", "output_dense"},
}
"""Layers inside an attention, by their names in HDF5 and in .keras files."""


def _inside(layer: CustomLayer, *path: set[str]) -> list[Array]:
    """The arrays of the layer inside at a path of names, any of a set at each step."""

    def leads_there(role: str) -> bool:
        names = [name.strip("_") for name in role.split("/")[:-1]]
        steps = zip(path, names, strict=False)
        return len(names) == len(path) and all(name in step for step, name in steps)

    return [array for role, array in layer.weights.items() if leads_there(role)]


# ---------------------------------------------------------------- blocks


def _attention(
    layer: CustomLayer, name: str, query: Symbol, value: Symbol, arguments: dict[str, Any]
) -> Any:
    """Keras's MultiHeadAttention inside: ``"self_attention"`` or ``"cross_attention"``.

    HDF5 has no name for it, and counts: the arrays of a second one come behind those of the first.
    """
    first = 2 if name == "cross_attention" else 0
    weights: dict[str, Array] = {}
    for role, inner in _PROJECTIONS.items():
        arrays = _inside(layer, {name, f"{name}_layer"}, inner) or _inside(layer, inner)[first:]
        weights |= dict(zip((f"{role}_kernel", f"{role}_bias"), arrays, strict=False))
    _, heads, size = weights["query_kernel"].shape
    return layer.apply(
        "MultiHeadAttention",
        query,
        value,
        value,
        weights=weights,
        arguments=arguments,
        num_heads=heads,
        key_dim=size,
        use_bias="query_bias" in weights,
        dropout=layer.config["dropout"],
    )


def _norm(layer: CustomLayer, name: str, x: Symbol) -> Symbol:
    result: Symbol = layer.apply(
        "LayerNormalization",
        x,
        weights=_inside(layer, {name}),
        epsilon=layer.config["layer_norm_epsilon"],
    )
    return result


def _beside(layer: CustomLayer, x: Symbol, name: str, inner: Callable[[Symbol], Any]) -> Symbol:
    """What ``inner`` makes of x, added to it, with a norm in front of it or behind the sum."""
    if layer.config["normalize_first"]:
        first: Symbol = x + inner(_norm(layer, name, x))
        return first
    return _norm(layer, name, x + inner(x))


def _forward(layer: CustomLayer, x: Symbol, start: str = "feedforward_") -> Symbol:
    """Two dense layers at each step."""
    first, second = (
        _inside(layer, {f"{start}{name}_dense"}) for name in ("intermediate", "output")
    )
    return dense(layer, dense(layer, x, first, layer.config["activation"]), second)


def _seen(layer: CustomLayer, start: str = "", steps_used: Symbol | None = None) -> dict[str, Any]:
    """The masks of a call as an attention takes them: those given, else ``steps_used``."""
    padding = layer.argument(f"{start}padding_mask")
    padding = steps_used if padding is None else padding
    mask = layer.argument(f"{start}attention_mask")
    if padding is not None:
        steps = padding[:, None]
        mask = steps if mask is None else mask * steps
    return {} if mask is None else {"attention_mask": mask}


def encoder(layer: CustomLayer) -> Any:
    """TransformerEncoder: attention and a dense part, each beside a shortcut."""
    x, seen = layer.input, _seen(layer)
    mask = x.mask  # which its attention takes from the input
    attended = _beside(
        layer,
        x,
        "self_attention_layer_norm",
        lambda inner: _attention(layer, "self_attention", inner, inner, seen),
    )
    output = _beside(
        layer, attended, "feedforward_layer_norm", lambda inner: _forward(layer, inner)
    )
    return layer.masked(output, mask)


def decoder(layer: CustomLayer) -> Any:
    """TransformerDecoder: the same of steps before, and of another sequence where it has one.

    Its attention reads masks of keys alone.
    """
    x, *others = layer.inputs
    other = others[0] if others else layer.argument("encoder_sequence")
    causal = {"use_causal_mask": bool(layer.argument("use_causal_mask", True))}
    seen = {**_seen(layer, "decoder_", x.mask), **causal}
    hidden = _beside(
        layer,
        layer.masked(x, None),
        "self_attention_layer_norm",
        lambda inner: _attention(layer, "self_attention", inner, inner, seen),
    )
    if other is not None:
        unmasked = layer.masked(other, None)
        seen_there = _seen(layer, "encoder_", other.mask)
        hidden = _beside(
            layer,
            hidden,
            "cross_attention_layer_norm",
            lambda inner: _attention(layer, "cross_attention", inner, unmasked, seen_there),
        )
    output = _beside(layer, hidden, "feedforward_layer_norm", lambda inner: _forward(layer, inner))
    return layer.masked(output, x.mask)


def fourier(layer: CustomLayer) -> Any:
    """FNetEncoder: the real part of a Fourier transform of steps and features, and a dense part."""
    x = layer.input
    of_steps, of_features = (_turns(length(x)), _turns(int(x.shape[-1] or 0)))
    mixed = _along_steps(layer, dense(layer, x, [np.cos(of_features)]), np.cos(of_steps))
    turned = _along_steps(layer, dense(layer, x, [np.sin(of_features)]), np.sin(of_steps))
    hidden = _norm(layer, "mixing_layer_norm", x + (mixed - turned))
    return _norm(layer, "output_layer_norm", hidden + _forward(layer, hidden, ""))


def _turns(size: int) -> Array:
    """The angles of a Fourier transform, (size, size)."""
    numbers = np.arange(size)
    return 2 * np.pi * (np.outer(numbers, numbers) % size) / size


def _along_steps(layer: CustomLayer, x: Symbol, kernel: Array) -> Symbol:
    turned = operation(layer, "Transpose", x, axes=(0, 2, 1))
    return operation(layer, "Transpose", dense(layer, turned, [kernel]), axes=(0, 2, 1))


def cached_attention(layer: CustomLayer) -> Any:
    """CachedMultiHeadAttention without a cache, which is Keras's layer."""
    query, *others = layer.inputs
    if len(others) > 1:
        raise ValueError("a key beside its value is not known")
    value = others[0] if others else layer.argument("value")
    without(layer, {"use_gate": False, "sliding_window": None})
    if query.mask is not None or value.mask is not None:
        raise ValueError("masks of its inputs, which are not known")
    mask = layer.argument("attention_mask")
    return _attention(layer, "", query, value, {} if mask is None else {"attention_mask": mask})


# ---------------------------------------------------------------- embeddings


def token_and_position(layer: CustomLayer) -> Any:
    """TokenAndPositionEmbedding: a row for each token, and one for its position."""
    tokens = layer.input
    words, positions = (_inside(layer, {f"{name}_embedding"})[0] for name in ("token", "position"))
    x = layer.apply("Embedding", tokens, weights=[words], mask_zero=layer.config["mask_zero"])
    return layer.masked(x + positions[: length(x)], x.mask)


def position(layer: CustomLayer) -> Any:
    """PositionEmbedding: a learned row for each step, whatever the input."""
    (table,) = layer.weights.values()
    return _rows_of_steps(layer, table[: length(layer.input, -2)])


def sines(layer: CustomLayer) -> Any:
    """SinePositionEncoding: sines and cosines of a step's number, whatever the input."""
    x = layer.input
    features = np.arange(int(x.shape[-1] or 0))
    rates = layer.config["max_wavelength"] ** -(2 * (features // 2) / len(features))
    angles = np.outer(np.arange(length(x, -2)), rates)
    return _rows_of_steps(layer, np.where(features % 2, np.cos(angles), np.sin(angles)))


def _rows_of_steps(layer: CustomLayer, table: Array) -> Any:
    return 0 * layer.input + table


def rotary(layer: CustomLayer) -> Any:
    """RotaryEmbedding: each pair of features turned by an angle that grows with the step."""
    without(layer, {"rope_type": "linear", "denominator_dim": None})
    return _turned(layer, _rates(layer, 1.0) / layer.config["scaling_factor"])


def rotary_of_nlp(layer: CustomLayer) -> Any:
    """RotaryEmbedding of keras-nlp, whose factor divides the exponents."""
    return _turned(layer, _rates(layer, layer.config["scaling_factor"]))


def _rates(layer: CustomLayer, scale: float) -> Array:
    """The angle of a step for each pair of features."""
    size = int(layer.input.shape[-1] or 0)
    rates: Array = layer.config["max_wavelength"] ** -(np.arange(0, size, 2) / scale / size)
    return rates


def _turned(layer: CustomLayer, rates: Array) -> Symbol:
    x = layer.input
    without(layer, {"feature_axis": -1})
    rank, axis, half = len(x.shape), layer.config["sequence_axis"] % len(x.shape), len(rates)
    angles = np.outer(np.arange(length(x, axis)), np.tile(rates, 2))
    angles = angles.reshape(len(angles), *[1] * (rank - axis - 2), 2 * half)
    opposite = layer.concatenate(-1 * x[..., half:], x[..., :half])
    result: Symbol = x * np.cos(angles) + opposite * np.sin(angles)
    return result


def reversible(layer: CustomLayer) -> Any:
    """ReversibleEmbedding: rows of tokens, or scores of all tokens for such rows."""
    arrays, config = list(layer.weights.values()), layer.config
    if not layer.argument("reverse", False):
        return layer.apply("Embedding", weights=arrays[:1], mask_zero=config["mask_zero"])
    scores = dense(layer, layer.input, [arrays[0].T if config["tie_weights"] else arrays[-1]])
    most = config.get("logit_soft_cap")
    return scores if most is None else most * operation(layer, "Tanh", scores / most)


def alibi(layer: CustomLayer) -> Any:
    """AlibiBias: scores (n, heads, queries, keys) less a slope of each head times the distance."""
    x = layer.input
    heads, keys = int(x.shape[1] or 0), length(x, -1)
    slopes = np.asarray(_slopes(heads, layer.config["alibi_bias_max"]))
    return x + slopes[:, None, None] * np.arange(1 - keys, 1)


def _slopes(heads: int, most: float) -> list[float]:
    """A geometric sequence, and every other term of a finer one for what is no power of 2."""
    power = 2 ** int(math.log2(heads))
    slopes = [2 ** (-most * number / power) for number in range(1, power + 1)]
    return slopes if heads == power else slopes + _slopes(2 * power, most)[::2][: heads - power]


_BLOCK = """
    intermediate_dim dropout activation layer_norm_epsilon kernel_initializer bias_initializer
"""
_SHARED: tuple[tuple[str, str, Definition], ...] = (
    ("TransformerEncoder", f"num_heads normalize_first {_BLOCK}", encoder),
    (
        "TransformerDecoder",
        f"num_heads normalize_first decoder_sequence_shape encoder_sequence_shape {_BLOCK}",
        decoder,
    ),
    ("FNetEncoder", _BLOCK, fourier),
    (
        "TokenAndPositionEmbedding",
        """vocabulary_size sequence_length embedding_dim embeddings_initializer mask_zero
        tie_weights""",
        token_and_position,
    ),
    ("PositionEmbedding", "sequence_length initializer", position),
    ("SinePositionEncoding", "max_wavelength", sines),
)
_REVERSIBLE = """
    output_dim embeddings_initializer embeddings_regularizer embeddings_constraint mask_zero
    tie_weights reverse_dtype
"""
_ROTARY = "max_wavelength scaling_factor sequence_axis feature_axis"
_ATTENTION = """
    num_heads key_dim value_dim dropout use_bias output_shape attention_axes kernel_initializer
    bias_initializer kernel_regularizer bias_regularizer kernel_constraint bias_constraint
"""


def _classes(package: str, registered: str, *classes: tuple[str, str, Definition]) -> list[Addon]:
    """Rows of the classes that a package registers under a name."""
    named = [(f"{registered}>{name}", options, made) for name, options, made in classes]
    return rows(package, *named)


ADDONS = [
    *_classes(
        "keras-hub 0.32.0",
        "keras_hub",
        *_SHARED,
        (
            "CachedMultiHeadAttention",
            f"{_ATTENTION} seed sliding_window use_gate",
            cached_attention,
        ),
        (
            "ReversibleEmbedding",
            f"{_REVERSIBLE} logit_soft_cap",
            reversible,
        ),
        (
            "RotaryEmbedding",
            f"""{_ROTARY} beta_fast beta_slow denominator_dim original_max_position_embeddings
            rope_type truncate""",
            rotary,
        ),
        ("AlibiBias", "alibi_bias_max", alibi),
    ),
    *_classes(
        "keras-nlp 0.6.4",
        "keras_nlp",
        *_SHARED,
        (
            "CachedMultiHeadAttention",
            f"{_ATTENTION} query_shape key_shape value_shape",
            cached_attention,
        ),
        ("ReversibleEmbedding", _REVERSIBLE, reversible),
        ("RotaryEmbedding", _ROTARY, rotary_of_nlp),
    ),
]
