"""Functions of one tensor: arithmetic's, and activations with their options."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deeplift_engine.layers import (
    Activation,
    Concatenate,
    Identity,
    Layer,
    ReLU,
    Scale,
    Softmax,
    Transpose,
)
from deeplift_engine.layers.functions import PLAIN, Function
from deeplift_engine.layers.gated import GatedLinear
from deeplift_engine.layers.sparsemax import Sparsemax
from deeplift_engine.translate.activations import ALIASES, named_activation, put_activation
from deeplift_engine.translate.layer_context import NodeName, Refusal
from deeplift_engine.translate.operations.arithmetic import scaled
from deeplift_engine.translate.operations.call import Operation, Translator

ACTIVATIONS: dict[str, dict[str, float]] = {
    "celu": {"alpha": 1.0},
    "elu": {"alpha": 1.0},
    "exp": {},
    "gelu": {"approximate": True},
    "hard_shrink": {"threshold": 0.5},
    "hard_sigmoid": {},
    "hard_silu": {},
    "hard_tanh": {},
    "leaky_relu": {"negative_slope": 0.2},
    "log_sigmoid": {},
    "relu": {},
    "relu6": {},
    "selu": {},
    "sigmoid": {},
    "silu": {},
    "soft_shrink": {"threshold": 0.5},
    "softplus": {},
    "softsign": {},
    "sparse_plus": {},
    "sparse_sigmoid": {},
    "square": {},
    "squareplus": {"b": 4.0},
    "tanh": {},
    "tanh_shrink": {},
    "threshold": {"threshold": 0.0, "default_value": 0.0},
}
"""Activations by name, with their options and what these are when a call leaves them out."""
FACTORS = {"negative": -1.0, "deg2rad": np.pi / 180, "rad2deg": 180 / np.pi, "zeros_like": 0.0}


def plain(op: Operation) -> str:
    """A function without constants."""
    return op.put(Function(op.name), op.numbers())


def activation(op: Operation) -> str:
    """An activation by name, with its options."""
    source, defaults = op.numbers(), ACTIVATIONS[op.name]
    if not defaults:
        return put_activation(op.context, named_activation(op.name), source)
    options = tuple((key, op.number(key, value)) for key, value in defaults.items())
    name = ALIASES.get(op.name, op.name)
    return put_activation(op.context, Activation(name, options), source)


def softmax(op: Operation) -> str:
    """Softmax and LogSoftmax over one axis or several."""
    source = op.numbers()
    rank = len(op.shape(source))
    axes = op.axes(rank) if "axis" in op.arguments else (rank,)
    layer = Softmax(tuple(axis - rank - 1 for axis in axes), op.name == "log_softmax")
    return put_activation(op.context, layer, source)


def over_last(layer: Callable[[], Layer]) -> Callable[[Operation], str]:
    """A layer that works over the last axis, over any."""

    def put(op: Operation) -> str:
        source = op.numbers()
        rank = len(op.shape(source))
        axis = op.axis(op.option("axis", -1), rank)
        if axis == rank:
            return op.put(layer(), source)
        order = [*(other for other in range(1, rank + 1) if other != axis), axis]
        back = tuple(order.index(context) + 1 for context in range(1, rank + 1))
        moved = op.put(Transpose(tuple(order)), source, suffix="/last")
        inner = op.put(layer(), moved, suffix="/of_last")
        return op.put(Transpose(back), inner)

    return put


def factor(op: Operation) -> str:
    """A tensor times a number."""
    return scaled(op, op.numbers(), FACTORS[op.name])


def filled(op: Operation) -> str:
    """OnesLike and FullLike: nothing of the tensor but its shape."""
    value = op.operand("fill_value") if op.name == "full_like" else np.ones(())
    if isinstance(value, NodeName):
        raise Refusal(f"{op.name} of a tensor: a constant it can be")
    source = op.numbers()
    offset = op.aligned(value, op.shape(source))
    return op.put(Scale(np.zeros((), op.dtype), offset), op.widened(source, [offset]))


def unchanged(op: Operation) -> str:
    """What gives its input: copies, and what matters in training alone."""
    return op.put(Identity(), op.tensor())


def each_unchanged(op: Operation) -> tuple[str, ...]:
    """IdentityN: several tensors and constants as they are."""
    names: list[str] = []
    for number, value in enumerate(op.operands("xs")):
        if isinstance(value, NodeName):
            names.append(op.put(Identity(), value, suffix=f"/{number}" if number else ""))
        else:
            names.append(f"{op.context.name}/{number}")
            op.context.builder.sizes[names[-1]] = value
    return tuple(names)


def clip(op: Operation) -> str:
    """Clip between constants, either of them None."""
    source = op.numbers()
    shape = op.shape(source)
    bounds = [
        op.aligned(np.asarray(op.option(name, missing)), shape)
        for name, missing in (("x_min", -np.inf), ("x_max", np.inf))
    ]
    return op.put(Function("clip", tuple(bounds)), op.widened(source, bounds))


def round_to(op: Operation) -> str:
    """Round, half to even, to a number of decimals."""
    return op.put(Function("round", (np.asarray(op.number("decimals"), op.dtype),)), op.numbers())


def without_nan(op: Operation) -> str:
    """NanToNum."""
    limits = np.finfo(op.dtype)
    values = (
        op.number("nan"),
        op.number("posinf", float(limits.max)),
        op.number("neginf", float(limits.min)),
    )
    constants = tuple(np.asarray(value, op.dtype) for value in values)
    return op.put(Function("nan_to_num", constants), op.numbers())


def both_signs(op: Operation) -> str:
    """TensorFlow's crelu: relu(x) and relu(-x) one behind the other."""
    source = op.numbers()
    axis = op.axis(op.option("axis", -1), len(op.shape(source)))
    opposite = scaled(op, source, -1, suffix="/negative")
    halves = [op.put(ReLU(), name, suffix="/relu") for name in (source, opposite)]
    return op.put(Concatenate(axis), *halves)


OPERATIONS: dict[str, Translator] = {
    **dict.fromkeys(PLAIN, plain),
    **dict.fromkeys(ACTIVATIONS, activation),
    **dict.fromkeys(("softmax", "log_softmax"), softmax),
    "glu": over_last(GatedLinear),
    "sparsemax": over_last(Sparsemax),
    **dict.fromkeys(FACTORS, factor),
    **dict.fromkeys(("ones_like", "full_like"), filled),
    **dict.fromkeys(("conj", "copy", "real", "stop_gradient"), unchanged),
    "clip": clip,
    "identity_n": each_unchanged,
    "reciprocal_no_nan": plain,
    "round": round_to,
    "nan_to_num": without_nan,
    "crelu": both_signs,
}
