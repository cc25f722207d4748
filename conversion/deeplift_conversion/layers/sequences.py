"""Rows of the table of layers: recurrent ones, wrappers along time, attention."""

from __future__ import annotations

from typing import Any

from deeplift_conversion.layers import arrays
from deeplift_conversion.layers.keras_layer import KerasLayer
from deeplift_conversion.layers.kernels import KERAS_1_CONV, KERNEL

_STEPS = {"return_sequences": False, "return_state": False, "go_backwards": False}
_STEPS |= {"stateful": False, "unroll": False, "zero_output_for_mask": False}
_CELL = {"units": None, "activation": "tanh", "use_bias": True}
_HARD = {"recurrent_activation": "hard_sigmoid"}
_RECURRENT = """
    dropout recurrent_dropout seed time_major num_constants implementation cell unit_forget_bias
    output_dim inner_activation init inner_init forget_bias_init dropout_W dropout_U consume_less
"""
_HEADS = {"use_bias": True, "dropout": 0.0, "use_gate": False, "sliding_window": None}


def _recurrent(name: str, gates: str, options: dict[str, Any], **facts: Any) -> list[KerasLayer]:
    """Return a recurrent layer and its cell."""
    count = max(len(gates), 1)
    cell = arrays.recurrent(count, "")
    return [
        KerasLayer(
            name,
            options | _STEPS,
            _RECURRENT,
            arrays.recurrent(count),
            "recurrent",
            gates=gates,
            **facts,
        ),
        KerasLayer(f"{name}Cell", options, _RECURRENT, cell, "cell", older=facts.get("older", {})),
    ]


def _conv_lstm(rank: int) -> KerasLayer:
    return KerasLayer(
        f"ConvLSTM{rank}D",
        KERNEL | _STEPS | {"activation": "tanh", "recurrent_activation": "sigmoid"},
        f"{_RECURRENT} {KERAS_1_CONV}",
        arrays.conv_lstm,
        "conv_lstm",
        older={2: _HARD},
        gates="ifco",
    )


SEQUENCES = (
    *_recurrent(
        "GRU",
        "zrh",
        _CELL | {"recurrent_activation": "sigmoid", "reset_after": True},
        aliases=("UnifiedGRU",),
        older={2: _HARD | {"reset_after": False}},
    ),
    *_recurrent(
        "LSTM",
        "ifco",
        _CELL | {"recurrent_activation": "sigmoid"},
        aliases=("UnifiedLSTM",),
        older={2: _HARD},
    ),
    KerasLayer("RNN", _STEPS, "cell num_constants time_major", family="recurrent", inner="cell"),
    *_recurrent("SimpleRNN", "", _CELL),
    KerasLayer("StackedRNNCells", others="cells reverse_state_order", inner="cells"),
    *map(_conv_lstm, (1, 2, 3)),
    KerasLayer(
        "Bidirectional",
        {"merge_mode": "concat"},
        "layer backward_layer num_constants",
        family="bidirectional",
        inner="layer",
    ),
    KerasLayer("TimeDistributed", others="layer", inner="layer"),
    KerasLayer(
        "MultiHeadAttention",
        _HEADS
        | {"num_heads": None, "key_dim": None, "value_dim": None, "output_shape": None}
        | {"attention_axes": None},
        "query_shape key_shape value_shape seed flash_attention use_causal_mask",
        arrays.multi_head,
        "multi_head",
    ),
    KerasLayer(
        "GroupQueryAttention",
        _HEADS | {"head_dim": None, "num_query_heads": None, "num_key_value_heads": None},
        "seed flash_attention use_causal_mask",
        arrays.multi_head,
        "multi_head",
        aliases=("GroupedQueryAttention",),
    ),
    KerasLayer(
        "Attention",
        {"use_scale": False, "score_mode": "dot"},
        "causal dropout seed",
        arrays.attention(),
    ),
    KerasLayer(
        "AdditiveAttention",
        {"use_scale": True},
        "causal dropout seed score_mode",
        arrays.attention("channels"),
    ),
)
"""Recurrent layers, wrappers along time, and attention."""
