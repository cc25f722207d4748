"""keras-tcn, efficientnet and vit-keras."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deeplift_engine.translate.addons.addon import attention, dense, heads, joined, rows
from deeplift_engine.translate.custom_layer import CustomLayer
from deeplift_engine.translate.symbol import Symbol
from deeplift_engine.util.typing import Array

_NORM = {"use_batch_norm": "BatchNormalization", "use_layer_norm": "LayerNormalization"}
Block = dict[str, list[Array]]


def temporal(layer: CustomLayer) -> Any:
    """TCN: residual blocks of dilated convolutions, their outputs summed."""
    config, x = layer.config, layer.input
    norm = next((kind for option, kind in _NORM.items() if config.get(option)), None)
    if config.get("use_weight_norm") or config.get("go_backwards") or config.get("return_state"):
        raise ValueError("use_weight_norm, go_backwards and return_state are not known")
    function = config["activation"]
    rates = [rate for _ in range(config["nb_stacks"]) for rate in config["dilations"]]
    skipped: list[Symbol] = []
    for rate, block in zip(rates, _blocks(layer.weights, len(rates), norm), strict=True):
        inner = x
        for number in range(2):
            inner = layer.apply(
                "Conv1D",
                inner,
                weights=block[f"conv_{number}"],
                dilation_rate=rate,
                padding=config["padding"],
            )
            if norm:
                inner = layer.apply(norm, inner, weights=block[f"norm_{number}"])
            inner = layer.apply("Activation", inner, activation=function)
        inner = layer.apply("Activation", inner, activation=function)
        skipped.append(inner)
        matched = layer.apply("Conv1D", x, weights=block["match"]) if block["match"] else x
        x = layer.apply("Activation", matched + inner, activation=function)
    if config["use_skip_connections"]:
        x = layer.apply("Add", *skipped) if len(skipped) > 1 else skipped[0]
    if config["return_sequences"]:
        return x
    if config["padding"] != "same":
        return x[:, -1]
    if x.shape[1] is None:
        raise ValueError("its output is the middle step, and the input's length is free")
    return x[:, x.shape[1] // 2]


def _blocks(weights: Mapping[str, Array], count: int, norm: str | None) -> Iterator[Block]:
    """The arrays of each block, of a file of either kind."""
    archive = any(name.startswith("residual_blocks/") for name in weights)
    if archive:
        yield from (_of_archive(weights, number) for number in range(count))
        return
    # HDF5: in order, moving statistics behind all others, and a match where channels change
    arrays = list(weights.items())
    moving = [array for name, array in arrays if "moving_" in name]
    rest = [(name, array) for name, array in arrays if "moving_" not in name]
    for _ in range(count):
        block: Block = {"match": []}
        for number in range(2):
            block[f"conv_{number}"] = [rest.pop(0)[1], rest.pop(0)[1]]
            if norm:
                statistics = [moving.pop(0), moving.pop(0)] if moving else []
                block[f"norm_{number}"] = [rest.pop(0)[1], rest.pop(0)[1], *statistics]
        if rest and rest[0][0].startswith("matching"):
            block["match"] = [rest.pop(0)[1], rest.pop(0)[1]]
        yield block


def _of_archive(weights: Mapping[str, Array], number: int) -> Block:
    start = f"residual_blocks/residual_block{f'_{number}' if number else ''}/"
    inner = {name.removeprefix(start): a for name, a in weights.items() if name.startswith(start)}
    block: Block = {"match": [a for name, a in inner.items() if "shape_match_conv" in name]}
    for position, end in enumerate(("", "_1")):
        for kind, names in (
            ("conv", ("conv1d",)),
            ("norm", ("batch_normalization", "layer_normalization")),
        ):
            wanted = [f"layers/{name}{end}" for name in names]
            block[f"{kind}_{position}"] = [
                a for name, a in inner.items() if name.rpartition("/")[0] in wanted
            ]
    return block


_OF_HDF5 = ("query", "key", "value", "out", "Dense_0", "Dense_1", "LayerNorm_0", "LayerNorm_2")
_OF_ARCHIVE = (
    *("att/query_dense", "att/key_dense", "att/value_dense", "att/combine_heads"),
    *("mlpblock/layers/dense", "mlpblock/layers/dense_1", "layernorm1", "layernorm2"),
)
"""The parts of a transformer block, in the order in which it uses them."""


def class_token(layer: CustomLayer) -> Any:
    """One learned step in front of the others."""
    (token,) = layer.weights.values()
    x = layer.input
    return layer.concatenate(0 * x[:, :1] + token[0], x, axis=1)


def position(layer: CustomLayer) -> Any:
    """A learned number added to each element."""
    (table,) = layer.weights.values()
    return layer.input + table[0]


def transformer_block(layer: CustomLayer) -> Any:
    """Attention and a dense part, each behind a norm and beside a shortcut; and its weights."""
    x, weights = layer.input, layer.weights
    names = _OF_ARCHIVE if "att/query_dense/0" in weights else _OF_HDF5
    query, key, value, out, first, second, before, behind = (
        [array for role, array in weights.items() if role.rpartition("/")[0] == name]
        for name in names
    )
    count = layer.config["num_heads"]
    inner = layer.apply("LayerNormalization", x, weights=before, epsilon=1e-6)
    parts = [heads(layer, dense(layer, inner, own), count) for own in (query, key, value)]
    seen, shares = attention(layer, parts)
    x = dense(layer, joined(layer, seen), out) + x
    inner = layer.apply("LayerNormalization", x, weights=behind, epsilon=1e-6)
    inner = dense(layer, dense(layer, inner, first, "gelu"), second)
    return x + inner, shares


def unchanged(layer: CustomLayer) -> Any:
    """A layer that does nothing when a trained model predicts."""
    return layer.input


ADDONS = [
    *rows(
        "keras-tcn 3.5.0",
        (
            "TCN",
            """nb_filters kernel_size nb_stacks dilations padding use_skip_connections dropout_rate
            return_sequences activation use_batch_norm use_layer_norm use_weight_norm
            kernel_initializer go_backwards return_state""",
            temporal,
        ),
    ),
    *rows("efficientnet 1.0.0", ("FixedDropout", "rate noise_shape seed", unchanged)),
    *rows(
        "vit-keras 0.1.2",
        ("Custom>ClassToken", "", class_token),
        ("Custom>AddPositionEmbs", "", position),
        ("Custom>TransformerBlock", "num_heads mlp_dim dropout", transformer_block),
    ),
]
