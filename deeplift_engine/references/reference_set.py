"""References as data, and the checks on them.

Users meet these names through `deeplift_engine.references`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy as np

from deeplift_engine.errors import DegenerateReferenceWarning, ReferencesError
from deeplift_engine.graph.input_advice import Shape
from deeplift_engine.graph.inputs import Table
from deeplift_engine.util import options
from deeplift_engine.util.owned import digest as digest_of
from deeplift_engine.util.owned import owned, owned_values
from deeplift_engine.util.recreation import recreation
from deeplift_engine.util.typing import Array
from deeplift_engine.util.warn import warn

MakeReferences: TypeAlias = Callable[[Array, Array], Array]
Origin: TypeAlias = "tuple[Callable[[], Any], References | PendingReferences] | None"
P = ParamSpec("P")
R = TypeVar("R", "References", "PendingReferences")

DEGENERATE_SHARE = 0.5
"""A sample is degenerate where at least this share of its references equals it."""


@dataclass(frozen=True)
class References:
    """References, from which arrays are made for batches of inputs.

    Attributes
    ----------
    name
        A call that makes the same again, such as ``"dinucleotide_shuffle(20, seed=0)"``; saved with
        the settings of a run.
    count
        References per input (K), or the size of the shared set.
    shared
        One set for all inputs: `make` is called once.
    make
        ``make(inputs (n, *S), indices (n,)) -> (n, count, *S)``, with ``indices`` the position
        of each sample in the whole data. Where `shared`, ``inputs`` is an empty ``(0, *S)``
        array that has the shape, and the result is ``(count, *S)``.
    tolerance
        A run adds references until the standard errors of a sample's scores are within this share
        of its largest score; None where it takes all.
    subset
        ``subset(start, stop)`` are the references of these numbers, where they can be drawn alone.
    drawn
        Whether they are drawn at random.
    origin
        The call that makes the same again, which is pickled and copied, and what it returned.
    """

    name: str
    count: int
    shared: bool
    make: MakeReferences = field(repr=False)
    tolerance: float | None = None
    subset: Callable[[int, int], References] | None = field(default=None, repr=False)
    drawn: bool = False
    origin: Origin = field(default=None, repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """See `origin`."""
        return _recreation(self)

    def of_samples(self, numbers: Array) -> References:
        """The same for samples ``(n,)`` that have these numbers in the whole data."""
        make, subset = self.make, self.subset
        if self.shared:
            return self
        return replace(
            self,
            make=lambda inputs, indices: make(inputs, numbers[indices]),
            subset=None if subset is None else lambda *some: subset(*some).of_samples(numbers),
        )

    @property
    def part(self) -> Callable[[int, int], References] | None:
        """The old name of `subset`."""
        warn("References.part is References.subset", DeprecationWarning)
        return self.subset


@dataclass(frozen=True)
class PendingReferences:
    """References whose number depends on the inputs: `per_sample`, `function`."""

    name: str
    settle: Callable[[Shape, int, Array | None], References]
    origin: Origin = field(default=None, repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """See `References`."""
        return _recreation(self)


def recreated(create: Callable[P, R]) -> Callable[P, R]:
    """Let what a function of a module returns be pickled and copied, by its arguments."""

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        own: tuple[Any, Any] = owned_values((args, kwargs))
        references = create(*own[0], **own[1])
        origin = functools.partial(again, *own[0], **own[1]), references
        return replace(references, origin=origin)

    again: Callable[P, R] = functools.wraps(create)(call)
    return again


def _recreation(references: References | PendingReferences) -> tuple[Any, ...]:
    call, as_created = references.origin or (None, None)
    return recreation(call if references == as_created else None, references)


def degenerate_fraction(inputs: Array, references: Array) -> float:
    """Share of the references that equal the input they are compared with.

    Parameters
    ----------
    inputs
        ``(n, *S)``.
    references
        ``(n, K, *S)``, or ``(K, *S)`` shared.
    """
    return float(_equal(inputs, references).mean())


def repeated_fraction(references: Array) -> Array:
    """Share ``(n,)`` of each sample's references ``(n, K, *S)`` that equal one before them."""
    n, count = references.shape[:2]
    # equal references have equal sums under any weights, which are quick to look through first
    flat = references.reshape(n * count, -1)
    weights = np.random.default_rng(0).normal(size=flat.shape[1])
    weights = weights.astype(flat.dtype if flat.dtype.kind == "f" else float)
    # not ``@``: the threads of BLAS spin on for a while, and take the cores from TensorFlow's
    sums = np.einsum("ij,j->i", flat, weights).reshape(n, -1)
    largest = np.abs(sums).max(axis=1, keepdims=True, initial=0)
    near = repeats(np.round(sums / np.where(largest > 0, largest, 1), 4)).any(axis=1)
    repeated = np.zeros(n)
    if near.any():
        repeated[near] = repeats(fingerprints([references[near]])).mean(axis=1)
    return repeated


def fingerprints(arrays: Sequence[Array]) -> Array:
    """``(n, K)`` numbers that are equal where all of the arrays ``(n, K, ...)`` are."""
    n, count = arrays[0].shape[:2]
    hashes = [
        hash(b"".join((array[row, k] + 0).tobytes() for array in arrays))  # -0.0 equals 0.0
        for row in range(n)
        for k in range(count)
    ]
    return np.array(hashes, np.int64).reshape(n, count)


