"""What a run is asked: inputs, what they are compared with, and what of them is explained."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine import references as reference_module
from deeplift_engine.engine import targets
from deeplift_engine.engine.targets import Seeds
from deeplift_engine.errors import InputError, ReferencesError
from deeplift_engine.graph.inputs import InputInfo, arrays, by_input, padded
from deeplift_engine.references.random_streams import content_keys
from deeplift_engine.references.reference_set import References, warn_if_degenerate
from deeplift_engine.util.options import Integer, OrNone, checked
from deeplift_engine.util.typing import Array

NOBODY = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Request:
    """The arguments of one run, checked and resolved.

    N samples have K references each, and T targets are explained.

    Attributes
    ----------
    inputs
        The network's inputs.
    data
        An array (N, ...) of each.
    references
        Of each.
    seeds
        Weights over the target's units.
    batch_size
        How many pairs to walk together; None chooses.
    average
        Whether to average over the references.
    standard_errors
        Whether to give the standard errors of these means.
    strict
        Whether a sum that is missed is an error.
    progress
        As in `deeplift_engine.util.progress.bar`.
    numbers
        Which of the samples that a user gave these are, (N,); None: all, in order.
    content
        What stands for the samples in random draws, arrays (N, ...); None: ``data``.
    """

    inputs: tuple[InputInfo, ...]
    data: list[Array]
    references: list[References]
    seeds: Seeds
    batch_size: int | None = None
    average: bool = True
    standard_errors: bool = False
    strict: bool = False
    progress: bool | None = None
    numbers: Array | None = None
    content: list[Array] | None = None

    @property
    def samples(self) -> int:
        """N."""
        return len(self.data[0])

    @property
    def count(self) -> int:
        """K, the number of references of each sample."""
        return max(reference.count for reference in self.references)

    @property
    def shared(self) -> bool:
        """Whether all samples have the same references."""
        return all(reference.shared for reference in self.references)

    @property
    def said(self) -> str | list[str]:
        """The references in words, of each input where there are several."""
        names = [reference.name for reference in self.references]
        return names[0] if len(names) == 1 else names

    @functools.cached_property
    def keys(self) -> NDArray[np.uint64]:
        """A number for each sample (N,) that stands for its content in random draws."""
        flat = [
            array.reshape(self.samples, -1).astype(
                np.float32 if array.dtype.kind == "f" else array.dtype, copy=False
            )
            for array in (self.data if self.content is None else self.content)
        ]
        return content_keys(
            [b"".join(array[row].tobytes() for array in flat) for row in range(self.samples)]
        )

    def replace(self, **changes: Any) -> Request:
        """The same request but for ``changes``."""
        return replace(self, **changes)

    def of_all(self) -> list[Array]:
        """The references (K, ...) of each input, where they are shared."""
        return [self._of_all(*each) for each in self._each()]

    def own(self, row: int, rows: int) -> list[Array]:
        """References (rows, K, ...) of samples from ``row``, the last repeated past the end."""
        return [self._own(*each, row, rows) for each in self._each()]

    def of(self, indices: Array) -> list[Array]:
        """References (n, K, ...) of some samples, by their numbers (n,)."""
        return [self._made(reference, array, indices) for _, reference, array in self._each()]

    def _each(self) -> Iterator[tuple[InputInfo, References, Array]]:
        return zip(self.inputs, self.references, self.data, strict=True)

    def _of_all(self, info: InputInfo, reference: References, array: Array) -> Array:
        made = reference.make(array[:0], NOBODY)
        self._warn(info, reference, array, made)
        return np.broadcast_to(made, (self.count, *array.shape[1:]))

    def _own(
        self, info: InputInfo, reference: References, array: Array, row: int, rows: int
    ) -> Array:
        indices = np.arange(row, min(row + rows, len(array)))
        made = self._made(reference, array, indices)
        if not reference.shared:
            numbers = indices if self.numbers is None else self.numbers[indices]
            self._warn(info, reference, array[indices], made, numbers)
        return padded(made, 0, rows)

    def _warn(
        self,
        info: InputInfo,
        reference: References,
        array: Array,
        made: Array,
        numbers: Array | None = None,
    ) -> None:
        """Warn of references that say nothing; of several inputs, where they are drawn."""
        several = len(self.data) > 1
        if reference.drawn or not several:
            of = f" of input {info.name!r}" if several else ""
            warn_if_degenerate(array, made, numbers, of=of, drawn=reference.drawn)

    def _made(self, reference: References, array: Array, indices: Array) -> Array:
        if reference.shared:
            made = reference.make(array[:0], NOBODY)[np.newaxis]
        else:
            made = reference.make(array[indices], indices)
        return np.broadcast_to(made, (len(indices), self.count, *array.shape[1:]))


def checked_batch_size(batch_size: int | None) -> int | None:
    """A whole number of 1 or more, or None.

    Raises
    ------
    InputError
        For anything else.
    """
    found: int | None = checked("batch_size", batch_size, OrNone(Integer(1)), InputError)
    return found


def resolved_references(
    given: Any, data: Sequence[Array], inputs: Sequence[InputInfo]
) -> list[References]:
    """What a user gave as references, one for each input; None is zeros.

    Raises
    ------
    ReferencesError
        If they do not fit the inputs, or each other.
    """
    parts = [None] * len(inputs) if given is None else by_input(given, inputs, "references")
    resolved = [
        reference_module.resolve(
            part, array.shape[1:], len(array), array.dtype, array[0], info.table
        )
        for part, array, info in zip(parts, data, inputs, strict=True)
    ]
    if len({reference.count for reference in resolved} - {1}) > 1:
        found = {info.name: r.count for info, r in zip(inputs, resolved, strict=True)}
        raise ReferencesError(
            f"The inputs have different numbers of references: {found}. "
            "Give each the same number, or one."
        )
    return resolved


def resolved_request(
    x: Any,
    inputs: tuple[InputInfo, ...],
    shape: Any,
    dtype: str,
    *,
    target: Any = None,
    references: Any = None,
    batch_size: int | None = None,
    average: bool = True,
    standard_errors: bool = False,
    strict: bool = False,
    progress: bool | None = None,
    averages: bool = False,
) -> Request:
    """Check and resolve what `Explainer.run` and its kin are given.

    Parameters
    ----------
    x, target, references, batch_size, average, standard_errors, strict, progress
        As for `deeplift_engine.Explainer.run`.
    inputs
        The network's.
    shape
        Function of the data that gives the shape of the target's layer without batch axis.
    dtype
        The network's.
    averages
        Whether the method gives means over references with their standard errors, so that these
        may be asked for, and the number of references may be open, ``"auto"``.

    Raises
    ------
    InputError, TargetError, ReferencesError
        Where what is handed in does not fit the network or each other.
    """
    size = checked_batch_size(batch_size)
    data = arrays(x, inputs, dtype)
    compared = resolved_references(references, data, inputs)
    for reference in compared:
        if reference.tolerance is not None and not averages:
            raise ReferencesError(
                f"{reference.name}: this method does not add references until standard errors "
                "are small, as 'deeplift' and 'integrated_gradients' do; give a number of them"
            )
    count = max(reference.count for reference in compared)
    if standard_errors and not averages:
        raise InputError(
            "This method gives no standard errors over references, as 'deeplift' and "
            "'integrated_gradients' do; those over draws, where it has any, need no asking."
        )
    if standard_errors and (not average or count < 2):
        raise InputError(
            "Standard errors are those of means over two references or more: these are "
            + ("kept apart with average=False." if not average else "1 for each sample.")
        )
    seeds = targets.resolve(target, shape(data), len(data[0]), dtype)
    return Request(inputs, data, compared, seeds, size, average, standard_errors, strict, progress)
