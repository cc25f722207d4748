"""A run: inputs, the references that they are compared with, and the target."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deeplift_engine import references as reference_module
from deeplift_engine.engine import targets
from deeplift_engine.engine.column_names import check_order
from deeplift_engine.engine.head_rows import HeadRows, resolved_target, weights_at_references
from deeplift_engine.engine.process import check_process
from deeplift_engine.errors import InputError, ReferencesError, TargetError
from deeplift_engine.graph.inputs import InputInfo, arrays, by_input, padded
from deeplift_engine.references.random_streams import content_keys
from deeplift_engine.references.reference_set import References, warn_if_degenerate
from deeplift_engine.references.resolution import is_single
from deeplift_engine.util.options import Integer, OrNone, checked
from deeplift_engine.util.typing import Array

RunWeights: TypeAlias = tuple[Array, Callable[[Array], Array] | None]
"""Weights over a target's units, and what gives those that each reference adds."""
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
    weights
        Over the units of the layer that is explained, (T, N or 1, *shape).
    reference_weights
        ``reference_weights(level)`` are weights (T, ..., *shape) that are added to them for each
        reference, made of the layer's activations (..., *shape) on it; None where no weights
        depend on references.
    target
        The target in words, by head where there are several.
    stacked
        Whether there may be several targets, so that results keep their axis.
    batch_size
        How many pairs to compute together; None chooses.
    average
        Whether to average over the references.
    standard_errors
        Whether to give the standard errors of these means.
    strict
        Whether a sum that is missed is an error.
    progress
        As in `deeplift_engine.util.progress.bar`.
    numbers
        The samples' numbers among those of the user, (N,); None: all, in order.
    whole
        How many samples the run has of which these are a part; None: these are all. It decides
        how large blocks are, so that parts are computed as the whole would be.
    weights_of
        ``weights_of(numbers, level, mirrored)`` gives ``weights`` and ``reference_weights`` of some
        samples of the whole run, by their numbers (n,), and by what gives the activations
        (n, *shape) of the target's layer on them; ``mirrored`` is as for
        `deeplift_engine.targets.resolve`.
    level
        Gives these activations on arrays (n, ...) of each input; None where they are not known.
    content
        Arrays (N, ...) that stand for the samples in random draws; None: ``data``.
    input_dtypes
        Those in which whole numbers came that are computed with as floats, by input.
    heads
        Which targets are of which head, by name; none where all are of one layer.
    """

    inputs: tuple[InputInfo, ...]
    data: list[Array]
    references: list[References]
    weights: Array
    target: str | Mapping[str, str]
    stacked: bool = False
    batch_size: int | None = None
    average: bool = True
    standard_errors: bool = False
    strict: bool = False
    progress: bool | None = None
    numbers: Array | None = None
    whole: int | None = None
    weights_of: Callable[[Array, Callable[[], Array] | None, bool], RunWeights] | None = None
    level: Callable[[Sequence[Array]], Array] | None = None
    content: list[Array] | None = None
    input_dtypes: Mapping[str, str] = field(default_factory=dict)
    heads: Mapping[str, HeadRows] = field(default_factory=dict)
    reference_weights: Callable[[Array], Array] | None = None

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
    def references_name(self) -> str | list[str]:
        """The references in words, of each input where there are several."""
        names = [reference.name for reference in self.references]
        return names[0] if len(names) == 1 else names

    @functools.cached_property
    def keys(self) -> NDArray[np.uint64]:
        """A number for each sample (N,) that stands for its content in random draws."""
        flat = [
            array.reshape(self.samples, -1).astype(np.float32) + 0  # -0.0 is 0.0
            if array.dtype.kind == "f"
            else array.reshape(self.samples, -1)
            for array in (self.data if self.content is None else self.content)
        ]
        return content_keys(
            [b"".join(array[row].tobytes() for array in flat) for row in range(self.samples)]
        )

    def numbers_of(self, samples: Array) -> Array:
        """The numbers (n,) of samples among those of the user."""
        return samples if self.numbers is None else np.asarray(self.numbers[samples])

    def number(self, sample: int) -> int:
        """That of one sample."""
        return int(self.numbers_of(np.array(sample)))

    def part(self, data: Sequence[Array], numbers: Array) -> Request:
        """The same run for ``data`` (n, ...), the samples of these numbers."""
        return self.replace(
            data=list(data),
            references=[each.of_samples(numbers) for each in self.references],
            numbers=numbers,
        ).reweighted()

    def reweighted(self, *, mirrored: bool = False) -> Request:
        """The same with the target's weights on its own data, and by its own ``level``."""
        assert self.weights_of is not None
        numbers = self.numbers_of(np.arange(self.samples))
        level = None if self.level is None else functools.partial(self.level, self.data)
        weights, of_references = self.weights_of(numbers, level, mirrored)
        return self.replace(weights=weights, reference_weights=of_references)

    def replace(self, **changes: Any) -> Request:
        """The same request but for ``changes``."""
        return replace(self, **changes)

    def shared_references(self) -> list[Array]:
        """The references (K, ...) of each input, where all samples have the same."""
        arrays = []
        for info, reference, array in self._each():
            values = reference.make(array[:0], NOBODY)
            self._warn(info, reference, array, values)
            arrays.append(np.broadcast_to(values, (self.count, *array.shape[1:])))
        return arrays

    def block_references(self, row: int, rows: int) -> list[Array]:
        """References (rows, K, ...) of samples from ``row``, the last repeated past the end."""
        indices = np.arange(row, min(row + rows, self.samples))
        numbers = self.numbers_of(indices)
        arrays = self.references_of(indices)
        for (info, reference, array), values in zip(self._each(), arrays, strict=True):
            if not reference.shared:
                self._warn(info, reference, array[indices], values, numbers)
        return [padded(values, 0, rows) for values in arrays]

    def references_of(self, indices: Array) -> list[Array]:
        """References (n, K, ...) of some samples, by their numbers (n,)."""
        return [
            np.broadcast_to(
                reference.make(array[:0], NOBODY)[np.newaxis]
                if reference.shared
                else reference.make(array[indices], indices),
                (len(indices), self.count, *array.shape[1:]),
            )
            for _, reference, array in self._each()
        ]

    def _each(self) -> Iterator[tuple[InputInfo, References, Array]]:
        return zip(self.inputs, self.references, self.data, strict=True)

    def _warn(
        self,
        info: InputInfo,
        reference: References,
        array: Array,
        values: Array,
        numbers: Array | None = None,
    ) -> None:
        """Warn of references that say nothing; of several inputs, where they are drawn."""
        several = len(self.data) > 1
        if reference.drawn or not several:
            of = f" of input {info.name!r}" if several else ""
            warn_if_degenerate(array, values, numbers, of=of, drawn=reference.drawn)