def repeats(keys: Array) -> Array:
    """``(n, K)``: whether a key equals one before it in its row."""
    order = np.argsort(keys, axis=1, kind="stable")
    ordered = np.take_along_axis(keys, order, axis=1)
    repeated = np.zeros(keys.shape, bool)
    np.put_along_axis(repeated, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    return repeated


def warn_if_degenerate(
    inputs: Array,
    references: Array,
    indices: Array | None = None,
    *,
    of: str = "",
    drawn: bool = True,
) -> None:
    """Warn where at least half of a sample's references equal the sample itself, or each other.

    A reference that equals its input leaves no difference to explain, and all scores are 0; a
    repeated reference counts several times. Both happen with shuffles of sequences of low
    complexity: ``ACTGACTGACTG`` has a single dinucleotide shuffle, itself.

    Parameters
    ----------
    inputs, references
        As in `degenerate_fraction`.
    indices
        ``(n,)`` position of each sample in the whole data, for the message.
    of
        The input, for the message: `` of input 'left'``.
    drawn
        Whether the references are drawn at random, for the advice.
    """
    equal = _equal(inputs, references).mean(axis=1)
    _warn(
        equal,
        indices,
        f"{of} equal the sample itself",
        "these pairs score 0 everywhere"
        + ("; a repeat may have no other shuffle" if drawn else "")
        + ", so choose other references for it, for instance references.background(...)",
    )
    if references.ndim > inputs.ndim:
        _warn(
            np.where(equal < DEGENERATE_SHARE, repeated_fraction(references), 0.0),
            indices,
            f"{of} equal another of them",
            "a sequence of low complexity may have few shuffles, so choose other references for "
            "it, for instance references.gc_matched(...)"
            if drawn
            else "each counts as often as it is there, so leave the repeats out",
        )


def _warn(share: Array, indices: Array | None, what: str, advice: str) -> None:
    bad = np.flatnonzero(share >= DEGENERATE_SHARE)
    if len(bad):
        first = int(bad[0])
        number = first if indices is None else int(indices[first])
        warn(
            f"{share[first]:.0%} of the references of sample {number}{what}"
            f"{f' ({len(bad)} such samples)' if len(bad) > 1 else ''}: {advice}",
            DegenerateReferenceWarning,
        )


def _equal(inputs: Array, references: Array) -> Array:
    """``(n, K)``: whether the reference equals the input."""
    pairs = references[None] if references.ndim == inputs.ndim else references
    return np.stack(
        [
            (inputs == pairs[:, k]).reshape(len(inputs), -1).all(axis=1)
            for k in range(pairs.shape[1])
        ],
        axis=1,
    )


def checked(references: References, dtype: np.dtype[Any], table: Table | None = None) -> References:
    """Wrap `make` so that it checks shape, finiteness and tokens, and casts to ``dtype``."""

    def make(inputs: Array, indices: Array) -> Array:
        computed = np.asarray(references.make(inputs, indices))
        lead = (references.count,) if references.shared else (len(inputs), references.count)
        expected = (*lead, *inputs.shape[1:])
        if computed.shape != expected:
            raise ReferencesError(
                f"{references.name} gave shape {computed.shape}; expected {expected} for inputs "
                f"of shape {inputs.shape}"
            )
        if computed.dtype.kind not in "biuf":
            raise ReferencesError(f"{references.name} gave {computed.dtype} values, not numbers")
        with np.errstate(over="ignore"):
            cast = computed.astype(dtype, copy=False) if dtype.kind == "f" else computed
        if cast.dtype.kind == "f" and not np.isfinite(cast).all():
            bad = np.argwhere(~np.isfinite(cast))[0]
            where = "" if references.shared else f" (sample {int(indices[bad[0]])})"
            raise ReferencesError(
                f"{references.name}: the value at {tuple(int(i) for i in bad)}{where} is "
                f"{computed[tuple(bad)]}; references must be finite in {cast.dtype}"
            )
        if table is not None and (outside := table.outside(computed)):
            index, text = outside
            where = "" if references.shared else f" for sample {int(indices[index[0]])}"
            raise ReferencesError(f"{references.name}: a token{where} is {text}")
        cast = computed.astype(dtype, copy=False)
        if dtype.kind in "iu" and not np.array_equal(cast, computed):
            raise ReferencesError(
                f"{references.name}: the input takes {dtype} values, and some references are "
                "not whole numbers of that range"
            )
        return cast

    def subset(start: int, stop: int) -> References:
        assert references.subset is not None
        return checked(references.subset(start, stop), dtype, table)

    return replace(references, make=make, subset=subset if references.subset else None)


def to_numbers(array: Any, what: str) -> Array:
    """An array of finite numbers from any value, `owned`, or an error that names ``what``."""
    try:
        values = np.asarray(array)
    except ValueError as error:
        raise ReferencesError(f"{what}: not an array of numbers: {error}") from error
    if values.dtype.kind not in "biuf" or isinstance(array, bool):
        raise ReferencesError(
            f"{what}: expected None, a number, an array of numbers, a function of the inputs or "
            f"what the functions of deeplift_engine.references return, such as "
            f"references.shuffle(20), not {type(array).__name__} {options.shown(array)}"
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise ReferencesError(
            f"{what}: the value at {bad} is {values[bad]}; references must be finite"
        )
    return owned(values, array if isinstance(array, list | tuple | float | int) else None)


def positive(count: int, name: str) -> None:
    """Refuse a count that is not a whole number of 1 or more."""
    label = f"{name}: the number of references"
    options.checked(label, count, options.Integer(1), ReferencesError)


def describe(array: Array, digest: bool = True) -> str:
    """Shape and contents in a few characters, for names."""
    text = " x ".join(map(str, array.shape)) or "1"
    if digest:
        text += f", sha256={digest_of(array)}"
    return text


def dims(shape: Shape) -> str:
    """The sizes of a shape as text, free ones as ``any``."""
    return ", ".join("any" if size is None else str(size) for size in shape)
