"""Matrix products and sums over products: of two tensors, or with a constant kernel."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import Dense
from deeplift_engine.layers.einsum import Contraction, EinsumKernel
from deeplift_engine.layers.operations import Multilinear
from deeplift_engine.translate.layer_context import TOGETHER, NodeName, Refusal
from deeplift_engine.translate.operations.arithmetic import multiply
from deeplift_engine.translate.operations.call import Operand, Operation
from deeplift_engine.util.typing import Array, Tensor


def matmul(op: Operation) -> str:
    """Matmul as numpy's; TensorFlow's with one of them transposed."""
    left, right = op.operand("x1"), op.operand("x2")
    flags = [bool(op.option(f"transpose_{side}", False)) for side in "ab"]
    if isinstance(left, NodeName) and isinstance(right, NodeName):
        return _of_two(op, left, right, flags)
    if isinstance(left, NodeName):
        kernel = _turned(np.asarray(right), flags[1])
        rank = len(op.shape(left)) + 1
        names = string.ascii_lowercase[:rank]
        inside = names[:-2] + names[:-3:-1] if flags[0] else names
        if kernel.ndim > 2:
            kernel = op.aligned(kernel, op.shape(left))
        if kernel.ndim == 1:
            return contracted(op, [left, kernel], [inside, names[-1]], names[:-1])
        shared = names[: rank - 2][rank - kernel.ndim :] if kernel.ndim > 2 else ""
        return contracted(op, [left, kernel], [inside, shared + names[-1] + "z"], names[:-1] + "z")
    return _from_the_left(op, _turned(np.asarray(left), flags[0]), op.tensor("x2"), flags[1])


def _of_two(op: Operation, left: NodeName, right: NodeName, turned: Sequence[bool]) -> str:
    op.of_one_rank(left, right)
    rank = len(op.shape(left)) + 1
    if rank < 3:
        raise Refusal(f"{op.name} of two tensors of shape (samples, size); {TOGETHER}")
    outer = [op.shape(name)[: rank - 3] for name in (left, right)]
    if outer[0] != outer[1]:  # axes that are broadcast

        def product(x: Tensor, y: Tensor) -> Tensor:
            return tf.matmul(x, y, transpose_a=turned[0], transpose_b=turned[1])

        return op.put(Multilinear(product, 2), left, right)
    free = string.ascii_lowercase[: rank - 2]
    first, second = ("YX" if turned[0] else "XY"), ("ZY" if turned[1] else "YZ")
    return contracted(op, [left, right], [free + first, free + second], free + "XZ")


def _from_the_left(op: Operation, kernel: Array, tensor: NodeName, turned: bool) -> str:
    rank = len(op.shape(tensor)) + 1
    if rank < 3 or kernel.ndim > 2:
        raise Refusal(f"{op.name} from the left reaches over the batch axis; {TOGETHER}")
    names = string.ascii_lowercase[:rank]
    inside = names[:-2] + names[:-3:-1] if turned else names
    rows = "z" if kernel.ndim == 2 else ""
    return contracted(
        op, [kernel, tensor], [rows + names[-2], inside], names[:-2] + rows + names[-1]
    )


def _turned(array: Array, flag: bool) -> Array:
    return np.swapaxes(array, -1, -2) if flag else array


def dot(op: Operation) -> str:
    """Dot as numpy's: over the last axis of the first and the last but one of the second."""
    left, right = op.operand("x1"), op.operand("x2")
    if any(not isinstance(value, NodeName) and np.ndim(value) == 0 for value in (left, right)):
        return multiply(op)
    if isinstance(left, NodeName) and isinstance(right, NodeName):
        raise Refusal(f"{op.name} of two tensors multiplies every sample with every other")
    if isinstance(left, NodeName):
        context = -1 if np.ndim(right) == 1 else -2
        return _over(op, left, np.asarray(right), [-1], [context])
    if np.ndim(left) == 1:
        return _over(op, op.tensor("x2"), np.asarray(left), [-2], [0])
    raise Refusal(f"{op.name} from the left puts another axis before the samples; {TOGETHER}")


def tensordot(op: Operation) -> str:
    """Tensordot with a constant."""
    tensor, constant = op.operand("x1"), op.operand("x2")
    axes = op.option("axes", 2)
    if not isinstance(tensor, NodeName) or isinstance(constant, NodeName):
        raise Refusal(f"{op.name} of two tensors, or from the left, mixes samples; {TOGETHER}")
    if np.ndim(axes) == 0:
        count = int(axes)
        pairs = [list(range(-count, 0)), list(range(count))]
    else:
        pairs = [[int(axis) for axis in np.atleast_1d(side)] for side in axes]
    return _over(op, tensor, constant, *pairs)