def checked_batch_size(batch_size: int | None) -> int | None:
    """A whole number of 1 or more, or None.

    Raises
    ------
    InputError
        For anything else.
    """
    size: int | None = checked("batch_size", batch_size, OrNone(Integer(1)), InputError)
    return size


def resolved_references(
    references: Any, data: Sequence[Array], inputs: Sequence[InputInfo], samples: int | None = None
) -> list[References]:
    """A user's references, one for each input; None is the default of `references.resolve`.

    A number, or another single reference for all samples, is that of each input. An input that a
    mapping leaves out is held fixed. ``samples`` is their number where ``data`` are the first of
    them only.

    Raises
    ------
    ReferencesError
        If they do not fit the inputs, or each other.
    """
    each = (
        [references] * len(inputs)
        if references is None or is_single(references)
        else by_input(references, inputs, "references", reference_module.unchanged())
    )
    resolved = [
        reference_module.resolve(
            one,
            array.shape[1:],
            len(array) if samples is None else samples,
            array.dtype,
            array[0],
            info.table,
            info.padding,
        )
        for one, array, info in zip(each, data, inputs, strict=True)
    ]
    if len({reference.count for reference in resolved} - {1}) > 1:
        counts = {info.name: r.count for info, r in zip(inputs, resolved, strict=True)}
        raise ReferencesError(
            f"The inputs have different numbers of references: {counts}. "
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
    errors: bool = False,
    samples: int | None = None,
    first: int = 0,
    level: Callable[[Sequence[Array]], Array] | None = None,
    pairs: bool = False,
) -> Request:
    """Check and resolve the arguments of `Explainer.run` and its kin.

    Parameters
    ----------
    x, target, references, batch_size, average, standard_errors, strict, progress
        As for `deeplift_engine.Explainer.run`.
    inputs
        The network's.
    shape
        Function of the data that gives the shape of the target's layer without batch axis, or of
        that of each head.
    dtype
        The network's.
    errors
        Whether the method gives means over references with their standard errors, so that these
        may be asked for, and the number of references may be open, ``"auto"``.
    samples
        How many samples the run has, where ``x`` are some of them only, from number ``first`` on.
    first
        See there.
    level
        Gives the activations (n, *shape) of the target's layer on arrays (n, ...) of the inputs,
        for targets that are weighted by them.
    pairs
        Whether the weights of a target may depend on references.

    Raises
    ------
    InputError, TargetError, ReferencesError
        Where the arguments do not fit the network or each other, and as for `check_process`.
    """
    check_process()
    size = checked_batch_size(batch_size)
    data = arrays(x, inputs, dtype, own=True, first=first)
    compared = resolved_references(references, data, inputs, samples)
    if references is not None and not is_single(references):
        check_order(x, references, inputs)
    for reference in compared:
        if reference.tolerance is not None and not errors:
            raise ReferencesError(
                f"{reference.name}: this method does not add references until standard errors "
                "are small, as 'deeplift' and 'integrated_gradients' do; give a number of them"
            )
    count = max(reference.count for reference in compared)
    if standard_errors and not errors:
        raise InputError(
            "This method gives no standard errors over references, as 'deeplift' and "
            "'integrated_gradients' do; those over draws, where it has any, need no asking."
        )
    if standard_errors and (not average or count < 2):
        raise InputError(
            "Standard errors are those of means over two references or more: these are "
            + ("kept apart with average=False." if not average else "1 for each sample.")
        )
    units, whole = shape(data), len(data[0]) if samples is None else samples
    here = np.arange(len(data[0])) + first

    def resolved(
        rows: Array, known: Callable[[], Array] | None, mirrored: bool = False
    ) -> tuple[RunWeights, dict[str, HeadRows]]:
        cached = None if known is None else functools.cache(known)
        weights, heads = resolved_target(target, units, whole, dtype, rows, cached, mirrored)
        return (weights, weights_at_references(target, units, heads, dtype, mirrored)), heads

    known = None if level is None else functools.partial(level, data)
    (weights, reference_weights), heads = resolved(here, known)
    if reference_weights is not None and not pairs:
        raise TargetError(
            "profile(weights='pair') weighs each pair of input and reference by itself, and this "
            "takes one target for all references, or compares with none: say "
            "profile(weights='input')."
        )

    return Request(
        inputs,
        data,
        compared,
        weights,
        targets.in_words(target),
        bool(heads) or targets.several(target),
        size,
        average,
        standard_errors,
        strict,
        progress,
        whole=samples,
        weights_of=lambda *some: resolved(*some)[0],
        level=level,
        input_dtypes={
            info.name: value.dtype.name
            for info, value, array in zip(inputs, by_input(x, inputs, "x"), data, strict=True)
            if isinstance(value, np.ndarray)
            and value.dtype.kind in "biu"
            and array.dtype.kind == "f"
        },
        heads=heads,
        reference_weights=reference_weights,
    )
