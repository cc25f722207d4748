"""What of the inputs is erased together: single elements, positions, or groups of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.data import InputInfo, by_input
from deeplift_engine.errors import InputError

Array = NDArray[Any]


@dataclass(frozen=True)
class Features:
    """Each element of the inputs belongs to one of F features.

    Attributes
    ----------
    numbers
        Of each input, (*S): the feature that an element belongs to.
    count
        F.
    """

    numbers: tuple[Array, ...]
    count: int

    @cached_property
    def _sorted(self) -> tuple[Array, Array]:
        """The elements of all inputs by feature, and where each feature starts."""
        every = np.concatenate([numbers.ravel() for numbers in self.numbers])
        order = np.argsort(every, kind="stable")
        return order, np.searchsorted(every[order], np.arange(self.count))

    def sums(self, values: Sequence[Array]) -> Array:
        """Values (..., *S) of each input, added within each feature: (..., F)."""
        leading = values[0].shape[: values[0].ndim - self.numbers[0].ndim]
        flat = np.concatenate([array.reshape(*leading, -1) for array in values], axis=-1)
        order, starts = self._sorted
        return np.asarray(np.add.reduceat(flat[..., order], starts, axis=-1))

    def elements(self, values: Array) -> list[Array]:
        """What is said of features (..., F), of each input's elements (..., *S)."""
        return [values[..., numbers] for numbers in self.numbers]


def features(given: Any, data: Sequence[Array], inputs: Sequence[InputInfo]) -> Features:
    """What a user says is a feature.

    Parameters
    ----------
    given
        None: every element. An int, an axis of a sample (-1: the last): the elements along it
        are one feature, as letters at a position or colours of a pixel; inputs with one axis keep
        their elements. Or an array of whole numbers, of one sample's shape: elements with the same
        number are one feature; for several inputs a list of them or a mapping by name.
    data
        The inputs (N, *S).
    inputs
        What they are called.

    Raises
    ------
    InputError
        For anything else, or an array of another shape.
    """
    shapes = [array.shape[1:] for array in data]
    if given is None or (isinstance(given, int) and not isinstance(given, bool)):
        parts = [_along(given, shape) for shape in shapes]
        starts = np.cumsum([0, *(int(part.max()) + 1 for part in parts)])
        numbers = [part + start for part, start in zip(parts, starts, strict=False)]
        return Features(tuple(numbers), int(starts[-1]))
    groups = [np.asarray(part) for part in by_input(given, inputs, "features")]
    for info, part, shape in zip(inputs, groups, shapes, strict=True):
        if part.shape != shape or part.dtype.kind not in "iu":
            raise InputError(
                f"features of input {info.name!r}: expected whole numbers of shape {shape}, the "
                f"number of the feature that each element belongs to, not {part.dtype} of shape "
                f"{part.shape}."
            )
    known, compact = np.unique(
        np.concatenate([part.ravel() for part in groups]), return_inverse=True
    )
    ends = np.cumsum([part.size for part in groups])[:-1]
    split = np.split(compact.reshape(-1), ends)
    return Features(
        tuple(part.reshape(shape) for part, shape in zip(split, shapes, strict=True)), len(known)
    )


def _along(axis: int | None, shape: tuple[int, ...]) -> Array:
    if axis is None or len(shape) < 2:
        return np.arange(int(np.prod(shape))).reshape(shape)
    if not -len(shape) <= axis < len(shape):
        raise InputError(f"features={axis} is no axis of a sample of shape {shape}.")
    sizes = [1 if number == axis % len(shape) else size for number, size in enumerate(shape)]
    return np.broadcast_to(np.arange(int(np.prod(sizes))).reshape(sizes), shape)
