"""Sums, products, quotients and powers of tensors, numbers and constant arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_engine.layers import Activation, Difference, Maximum, Minimum, Product, Scale, Sum
from deeplift_engine.layers.functions import Function
from deeplift_engine.layers.operations import BroadcastLike, Quotient
from deeplift_engine.translate.layer_context import NodeName, Refusal
from deeplift_engine.translate.operations.call import Operation
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Operands:
    """Two operands: two nodes of numbers, or one and a ``constant`` as it broadcasts.

    ``leads`` says that the constant is the first of them.
    """

    tensors: Sequence[NodeName]
    constant: Array | None = None
    leads: bool = False


def operands(op: Operation, first: str = "x1", second: str = "x2") -> Operands:
    """Both operands of an operation, ready for each other."""
    left, right = op.operand(first), op.operand(second)
    if isinstance(left, NodeName) and isinstance(right, NodeName):
        op.of_one_rank(left, right)
        return Operands([op.as_numbers(left), op.as_numbers(right)])
    if isinstance(left, NodeName):
        tensor, constant, leads = left, right, False
    elif isinstance(right, NodeName):
        tensor, constant, leads = right, left, True
    else:
        raise Refusal(f"{op.name} of two constants")
    value = op.aligned(np.asarray(constant), op.shape(tensor))
    return Operands([op.widened(op.as_numbers(tensor), [value])], value, leads)


def scaled(
    op: Operation, source: str, factor: Array | float, offset: Array | None = None, suffix: str = ""
) -> NodeName:
    """x · factor + offset."""
    return op.put(Scale(np.asarray(factor, op.dtype), offset), source, suffix=suffix)


def add(op: Operation) -> str:
    """Add."""
    both = operands(op)
    if both.constant is None:
        return op.put(Sum(), *both.tensors)
    constant = both.constant
    if op.context.option("adds_as_bias") and not both.leads:
        constant = _as_bias(constant, op.shape(both.tensors[0]))
    return scaled(op, both.tensors[0], 1, constant)


def _as_bias(constant: Array, shape: Sequence[int | None]) -> Array:
    """A constant of one axis where Keras adds it: to the last axis it fits, else the first."""
    if sum(size > 1 for size in constant.shape) != 1 or not shape:
        return constant
    axis = next((axis for axis in (len(shape) - 1, 0) if shape[axis] == constant.size), None)
    if axis is None:
        return constant
    return constant.reshape([-1 if place == axis else 1 for place in range(len(shape))])


def subtract(op: Operation) -> str:
    """Subtract."""
    both = operands(op)
    if both.constant is None:
        return op.put(Difference(), *both.tensors)
    if both.leads:
        return scaled(op, both.tensors[0], -1, both.constant)
    return scaled(op, both.tensors[0], 1, -both.constant)


def multiply(op: Operation) -> str:
    """Multiply."""
    both = operands(op)
    if both.constant is not None:
        return scaled(op, both.tensors[0], both.constant)
    left, right = both.tensors
    for numerator, other in ((left, right), (right, left)):
        denominator = _inverted(op, other)
        if denominator is not None:
            return op.put(Quotient(), *alike(op, numerator, denominator))
    return op.put(Product(2), left, right)


def _inverted(op: Operation, name: str) -> NodeName | None:
    """The denominator where a node is an inverse, as of a root, be it bounded from above.

    A product with an inverse is a quotient, whose rule has no large parts that cancel.
    """
    node = op.context.builder.nodes[name]
    layer = node.layer.core
    if not isinstance(layer, Function):
        return None
    if layer.name == "reciprocal":
        return NodeName(node.inputs[0])
    if layer.name == "rsqrt":
        return op.put(Function("sqrt"), *node.inputs, suffix="/root")
    if layer.name == "minimum" and np.all(layer.constants[0] > 0):
        inner = _inverted(op, node.inputs[0])
        bound = 1 / layer.constants[0]
        return inner and op.put(Function("maximum", (bound,)), inner, suffix="/bounded")
    return None


def divide(op: Operation) -> str:
    """Divide and TrueDivide: by a constant, of a constant, and of two tensors."""
    both = operands(op)
    if both.constant is None:
        return op.put(Quotient(), *alike(op, *both.tensors))
    if both.leads:
        inverse = op.put(Function("reciprocal"), both.tensors[0], suffix="/inverse")
        return scaled(op, inverse, both.constant)
    with np.errstate(divide="ignore"):
        return scaled(op, both.tensors[0], 1 / both.constant)


def divide_no_nan(op: Operation) -> str:
    """Divide, 0 where the denominator is."""
    both = operands(op)
    if both.constant is not None and not both.leads:
        known = both.constant != 0
        inverted = np.divide(1, both.constant, out=np.zeros_like(both.constant), where=known)
        return scaled(op, both.tensors[0], inverted)
    inverse = op.put(Function("reciprocal_no_nan"), both.tensors[-1], suffix="/inverse")
    if both.constant is None:
        return op.put(Product(2), both.tensors[0], inverse)
    return scaled(op, inverse, both.constant)


def by_constant(op: Operation) -> str:
    """Mod, FloorDivide and Heaviside, by a constant."""
    both = operands(op)
    if both.constant is None or both.leads:
        raise Refusal(f"{op.name} by a tensor: a constant it can be")
    return op.put(Function(op.name, (both.constant,)), both.tensors[0])


def power(op: Operation) -> str:
    """Power: of a tensor, of a constant, or exp(y · log x) of two tensors."""
    both = operands(op)
    if both.constant is None:
        logarithm = op.put(Function("log"), both.tensors[0], suffix="/logarithm")
        exponent = op.put(Product(2), logarithm, both.tensors[1], suffix="/exponent")
        return op.put(Activation("exponential"), exponent)
    name = "exponential_of" if both.leads else "power"
    return op.put(Function(name, (both.constant,)), both.tensors[0])


def extreme(op: Operation) -> str:
    """Maximum and Minimum, of two tensors or with a constant."""
    both = operands(op)
    highest = op.name == "maximum"
    if both.constant is None:
        return op.put(Maximum() if highest else Minimum(), *both.tensors)
    name = f"{op.name}_from" if both.leads else op.name
    return op.put(Function(name, (both.constant,)), both.tensors[0])


def total(op: Operation) -> str:
    """The sum of a list of tensors."""
    tensors = [op.as_numbers(name) for name in op.tensors("xs")]
    op.of_one_rank(*tensors)
    return op.put(Sum(), *tensors)


def squared_difference(op: Operation) -> str:
    """(x - y)²."""
    both = operands(op)
    if both.constant is None:
        change = op.put(Difference(), *both.tensors, suffix="/difference")
    else:
        change = scaled(op, both.tensors[0], 1, -both.constant, "/difference")
    return op.put(Activation("square"), change)


def hypotenuse(op: Operation) -> str:
    """Hypot: √(x² + y²)."""
    tensors = [op.numbers("x1"), op.numbers("x2")]
    op.of_one_rank(*tensors)
    squares = [op.put(Activation("square"), tensor, suffix="/square") for tensor in tensors]
    return op.put(Function("sqrt"), op.put(Sum(), *squares, suffix="/sum"))


def alike(op: Operation, left: NodeName, right: NodeName) -> Sequence[NodeName]:
    """Two tensors, each broadcast to the shape of both."""
    tensors = []
    for tensor, other in ((left, right), (right, left)):
        sizes = zip(op.shape(tensor), op.shape(other), strict=True)
        if any(own == 1 and wanted != 1 for own, wanted in sizes):
            tensor = op.put(BroadcastLike(), tensor, other, suffix="/broadcast")
        tensors.append(tensor)
    return tensors


OPERATIONS = {
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "divide": divide,
    "divide_no_nan": divide_no_nan,
    **dict.fromkeys(("mod", "floor_divide", "heaviside"), by_constant),
    "power": power,
    **dict.fromkeys(("maximum", "minimum"), extreme),
    "total": total,
    "squared_difference": squared_difference,
    "hypot": hypotenuse,
}
