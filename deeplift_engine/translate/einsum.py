"""Kernels in Einstein's notation, and embeddings that are read in reverse."""

from __future__ import annotations

import numpy as np

from deeplift_engine.layers import Activation, Dense, Scale
from deeplift_engine.layers.einsum import EinsumKernel, letters
from deeplift_engine.translate.kernels import with_activation
from deeplift_engine.translate.layer_context import Place, Refused
from deeplift_engine.translate.tokens import embedding
from deeplift_engine.util.typing import Array


def einsum_dense(place: Place) -> str:
    """EinsumDense, any equation that Keras takes."""
    equation, kernel = str(place.option("equation")), place.weight("kernel")
    source, _, output = letters(equation)
    if source[0] != output[0] or source[0] in letters(equation)[1]:
        raise Refused(f"equation={equation!r} does not keep the batch axis in front")
    return with_activation(
        place, EinsumKernel(*_of_what_is_read(equation, kernel), place.optional("bias"))
    )


def _of_what_is_read(equation: str, kernel: Array) -> tuple[str, Array]:
    """Equation and kernel without the kernel's axes that meet neither input nor output."""
    source, own, output = letters(equation)
    alone = [axis for axis, letter in enumerate(own) if letter not in source + output]
    kept = "".join(letter for axis, letter in enumerate(own) if axis not in alone)
    return f"{source},{kept}->{output}", np.sum(kernel, axis=tuple(alone), dtype=kernel.dtype)


def reversible_embedding(place: Place) -> str:
    """ReversibleEmbedding: of tokens, or, called in reverse, from features to tokens' logits."""
    if not place.argument("reverse", False):
        return embedding(place)
    tied = place.option("tie_weights", True)
    kernel = place.weight("embeddings").T if tied else place.weight("reverse_embeddings")
    cap = place.option("logit_soft_cap")
    if cap is None:
        return place.add(Dense(np.ascontiguousarray(kernel)))
    # tanh(logits / cap) · cap
    dtype = place.draft.dtype
    scaled = Dense((kernel / float(cap)).astype(dtype))
    curved = place.add(Activation("tanh"), place.add(scaled, suffix="/scaled"), suffix="/tanh")
    return place.add(Scale(np.asarray(float(cap), dtype)), curved)
