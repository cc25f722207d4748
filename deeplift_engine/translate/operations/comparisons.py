"""Comparisons and logic, whose outputs are the numbers 0 and 1, and choices by them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import (
    Difference,
    GlobalMax,
    Maximum,
    Product,
    Reshape,
    Scale,
    TokenFunction,
)
from deeplift_engine.layers.functions import COMPARISONS, Function
from deeplift_engine.layers.operations import Choice, GlobalMin, Total
from deeplift_engine.translate.layer_context import NodeName, Refusal
from deeplift_engine.translate.operations.call import Operand, Operation, Translator
from deeplift_engine.util.typing import Tensor

MIRRORED = {
    "greater": "less",
    "greater_equal": "less_equal",
    "less": "greater",
    "less_equal": "greater_equal",
}
"""What a comparison is from the other side."""


def compare(op: Operation) -> str:
    """Equal, greater and their kin, of tokens or numbers, with a constant or each other.

    Of tokens it is looked up: what it contributes is the tokens' that changed. Of numbers it is
    a step, crossed by its chord.
    """
    left, right = op.operand("x1"), op.operand("x2")
    if isinstance(left, NodeName) and isinstance(right, NodeName):
        return _two(op, left, right)
    if isinstance(left, NodeName):
        return _with_constant(op, op.name, left, np.asarray(right))
    if isinstance(right, NodeName):
        return _with_constant(op, MIRRORED.get(op.name, op.name), right, np.asarray(left))
    raise Refusal(f"{op.name} of two constants")


def _with_constant(op: Operation, name: str, tensor: NodeName, constant: Operand) -> str:
    value = op.aligned(np.asarray(constant), op.shape(tensor))
    tensor = op.widened(tensor, [value])
    if op.is_tokens(tensor):
        return op.put_truth(
            TokenFunction(_of_tokens(name, op.dtype, value), is_condition=True), tensor
        )
    return op.put_truth(Function(name, (value,)), tensor)


def _of_tokens(name: str, dtype: str, *values: object) -> Callable[..., Tensor]:
    def compared(*tokens: Tensor) -> Tensor:
        numbers = [tf.cast(token, tf.float64) for token in (*tokens, *values)]
        return tf.cast(COMPARISONS[name](*numbers), dtype)

    return compared


def _two(op: Operation, left: NodeName, right: NodeName) -> str:
    op.of_one_rank(left, right)
    if op.is_tokens(left) and op.is_tokens(right):
        return op.put_truth(
            TokenFunction(_of_tokens(op.name, op.dtype), is_condition=True), left, right
        )
    change = op.put(Difference(), op.as_numbers(left), op.as_numbers(right), suffix="/difference")
    return op.put_truth(Function(op.name, (np.zeros((), op.dtype),)), change)


def is_close(op: Operation) -> str:
    """Isclose, of a tensor and a constant."""
    tensor, constant = op.numbers("x1"), op.operand("x2")
    if isinstance(constant, NodeName):
        raise Refusal("isclose of two tensors")
    value = op.aligned(constant, op.shape(tensor))
    rest = [np.asarray(op.number(*pair), op.dtype) for pair in (("rtol", 1e-5), ("atol", 1e-8))]
    return op.put_truth(Function("isclose", (value, *rest)), op.widened(tensor, [value]))


def test(op: Operation) -> str:
    """Isnan, isinf, isfinite."""
    return op.put_truth(Function(op.name), op.numbers())


def both(op: Operation) -> str:
    """LogicalAnd: the product."""
    return op.put_truth(Product(2), *_truths(op))


def either(op: Operation) -> str:
    """LogicalOr: the larger."""
    return op.put_truth(Maximum(), *_truths(op))


def one_of_two(op: Operation) -> str:
    """LogicalXor: the size of the difference."""
    change = op.put(Difference(), *_truths(op), suffix="/difference")
    return op.put_truth(Function("absolute"), change)


def opposite(op: Operation) -> str:
    """LogicalNot: 1 - x."""
    one = np.ones((), op.dtype)
    return op.put_truth(Scale(-one, one), op.as_truth(op.tensor()))


def _truths(op: Operation) -> list[NodeName]:
    tensors = [op.tensor("x1"), op.tensor("x2")]
    op.of_one_rank(*tensors)
    return [op.as_truth(tensor) for tensor in tensors]


def over_axes(op: Operation) -> str:
    """Any and All: the largest and the smallest."""
    source = op.as_truth(op.tensor())
    axes, keepdims = op.axes(len(op.shape(source))), bool(op.option("keepdims", False))
    layer = GlobalMax(axes, keepdims) if op.name == "any" else GlobalMin(axes, keepdims)
    return op.put_truth(layer, source)


def count(op: Operation) -> str:
    """CountNonzero: the sum of what is not 0."""
    source = op.as_truth(op.tensor())
    axes = op.axes(len(op.shape(source)))
    return op.put(Total(axes, bool(op.option("keepdims", False))), source)


def first_steps(op: Operation) -> str:
    """TensorFlow's sequence_mask: 1 for as many steps as a number says."""
    source = op.numbers()
    sizes = [-1 if size is None else size for size in op.shape(source)]
    steps = np.arange(int(op.number("maxlen", -1)), dtype=op.dtype)
    if not steps.size:
        raise Refusal("sequence_mask without maxlen: of no fixed size")
    column = op.put(Reshape((*sizes, 1)), source, suffix="/column")
    return op.put_truth(Function("greater", (steps,)), op.widened(column, [steps]))


def where(op: Operation) -> str:
    """One of two values, by a condition."""
    if "x1" not in op.arguments:
        raise Refusal("where of a condition alone gives as many indices as there are")
    return _chosen(op, op.tensor("condition"), op.operand("x1"), op.operand("x2"))


def select(op: Operation) -> str:
    """Select: the first of several values whose condition holds, or a default."""
    conditions, values = op.tensors("condlist"), op.operands("choicelist")
    result = op.operand("default") if "default" in op.arguments else np.zeros(())
    for number in range(len(conditions) - 1, -1, -1):
        suffix = f"/from_{number}" if number else ""
        result = _chosen(op, conditions[number], values[number], result, suffix)
    return str(result)


def _chosen(
    op: Operation, condition: NodeName, first: Operand, second: Operand, suffix: str = ""
) -> NodeName:
    condition, values = op.as_truth(condition), (first, second)
    numbers = [op.as_numbers(value) for value in values if isinstance(value, NodeName)]
    tensors = [condition, *numbers]
    op.of_one_rank(*tensors)
    shape = op.shape(condition)
    constants = [
        None if isinstance(value, NodeName) else op.aligned(value, shape) for value in values
    ]
    sizes = [array for array in constants if array is not None]
    wide = [op.widened(tensor, sizes) for tensor in tensors]
    return op.put(Choice(*constants), *wide, suffix=suffix)


OPERATIONS: dict[str, Translator] = {
    **dict.fromkeys(
        ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal"), compare
    ),
    "isclose": is_close,
    **dict.fromkeys(("isnan", "isinf", "isfinite"), test),
    "logical_and": both,
    "logical_or": either,
    "logical_xor": one_of_two,
    "logical_not": opposite,
    **dict.fromkeys(("any", "all"), over_axes),
    "count_nonzero": count,
    "sequence_mask": first_steps,
    "where": where,
    "select": select,
}
