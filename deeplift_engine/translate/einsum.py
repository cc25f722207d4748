"""Kernels in Einstein's notation, and embeddings that are read in reverse."""

from __future__ import annotations

import numpy as np

from deeplift_engine.layers import Activation, Dense, Scale
from deeplift_engine.layers.einsum import EinsumKernel, letters
from deeplift_engine.translate.kernels import with_activation
from deeplift_engine.translate.layer_context import LayerContext, Refusal
from deeplift_engine.translate.tokens import embedding
from deeplift_engine.util.typing import Array


def einsum_dense(context: LayerContext) -> str:
    """EinsumDense, any equation that Keras takes."""
    equation, kernel = str(context.option("equation")), context.weight("kernel")
    source, _, output = letters(equation)
    if source[0] != output[0] or source[0] in letters(equation)[1]:
        raise Refusal(f"equation={equation!r} does not keep the batch axis in front")
    return with_activation(
        context, EinsumKernel(*_of_what_is_read(equation, kernel), context.optional("bias"))
    )


def _of_what_is_read(equation: str, kernel: Array) -> tuple[str, Array]:
    """Equation and kernel without the kernel's axes that meet neither input nor output."""
    source, own, output = letters(equation)
    alone = [axis for axis, letter in enumerate(own) if letter not in source + output]
    kernel_letters = "".join(letter for axis, letter in enumerate(own) if axis not in alone)
    return f"{source},{kernel_letters}->{output}", np.sum(
        kernel, axis=tuple(alone), dtype=kernel.dtype
    )


def reversible_embedding(context: LayerContext) -> str:
    """ReversibleEmbedding: of tokens, or, called in reverse, from features to tokens' logits."""
    if not context.argument("reverse", False):
        return embedding(context)
    tied = context.option("tie_weights", True)
    kernel = context.weight("embeddings").T if tied else context.weight("reverse_embeddings")
    cap = context.option("logit_soft_cap")
    if cap is None:
        return context.add(Dense(np.ascontiguousarray(kernel)))
    # tanh(logits / cap) · cap
    dtype = context.builder.dtype
    scaled = Dense((kernel / float(cap)).astype(dtype))
    curved = context.add(Activation("tanh"), context.add(scaled, suffix="/scaled"), suffix="/tanh")
    return context.add(Scale(np.asarray(float(cap), dtype)), curved)