def _over(
    op: Operation, tensor: NodeName, kernel: Array, axes: Sequence[int], kernels: Sequence[int]
) -> str:
    """The sum over pairs of axes; the kernel's others come behind the tensor's."""
    rank = len(op.shape(tensor)) + 1
    names = string.ascii_lowercase[:rank]
    fresh = list(string.ascii_uppercase[: kernel.ndim])
    summed = [names[op.axis(axis, rank - 1)] for axis in axes]
    for context, name in zip(kernels, summed, strict=True):
        fresh[context] = name
    left = [name for name in names if name not in summed]
    right = [name for name in fresh if name not in summed]
    return contracted(op, [tensor, kernel], [names, "".join(fresh)], "".join(left + right))


def einsum(op: Operation) -> str:
    """Einsum whose first letter is the samples', in every tensor and in the output."""
    operands = op.operands("operands")
    subscripts = op.option("subscripts")
    if not isinstance(subscripts, str):
        raise Refusal(f"{op.name}: its equation is not in the file")
    ranks = [
        len(op.shape(value)) + 1 if isinstance(value, NodeName) else np.ndim(value)
        for value in operands
    ]
    inputs, output = _written_out(op, subscripts.replace(" ", ""), ranks)
    return contracted(op, operands, inputs, output)


def _written_out(op: Operation, equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """An equation with letters for every ``...`` and with its output."""
    left, arrow, output = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise Refusal(f"{op.name}: {equation!r} is not for {len(ranks)} tensors")
    free = [name for name in string.ascii_letters if name not in equation]
    widths = [
        rank - len(term.replace("...", "")) if "..." in term else 0
        for term, rank in zip(terms, ranks, strict=True)
    ]
    most = max(widths)
    names = "".join(free[:most])
    inputs = [
        term.replace("...", names[most - width :])
        for term, width in zip(terms, widths, strict=True)
    ]
    if arrow:
        return inputs, output.replace("...", names)
    letters = "".join(inputs)
    once = sorted(name for name in set(letters) - set(names) if letters.count(name) == 1)
    return inputs, names + "".join(once)


def contracted(
    op: Operation, operands: Sequence[Operand], inputs: Sequence[str], output: str
) -> str:
    """A sum over products as an equation has it.

    With constants a map with a kernel, of several tensors the product rule; both at once the
    product rule of the tensors.
    """
    tensors = [
        (op.as_numbers(value), term)
        for value, term in zip(operands, inputs, strict=True)
        if isinstance(value, NodeName)
    ]
    kernels = [
        (np.asarray(value, op.dtype), term)
        for value, term in zip(operands, inputs, strict=True)
        if not isinstance(value, NodeName)
    ]
    samples = {term[:1] for _, term in tensors} | {output[:1]}
    (batch,) = samples if len(samples) == 1 else ("",)
    again = [term[1:] for _, term in tensors] + [output[1:]] + [term for _, term in kernels]
    if not batch or any(batch in rest for rest in again):
        equation = f"{','.join(inputs)}->{output}"
        raise Refusal(f"{op.name}: {equation} does not keep the batch axis in front; {TOGETHER}")
    names = [name for name, _ in tensors]
    terms = [term for _, term in tensors]
    if not kernels:
        if len(terms) == 2 and _is_plain(terms[0], terms[1], output):
            return op.put(Contraction(f"{terms[0][1:]},{terms[1][1:]}->{output[1:]}"), *names)
        return op.put(Multilinear(_einsum(f"{','.join(terms)}->{output}"), len(terms)), *names)
    kernel, letters = _joined(kernels)
    equation = f"{','.join([*terms, letters])}->{output}"
    if len(names) > 1:
        return op.put(Multilinear(_with_kernel(equation, kernel), len(names)), *names)
    (term,) = terms
    if len(letters) == 2 and term[-1] == letters[0] and output == term[:-1] + letters[1]:
        return op.put(Dense(kernel), *names)
    return op.put(EinsumKernel(equation, kernel), *names)


def _is_plain(first: str, second: str, output: str) -> bool:
    """Whether no letter comes twice in a term, and none is summed in one factor alone."""
    pairs = ((first, second), (second, first))
    return all(
        len(set(own)) == len(own) and set(own) <= set(other + output) for own, other in pairs
    )


def _joined(kernels: Sequence[tuple[Array, str]]) -> tuple[Array, str]:
    """Several constants as one, with all of their axes."""
    if len(kernels) == 1:
        return kernels[0]
    letters = "".join(dict.fromkeys("".join(term for _, term in kernels)))
    equation = f"{','.join(term for _, term in kernels)}->{letters}"
    return np.einsum(equation, *(array for array, _ in kernels)), letters


def _einsum(equation: str) -> Callable[..., Tensor]:
    return lambda *operands: tf.einsum(equation, *operands)


def _with_kernel(equation: str, kernel: Array) -> Callable[..., Tensor]:
    return lambda *operands: tf.einsum(equation, *operands, tf.constant(kernel))


OPERATIONS = {"matmul": matmul, "dot": dot, "tensordot": tensordot, "einsum": einsum}
