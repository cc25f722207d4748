"""What inputs are compared with: constants, data sets, arrays of one's own, functions, shuffles.

A contribution is always relative to a reference, so this choice decides what the scores mean.
`resolve` turns whatever a user passes for one input into a `References`; the explainer asks
that for arrays, batch by batch, and knows no other form.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from deeplift_engine.errors import ReferencesError
from deeplift_engine.graph.input_advice import Shape, fits
from deeplift_engine.graph.inputs import Table
from deeplift_engine.references.fixed import (
    broadcast_reference,
    constant,
    function,
    per_sample,
    replaced,
    shared,
    zeros,
)
from deeplift_engine.references.reference_set import (
    PendingReferences,
    References,
    checked,
    describe,
    dims,
    recreated,
    to_numbers,
)
from deeplift_engine.util.owned import owned_values
from deeplift_engine.util.typing import Array

ReferencesLike: TypeAlias = (
    References | PendingReferences | float | ArrayLike | Callable[[Array], Any] | None
)


def resolve(
    references: ReferencesLike,
    shape: Shape,
    n: int,
    dtype: DTypeLike,
    sample: Array | None = None,
    table: Table | None = None,
    padding: int | None = None,
) -> References:
    """Turn what a user passes for one input into a `References`.

    Parameters
    ----------
    references
        ``None`` for zeros, or where there is a ``padding``, for `replaced` by the first other
        token, with it as it is; a number; an array; a function of the inputs; or what the functions
        of this module return. An array's number of dimensions decides what it is: one sample
        ``S``, or trailing axes of it, is one shared reference; ``(N, *S)`` is one, and
        ``(N, K, *S)`` are K for each of the N inputs. A set of another size is refused rather
        than guessed: say `shared` or `per_sample`.
    shape
        Shape of one sample of this input, ``None`` where it is free.
    n
        Number of inputs.
    dtype
        What the network computes in; references are cast to it.
    sample
        The first input ``S``, on which a function without a count is tried.
    table
        What the input is looked up in, where it is tokens: references must be in it too.
    padding
        The token that the network's mask leaves out, where it has one: a reference of it alone
        would leave nothing.

    Returns
    -------
    resolved : References
        Its `make` checks shape and finiteness and casts.

    Raises
    ------
    ReferencesError
        If they cannot fit the inputs, here or in `make`.
    """
    if references is None and padding is not None:
        references = replaced(int(padding == 0), keep=(padding,))
    return checked(_settled(references, shape, n, sample), np.dtype(dtype), table)


def is_single(references: ReferencesLike) -> bool:
    """Whether it is one reference of any shape for all samples, such as a number or `zeros`."""
    if isinstance(references, References):
        return references.shared and references.count == 1
    return isinstance(references, numbers.Real) and not isinstance(references, bool)


@recreated
def combined(*kinds: ReferencesLike) -> PendingReferences:
    """Several kinds of references as one set: ``combined(0, blur(4), dinucleotide_shuffle(10))``.

    The set is shared where all its parts are.

    Parameters
    ----------
    kinds
        Anything that `resolve` takes.
    """
    if not kinds:
        raise ReferencesError("combined() needs at least one kind of references")

    own = [owned_values(kind) for kind in kinds]

    def settle(shape: Shape, n: int, sample: Array | None) -> References:
        return _joined([_settled(kind, shape, n, sample) for kind in own])

    return PendingReferences("combined", settle)


def _joined(kinds: Sequence[References]) -> References:
    name = f"combined({', '.join(kind.name for kind in kinds)})"
    if any(kind.tolerance is not None for kind in kinds):
        raise ReferencesError(f"{name}: give a number of references instead of 'auto'")
    shared_by_all = all(kind.shared for kind in kinds)

    def make(inputs: Array, indices: Array) -> Array:
        arrays = [
            np.asarray(kind.make(inputs[:0] if kind.shared else inputs, indices)) for kind in kinds
        ]
        if shared_by_all:
            return np.concatenate(arrays)
        own = [
            np.broadcast_to(array, (len(inputs), *array.shape)) if kind.shared else array
            for kind, array in zip(kinds, arrays, strict=True)
        ]
        return np.concatenate(own, axis=1)

    drawn = any(kind.drawn for kind in kinds)
    return References(name, sum(kind.count for kind in kinds), shared_by_all, make, drawn=drawn)


def _settled(references: ReferencesLike, shape: Shape, n: int, sample: Array | None) -> References:
    if references is None:
        references = zeros()
    elif isinstance(references, numbers.Real) and not isinstance(references, bool):
        references = constant(float(references))
    elif callable(references):
        if str(getattr(references, "__module__", "")).startswith(__package__):
            name = getattr(references, "__name__", type(references).__name__)
            raise ReferencesError(
                f"references.{name} is a function that makes references, and was not called: "
                f"give references.{name}(...), with its arguments, if any, in the parentheses"
            )
        references = function(references)
    elif not isinstance(references, (References, PendingReferences)):
        references = _from_array(references, shape, n)
    if isinstance(references, PendingReferences):
        return references.settle(shape, n, sample)
    return references


def _from_array(references: Any, shape: Shape, n: int) -> References | PendingReferences:
    array = to_numbers(references, "references")
    extra = array.ndim - len(shape)
    if extra <= 0 and fits(array.shape, shape[-extra:] if extra else shape, broadcast=True):
        return broadcast_reference(array, f"array({describe(array)})")
    if extra == 1 and fits(array.shape[1:], shape) and len(array) == 1:
        return shared(array)
    if extra in (1, 2) and fits(array.shape[extra:], shape):
        if len(array) == n:
            return per_sample(array)
        raise ReferencesError(
            f"references of shape {array.shape}: {len(array)} entries for {n} inputs of shape "
            f"({dims(shape)}); pass references.shared(array) to compare every input with all "
            f"of them, or references.per_sample(array) with exactly {n}"
        )
    raise ReferencesError(
        f"references of shape {array.shape} do not fit inputs of shape ({dims(shape)}); give one "
        f"sample ({dims(shape)}) or its trailing axes, one for each of the {n} inputs "
        f"({n}, {dims(shape)}), or K for each ({n}, K, {dims(shape)})"
    )
