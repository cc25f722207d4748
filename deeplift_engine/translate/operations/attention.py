"""Attention of queries, keys and values that are there, with bias and mask."""

from __future__ import annotations

import math

import numpy as np

from deeplift_engine.layers import Repeat, Softmax, Sum
from deeplift_engine.layers.attention import MaskedSoftmax
from deeplift_engine.layers.einsum import Contraction
from deeplift_engine.translate.layer_context import NodeName
from deeplift_engine.translate.operations.arithmetic import scaled
from deeplift_engine.translate.operations.call import Operation, Translator


def attention(op: Operation) -> str:
    """DotProductAttention of (samples, steps, heads, size): scores, softmax and means."""
    query, key, value = (op.numbers(name) for name in ("query", "key", "value"))
    heads, shared = op.shape(query)[1], op.shape(key)[1]
    if heads and shared and heads > shared:
        times = heads // shared
        key, value = (op.put(Repeat(times, 2), name, suffix="/heads") for name in (key, value))
    scores = op.put(Contraction("tnh,snh->nts"), query, key, suffix="/products")
    size = op.shape(key)[-1] or 1
    scores = scaled(op, scores, op.number("scale", 1 / math.sqrt(size)), suffix="/scores")
    bias, mask = op.arguments.get("bias"), op.arguments.get("mask")
    if isinstance(bias, NodeName):
        op.of_one_rank(scores, bias)
        scores = op.put(Sum(), scores, bias, suffix="/biased")
    elif bias is not None:
        offset = op.aligned(np.asarray(bias), op.shape(scores))
        scores = scaled(op, scores, 1, offset, suffix="/biased")
    masks = [] if mask is None else [op.as_truth(op.tensor("mask"))]
    causal = bool(op.option("is_causal", False))
    layer = MaskedSoftmax((-1,), causal) if masks or causal else Softmax((-1,))
    weights = op.put(layer, scores, *masks, suffix="/weights")
    return op.put(Contraction("nts,snh->tnh"), weights, value)


OPERATIONS: dict[str, Translator] = {"dot_product_attention": attention}
