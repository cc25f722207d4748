"""keras-self-attention, keras-multi-head and the packages around them.

Masks move scores by -10,000 there, as here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplift_engine.translate.addons.addon import (
    attention,
    dense,
    heads,
    joined,
    length,
    operation,
    rows,
    with_weights,
)
from deeplift_engine.translate.custom_layer import CustomLayer
from deeplift_engine.util.typing import Array

HIDDEN = -10_000.0
"""Added to the score of a step that is hidden."""
_TRAINED = """
    kernel_initializer bias_initializer kernel_regularizer bias_regularizer kernel_constraint
    bias_constraint
"""


def _later(steps: int) -> Array:
    """What hides from each step those after it, (steps, steps)."""
    return np.triu(np.full((steps, steps), HIDDEN), 1)


def self_attention(layer: CustomLayer) -> Any:
    """SeqSelfAttention: additive or multiplicative scores between all steps."""
    x, config, arrays = layer.input, layer.config, list(layer.weights.values())
    biased = config.get("use_attention_bias", True)
    if config.get("attention_type", "additive") == "additive":
        at_step, at_other, *rest = arrays
        bias = [rest.pop(0)] if config.get("use_additive_bias", True) else []
        query, key = dense(layer, x, [at_step]), dense(layer, x, [at_other, *bias])
        hidden = operation(layer, "Tanh", query[:, :, None] + key[:, None])
        scores = dense(layer, hidden, rest)[..., 0]
    else:
        other = operation(layer, "Transpose", x, axes=(0, 2, 1))
        scores = operation(layer, "Matmul", dense(layer, x, arrays[:1]), other)
        scores = scores + float(arrays[1][0]) if biased else scores
    function = config.get("attention_activation") or "linear"
    if function != "linear":
        scores = layer.apply("Activation", scores, activation=function)
    width = config.get("attention_width")
    if width is not None:
        steps = np.arange(length(x))
        first = steps - (width - 1 if config.get("history_only") else width // 2)
        seen = (first[:, None] <= steps) & (steps < first[:, None] + width)
        scores = scores + np.where(seen, 0.0, HIDDEN)
    mask = x.mask
    if mask is not None:
        absent = 1 - mask
        scores = scores + HIDDEN * (absent[:, :, None] * absent[:, None])
    weights = layer.apply("Softmax", scores, axis=-1)
    return with_weights(layer, layer.masked(operation(layer, "Matmul", weights, x), mask), weights)


def weighted_attention(layer: CustomLayer) -> Any:
    """SeqWeightedAttention: the mean of the steps, weighted by a score of each."""
    x = layer.input
    scores = dense(layer, x, list(layer.weights.values()))[..., 0]
    if x.mask is not None:
        scores = scores + HIDDEN * (1 - x.mask)
    weights = layer.apply("Softmax", scores, axis=-1)
    return with_weights(layer, operation(layer, "Matmul", weights[:, None], x)[:, 0], weights)


def scaled_attention(layer: CustomLayer) -> Any:
    """ScaledDotProductAttention of one sequence, or of query, key and value."""
    query, key, value = layer.inputs * 3 if len(layer.inputs) == 1 else layer.inputs
    added: list[Any] = [_later(length(key))] if layer.config.get("history_only") else []
    if key.mask is not None:
        added.append(HIDDEN * (1 - key.mask)[:, None])
    output, weights = attention(layer, (query, key, value), added)
    return with_weights(layer, layer.masked(output, query.mask), weights)


def multi_head(layer: CustomLayer) -> Any:
    """keras-multi-head's MultiHeadAttention, whose projections have an activation."""
    query, key, value = layer.inputs * 3 if len(layer.inputs) == 1 else layer.inputs
    count, function = layer.config["head_num"], layer.config.get("activation") or "linear"
    arrays = list(layer.weights.values())
    step = 2 if layer.config.get("use_bias", True) else 1
    projections = [arrays[start : start + step] for start in range(0, len(arrays), step)]
    parts = [
        heads(layer, dense(layer, x, own, function), count)
        for x, own in zip((query, key, value), projections, strict=False)
    ]
    added: list[Any] = [_later(length(key))] if layer.config.get("history_only") else []
    if key.mask is not None:
        added.append(HIDDEN * (1 - key.mask)[:, None, None])
    together = joined(layer, attention(layer, parts, added)[0])
    return layer.masked(dense(layer, together, projections[3], function), query.mask)


def feed_forward(layer: CustomLayer) -> Any:
    """keras-position-wise-feed-forward's FeedForward: two dense layers at each step."""
    x, arrays = layer.input, list(layer.weights.values())
    step = len(arrays) // 2
    hidden = dense(layer, x, arrays[:step], layer.config.get("activation") or "linear")
    return layer.masked(dense(layer, hidden, arrays[step:]), x.mask)


def position_embedding(layer: CustomLayer) -> Any:
    """keras-pos-embd's PositionEmbedding, added or joined."""
    (table,) = layer.weights.values()
    return _positions(layer, np.asarray(table)[: length(layer.input)])


def sinusoids(layer: CustomLayer) -> Any:
    """keras-pos-embd's TrigPosEmbedding, added or joined."""
    x, adds = layer.input, layer.config["mode"] == "add"
    size = int((x.shape[2] if adds else layer.config["output_dim"]) or 0)
    rates = 1.0 / 10_000.0 ** (np.arange(size // 2) * 2 / size)
    angles = np.arange(length(x))[:, None] * rates
    return _positions(layer, np.stack([np.sin(angles), np.cos(angles)], -1).reshape(-1, size))


def _positions(layer: CustomLayer, table: Array) -> Any:
    x = layer.input
    if layer.config["mode"] == "add":
        return layer.masked(x + table, x.mask)
    if layer.config["mode"] != "concat":
        raise ValueError(
            f"mode={layer.config['mode']!r}, of which only 'add' and 'concat' are known"
        )
    repeated = dense(layer, x[..., :1], [np.zeros((1, table.shape[-1]))]) + table
    return layer.masked(layer.concatenate(x, repeated), x.mask)


ADDONS = [
    *rows(
        "keras-self-attention 0.51.0",
        (
            "SeqSelfAttention",
            f"""units attention_width attention_type return_attention history_only use_additive_bias
            use_attention_bias attention_activation attention_regularizer_weight {_TRAINED}""",
            self_attention,
        ),
        ("SeqWeightedAttention", "use_bias return_attention", weighted_attention),
        ("ScaledDotProductAttention", "return_attention history_only", scaled_attention),
    ),
    *rows(
        "keras-multi-head 0.29.0",
        (
            "MultiHeadAttention",
            f"head_num activation use_bias history_only {_TRAINED}",
            multi_head,
        ),
    ),
    *rows(
        "keras-position-wise-feed-forward 0.8.0",
        ("FeedForward", f"units activation use_bias dropout_rate {_TRAINED}", feed_forward),
    ),
    *rows(
        "keras-pos-embd 0.13.0",
        (
            "PositionEmbedding",
            """input_dim output_dim mode embeddings_initializer embeddings_regularizer
            embeddings_constraint activity_regularizer mask_zero""",
            position_embedding,
        ),
        ("TrigPosEmbedding", "mode output_dim", sinusoids),
    ),
]
