"""CategoryEncoding: tokens as rows of zeros and ones, or their counts."""

from __future__ import annotations

import tensorflow as tf

from deeplift_engine.layers import GlobalMax, Product, Reshape, TokenFunction
from deeplift_engine.layers.operations import Total
from deeplift_engine.translate.layer_context import LayerContext, Refusal


def category_encoding(context: LayerContext) -> str:
    """One row a token (``one_hot``), their largest (``multi_hot``) or their sum (``count``)."""
    if not context.builder.nodes[context.inputs[0]].tokens:
        raise Refusal("reads numbers that are no tokens", "Make the model's input int32.")
    shape, mode = context.shape(), str(context.option("output_mode", "multi_hot"))
    depth, dtype = int(context.option("num_tokens")), context.builder.dtype
    weights = context.argument("count_weights")
    rows = TokenFunction(lambda tokens: tf.one_hot(tf.cast(tokens, tf.int64), depth, dtype=dtype))
    if mode == "one_hot":
        if not shape or shape[-1] != 1:
            return context.add(rows)
        return context.add(
            Reshape((*(-1 if size is None else size for size in shape[:-1]), depth)),
            context.add(rows, suffix="/rows"),
        )
    if not shape:
        raise Refusal(f"output_mode={mode!r} counts tokens, met one for each sample")
    name = context.add(rows, suffix="/rows")
    if mode in ("multi_hot", "binary"):
        return context.add(GlobalMax((1,)), name)
    if weights is not None:
        sizes = [-1 if size is None else size for size in context.shape(weights)]
        column = context.add(Reshape((*sizes, 1)), weights, suffix="/weights")
        name = context.add(Product(2), name, column, suffix="/weighted")
    return context.add(Total((1,)), name)
