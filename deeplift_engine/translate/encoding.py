"""CategoryEncoding: tokens as rows of zeros and ones, or their counts."""

from __future__ import annotations

import tensorflow as tf

from deeplift_engine.layers import GlobalMax, Product, Reshape, TokenFunction
from deeplift_engine.layers.operations import Total
from deeplift_engine.translate.layer_context import Place, Refused


def category_encoding(place: Place) -> str:
    """One row a token (``one_hot``), their largest (``multi_hot``) or their sum (``count``)."""
    if not place.draft.nodes[place.inputs[0]].tokens:
        raise Refused("reads numbers that are no tokens", "Make the model's input int32.")
    shape, mode = place.shape(), str(place.option("output_mode", "multi_hot"))
    depth, dtype = int(place.option("num_tokens")), place.draft.dtype
    weights = place.argument("count_weights")
    rows = TokenFunction(lambda tokens: tf.one_hot(tf.cast(tokens, tf.int64), depth, dtype=dtype))
    if mode == "one_hot":
        if not shape or shape[-1] != 1:
            return place.add(rows)
        return place.add(
            Reshape((*(-1 if size is None else size for size in shape[:-1]), depth)),
            place.add(rows, suffix="/rows"),
        )
    if not shape:
        raise Refused(f"output_mode={mode!r} counts tokens, met one for each sample")
    name = place.add(rows, suffix="/rows")
    if mode in ("multi_hot", "binary"):
        return place.add(GlobalMax((1,)), name)
    if weights is not None:
        sizes = [-1 if size is None else size for size in place.shape(weights)]
        column = place.add(Reshape((*sizes, 1)), weights, suffix="/weights")
        name = place.add(Product(2), name, column, suffix="/weighted")
    return place.add(Total((1,)), name)
